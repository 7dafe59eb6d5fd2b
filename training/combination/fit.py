"""Fits of the combination recipe: the cores of some hidden layers, on the windows that each stage may know."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from training.backtest.spans import MANY
from training.backtest.windows import Mask, Windows
from training.combination.assembly import Fitted, assembly_of
from training.combination.lookback import Lookback
from training.combination.program import front_of, program_of
from training.combination.samples import Samples
from training.combination.sizes import Sizes
from training.combination.start import Start, find_start
from training.combination.trainer import Trainer, Weights
from training.networks.network import Hidden, Network

MEMBERS = 2  # fits from different seeds of each hidden layers, which the network averages
# Steps of a fit of several series with too few rows to stop by: a third of the budget learns which methods are best,
# and little noise. With MANY windows the whole budget is used. The fit of a single series stays at the start.
UNWATCHED = 1 / 3
# Values below this share of the mean, or a range below it, are no case for logarithms.
LOG_RANGE = 0.05
LOG_ZEROS = 0.01  # share of zeros up to which a series counts as positive
# Windows of a single series up to which it has no logarithms: least squares on plain values is then contained in the
# network as it is. On short series of M1 and Tourism errors are 1 to 3 % lower without.
FEW = 50

StartFit = Callable[[str], Callable[[float, float], None]]


class Fits:
    """Everything that is fitted on one set of windows; what two networks share is fitted once.

    A network is the mean of its cores, which work on logarithms where the series are positive: most of these grow and
    swing in proportion to their size. Of a short series that is too little known to be worth it.
    """

    def __init__(self, windows: Windows, sizes: Sizes, seed: int, start_fit: StartFit) -> None:
        self._seed, self._sizes, self._start_fit = seed, sizes, start_fit
        ahead = tuple(int(step) for step in windows.ahead)
        single, log = windows.stretches.count == 1, suits_logarithms(windows)
        self._lookback = Lookback(windows.window, ahead, windows.season, log=log, reverts=single)
        front = front_of(self._lookback)
        self._samples = Samples.of(front, windows.values, windows.targets, windows.series)
        self._trainers: dict[Hidden, Trainer] = {}
        unwatched = 0 if single else 1 if len(windows.last) >= MANY else UNWATCHED
        self._unwatched = round(sizes.budget.steps * unwatched)
        self._passes: dict[tuple[Hidden, int], float] = {}
        self._starts: dict[str, Start] = {}
        self._fitted: dict[tuple[Hidden, str], list[Weights]] = {}

    def model(self, network: Network, stage: "Stage") -> Fitted:
        """`network` as it is when it knows what `stage` knows: (rows, window) → (rows, steps), in the series' unit."""
        weights = [fitted for hidden in network.hidden for fitted in self._cores(hidden, stage)]
        cores = tuple((hidden, _name(hidden, member)) for hidden in network.hidden for member in range(MEMBERS))
        return Fitted(assembly_of(network.name, self._lookback, cores, self._sizes.units), weights)

    def _cores(self, hidden: Hidden, stage: "Stage") -> list[Weights]:
        key = hidden, stage.name
        if key not in self._fitted:
            self._fitted[key] = [self._member(hidden, member, stage) for member in range(MEMBERS)]
        return self._fitted[key]

    def _member(self, hidden: Hidden, member: int, stage: "Stage") -> Weights:
        """One fit, for as many passes over its rows as the stage with a validation found best, if there was one."""
        trainer, key = self._trainer(hidden), (hidden, member)
        most, rows = self._sizes.budget.steps, np.count_nonzero(stage.known.any(axis=1))
        if stage.validation is None:
            most = min(round(self._passes[key] * rows) if key in self._passes else self._unwatched, most)
        on_steps = self._start_fit(f"{_name(hidden, member)} for {stage.name}")
        seed = self._seed + MEMBERS * stage.seed + member
        fit = trainer.fit(stage.known, self._start(stage), seed, on_steps, most=most, validation=stage.validation)
        if stage.validation is not None:
            self._passes[key] = fit.steps / rows
        return fit.weights

    def _start(self, stage: "Stage") -> Start:
        if stage.name not in self._starts:
            targets = np.where(stage.known, self._samples.targets, np.nan)
            self._starts[stage.name] = find_start(self._samples, targets)
        return self._starts[stage.name]

    def _trainer(self, hidden: Hidden) -> Trainer:
        if hidden not in self._trainers:
            program = program_of(self._lookback, hidden, self._sizes.units)
            self._trainers[hidden] = Trainer(program, self._samples, self._sizes.budget)
        return self._trainers[hidden]


def _name(hidden: Hidden, member: int) -> str:
    return f"{hidden.__module__.rpartition('.')[2]}_{hidden.__name__}_{member + 1}"


class Stage(NamedTuple):
    """What a fit may know. known: (rows, steps), the targets to fit on. validation: those to stop by, if any.

    seed: added to the seed of all fits.
    """

    name: str
    known: Mask
    validation: Mask | None = None
    seed: int = 0


def suits_logarithms(windows: Windows) -> bool:
    """Whether the series are positive, hardly any zeros apart, and vary enough for logarithms to make a difference.

    Not a single one with few windows.
    """
    values = windows.stretches.values
    if windows.stretches.count == 1 and len(windows.last) < FEW:
        return False
    if values.min() < 0 or np.mean(values == 0) > LOG_ZEROS:
        return False
    found = windows.values
    return bool(np.median(np.ptp(found, axis=1) / np.maximum(found.mean(axis=1), 1e-300)) > LOG_RANGE)
