"""From validated windows to forecasts, without HTTP: models, versions, engines, self-test, errors."""
