"""`python -m artifact`: look into a model repository, and roll back."""

import argparse
import os
import sys
from pathlib import Path

from artifact.card import ArtifactError
from artifact.repository import names, pin, pinned, read_key, unpin, verify, versions


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        key = read_key(options.card_key_file)
        if options.command == "list":
            _list(options.models_dir, key)
        elif options.command == "pin":
            pin(options.models_dir, options.name, options.version, key)
        else:
            unpin(options.models_dir, options.name)
    except (ArtifactError, OSError) as error:
        print(f"artifact: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m artifact", description="Look into a model repository, roll back.")
    parser.add_argument(
        "--models-dir",
        type=Path,
        default=Path(os.environ.get("LAGCAST_MODELS_DIR") or "models"),
        help="the model repository (default: %(default)s) [env: LAGCAST_MODELS_DIR]",
    )
    parser.add_argument(
        "--card-key-file",
        type=Path,
        default=os.environ.get("LAGCAST_CARD_KEY_FILE") or None,
        help="the key that cards must be signed with [env: LAGCAST_CARD_KEY_FILE]",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every version, which one a service takes live, and what is wrong with others")
    for command, text in (("pin", "make a version live instead of the highest"), ("unpin", "let the highest be live")):
        subparser = commands.add_parser(command, help=text)
        subparser.add_argument("name")
        if command == "pin":
            subparser.add_argument("version", type=int)
    return parser


def _list(models_dir: Path, key: bytes | None) -> None:
    for name in names(models_dir):
        problems = {version: _problem(models_dir, name, version, key) for version in versions(models_dir, name)}
        chosen = pinned(models_dir, name)
        good = [version for version, problem in problems.items() if problem is None]
        live = chosen if chosen in good else max(good, default=None)
        for version, problem in problems.items():
            words = [problem, "live" if version == live else None, "pinned" if version == chosen else None]
            print(f"{name}/{version}  {', '.join(filter(None, words))}".rstrip())


def _problem(models_dir: Path, name: str, version: int, key: bytes | None) -> str | None:
    try:
        verify(models_dir, name, version, key)
    except ArtifactError as error:
        return str(error)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
