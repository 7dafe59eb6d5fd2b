"""Open Inference Protocol v2, below /v2."""
