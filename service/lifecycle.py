"""Which version of each model is live: load, self-test, and why a newer one is not."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artifact import MODEL_NAMES, Artifact, ArtifactError, Batch, ModelCard, check_golden, verify, versions
from service.engine import Engine
from service.errors import NotReady, UnknownModel

logger = logging.getLogger("lagcast")


@dataclass(frozen=True)
class LiveModel:
    """A version that answers: its card, and the engine that runs its network."""

    card: ModelCard
    engine: Engine

    def predict(self, windows: NDArray[np.float64]) -> Batch:
        """(rows, window) → (rows,); infinite or NaN where float32 cannot hold the prediction."""
        return self.engine.predict(windows.astype(np.float32))

    def extrapolated(self, windows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(rows, window) → (rows,): whether a value lies outside the range that the version was trained on."""
        low, high = self.card.input_range
        inside: NDArray[np.bool_] = np.all((low <= windows) & (windows <= high), axis=1)
        return ~inside


@dataclass(frozen=True)
class Refusal:
    """A version that is not live though it is newer than the live one, and the reason."""

    version: int
    reason: str


class Lifecycle:
    """The live version of each model in a repository, run by the engine that `make_engine` makes."""

    def __init__(self, models_dir: Path, make_engine: Callable[[Artifact], Engine]) -> None:
        self._models_dir = models_dir
        self._make_engine = make_engine
        self._live: dict[str, LiveModel] = {}
        self._refused: dict[str, list[Refusal]] = {name: [] for name in MODEL_NAMES}

    def load(self) -> None:
        """Make the highest good version of each model live. Raises ArtifactError if a model has none."""
        for name in MODEL_NAMES:
            self._load_highest(name)

    def live(self, name: str) -> LiveModel:
        """The version that answers now. Raises UnknownModel or NotReady."""
        try:
            return self._live[name]
        except KeyError:
            if name in MODEL_NAMES:
                raise NotReady(f"model {name} is not live yet") from None
            raise UnknownModel(f"there is no such model; the models are {', '.join(MODEL_NAMES)}") from None

    def refused(self, name: str) -> list[Refusal]:
        """The newer versions that are not live, highest first."""
        return self._refused[name]

    def _load_highest(self, name: str) -> None:
        refused: list[Refusal] = []
        for version in reversed(versions(self._models_dir, name)):
            try:
                self._live[name] = self._self_tested(name, version)
            except ArtifactError as error:
                logger.warning("refused %s/%d: %s", name, version, error)
                refused.append(Refusal(version, str(error)))
            else:
                logger.info("%s/%d is live", name, version)
                break
        else:
            raise ArtifactError(refused[0].reason if refused else f"{name}: no version is published")
        self._refused[name] = refused

    def _self_tested(self, name: str, version: int) -> LiveModel:
        artifact = verify(self._models_dir, name, version)
        engine = self._make_engine(artifact)
        check_golden(artifact.card, engine.predict)
        return LiveModel(artifact.card, engine)
