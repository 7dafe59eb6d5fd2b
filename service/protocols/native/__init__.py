"""The service's own protocol: /predict, /models and /health."""
