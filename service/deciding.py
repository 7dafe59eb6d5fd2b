"""Set up the decision about versions from the settings: the store, the self-test process and the first decision."""

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from artifact import read_keys
from artifact.tester import LITERT_LOADER, SelfTester
from service.inference.decider import Decider
from service.inference.engine import KerasEngine
from service.inference.follow import OwnDecisions, ParentsDecisions
from service.inference.lifecycle import Lifecycle
from service.inference.store import Store
from service.settings import Settings

logger = logging.getLogger("lagcast")

# What runs a network in its self-test. The LiteRT engine is made of several of its networks: one is enough for a test.
LOADERS = {"litert": LITERT_LOADER, "keras": f"{KerasEngine.__module__}:{KerasEngine.__name__}"}
# Timeout of the first self-test of a version. TensorFlow traces the network first, for seconds on a busy machine.
TEST_SECONDS = {"litert": 5.0, "keras": 60.0}


class InvalidStateDir(Exception):
    """The folder for the last known good versions cannot be used."""


class Deciding(NamedTuple):
    """The decider, and the two sources of its decisions: for this process, and for its workers."""

    decider: Decider
    own: OwnDecisions
    parents: ParentsDecisions


class DecidesItself(NamedTuple):
    """A source of decisions that starts deciding when it is first asked."""

    settings: Settings

    @contextmanager
    def feeding(self, lifecycle: Lifecycle) -> Iterator[None]:
        """Apply the first decision, and each that follows while the context is open. Raises as `deciding` does."""
        with deciding(self.settings) as versions, versions.own.feeding(lifecycle):
            yield


@contextmanager
def deciding(settings: Settings) -> Iterator[Deciding]:
    """Make the first decision, so that errors are known before any worker starts.

    Raises ArtifactError if nothing can be served, InvalidStateDir.
    """
    with _store_folder(settings.state_dir) as folder:
        store = Store(folder)
        store.forget_workers()
        tester = SelfTester(LOADERS[settings.engine])
        keys = read_keys(settings.card_key_file)
        decider = Decider(
            settings.models_dir,
            store,
            tester,
            keys,
            required=settings.required_models,
            test_seconds=TEST_SECONDS[settings.engine],
        )
        try:
            decider.settle()
            own = OwnDecisions(decider, store, settings.reload_seconds)
            yield Deciding(decider, own, ParentsDecisions(folder, settings.reload_seconds))
        finally:
            tester.stop()


@contextmanager
def _store_folder(state_dir: Path | None) -> Iterator[Path]:
    """The state folder; a temporary one if it is unset; a temporary copy of it if another process holds its lock."""
    if state_dir is None:
        with tempfile.TemporaryDirectory(prefix="lagcast-versions-") as folder:
            yield Path(folder)
        return
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        lock = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise InvalidStateDir(f"{state_dir}: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        logger.warning("%s is in use by another process: its state is read but not updated", state_dir)
        with tempfile.TemporaryDirectory(prefix="lagcast-versions-") as folder:
            with suppress(OSError, shutil.Error):
                shutil.copytree(state_dir, folder, dirs_exist_ok=True)
            yield Path(folder)
    else:
        yield state_dir
    finally:
        os.close(lock)
