"""Backtest: windows of many series, which of them are fitted on, calibrated on and judged on, and how well it went."""
