"""Examine versions: read the files, check the signature, store them, run the self-test."""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from artifact import ArtifactError
from artifact.repository import Content, Fingerprint, Unreadable, check_signature, fingerprint, read_version
from artifact.tester import Question, SelfTester, Verdict
from service.inference.store import Store
from service.inference.tally import counted_as
from service.inference.watched import Entry, Watched

logger = logging.getLogger("lagcast")

WAIT_SECONDS = 0.5  # a test takes milliseconds once its process runs; a longer one continues in the background
MAX_TEST_SECONDS = 60.0
RETRY_SECONDS = 0.5  # until an unknown version is tried again; doubled with each attempt
MAX_RETRY_SECONDS = 300.0
TICK_NS = 20_000_000  # files changed this shortly before they were read are read again: a second change within the
# resolution of their time stamps would go unnoticed
REMEMBERED = 10_000  # outcomes by content

_Key = tuple[str, int, str]  # name, version, checksum: the same card under another name or number is bad


class _Asked(NamedTuple):
    """The version that is being tested."""

    model: Watched
    version: int
    files: Fingerprint | None
    sha256: str
    rank: int

    @property
    def key(self) -> _Key:
        return self.model.name, self.version, self.sha256

    @property
    def where(self) -> str:
        return f"{self.model.name}/{self.version}"


class Examiner:
    """Determines whether versions are good, bad or unknown; tests one at a time. For the parameters see `Decider`.

    failed_loads: number of refusals by model and stage. is_logging: whether refusals are logged.
    """

    def __init__(
        self,
        models_dir: Path,
        store: Store,
        tester: SelfTester,
        keys: Sequence[bytes],
        *,
        test_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._models_dir = models_dir
        self._store = store
        self._tester = tester
        self._keys = keys
        self._test_seconds = test_seconds
        self._clock = clock
        self._asked: _Asked | None = None
        self._outcomes: dict[_Key, str | None] = {}  # None: good; else why it is bad
        self.failed_loads: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.is_logging = False

    @property
    def tested(self) -> str | None:
        """Checksum of the content that is being tested; None without a test."""
        return self._asked.sha256 if self._asked is not None else None

    def check(self, model: Watched, version: int) -> None:
        """Examine a version again if its files have changed, if its outcome is unknown and a retry is due, or if the
        store has lost it.
        """
        entry = model.entries.setdefault(version, Entry())
        files = fingerprint(self._models_dir, model.name, version)
        if files is None or files != entry.files:
            if entry.is_settled or files is not None:
                entry.is_settled, entry.attempts, entry.retry_at = False, 0, 0.0
        elif entry.is_settled and (entry.good is None or self._store.has(entry.good)):
            return
        rank = _rank(entry, is_pinned=model.pin is not None and model.pin.version == version)
        if self._clock() < entry.retry_at or (self._asked is not None and self._asked.rank <= rank):
            return
        now_ns = time.time_ns()
        try:
            content = read_version(self._models_dir, model.name, version)
            check_signature(content, model.name, version, self._keys)
        except ArtifactError as error:
            self._refuse(model, version, str(error), "verification")
        except Unreadable as error:
            self._put_off(entry, str(error))
        else:
            self._test(_Asked(model, version, files, content.sha256, rank), content)
        changed = max((file[-1] for file in files), default=0) if files else 0
        entry.files = None if 0 <= now_ns - changed < TICK_NS else files

    def _test(self, asked: _Asked, content: Content) -> None:
        """Use the remembered outcome of this content, or start its test."""
        entry, key = asked.model.entries[asked.version], asked.key
        known_bad = self._outcomes.get(key)
        if known_bad is not None:
            self._refuse(asked.model, asked.version, known_bad, None)
            return
        try:
            stored = self._store.save(content)
        except OSError as error:
            self._put_off(entry, f"{asked.where}: cannot be stored for its test: {error.strerror}")
            return
        if key in self._outcomes:
            _accept(entry, content.sha256)
            return
        if self._asked is not None:
            self._conclude(self._tester.drop())
        self._asked = asked
        seconds = min(self._test_seconds * 2**entry.attempts, MAX_TEST_SECONDS)
        verdict = self._tester.ask(Question(stored, asked.model.name, asked.version, seconds), 0)
        self._store.prepare()  # while the test goes on
        verdict = verdict or self._tester.poll(WAIT_SECONDS)
        if verdict is not None:
            self._conclude(verdict)

    def collect(self, wait: float) -> None:
        """Wait up to `wait` seconds for the verdict on the version that is being tested."""
        if self._asked is not None:
            verdict = self._tester.poll(wait)
            if verdict is not None:
                self._conclude(verdict)

    def _conclude(self, verdict: Verdict) -> None:
        """Record the verdict on the tested version, if its files have not changed meanwhile."""
        asked, self._asked = self._asked, None
        if asked is None:
            return
        if verdict.unknown is None:
            self._outcomes[asked.key] = verdict.bad
            if len(self._outcomes) > REMEMBERED:
                del self._outcomes[next(iter(self._outcomes))]
        model, entry = asked.model, asked.model.entries.get(asked.version)
        if entry is None or fingerprint(self._models_dir, model.name, asked.version) != asked.files:
            return
        if verdict.unknown is not None:
            self._put_off(entry, verdict.unknown)
        elif verdict.bad is not None:
            self._refuse(model, asked.version, verdict.bad, verdict.stage)
        else:
            _accept(entry, asked.sha256)

    def _refuse(self, model: Watched, version: int, reason: str, stage: str | None) -> None:
        entry = model.entries[version]
        is_new = entry.bad != reason
        entry.good, entry.bad, entry.unknown, entry.is_settled = None, reason, None, True
        if is_new and stage is not None:
            self.failed_loads[counted_as(self.failed_loads, model.name)][stage] += 1
        if is_new and self.is_logging:
            logger.warning("refused %s/%d: %s", model.name, version, reason)

    def _put_off(self, entry: Entry, reason: str) -> None:
        """Record an unknown outcome: the previous good content stays, and the version is tried again later."""
        if entry.unknown != reason and self.is_logging:
            logger.warning("not tested yet, to be tried again: %s", reason)
        entry.unknown, entry.bad = reason, None
        entry.retry_at = self._clock() + min(RETRY_SECONDS * 2**entry.attempts, MAX_RETRY_SECONDS)
        entry.attempts += 1


def _rank(entry: Entry, *, is_pinned: bool) -> int:
    """Priority of a test, lowest first: a pinned version, a new one, then retries of each."""
    return (0 if is_pinned else 1) + (2 if entry.attempts else 0)


def _accept(entry: Entry, sha256: str) -> None:
    entry.good, entry.bad, entry.unknown, entry.is_settled = sha256, None, None, True
