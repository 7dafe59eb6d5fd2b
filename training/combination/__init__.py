"""The combination recipe: a network that weighs the forecasts of standard methods, window by window."""
