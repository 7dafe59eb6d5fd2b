"""The stages of a run with the combination recipe: stop, calibrate, judge, fit on all rows, export, describe."""

from typing import NamedTuple

import numpy as np

from artifact import Evaluation, HeldOutRow, Intervals, check_golden
from training.backtest.calibrate import Judged, calibrate, measure
from training.backtest.judge import judge, scorer
from training.backtest.shapes import learn_shapes
from training.backtest.windows import Mask, Windows
from training.card import Subject, data_source, draft_card
from training.combination.assembly import Fitted
from training.combination.fit import MEMBERS, Fits, Stage, StartFit
from training.combination.prepare import Prepared
from training.combination.sizes import resolved, sizes_for
from training.config import TrainConfig
from training.ends import held_out_rows
from training.networks.network import Network
from training.networks.registry import NETWORKS
from training.train import HeldOut, Trained
from training.values import Values

PIECE = 4096  # rows at a time
MOST_COMPARED = 2000  # windows on which the exported files are compared, spread over all of them


def train_all(config: TrainConfig, prepared: Prepared, start_fit: StartFit) -> list[Trained]:
    """Train the config's networks. Raises ArtifactError if a loss diverges or exported files do not agree."""
    sizes = sizes_for(config, len(prepared.windows.last))
    fits = Fits(prepared.windows, sizes, config.seed, start_fit)
    return [_train(NETWORKS[name], config, prepared, fits) for name in config.networks]


def fits_of(config: TrainConfig, prepared: Prepared) -> tuple[int, int]:
    """How many fits a run makes, and the most steps of each."""
    hidden = {one for name in config.networks for one in NETWORKS[name].hidden}
    stages = 2 + bool(prepared.spans.validation) + bool(prepared.spans.calibration)
    return len(hidden) * MEMBERS * stages, sizes_for(config, len(prepared.windows.last)).budget.steps


def _train(network: Network, config: TrainConfig, prepared: Prepared, fits: Fits) -> Trained:
    """Four fits, each of which knows more of every series than the one before.

    The first one finds how many steps are best. The scores of intervals come from the second, metrics and coverage
    from the third. What is published has seen all rows, as nothing after them will be known either.
    """
    windows, spans = prepared.windows, prepared.spans
    validation = spans.validation_rows(windows)[:, None] & ~np.isnan(windows.targets)
    if validation.any():
        fits.model(network, Stage("stopping", windows.known(spans.before_validation), validation))
    rows = spans.judged_rows(windows)
    inputs, targets = windows.values[rows], windows.targets[rows]
    forecasts = predict(fits.model(network, Stage("evaluation", windows.known(spans.before_judged))), inputs)
    evaluation = judge(forecasts, windows, rows, spans.before_judged)
    intervals = None
    if (calibration := spans.calibration_rows(windows)).any():
        calibrated = fits.model(network, Stage("intervals", windows.known(spans.before_calibration)))
        intervals = _intervals(windows, calibration, calibrated, Judged(inputs, forecasts, targets))
    final = fits.model(network, Stage("publishing", windows.known(0)))
    metric, error = scorer(windows, rows, spans.before_judged)
    held_out = HeldOut(inputs, metric, error, error(forecasts))
    places = windows.last[rows] + windows.ahead[0]
    kept = held_out_rows(prepared.table, places, targets[:, 0], forecasts[:, 0])
    return _describe(network, config, prepared, final, Results(evaluation, intervals, held_out, kept))


class Results(NamedTuple):
    """What was found out about a network with fits that have not seen all rows."""

    evaluation: Evaluation
    intervals: Intervals | None
    held_out: HeldOut
    kept: list[HeldOutRow]


def _intervals(windows: Windows, rows: Mask, calibrated: Fitted, found: Judged) -> Intervals:
    inputs = windows.values[rows]
    intervals = calibrate(Judged(inputs, predict(calibrated, inputs), windows.targets[rows]), windows.season)
    return intervals.model_copy(update={"coverage": measure(intervals, found)})


def _describe(network: Network, config: TrainConfig, prepared: Prepared, model: Fitted, results: Results) -> Trained:
    windows, spans = prepared.windows, prepared.spans
    compared = np.unique(np.linspace(0, len(windows.last) - 1, MOST_COMPARED).astype(int))
    exported = model.export(windows.values[compared].astype(np.float32))
    source = data_source(config, prepared.table, len(windows.last), prepared.sha256())
    subject = Subject(
        windows=windows.values,
        targets=windows.targets[:, 0],
        source=source,
        values=prepared.table.values,
        table=prepared.table,
        held_out=results.kept,
        resolved=resolved(config, prepared),
    )
    trained = windows.known(spans.before_calibration).any(axis=1)
    parts = (trained, spans.calibration_rows(windows), spans.judged_rows(windows))
    shapes = learn_shapes(*(windows.values[part] for part in parts))
    draft = draft_card(network, config, subject, results.evaluation, model.model, exported)
    draft = draft.model_copy(update={"intervals": results.intervals, "shapes": shapes})
    check_golden(draft, exported.litert)
    return Trained(draft, exported.files, results.held_out)


def predict(model: Fitted, windows: Values) -> Values:
    """Run a fitted network, (rows, window) → (rows, steps)."""
    pieces = [windows[k : k + PIECE].astype(np.float32) for k in range(0, len(windows), PIECE)]
    return np.concatenate([model(piece).astype(np.float64) for piece in pieces])
