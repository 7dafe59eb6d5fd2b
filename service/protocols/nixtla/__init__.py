"""The routes that `NixtlaClient` calls, answered by the published models."""
