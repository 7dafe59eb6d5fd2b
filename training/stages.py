"""Train all networks of a run by its recipe, with or without showing the progress."""

from training.combination.prepare import Prepared
from training.combination.run import fits_of as combination_fits
from training.combination.run import train_all
from training.config import TrainConfig
from training.console import StartFit, show_fits, show_nothing
from training.data.rows import Rows
from training.train import Trained, fits_of, train


def train_networks(config: TrainConfig, prepared: Prepared | Rows) -> list[Trained]:
    """Raises ArtifactError if a loss diverges or exported files do not give the same predictions."""
    if isinstance(prepared, Rows):
        shown = show_fits(len(config.networks) * fits_of(config), config.resolved_epochs)
    else:
        shown = show_fits(*combination_fits(config, prepared), "step")
    with shown as start_fit:
        return train_quietly(config, prepared, start_fit)


def train_quietly(config: TrainConfig, prepared: Prepared | Rows, start_fit: StartFit = show_nothing) -> list[Trained]:
    """As `train_networks`; `start_fit` is told of each fit and its progress."""
    if isinstance(prepared, Rows):
        return [train(name, config, prepared, start_fit) for name in config.networks]
    return train_all(config, prepared, start_fit)
