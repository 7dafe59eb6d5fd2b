"""Publish the models of a run, and check beforehand that the repository can be written to."""

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from artifact import CardDraft, ModelCard, publish

PROBE_BYTES = 4 << 20  # more than a version usually needs: a pair of 48 values and 12 steps has files of 1.6 MB


class PublishError(OSError):
    """A model could not be written; the message names the path and the models published before it."""


class Publishable(Protocol):
    """A draft of a card, and the files of the artifact by name."""

    @property
    def draft(self) -> CardDraft: ...

    @property
    def files(self) -> dict[str, bytes]: ...


def check_writable(models_dir: Path, names: Iterable[str]) -> None:
    """Test writing to the folder of every model, so that a training whose result cannot be published does not start.

    Raises PublishError.
    """
    for name in names:
        check_folder(models_dir / name)


def check_folder(folder: Path) -> None:
    """Test writing to a folder, which is made if it is not there. Raises PublishError.

    It writes a file, because permissions do not show a read-only mount or a full disk.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(PROBE_BYTES))
            probe.flush()
    except OSError as error:
        raise PublishError(f"{folder}: cannot be written: {error.strerror}{_owner(folder, error)}") from None


def _owner(folder: Path, error: OSError) -> str:
    """The owner of the folder, for errors of permission: the user of a container often differs from the owner."""
    if not isinstance(error, PermissionError):
        return ""
    status = next(path for path in (folder, *folder.parents) if path.exists()).stat()
    owner, group = status.st_uid, status.st_gid
    return (
        f" for user {os.getuid()}: it belongs to user {owner}; run as that user, in a container with -u {owner}:{group}"
    )


def publish_all(models_dir: Path, trained: Sequence[Publishable], key: bytes | None) -> list[ModelCard]:
    """Publish each model as its next version. Raises PublishError; the models before the failing one stay published."""
    cards: list[ModelCard] = []
    for model in trained:
        try:
            cards.append(publish(models_dir, model.draft, model.files, key))
        except OSError as error:
            rest = ",".join(later.draft.network for later in trained[len(cards) :])
            done = f"{' and '.join(labels(cards))} published" if cards else "nothing published"
            raise PublishError(
                f"{models_dir / model.draft.name}: cannot be written: {error.strerror}; {done}; not published: {rest}"
            ) from None
    return cards


def labels(cards: Iterable[ModelCard]) -> list[str]:
    """`name/version` of each card."""
    return [f"{card.name}/{card.version}" for card in cards]
