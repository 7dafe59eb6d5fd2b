"""The contract between training and service: the model card, and the checksummed folder that it travels in."""

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

CARD_FILE = "card.json"
KERAS_FILE = "model.keras"
LITERT_FILE = "model.tflite"
MODEL_NAMES = ("lstm", "mlp")
AGREEMENT = 1e-4
MAX_FILE_BYTES = 64 * 2**20

Batch = NDArray[np.float32]


class ArtifactError(Exception):
    """An artifact that must not be served; the text names the artifact and what is wrong with it."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Metrics(_Record):
    """Errors over the held-out rows, in the target's unit; None where a metric is undefined (a constant target)."""

    mae: float
    rmse: float
    max_abs_error: float
    r2: float | None
    mase: float | None


class Evaluation(_Record):
    """The model on the held-out rows beside its baselines, and the baselines whose RMSE is lower than its own."""

    held_out_rows: int = Field(ge=1)
    model: Metrics
    persistence: Metrics
    linear: Metrics
    loses_to: list[Literal["persistence", "linear"]]


class DataSource(_Record):
    """What the artifact was trained on; `sha256` is over the windows and targets as little-endian float64."""

    source: str
    column: str | None
    target: str | None
    rows: int = Field(ge=1)
    sha256: str


class TensorSpec(_Record):
    """One input or output tensor; None in the shape is the number of rows."""

    name: str
    shape: list[int | None]
    dtype: Literal["float32"] = "float32"


class GoldenSample(_Record):
    """A window, oldest value first, and the prediction that every engine must repeat for it."""

    window: list[float] = Field(min_length=1)
    prediction: float


class FileDigest(_Record):
    """What a file of the artifact must be, to the byte."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=1, le=MAX_FILE_BYTES)


class CardDraft(_Record):
    """All that training knows of an artifact before it is published."""

    schema_version: Literal[1] = 1
    name: str = Field(pattern="^[a-z0-9_-]+$")
    seed: int
    config: dict[str, Any]
    libraries: dict[str, str]
    data: DataSource
    input: TensorSpec
    output: TensorSpec
    window: int = Field(ge=1, le=10_000)
    horizon: int = Field(ge=0)
    input_range: tuple[float, float]
    evaluation: Evaluation
    golden: list[GoldenSample] = Field(min_length=1)


class ModelCard(CardDraft):
    """What an artifact is, where it comes from, how good it is and which files it consists of."""

    version: int = Field(ge=1)
    created: datetime
    files: dict[Annotated[str, Field(pattern=r"^model\.[a-z]+$")], FileDigest]


class Artifact(NamedTuple):
    """A verified artifact: its card, and its files' bytes as the checksums were taken of them."""

    card: ModelCard
    files: dict[str, bytes]


def versions(models_dir: Path, name: str) -> list[int]:
    """Published versions of a model, lowest first; empty where there are none."""
    folder = models_dir / name
    if not folder.is_dir():
        return []
    return sorted(int(entry.name) for entry in folder.iterdir() if re.fullmatch("[1-9][0-9]{0,8}", entry.name))


def verify(models_dir: Path, name: str, version: int) -> Artifact:
    """Read one version and hold every file to its card.

    Raises ArtifactError if a file is missing, unreadable, or not the one that the card describes.
    """
    folder = models_dir / name / str(version)
    card = _read_card(folder)
    if (card.name, card.version) != (name, version):
        raise ArtifactError(f"{name}/{version}/{CARD_FILE}: is the card of {card.name}/{card.version}")
    for required in (KERAS_FILE, LITERT_FILE):
        if required not in card.files:
            raise ArtifactError(f"{name}/{version}/{CARD_FILE}: lists no {required}")
    return Artifact(card, {file: _read_verified(folder / file, digest) for file, digest in card.files.items()})


def _read_card(folder: Path) -> ModelCard:
    path = folder / CARD_FILE
    try:
        return ModelCard.model_validate_json(_read(path))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ArtifactError(f"{_label(path)}: {where}: {first['msg']}") from None


def _read_verified(path: Path, digest: FileDigest) -> bytes:
    content = _read(path)
    if len(content) != digest.size:
        raise ArtifactError(f"{_label(path)}: has {len(content)} bytes, its card says {digest.size}")
    if hashlib.sha256(content).hexdigest() != digest.sha256:
        raise ArtifactError(f"{_label(path)}: its sha256 is not the one on its card")
    return content


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ArtifactError(f"{_label(path)}: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise ArtifactError(f"{_label(path)}: is larger than {MAX_FILE_BYTES} bytes")
    return content


def _label(path: Path) -> str:
    """`name/version/file`: enough to find it, and nothing of the machine, for it may be shown to clients."""
    return "/".join(path.parts[-3:])


def agree(predictions: Batch, expected: Batch) -> bool:
    """Whether two runs of one network gave the same numbers: within 1e-4 of the largest expected one."""
    tolerance = AGREEMENT * float(np.abs(expected).max())
    return bool(np.all(np.abs(predictions - expected) <= tolerance))


def check_golden(card: CardDraft, predict: Callable[[Batch], Batch]) -> None:
    """Run `predict`, (rows, window) → (rows,), on the golden samples; ArtifactError if it does not repeat them."""
    windows = np.array([sample.window for sample in card.golden], np.float32)
    expected = np.array([sample.prediction for sample in card.golden], np.float32)
    if not agree(predict(windows), expected):
        raise ArtifactError(f"{card.name}: the network does not repeat the golden samples on its card")


def publish(models_dir: Path, draft: CardDraft, files: Mapping[str, bytes]) -> ModelCard:
    """Write the next version of a model, whole or not at all, and return its card.

    The version is written to a hidden folder beside the others, flushed to disk, and renamed into place.
    Raises OSError if the repository cannot be written.
    """
    folder = models_dir / draft.name
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        for leftover in folder.glob(".publish-*"):
            shutil.rmtree(leftover)
        card = _complete(draft, max(versions(models_dir, draft.name), default=0) + 1, files)
        staging = Path(tempfile.mkdtemp(prefix=".publish-", dir=folder))
        try:
            staging.chmod(0o755)
            for file, content in {**files, CARD_FILE: _card_json(card)}.items():
                _write_durably(staging / file, content)
            _flush_folder(staging)
            staging.rename(folder / str(card.version))
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        _flush_folder(folder)
    return card


def _complete(draft: CardDraft, version: int, files: Mapping[str, bytes]) -> ModelCard:
    digests = {
        file: FileDigest(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        for file, content in files.items()
    }
    now = datetime.now(UTC).replace(microsecond=0)
    return ModelCard(**draft.model_dump(), version=version, created=now, files=digests)


def _card_json(card: ModelCard) -> bytes:
    return card.model_dump_json(indent=2).encode() + b"\n"


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One publisher at a time; the lock goes with the process that holds it, however it ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
