"""Nixtla's API: the routes that `NixtlaClient` calls, served by the published models."""
