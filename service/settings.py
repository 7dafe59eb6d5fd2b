"""The settings of a process: environment variables with one prefix, or the command line, validated and immutable."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """Serve the live version of each model over HTTP; the command line wins over the environment."""

    model_config = SettingsConfigDict(
        frozen=True,
        env_prefix="LAGCAST_",
        env_ignore_empty=True,
        cli_prog_name="python -m service",
        cli_kebab_case=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
        cli_show_env_vars=True,
    )

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    workers: int = Field(1, ge=1, le=256, description="processes that answer")
    models_dir: Path = Field(Path("models"), description="the model repository to serve from")
    engine: Literal["litert", "keras"] = Field("litert", description="what runs the networks; keras needs TensorFlow")
    max_body_bytes: int = Field(16 * 2**20, ge=1, description="largest request body, else 413")
    required_models: CommaSeparated = Field((), description="models without which the process is not ready")
    max_batch_rows: int = Field(100_000, ge=1, description="most rows in a batch, else 422")
    max_concurrency: int = Field(64, ge=1, description="most requests at work in a process, else 429")
    body_seconds: float = Field(10, gt=0, le=86_400, description="longest wait for more of a request, else 408")
    deadline_seconds: float = Field(30, gt=0, le=86_400, description="longest work on a request, else 504")
    reload_seconds: float = Field(2, gt=0, le=86_400, description="longest time until a new version is live")
    access_log: bool = Field(default=False, description="a line in the log for each request")
    drain_seconds: float = Field(5, ge=0, le=86_400, description="how long to serve on after SIGTERM")
    cors_origins: list[str] = Field([], description="web origins that may ask; unset: none")
    card_key_file: Path | None = Field(None, description="the key that cards must be signed with; unset: none")
    api_keys_file: Path | None = Field(
        None, description="sha256 of each API key, in hex, one a line; unset: no key is needed"
    )
