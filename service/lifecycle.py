"""Which version of each model is live: load, self-test, and why a newer one is not."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from artifact import MODEL_NAMES, Artifact, ArtifactError, ModelCard, check_golden, verify, versions
from service.engine import Engine
from service.errors import NotReady, UnknownModel

logger = logging.getLogger("lagcast")


@dataclass(frozen=True)
class LiveModel:
    """A version that answers: its card, and the engine that runs its network."""

    card: ModelCard
    engine: Engine


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
