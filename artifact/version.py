"""Version of the project, printed by `--version` of the offline commands."""

VERSION = "0.1.0"
