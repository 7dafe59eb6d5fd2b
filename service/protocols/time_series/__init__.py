"""KServe's time series protocol, below /v1/timeseries."""
