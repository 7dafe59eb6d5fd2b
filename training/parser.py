"""Command line parser made from a config class; its `--help` has readable names for values, and examples."""

import re
from argparse import Action, ArgumentParser, RawDescriptionHelpFormatter
from inspect import cleandoc
from typing import TypeVar

from pydantic_settings import CliApp, CliSettingsSource

from artifact.version import VERSION
from training.series_config import SeriesConfig

Config = TypeVar("Config", bound=SeriesConfig)

# Name of a value in --help, by type.
VALUES = {"int": "N", "float": "X", "str": "NAME", "Path": "PATH", "tuple[str,...]": "NAME,NAME"}


class _HelpFormatter(RawDescriptionHelpFormatter):
    """Help formatter: omits the default None, which the descriptions explain, and names values by their type."""

    def _get_help_string(self, action: Action) -> str:
        text = re.sub(r" \(default( factory)?: (None|_\w+)\)", "", action.help or "")
        return re.sub(
            r"\(default: \((.+)\)\)", lambda found: f"(default: {found[1].replace(chr(39), '').replace(' ', '')})", text
        )

    def _metavar_formatter(self, action: Action, default_metavar: str):  # type: ignore[no-untyped-def] # noqa: ANN202
        if isinstance(action.metavar, str):
            action.metavar = VALUES.get(re.sub(r"^\{(\w+),(null|None)\}$", r"\1", action.metavar), action.metavar)
        return super()._metavar_formatter(action, default_metavar)


def parse(config: type[Config], arguments: list[str]) -> Config:
    """Read the command line of `config`. Raises ValidationError; exits 2 for an unknown flag, 0 after --help."""
    program = config.model_config["cli_prog_name"]
    parser = ArgumentParser(
        prog=program,
        description=cleandoc(config.__doc__ or ""),
        epilog=config.examples(),
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"lagcast {VERSION}")
    source: CliSettingsSource[ArgumentParser] = CliSettingsSource(config, root_parser=parser)
    return CliApp.run(config, arguments, cli_settings_source=source)
