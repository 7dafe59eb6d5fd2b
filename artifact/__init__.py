"""The contract between training and service: the model card, and the repository of checksummed versions."""

from artifact.card import (
    FLOAT32_OVERFLOW,
    KERAS_FILE,
    LITERT_FILE,
    MAX_FITTED,
    NAME_PATTERN,
    SCHEMA_VERSION,
    Artifact,
    ArtifactError,
    Batch,
    CardDraft,
    DataSource,
    Evaluation,
    FittedRow,
    GoldenSample,
    Metrics,
    ModelCard,
    TensorSpec,
    agree,
    check_golden,
)
from artifact.intervals import BoundOverflow, Bounds, Intervals, UnreachableLevel
from artifact.keys import read_key, read_keys
from artifact.pins import pin, pinned, unpin
from artifact.publish import publish
from artifact.repository import CARD_FILE, names, verify, versions

__all__ = [
    "CARD_FILE",
    "FLOAT32_OVERFLOW",
    "KERAS_FILE",
    "LITERT_FILE",
    "MAX_FITTED",
    "NAME_PATTERN",
    "SCHEMA_VERSION",
    "Artifact",
    "ArtifactError",
    "Batch",
    "BoundOverflow",
    "Bounds",
    "CardDraft",
    "DataSource",
    "Evaluation",
    "FittedRow",
    "GoldenSample",
    "Intervals",
    "Metrics",
    "ModelCard",
    "TensorSpec",
    "UnreachableLevel",
    "agree",
    "check_golden",
    "names",
    "pin",
    "pinned",
    "publish",
    "read_key",
    "read_keys",
    "unpin",
    "verify",
    "versions",
]
