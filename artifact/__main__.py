"""`python -m artifact`: list the versions in a model repository, pin one (roll back), unpin."""

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from artifact.card import ArtifactError
from artifact.keys import read_keys
from artifact.listing import COLUMNS, Look, examine, rows
from artifact.pins import check_published, pin, unpin
from artifact.version import VERSION

BROKEN_PIPE = 141  # 128 + SIGPIPE, the exit code that shells report
DESCRIPTION = "List the versions in a model repository, pin a version (roll back), unpin it."


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit code: 0 for success, 1 for an error, 2 for a wrong argument."""
    options = _parser().parse_args(arguments)
    models_dir: Path = _option(options.models_dir, "LAGCAST_MODELS_DIR") or Path("models")
    try:
        keys = read_keys(_option(options.card_key_file, "LAGCAST_CARD_KEY_FILE"))
        if options.command == "list":
            return _print_table([COLUMNS, *rows(models_dir, Look(keys, options.self_test))])
        if options.command == "pin":
            _pin(models_dir, options.name, options.version, keys)
        else:
            unpin(models_dir, options.name)
    except ArtifactError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"{error.filename or models_dir}: {error.strerror}")
    return 0


def _option(value: Path | None, variable: str) -> Path | None:
    """Value of a command-line option, or of its environment variable if that is set and not empty."""
    text = os.environ.get(variable)
    return value or (Path(text) if text else None)


def _fail(text: str) -> int:
    print(f"artifact: {text}", file=sys.stderr)
    return 1


def _pin(models_dir: Path, name: str, version: int, keys: tuple[bytes, ...]) -> None:
    """Pin a version after the service's own checks: checksums, signature if there is a key, self-test.

    Raises ArtifactError if the version does not exist or fails a check.
    """
    check_published(models_dir, name, version)
    outcome = examine(models_dir, name, version, Look(keys, is_tested=True))
    if outcome.sha256 is None:
        raise ArtifactError(f"{name}/{version} is not pinned, it is {outcome.state}: {outcome.reason}")
    pin(models_dir, name, version, keys)


def _print_table(table: Iterable[tuple[str, ...]]) -> int:
    lines = list(table)
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    try:
        print(*map(str.rstrip, padded), sep="\n", flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the flush at exit fails
        if isinstance(error, BrokenPipeError):  # the reader of stdout has exited, for example `head`
            return BROKEN_PIPE
        return _fail(f"the list cannot be printed: {error.strerror}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m artifact", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"lagcast {VERSION}")
    _add_options(parser, default=None)
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="every version, its errors beside the baselines, what is live and why")
    listing.add_argument(
        "--self-test", action="store_true", help="run each network on its golden samples too, as the service does"
    )
    pinning = commands.add_parser("pin", help="make a version live instead of the highest one; it is tested first")
    unpinning = commands.add_parser("unpin", help="make the highest good version live again")
    for command in (pinning, unpinning):
        command.add_argument("name", help="name of the model")
    pinning.add_argument("version", type=int, help="number of the version")
    for command in (listing, pinning, unpinning):
        _add_options(command, default=argparse.SUPPRESS)  # keeps an option given before the command
    return parser


def _add_options(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument(
        "--models-dir",
        type=Path,
        default=default,
        metavar="DIR",
        help="the model repository (default: models) [env: LAGCAST_MODELS_DIR]",
    )
    parser.add_argument(
        "--card-key-file",
        type=Path,
        default=default,
        metavar="FILE",
        help="card keys, one a line: the first signs, all are accepted [env: LAGCAST_CARD_KEY_FILE]",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
