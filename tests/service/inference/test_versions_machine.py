"""Invariants of versions after accidents in any order; `make test-soak` takes more steps."""

from hypothesis import HealthCheck, settings

from tests.versions_machine import Versions

Versions.TestCase.settings = settings(
    max_examples=10, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestVersions = Versions.TestCase
