"""Which models of a run are published already: from the same data, by the same options and libraries."""

from pathlib import Path

from artifact import ArtifactError, ModelCard, verify, versions
from training.combination.prepare import Prepared
from training.combination.sizes import resolved
from training.config import TrainConfig
from training.data.rows import Rows
from training.libraries import libraries


def missing(config: TrainConfig, prepared: Prepared | Rows, key: bytes | None) -> tuple[str, ...]:
    """The config's networks whose newest version this run would not make again.

    A version is the same if its card has the checksum of the same windows, the same options, the same versions of the
    libraries and the same --valid-days, and if its files and its signature are good.
    """
    return tuple(name for name in config.networks if not _is_published(config, name, prepared, key))


def _is_published(config: TrainConfig, network: str, prepared: Prepared | Rows, key: bytes | None) -> bool:
    card = _newest(config.models_dir, config.model_name(network), key)
    if card is None or (card.libraries, card.valid_days) != (libraries(), config.valid_days):
        return False
    return card.data.sha256 == prepared.sha256() and _options(card.config) == _options(_planned(config, prepared))


def _newest(models_dir: Path, name: str, key: bytes | None) -> ModelCard | None:
    try:
        found = versions(models_dir, name)
        return verify(models_dir, name, found[-1], key).card if found else None
    except (ArtifactError, OSError):
        return None


def _planned(config: TrainConfig, prepared: Prepared | Rows) -> dict[str, object]:
    return config.on_card(**({} if isinstance(prepared, Rows) else resolved(config, prepared)))


def _options(config: dict[str, object]) -> dict[str, object]:
    """Without the networks: after an interruption some of them are there, and the others are trained alone.

    Nor does it matter under which condition a version was published.
    """
    return {key: value for key, value in config.items() if key not in ("networks", "publish_if", "change_signature")}
