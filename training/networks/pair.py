"""The mean of an LSTM and an MLP in one graph, by the combination recipe alone."""

from typing import TYPE_CHECKING

from artifact import ArtifactError
from training.networks import lstm, mlp
from training.networks.network import Network
from training.values import Values

if TYPE_CHECKING:
    import keras


def build(_width: int, _inputs: Values | None = None) -> "keras.Sequential":
    """Raises ArtifactError: there is no pair without the combination recipe."""
    raise ArtifactError("pair is a network of the combination recipe alone")


PAIR = Network(
    "pair",
    input="window",
    build=build,
    optimizer="adam",
    hidden=(lstm.hidden, mlp.hidden),
    combination_only=True,
)
