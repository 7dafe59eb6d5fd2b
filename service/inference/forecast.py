"""`predict`: from validated windows to predictions; every protocol's only way to a model."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from artifact import Batch, ModelCard
from service.inference.errors import PredictionOverflow
from service.inference.lifecycle import LiveModel


def predict(model: LiveModel, batch: Batch) -> tuple[Batch, Sequence[int] | NDArray[np.intp]]:
    """(rows, window) → predictions (rows,), and the rows with a value outside the range that was trained on.

    Every route's way to a prediction, which the model's tally counts. Raises PredictionOverflow.
    """
    predictions = model.engine.predict(batch)
    # Of float32 numbers the float64 sum is finite just if all of them are.
    total = predictions[0].item() if len(batch) == 1 else predictions.sum(dtype=np.float64).item()
    if not math.isfinite(total):
        raise PredictionOverflow(int(np.argmin(np.isfinite(predictions))))
    extrapolated = _extrapolated(batch, model.card)
    model.tally.add(len(batch), len(extrapolated), total)
    return predictions, extrapolated


def _extrapolated(batch: Batch, card: ModelCard) -> Sequence[int] | NDArray[np.intp]:
    low, high = card.input_range
    if len(batch) == 1:  # in plain Python, for NumPy costs more on so few values
        seen = batch[0].tolist()
        return [0] if min(seen) < low or max(seen) > high else []
    # Compared as the float32 that the network sees; where all is inside, two passes tell it.
    lowest, highest = np.float32(low), np.float32(high)
    if batch.min() >= lowest and batch.max() <= highest:
        return []
    return np.flatnonzero(np.any((batch < lowest) | (batch > highest), axis=1))
