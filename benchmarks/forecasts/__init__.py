"""Forecast benchmark: the networks and standard methods on public competitions (M1, Tourism, M3)."""
