"""Invariants of versions after at least 5,000 steps of accidents."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.versions_machine import Versions

pytestmark = pytest.mark.soak


def test_no_order_of_5000_accidents_makes_a_wrong_version_live_or_loses_a_live_one() -> None:
    steps = settings(
        max_examples=110, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    run_state_machine_as_test(Versions, settings=steps)
