"""The signature of a model: what its clients rely on, compared with that of the live version before the training."""

from pathlib import Path
from typing import Any, NamedTuple

from artifact import Artifact, ArtifactError, ModelCard, pinned, verify, versions
from training.combination.prepare import Prepared
from training.config import TrainConfig
from training.data.rows import Rows
from training.networks.network import Network
from training.networks.registry import NETWORKS


class SignatureError(ArtifactError):
    """A run that would put a model of another signature live under a name that is in use."""


class Signature(NamedTuple):
    """What a client of a model relies on. key: the input's name, the key of its JSON. target: the column forecast.

    unit: the unit or currency beside the numbers of that column; None where the table names none.
    """

    key: str
    window: int
    steps: int
    horizon: int
    target: str
    unit: str | None

    def __str__(self) -> str:
        unit = f" in {self.unit}" if self.unit else ""
        return (
            f"a {self.key} of {self.window}, {self.steps} step{'s' if self.steps > 1 else ''} from horizon "
            f"{self.horizon} on, of {self.target}{unit}"
        )

    def suits(self, other: "Signature") -> bool:
        """Whether clients of the one can go on with the other. A table that names no unit may be in any."""
        same_unit = self.unit == other.unit or not (self.unit and other.unit)
        return same_unit and self._replace(unit=None) == other._replace(unit=None)


def signature_of(card: ModelCard) -> Signature:
    """The signature of a published version."""
    target = target_name(card.data.target or card.data.column)
    return Signature(card.input.name, card.window, card.steps, card.horizon, target, unit_of(card.data.read))


def target_name(column: str | None) -> str:
    """What is forecast, in words."""
    return "the article's y" if column is None else f"column '{column}'"


def unit_of(read: dict[str, Any] | None) -> str | None:
    """The unit or currency of the column that is forecast, from what the card says of the table."""
    read = read or {}
    numbers = read.get("target_numbers", read.get("numbers")) or {}
    return numbers.get("currency") or numbers.get("unit")


def planned_signature(config: TrainConfig, prepared: Prepared | Rows, network: Network) -> Signature:
    """The signature of the model that a run is going to make of `network`."""
    table = prepared.table
    target = target_name(config.target or (table.column if table else None))
    unit = unit_of(table.read if table else None)
    if isinstance(prepared, Prepared):
        window = prepared.windows.window
        return Signature("window", window, config.steps, config.resolved_horizon, target, unit)
    window = prepared.window if network.input == "window" else 1
    return Signature(network.input, window, 1, config.resolved_horizon, target, unit)


def live(models_dir: Path, name: str, key: bytes | None) -> Artifact | None:
    """The version of a model that a service would serve: the pinned one, else the newest that is intact."""
    try:
        pin = pinned(models_dir, name)
        found = [pin] if pin is not None else versions(models_dir, name)[::-1]
    except (ArtifactError, OSError):
        return None
    for version in found:
        try:
            return verify(models_dir, name, version, key)
        except (ArtifactError, OSError):
            continue
    return None


def live_versions(config: TrainConfig, prepared: Prepared | Rows, key: bytes | None) -> dict[str, Artifact]:
    """The live version of each model of the run, by name. Raises SignatureError where its signature would change."""
    found = {}
    for network in config.networks:
        name = config.model_name(network)
        if (served := live(config.models_dir, name, key)) is None:
            continue
        planned = planned_signature(config, prepared, NETWORKS[network])
        if not config.change_signature:
            check_signature(config.models_dir, served, planned)
        if signature_of(served.card).suits(planned):
            found[name] = served
    return found


def check_signature(models_dir: Path, served: Artifact, planned: Signature) -> None:
    """Raises SignatureError, with the ways out, where a run plans another signature than that of the live version.

    Where a version is pinned, it stays live whatever is published.
    """
    card, present = served.card, signature_of(served.card)
    if present.suits(planned) or pinned(models_dir, card.name) is not None:
        return
    raise SignatureError(
        f"{card.name}/{card.version}, which is live, takes {present}; this run makes {planned}. Clients of {card.name} "
        f"would get errors or other numbers. Give another --name, or --change-signature to publish nevertheless, or "
        f"pin the live version, so that it stays live until you unpin it: python -m artifact pin {card.name} "
        f"{card.version}"
    )
