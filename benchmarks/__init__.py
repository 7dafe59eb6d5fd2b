"""Benchmarks of the service and of training against alternatives; each module is a command."""
