"""Self-test: good, bad and unknown outcomes, and the lifetime of its process."""

import os
import random
import signal
import sys
from pathlib import Path

import pytest

from artifact import KERAS_FILE, LITERT_FILE
from artifact.repository import read_version
from artifact.tester import LITERT_LOADER, Question, SelfTester, Verdict
from tests.repository import SHIPPED, change_card, copy_of_shipped, replace_file

KERAS_LOADER = "service.inference.engine:KerasEngine"
GOOD = (SHIPPED / "lstm" / "1" / LITERT_FILE).read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy_of_shipped(tmp_path) / "lstm" / "1"


@pytest.fixture
def tester() -> SelfTester:
    return SelfTester(LITERT_LOADER)


def ask(tester: SelfTester, folder: Path, seconds: float = 60) -> Verdict:
    name = folder.parent.name
    content = folder.parent / "content"
    content.write_bytes(read_version(folder.parent.parent, name, 1).pack())
    verdict = tester.ask(Question(content, name, 1, seconds), wait=120)
    assert verdict is not None
    return verdict


def running_instead(tester: SelfTester, folder: Path, script: str) -> None:
    """Run another program instead of the self-test."""
    program = folder.parent / "program.py"
    program.write_text(script)
    tester._command = [sys.executable, str(program)]


READY = (
    "import os, sys, time\n"
    "from multiprocessing.connection import Connection\n"
    "connection = Connection(int(sys.argv[1]))\n"
    "connection.send_bytes(b'\"ready\"')\n"
    "connection.recv_bytes()\n"
)


def test_good_and_bad_networks_are_told_apart_by_one_process(tester: SelfTester, folder: Path) -> None:
    assert ask(tester, folder) == Verdict()
    process = tester._running
    replace_file(folder, LITERT_FILE, b"x")
    assert ask(tester, folder).bad == "lstm/1/model.tflite: cannot be run"
    replace_file(folder, LITERT_FILE, GOOD)
    assert ask(tester, folder) == Verdict()

    assert tester._running is process


def test_a_card_that_is_wrong_is_found_in_the_process(tester: SelfTester, folder: Path) -> None:
    change_card(folder, window=4)

    verdict = ask(tester, folder)

    assert verdict.stage == "verification"
    assert verdict.bad is not None
    assert "does not hold rows of one window" in verdict.bad


def test_a_process_that_was_killed_while_idle_is_replaced_and_is_no_verdict(tester: SelfTester, folder: Path) -> None:
    ask(tester, folder)
    assert tester._running is not None
    os.kill(tester._running.process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, tester._running.process.pid, os.WEXITED | os.WNOWAIT)

    assert ask(tester, folder) == Verdict()


def test_a_process_that_is_killed_during_each_test_leaves_the_version_unknown(tester: SelfTester, folder: Path) -> None:
    running_instead(tester, folder, READY + "os.kill(os.getpid(), 9)")

    verdict = ask(tester, folder)

    assert verdict.bad is None
    assert verdict.unknown == "lstm/1: the self-test process ended by SIGKILL"


def test_a_network_that_crashes_the_process_twice_in_the_same_way_is_bad(tester: SelfTester, folder: Path) -> None:
    running_instead(tester, folder, READY + "os.kill(os.getpid(), 11)")

    assert ask(tester, folder).bad == "lstm/1: crashes the process that runs it, by SIGSEGV"


def test_a_process_that_cannot_start_leaves_the_version_unknown(tester: SelfTester, folder: Path) -> None:
    running_instead(tester, folder, "raise SystemExit(1)")

    assert ask(tester, folder).unknown == "lstm/1: the self-test process ended with exit code 1"


def test_a_network_that_hangs_is_unknown_after_its_time(tester: SelfTester, folder: Path) -> None:
    running_instead(tester, folder, READY + "time.sleep(60)")

    assert ask(tester, folder, seconds=0.3).unknown == "lstm/1: the self-test is not done within 0.3 seconds"


def test_a_test_that_takes_long_goes_on_while_the_asker_does_something_else(tester: SelfTester, folder: Path) -> None:
    running_instead(tester, folder, READY + "time.sleep(0.5)\nconnection.send_bytes(b'{}')\ntime.sleep(60)")
    question = Question(folder, "lstm", 1, 60)

    assert tester.ask(question, wait=0) is None
    assert tester.pending == question
    assert tester.poll(wait=60) == Verdict()
    assert tester.pending is None


def test_less_address_space_than_the_limit_is_no_verdict_on_a_network(folder: Path) -> None:
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "from artifact.selftest import main; main(sys.argv[1:])"
    )
    tester = SelfTester(LITERT_LOADER)
    tester._command = [sys.executable, "-c", script]

    assert ask(tester, folder) == Verdict()


def test_networks_of_random_damage_never_end_this_process(tester: SelfTester, folder: Path) -> None:
    damage, verdicts = random.Random(20), []
    for _ in range(100):
        content = bytearray(GOOD)
        for _ in range(damage.choice([1, 4, 64])):
            content[damage.randrange(len(content))] = damage.randrange(256)
        replace_file(folder, LITERT_FILE, bytes(content))
        verdicts.append(ask(tester, folder))

    assert sum(verdict.bad is not None for verdict in verdicts) > 50


def test_the_keras_engine_tests_the_keras_file(folder: Path) -> None:
    pytest.importorskip("tensorflow")  # not in the environment of make test-service
    tester = SelfTester(KERAS_LOADER)
    assert ask(tester, folder) == Verdict()
    replace_file(folder, KERAS_FILE, (SHIPPED / "mlp" / "1" / KERAS_FILE).read_bytes())

    assert ask(tester, folder).bad == "lstm/1/model.keras: cannot be run"
    tester.stop()
