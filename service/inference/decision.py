"""The decision about versions: what every worker has to load and report, as an immutable value and as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from artifact.choice import Version


@dataclass(frozen=True)
class ModelDecision:
    """A model at one moment.

    live: None if nothing can be served. kept: checksum by number of the versions that can be requested. refused: why
    versions are refused, for the highest ones; refused_count: the number of all. unknown: why versions could not be
    tested yet. pinned: the version that the pin names; pin_problem: why the pin is not obeyed. in_repository: whether
    the live version is still in the repository. problem: why the model's folder cannot be read.
    """

    live: Version | None = None
    kept: Mapping[int, str] = field(default_factory=dict)
    refused: Mapping[int, str] = field(default_factory=dict)
    refused_count: int = 0
    unknown: Mapping[int, str] = field(default_factory=dict)
    pinned: int | None = None
    pin_problem: str | None = None
    in_repository: bool = True
    problem: str | None = None


@dataclass(frozen=True)
class Decision:
    """All models at one moment; `serial` increases with every change. problem: why the repository cannot be read."""

    serial: int
    models: Mapping[str, ModelDecision]
    problem: str | None = None

    def contents(self) -> set[str]:
        """Checksums of the contents that a worker has to load."""
        live = {model.live.sha256 for model in self.models.values() if model.live is not None}
        return live | {sha256 for model in self.models.values() for sha256 in model.kept.values()}

    def to_json(self) -> bytes:
        """The decision as JSON."""
        return _ADAPTER.dump_json(self)

    @classmethod
    def from_json(cls, content: bytes) -> "Decision":
        """Read `to_json`. Raises ValueError for anything else."""
        return _ADAPTER.validate_json(content)


_ADAPTER = TypeAdapter(Decision)
