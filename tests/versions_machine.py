"""Hypothesis state machine of a model repository: accidents in any order, and the invariants.

Real files, the real self-test process, one decider and two followers, as in a parent with two workers; only the clock
is advanced by hand.
"""

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from artifact import CARD_FILE, LITERT_FILE, ArtifactError, pin, unpin
from artifact.choice import Version
from artifact.tester import LITERT_LOADER, Question, SelfTester
from service.inference.decider import Decider
from service.inference.engine import LiteRTEngine
from service.inference.follow import Follower
from service.inference.lifecycle import Lifecycle
from service.inference.store import Store
from tests.repository import SHIPPED, change_card

NOBODY = 12345
NAME = "lstm"


class PrivilegedTester(SelfTester):
    """A self-tester whose process runs as the user of the tests, who can read this interpreter."""

    def _send(self, question: Question) -> None:
        user = os.geteuid()
        if os.getuid() == 0:
            os.seteuid(0)
        try:
            super()._send(question)
        finally:
            os.seteuid(user)


TESTER = PrivilegedTester(LITERT_LOADER)
BAD_GOLDEN = [{"window": [1, 2, 3, 4, 5], "prediction": 9}]
versions = st.integers(1, 6)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Run as another user, because root can read every file regardless of its permissions."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


class Versions(RuleBasedStateMachine):
    """Rules are actions of people and accidents; `look` checks the invariants."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lagcast-machine-"))
        self.models_dir = self.folder / "models"
        self.seed = 0
        self.now = 1000.0
        self.good: dict[int, int] = {}  # seed on the card by version number, of good and readable versions
        self.ever_good: set[tuple[int, int]] = set()
        self.unreadable: set[int] = set()
        self.is_away = False
        self.write(1)
        if os.geteuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
        with without_privileges():
            self.store = Store(self.folder / "store")
            self.decider = self.make_decider(self.store)
            self.decider.settle()
            self.decider.begin(lambda _: None)
            self.workers = [self.make_worker(), self.make_worker()]
        self.look()

    def make_decider(self, store: Store) -> Decider:
        return Decider(self.models_dir, store, TESTER, clock=lambda: self.now)

    def make_worker(self) -> Lifecycle:
        lifecycle = Lifecycle(LiteRTEngine)
        Follower(self.store, lifecycle, 2).wait_for_first()
        return lifecycle

    def write(self, version: int, **changes: object) -> Path:
        """Write a version and rename it into place as a publisher does; its ctime is older than a tick."""
        self.seed += 1
        staging = self.models_dir / NAME / ".new"
        shutil.copytree(SHIPPED / NAME / "1", staging)
        change_card(staging, version=version, seed=self.seed, **changes)
        if os.geteuid() == 0:
            for path in (self.models_dir, self.models_dir / NAME, staging, *staging.iterdir()):
                os.chown(path, NOBODY, NOBODY)
        folder = self.models_dir / NAME / str(version)
        shutil.rmtree(folder, ignore_errors=True)
        staging.rename(folder)
        self.unreadable.discard(version)
        if changes:
            self.good.pop(version, None)
        else:
            self.good[version] = self.seed
            self.ever_good.add((version, self.seed))
        return folder

    @precondition(lambda self: not self.is_away)
    @rule(version=versions)
    def publish_good(self, version: int) -> None:
        self.write(version)

    @precondition(lambda self: not self.is_away)
    @rule(version=versions)
    def publish_bad(self, version: int) -> None:
        self.write(version, golden=BAD_GOLDEN)

    @precondition(lambda self: not self.is_away)
    @rule(version=versions)
    def damage(self, version: int) -> None:
        path = self.models_dir / NAME / str(version) / LITERT_FILE
        if path.exists() and version not in self.unreadable:
            content = bytearray(path.read_bytes())
            content[100] ^= 1
            path.write_bytes(content)
            self.good.pop(version, None)

    @precondition(lambda self: not self.is_away)
    @rule(version=versions)
    def repair_in_place_with_the_time_set_back(self, version: int) -> None:
        path = self.models_dir / NAME / str(version) / LITERT_FILE
        if path.exists() and version not in self.unreadable:
            status = path.stat()
            path.write_bytes((SHIPPED / NAME / "1" / LITERT_FILE).read_bytes())
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
            card = json.loads(path.with_name(CARD_FILE).read_bytes())
            if card["golden"] != BAD_GOLDEN:
                self.good[version] = card["seed"]
                self.ever_good.add((version, card["seed"]))

    @precondition(lambda self: not self.is_away)
    @rule(version=versions)
    def delete(self, version: int) -> None:
        shutil.rmtree(self.models_dir / NAME / str(version), ignore_errors=True)
        self.good.pop(version, None)
        self.unreadable.discard(version)

    @precondition(lambda self: not self.is_away)
    @rule(version=versions)
    def take_the_permission(self, version: int) -> None:
        path = self.models_dir / NAME / str(version) / CARD_FILE
        if path.exists():
            path.chmod(0)
            self.unreadable.add(version)

    @precondition(lambda self: not self.is_away)
    @rule()
    def give_the_permission_back(self) -> None:
        for version in self.unreadable:
            (self.models_dir / NAME / str(version) / CARD_FILE).chmod(0o644)
        self.unreadable.clear()

    @precondition(lambda self: not self.is_away)
    @rule(version=versions)
    def pin(self, version: int) -> None:
        with suppress(ArtifactError):
            pin(self.models_dir, NAME, version)

    @precondition(lambda self: not self.is_away)
    @rule(content=st.sampled_from([b"", b"1.0", b"\xef\xbb\xbf1", b"99"]))
    def write_a_pin_that_cannot_be_obeyed(self, content: bytes) -> None:
        (self.models_dir / NAME / "pin").write_bytes(content)

    @precondition(lambda self: not self.is_away)
    @rule()
    def take_the_permission_from_the_pin(self) -> None:
        path = self.models_dir / NAME / "pin"
        if path.exists():
            path.chmod(0)

    @precondition(lambda self: not self.is_away)
    @rule()
    def unpin(self) -> None:
        unpin(self.models_dir, NAME)

    @rule()
    def take_the_repository_away_or_bring_it_back(self) -> None:
        away = self.folder / "away"
        if self.is_away:
            away.rename(self.models_dir)
        else:
            self.models_dir.rename(away)
        self.is_away = not self.is_away

    @rule()
    def kill_the_tester(self) -> None:
        if TESTER._running is not None:
            TESTER._running.process.send_signal(signal.SIGKILL)

    @rule(which=st.integers(0, 1))
    def kill_a_worker(self, which: int) -> None:
        with without_privileges():
            self.workers[which] = self.make_worker()

    @rule()
    def restart_the_process(self) -> None:
        """Restart with the same store, which has the last known good versions."""
        with without_privileges():
            before = self.live()
            self.decider = self.make_decider(self.store)
            self.decider.settle()
            self.decider.begin(lambda _: None)
            assert self.live() is not None, f"{before} was live and is lost"

    @rule(seconds=st.sampled_from([0.1, 1.0, 60.0, 3600.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(version=versions, days=st.integers(-3, 3))
    def the_clock_of_the_publisher_jumps(self, version: int, days: int) -> None:
        with suppress(FileNotFoundError):
            os.utime(self.models_dir / NAME / str(version) / CARD_FILE, (days * 86_400 + 1e9, days * 86_400 + 1e9))

    def live(self) -> Version | None:
        model = self.decider.decision.models.get(NAME)
        return model.live if model is not None else None

    def settle(self) -> None:
        """Look until nothing changes, with the clock advanced so that delayed tests are due."""
        time.sleep(0.03)  # a file that has just changed is read again later
        for _ in range(3):
            self.now += 3600
            while self.decider.look() or self.decider.is_testing:
                pass

    @rule()
    def look(self) -> None:
        before = self.live()
        with without_privileges():
            self.settle()
            for index, worker in enumerate(self.workers):
                Follower(self.store, worker, 2).step()
                self.check_worker(index)
        live = self.live()
        assert live is not None or before is None
        self.check_tested_good()
        self.check_pin()
        self.check_against_a_fresh_start()

    def check_worker(self, index: int) -> None:
        live, worker = self.live(), self.workers[index]
        assert live is not None
        assert worker.serial == self.decider.decision.serial
        assert worker.live(NAME).card.version == live.number

    def check_tested_good(self) -> None:
        card = self.workers[0].live(NAME).card
        assert (card.version, card.seed) in self.ever_good

    def readable_good(self) -> dict[int, int]:
        return {version: seed for version, seed in self.good.items() if version not in self.unreadable}

    def check_pin(self) -> None:
        path = self.models_dir / NAME / "pin"
        if self.is_away or not path.exists() or not path.stat().st_mode & 0o400:
            return
        content = path.read_bytes().strip()
        good = self.readable_good()
        if content.isdigit() and int(content) in good:
            card = self.workers[0].live(NAME).card
            assert (card.version, card.seed) == (int(content), good[int(content)])

    def check_against_a_fresh_start(self) -> None:
        """Compare with a fresh start, if there is no pin, all is readable, and no deleted higher version is live."""
        if self.is_away or self.unreadable or (self.models_dir / NAME / "pin").exists() or not self.good:
            return
        card = self.workers[0].live(NAME).card
        if card.version > max(self.good):
            return
        with without_privileges():
            fresh = self.make_decider(Store(Path(tempfile.mkdtemp(dir=self.folder))))
            fresh.settle()
            assert fresh.decision.models[NAME].live == self.live()
            assert fresh.decision.models[NAME].kept == self.decider.decision.models[NAME].kept
            assert fresh.decision.models[NAME].refused.keys() <= self.decider.decision.models[NAME].refused.keys()

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
