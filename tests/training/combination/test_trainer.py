import numpy as np

from training.backtest.windows import Stretches, make_windows
from training.combination.core import WEIGHTS
from training.combination.lookback import Lookback
from training.combination.program import front_of, program_of
from training.combination.samples import Samples
from training.combination.sizes import Budget
from training.combination.start import find_start
from training.combination.trainer import LEAST_VALIDATION, Trainer
from training.networks import mlp

LOOKBACK = Lookback(8, (1,), 1, log=False, reverts=True)


def test_a_fit_with_too_few_windows_to_stop_by_stays_at_its_start() -> None:
    series = np.cumsum(np.random.default_rng(0).normal(size=60))
    windows = make_windows(Stretches.of([series]), LOOKBACK.window, LOOKBACK.ahead, 1)
    samples = Samples.of(front_of(LOOKBACK), windows.values, windows.targets, windows.series)
    rows = np.arange(len(samples.targets))[:, None]
    known, validation = rows < 30, (rows >= 30) & (rows < 30 + LEAST_VALIDATION - 1)
    start = find_start(samples, np.where(known, samples.targets, np.nan))
    program = program_of(LOOKBACK, mlp.hidden, 8)
    taken: list[int] = []

    fit = Trainer(program, samples, Budget(20, 16, 0.01)).fit(
        known, start, 0, lambda steps, _: taken.append(steps), most=20, validation=validation
    )

    assert (fit.steps, taken) == (0, [])
    program.core.set_weights(fit.weights)
    assert np.allclose(program.core.get_layer(WEIGHTS).get_weights()[1], start.logits)
