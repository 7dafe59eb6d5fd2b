"""Train all networks of a run by its recipe, and show the progress."""

from training.combination.prepare import Prepared
from training.combination.run import fits_of as combination_fits
from training.combination.run import train_all
from training.config import TrainConfig
from training.console import show_fits
from training.data.rows import Rows
from training.train import Trained, fits_of, train


def train_networks(config: TrainConfig, prepared: Prepared | Rows) -> list[Trained]:
    """Raises ArtifactError if a loss diverges or exported files do not give the same predictions."""
    if isinstance(prepared, Rows):
        with show_fits(len(config.networks) * fits_of(config), config.resolved_epochs) as start_fit:
            return [train(name, config, prepared, start_fit) for name in config.networks]
    fits, steps = combination_fits(config, prepared)
    with show_fits(fits, steps, "step") as start_fit:
        return train_all(config, prepared, start_fit)
