"""The version of the project, as `--version` of the offline commands shows it."""

VERSION = "0.1.0"
