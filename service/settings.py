"""Settings of the service, from environment variables and the command line; validated and immutable."""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from textwrap import fill
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "LAGCAST_"
PATH_PREFIX = r"^(/[A-Za-z0-9._~-]+)*$"  # no slash at its end
EXAMPLES = """examples:
  python -m service --port 8080 --workers 2
  LAGCAST_CORS_ORIGINS=https://a.example,https://b.example python -m service
"""


def _split(value: Any) -> Any:
    """Parse a list: JSON, or items separated by commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError("is neither a JSON list nor items separated by commas") from None
    return [item.strip() for item in value.split(",") if item.strip()]


def _check_networks(items: list[str]) -> list[str]:
    for item in items:
        ip_network(item, strict=False)  # its ValueError names the item
    return items


Items = Annotated[list[str], NoDecode, BeforeValidator(_split)]
Networks = Annotated[Items, AfterValidator(_check_networks)]


class InvalidSettings(Exception):
    """A wrong option or environment variable; the text names it, in one line."""


class Settings(BaseSettings):
    """Serve the live version of each model over HTTP. An option takes precedence over its environment variable."""

    model_config = SettingsConfigDict(frozen=True, env_prefix=PREFIX, env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0: any free port")
    workers: int = Field(1, ge=1, le=256, description="worker processes")
    models_dir: Path = Field(Path("models"), description="model repository to serve from")
    engine: Literal["litert", "keras"] = Field("litert", description="inference engine; keras needs TensorFlow")
    max_body_bytes: int = Field(16 * 2**20, ge=1, description="maximum size of a request body, else 413")
    required_models: Items = Field([], description="models that must be live for the process to be ready")
    max_loaded: int = Field(
        1000, ge=1, description="maximum models that a process keeps loaded; the least recently used are put away"
    )
    model_control: bool = Field(
        default=True, description="whether clients may load and unload models: /v2/repository/models/{name}/load"
    )
    max_batch_rows: int = Field(100_000, ge=1, description="maximum rows in a batch, else 422")
    max_concurrency: int = Field(64, ge=1, description="maximum concurrent large requests of a process, else 429")
    max_connections: int = Field(
        4096, ge=1, description="maximum connections of a process; beyond it some that are idle longest are closed"
    )
    memory_bytes: int | None = Field(
        None,
        ge=1,
        description="maximum memory of a process for request bodies, the work on them and unread answers, else 429; "
        "unset: 256 MiB, or less if the memory limit of the container requires it",
    )
    body_seconds: float = Field(
        10,
        gt=0,
        le=86_400,
        description="timeout between two parts of a request, and for the whole request, after which it must arrive at "
        "16 KiB a second at least, else 408",
    )
    answer_seconds: float = Field(
        10,
        gt=0,
        le=86_400,
        description="timeout for reading an answer, after which the client must read 16 KiB a second at least, else "
        "the connection is closed",
    )
    deadline_seconds: float = Field(30, gt=0, le=86_400, description="maximum time of the work on a request, else 504")
    keep_alive_seconds: float = Field(
        75,
        gt=0,
        le=86_400,
        description="how long an idle connection stays open; set it longer than the load balancer's",
    )
    reload_seconds: float = Field(2, gt=0, le=86_400, description="maximum time until a new version is live")
    access_log: bool = Field(default=False, description="log every request")
    drain_seconds: float = Field(
        5, ge=0, le=86_400, description="how long to keep serving after SIGTERM, reporting not ready"
    )
    shutdown_seconds: float = Field(
        30, ge=0, le=86_400, description="after that, maximum time for the open requests to finish"
    )
    trusted_proxies: Networks = Field(
        [],
        description="addresses or networks of proxies whose X-Forwarded-For names the client, and X-Forwarded-Prefix "
        "the path below which they show the service; unset: none",
    )
    root_path: str = Field(
        "", pattern=PATH_PREFIX, description="path below which a reverse proxy shows the service, as /forecasts"
    )
    cors_origins: Items = Field([], description="web origins that are allowed, separated by commas; unset: none")
    card_key_file: Path | None = Field(
        None, description="file with the key that cards must be signed with; unset: cards need no signature"
    )
    state_dir: Path | None = Field(
        None, description="folder that keeps the live versions for the next start; unset: they are not kept"
    )
    api_keys_file: Path | None = Field(
        None, description="file with the SHA-256 of each API key, in hex, one per line; unset: no key is needed"
    )


def read_settings(arguments: Sequence[str], version: str) -> Settings:
    """Read the command line and the environment. Raises InvalidSettings; --help and --version exit."""
    options = vars(_parser(version).parse_args(arguments))
    given = {name: value for name, value in options.items() if value is not None}
    _check_variables(os.environ)
    try:
        return Settings(**given)
    except ValidationError as error:
        raise InvalidSettings("; ".join(_name(problem, given) for problem in error.errors())) from None


def _name(problem: Any, given: Mapping[str, Any]) -> str:
    name = str(problem["loc"][0])
    shown = f"--{name.replace('_', '-')}" if name in given else f"{PREFIX}{name.upper()}"
    return f"{shown}: {problem['msg'].removeprefix('Value error, ')}"


def _check_variables(environment: Mapping[str, str]) -> None:
    """Refuse unknown variables: with LAGCAST_API_KEYS_FILE misspelt the service would be open to everybody."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name in environment:
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = get_close_matches(name.upper(), known, n=1, cutoff=0.0)
            raise InvalidSettings(f"{name}: there is no such setting; the nearest is {near[0]}")


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help that shows switches as usual; true and false after one are accepted, as in the environment."""

    def _format_args(self, action: argparse.Action, default_metavar: str) -> str:
        return "" if action.nargs == "?" else super()._format_args(action, default_metavar)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise InvalidSettings(message)


def _parser(version: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m service",
        usage="%(prog)s [options]",
        description=fill(Settings.__doc__ or "", 79),
        epilog=EXAMPLES,
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"lagcast {version}")
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, [], False, "") else f" (default: {field.default})"
        options: dict[str, Any] = {"metavar": name.rpartition("_")[2].upper()}
        if field.annotation is bool:
            options = {"nargs": "?", "const": "true"}
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            help=f"{field.description}{default} [env: {PREFIX}{name.upper()}]".replace("%", "%%"),
            **options,
        )
    return parser
