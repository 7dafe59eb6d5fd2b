"""The shapes of the windows that a network was trained on, for the card, and how often they raise a false alarm."""

import numpy as np

from artifact import Shapes
from artifact.shape import LEAST_WIDTH, scale_by_itself
from training.values import Values

FALSE_ALARMS = 0.01  # share of windows like the calibration windows that may be called outside
# Where windows are too few for that share: times the largest distance, and more the fewer windows it is the largest of.
MARGIN, FEW = 1.5, 10


def learn_shapes(trained: Values, calibration: Values, judged: Values) -> Shapes:
    """Shapes of the `trained` windows, with a limit that the `calibration` windows keep, measured on `judged` ones.

    All are (rows, window). The limit is the conformal quantile of the calibration windows' distances; where these are
    fewer than it takes, the largest distance of all of them and of the n trained ones, times 1.5 (1 + 10 / n).
    """
    scaled = scale_by_itself(trained.astype(np.float32))
    centre, width = scaled.mean(axis=0), np.maximum(scaled.std(axis=0), LEAST_WIDTH)
    positive = bool(trained.min() > 0)
    shapes = Shapes(centre=centre.tolist(), width=width.tolist(), limit=1.0, positive=positive)
    distances = np.sort(shapes.distances(calibration.astype(np.float32)))
    rank = int(np.ceil((len(distances) + 1) * (1 - FALSE_ALARMS)))
    if rank <= len(distances):
        limit = float(distances[rank - 1])
    else:
        largest = max(shapes.distances(trained.astype(np.float32)).max(), distances.max(initial=0))
        limit = MARGIN * (1 + FEW / (len(trained) + len(calibration))) * float(largest)
    shapes = shapes.model_copy(update={"limit": max(limit, LEAST_WIDTH)})
    if not len(judged):
        return shapes
    alarms = float(shapes.outside(judged.astype(np.float32)).mean())
    return shapes.model_copy(update={"false_alarms": alarms, "windows": len(judged)})
