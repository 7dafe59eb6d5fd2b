"""TensorFlow Serving's REST API with the fields of KServe v1, below /v1."""
