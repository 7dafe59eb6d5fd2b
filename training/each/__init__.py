"""A model for each series of a table: `--each`."""
