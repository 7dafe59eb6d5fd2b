"""Whether a trained model has a lower error than the live version on the same held-out windows (`--publish-if`)."""

from typing import NamedTuple

import numpy as np

from artifact import LITERT_FILE, Artifact
from training.export import predict_litert
from training.train import Trained


class Worse(NamedTuple):
    """A model whose error is not lower than that of the live version, called `live`."""

    name: str
    live: str
    metric: str
    error: float
    live_error: float

    def __str__(self) -> str:
        return (
            f"{self.name} is not published: its {self.metric} on the held-out windows is {self.error:.4g}, that of "
            f"{self.live}, which is live, {self.live_error:.4g}"
        )


def compare(trained: Trained, served: Artifact) -> Worse | None:
    """Run the live version on the windows that `trained` was judged on; None where `trained` has the lower error.

    The live version may have been fitted on some of these windows, which is to its advantage, never to the new one's.
    """
    held_out = trained.held_out
    answers = predict_litert(served.files[LITERT_FILE], held_out.windows.astype(np.float32))
    live_error = held_out.error(answers.astype(np.float64))
    if held_out.own < live_error:
        return None
    label = f"{served.card.name}/{served.card.version}"
    return Worse(trained.draft.name, label, held_out.metric, held_out.own, live_error)
