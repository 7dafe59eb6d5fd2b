"""Thousands of models: `make bench-many`."""
