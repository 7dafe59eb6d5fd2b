"""Publish a version: write it atomically, under a version number that was never used before."""

import hashlib
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from artifact import durable
from artifact.card import ArtifactError, CardDraft, FileDigest, ModelCard
from artifact.keys import sign
from artifact.repository import CARD_FILE, LAST_VERSION, MAX_CARD_BYTES, SIGNATURE_FILE, list_versions

# The last version number of each model. Stored beside the models' folders, so that a number is not reused for a
# different network after its version, or the whole folder of the model, was deleted.
NUMBERS_DIR = ".numbers"
STAGING = ".publish-"


def publish(models_dir: Path, draft: CardDraft, files: Mapping[str, bytes], key: bytes | None = None) -> ModelCard:
    """Write the next version of a model, signed if there is a key, and return its card.

    files: content by file name. The version is written to a hidden folder, flushed to disk, and renamed into place.
    Raises OSError if the repository cannot be written, ArtifactError if no version number is left or the card is
    larger than the service reads.
    """
    folder = models_dir / draft.name
    durable.make_folder(folder)
    with durable.locked(folder):
        number = _next_number(models_dir, draft.name)
        for leftover in folder.glob(f"{STAGING}*"):
            shutil.rmtree(leftover)
        card = _complete(draft, number, files)
        content = card.model_dump_json(indent=2).encode() + b"\n"
        if len(content) > MAX_CARD_BYTES:
            raise ArtifactError(f"{draft.name}: the card has {len(content)} bytes, more than {MAX_CARD_BYTES}")
        signature = {SIGNATURE_FILE: sign(content, key)} if key is not None else {}
        _write_version(models_dir, card, {**files, **signature, CARD_FILE: content})
    return card


def _next_number(models_dir: Path, name: str) -> int:
    try:
        last = int((models_dir / NUMBERS_DIR / name).read_bytes())
    except (FileNotFoundError, ValueError):
        last = 0
    if (models_dir / name / f"{STAGING}{last}").exists():
        last -= 1  # that publish was interrupted before its version became visible: reuse the number
    number = max([*list_versions(models_dir, name), last]) + 1
    if number > LAST_VERSION:
        raise ArtifactError(
            f"{name}: no version number is left after {LAST_VERSION}; if {name}/{LAST_VERSION} is a mistake, remove it "
            "and publish again"
        )
    return number


def _write_version(models_dir: Path, card: ModelCard, files: Mapping[str, bytes]) -> None:
    folder, mark = models_dir / card.name, models_dir / NUMBERS_DIR / card.name
    staging = folder / f"{STAGING}{card.version}"
    durable.make_folder(mark.parent)
    try:
        durable.make_folder(staging)
        durable.replace(mark, b"%d\n" % card.version)
        for file, content in files.items():
            durable.write(staging / file, content)
        durable.flush_folder(staging)
        staging.rename(folder / str(card.version))
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    durable.flush_folder(folder)


def _complete(draft: CardDraft, version: int, files: Mapping[str, bytes]) -> ModelCard:
    digests = {
        file: FileDigest(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        for file, content in files.items()
    }
    now = datetime.now(UTC).replace(microsecond=0)
    return ModelCard(**draft.model_dump(), version=version, created=now, files=digests)
