"""Forecasts of public competitions (M1, Tourism, M3) by the networks, beside standard methods."""
