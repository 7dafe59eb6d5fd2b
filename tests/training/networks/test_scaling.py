"""The result does not depend on the unit of a series or, as far as float32 resolves it, on an offset."""

from collections.abc import Callable

import numpy as np
import pytest

from artifact import Evaluation
from training.config import TrainConfig
from training.data.rows import make_rows
from training.evaluate import evaluate
from training.fit import fit
from training.networks.registry import NETWORKS
from training.train import predict
from training.values import Values

STEPS = np.arange(160)
SERIES = 50 + 40 * np.sin(STEPS / 5) + 10 * np.sin(STEPS * 1.7)
UNITS: dict[str, Callable[[Values], Values]] = {
    "times 1e-12": lambda series: series * 1e-12,
    "times 1e-25": lambda series: series * 1e-25,
    "times 1e13": lambda series: series * 1e13,
    "plus 1e5": lambda series: series + 1e5,
    "times 1e6, plus 1e9": lambda series: series * 1e6 + 1e9,
}


def evaluated(name: str, series: Values) -> Evaluation:
    rows = make_rows(series, series, 5, horizon=1)
    trained, held_out = rows.split(0.2, 1)
    model = fit(NETWORKS[name], TrainConfig(epochs=60), trained, lambda *_: None)
    return evaluate(predict(model, NETWORKS[name].inputs(held_out.windows)), trained, held_out)


NETWORKS_AND_UNITS = {"mlp-window": list(UNITS), "linear": list(UNITS), "lstm": ["times 1e-12"]}


@pytest.mark.parametrize("name", NETWORKS_AND_UNITS)
def test_a_series_in_another_unit_has_the_same_metrics_without_a_unit_and_the_same_verdict(name: str) -> None:
    plain = evaluated(name, SERIES)
    assert plain.model.r2 is not None
    assert plain.model.r2 > 0.5

    for unit in NETWORKS_AND_UNITS[name]:
        other = evaluated(name, UNITS[unit](SERIES))
        for ours, theirs in ((plain.model, other.model), (plain.linear, other.linear)):
            assert theirs.r2 == pytest.approx(ours.r2, abs=0.01), unit
            assert theirs.mase == pytest.approx(ours.mase, rel=0.05, abs=0.01), unit
        assert other.loses_to == plain.loses_to, unit
