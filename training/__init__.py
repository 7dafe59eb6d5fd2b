"""Offline: series, windows, networks, fit, evaluate, export, publish."""
