"""Time of one prediction: each network with LiteRT, as in the service, and the linear fit with NumPy."""

import timeit
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.quiet import load_tensorflow, silent_stderr
from training.report.config import ReportConfig
from training.report.span import window_of

CALLS = 200
REPEATS = 15
MEASURED = ("lstm", "tanh_mlp", "linear")  # the MLP without tanh costs the same as the one with it


@dataclass(frozen=True)
class CostRun:
    """One model with one window."""

    contender: str
    window: int

    def run(self) -> dict[str, Any]:
        """Microseconds for one row, the best of REPEATS, and the number of parameters."""
        load_tensorflow()
        parameters, predict = _linear(self.window) if self.contender == "linear" else _network(self)
        seconds = min(timeit.repeat(predict, number=CALLS, repeat=REPEATS)) / CALLS
        return {"microseconds": seconds * 1e6, "parameters": parameters}


def _linear(window: int) -> tuple[int, Callable[[], Any]]:
    coefficients, row = np.ones(window), np.ones(window)
    return window + 1, lambda: row @ coefficients + 1.0


def _network(run: CostRun) -> tuple[int, Callable[[], Any]]:
    """With LiteRT, one row in, one number out."""
    from ai_edge_litert.interpreter import Interpreter

    from training.export import to_litert
    from training.report.contenders import build

    model = build(run.contender, run.window)
    with silent_stderr():
        interpreter = Interpreter(model_content=to_litert(model))
        interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    answer = interpreter.get_output_details()[0]["index"]
    row = np.ones((1, *model.input_shape[1:]), np.float32)

    def predict() -> Any:
        interpreter.set_tensor(source, row)
        interpreter.invoke()
        return interpreter.get_tensor(answer)

    return model.count_params(), predict


def cost_runs(config: ReportConfig) -> list[CostRun]:
    """One run for each model and window of the span experiment, and one for the MLP on the last value."""
    windows = sorted({window_of(span) for span in config.spans}, reverse=True)
    return [CostRun(contender, window) for window in windows for contender in MEASURED] + [CostRun("mlp_last", 1)]
