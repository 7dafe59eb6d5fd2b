"""The self-test outlives what it tests."""

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from artifact import KERAS_FILE, LITERT_FILE, Artifact, verify
from service.inference import selftest
from service.inference.selftest import TESTER
from tests.repository import SHIPPED


def with_network(content: bytes, name: str = "lstm") -> Artifact:
    card, files = verify(SHIPPED, name, 1)
    seed = random.randrange(2**31)  # another card, so that no earlier test speaks for this one
    return Artifact(card.model_copy(update={"seed": seed}), files | {LITERT_FILE: content})


def self_test(artifacts: list[Artifact], engine: str) -> list[str | None]:
    return [selftest.self_test(artifact, engine) for artifact in artifacts]


@pytest.fixture
def no_process() -> Iterator[None]:
    """None before, so that the test's own command is started, and none of that command after."""
    TESTER.stop()
    yield
    TESTER.stop()


GOOD = verify(SHIPPED, "lstm", 1).files[LITERT_FILE]


def test_good_and_bad_artifacts_are_told_apart_in_their_order() -> None:
    reasons = self_test([with_network(GOOD), with_network(b"x"), with_network(GOOD)], "litert")

    assert reasons == [None, "lstm/1/model.tflite: cannot be run", None]


def test_what_has_passed_is_not_tested_again(monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = with_network(GOOD)
    assert self_test([artifact], "litert") == [None]
    TESTER.stop()
    monkeypatch.setattr(selftest, "COMMAND", ["/bin/false"])

    assert self_test([artifact], "litert") == [None]


@pytest.mark.usefixtures("no_process")
def test_an_artifact_that_ends_the_process_is_named_and_the_next_one_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    crashing = "import os; os.kill(os.getpid(), 11)"
    monkeypatch.setattr(selftest, "COMMAND", [sys.executable, "-c", crashing])

    reasons = self_test([with_network(GOOD), with_network(GOOD)], "litert")

    assert reasons == ["lstm/1/model.tflite: ends the process that runs it, by SIGSEGV"] * 2


@pytest.mark.usefixtures("no_process")
def test_one_process_tests_one_artifact_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    assert self_test([with_network(GOOD)], "litert") == [None]
    monkeypatch.setattr(selftest, "COMMAND", ["/bin/false"])

    assert self_test([with_network(GOOD)], "litert") == [None]


@pytest.mark.usefixtures("no_process")
def test_a_process_that_was_idle_for_long_ends_and_the_next_artifact_has_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(selftest, "IDLE_SECONDS", 0)
    assert self_test([with_network(GOOD)], "litert") == [None]
    monkeypatch.setattr(selftest, "COMMAND", ["/bin/false"])

    assert self_test([with_network(GOOD)], "litert") == [
        "lstm/1/model.tflite: ends the process that runs it, with exit code 1"
    ]


@pytest.mark.usefixtures("no_process")
def test_an_artifact_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "COMMAND", [sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(selftest, "SECONDS", 0.5)

    assert self_test([with_network(GOOD)], "litert") == ["lstm/1/model.tflite: is not done within 0.5 seconds"]


def test_a_network_of_random_damage_never_ends_this_process() -> None:
    damage = random.Random(20)
    damaged = []
    for _ in range(200):
        content = bytearray(GOOD)
        for _ in range(damage.choice([1, 4, 64])):
            content[damage.randrange(len(content))] = damage.randrange(256)
        damaged.append(with_network(bytes(content)))

    reasons = self_test(damaged, "litert")

    assert len(reasons) == 200
    assert sum(reason is not None for reason in reasons) > 100


KERAS = verify(SHIPPED, "lstm", 1).files[KERAS_FILE]


def test_the_default_engine_never_opens_the_keras_file(tmp_path: Path) -> None:
    card, files = verify(SHIPPED, "mlp", 1)

    assert self_test([Artifact(card, {LITERT_FILE: files[LITERT_FILE]})], "litert") == [None]


def test_the_keras_engine_tests_the_keras_file() -> None:
    card, files = verify(SHIPPED, "mlp", 1)
    wrong = Artifact(card.model_copy(update={"seed": 5}), files | {KERAS_FILE: KERAS})

    reasons = self_test([Artifact(card, files), wrong], "keras")

    assert reasons == [None, "mlp/1/model.keras: has the shape [None, 5, 1] where its card says [None, 1]"]
