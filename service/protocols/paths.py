"""URL paths used by several parts of the service."""

import re

LIVE, READY = "/health/live", "/health/ready"
V2_LIVE, V2_READY = "/v2/health/live", "/v2/health/ready"

HEALTH = frozenset({LIVE, READY, V2_LIVE, V2_READY})
READINESS = re.compile(f"{READY}|{V2_READY}|/v2/models/.+/ready")

PREDICT = "/predict/"  # followed by the name of a model
FORECAST = "/forecast/"  # the same
SCORE = "/score/"  # the same
TIME_SERIES = "/v1/timeseries"  # KServe's protocol; TensorFlow Serving's prefix /v1 contains it
