"""Rows of `python -m artifact list`: every version of every model, its state, and the reason if it is refused."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from artifact.card import Artifact, ArtifactError, ModelCard
from artifact.choice import Pin, Version, choose
from artifact.pins import read_pin
from artifact.repository import (
    Content,
    Unreadable,
    check_content,
    check_signature,
    list_versions,
    names,
    read_version,
    where_to_start,
)
from artifact.tester import LITERT_LOADER, Question, SelfTester, Verdict

# rmse: of the network on the held-out rows. persistence, linear: RMSE of the two baselines on the same rows.
CARD_COLUMNS = ("created", "network", "window", "steps", "data", "rmse", "persistence", "linear")
COLUMNS = ("model", "state", *CARD_COLUMNS, "reason")
NO_CARD = ("",) * len(CARD_COLUMNS)
TEST_SECONDS = 60.0


class Look(NamedTuple):
    """Options of the examination: accepted card keys, and whether to run each network on its golden samples."""

    keys: Sequence[bytes] = ()
    is_tested: bool = False


class Outcome(NamedTuple):
    """Result of examining a version. sha256: checksum of its content, None if the version cannot be live.

    card: None if it could not be read. state: "refused", "unknown" (could not be read or tested), or "" if good.
    """

    sha256: str | None
    card: ModelCard | None
    state: str = ""
    reason: str = ""


def examine(models_dir: Path, name: str, version: int, look: Look) -> Outcome:
    """Verify a version, and run its self-test if `look` says so. Errors are part of the result, not raised."""
    try:
        content = read_version(models_dir, name, version)
        check_signature(content, name, version, look.keys)
        artifact = check_content(content, name, version)
    except ArtifactError as error:
        return Outcome(None, None, "refused", str(error))
    except Unreadable as error:
        return Outcome(None, None, "unknown", str(error))
    verdict = _test(content, artifact) if look.is_tested else Verdict()
    if verdict is None or verdict.unknown is not None:
        return Outcome(None, artifact.card, "unknown", verdict.unknown or "" if verdict else "the self-test hangs")
    if verdict.bad is not None:
        return Outcome(None, artifact.card, "refused", verdict.bad)
    return Outcome(content.sha256, artifact.card)


def _test(content: Content, artifact: Artifact) -> Verdict | None:
    tester = SelfTester(LITERT_LOADER)
    with tempfile.NamedTemporaryFile(prefix="lagcast-test-") as file:
        file.write(content.pack())
        file.flush()
        question = Question(Path(file.name), artifact.card.name, artifact.card.version, TEST_SECONDS)
        try:
            return tester.ask(question, 3 * TEST_SECONDS)
        finally:
            tester.stop()


def rows(models_dir: Path, look: Look) -> Iterator[tuple[str, ...]]:
    """Rows of cells, one cell per entry of COLUMNS, for each version and each unusable pin.

    Raises ArtifactError if the repository has no model or cannot be read.
    """
    try:
        found = names(models_dir)
    except OSError as error:
        raise ArtifactError(f"{models_dir}: {error.strerror}{where_to_start(models_dir)}") from None
    if not found:
        raise ArtifactError(f"{models_dir}: no model is published here")
    for name in found:
        yield from _model_rows(models_dir, name, look)


def _model_rows(models_dir: Path, name: str, look: Look) -> Iterator[tuple[str, ...]]:
    try:
        versions = list_versions(models_dir, name)
        pin = read_pin(models_dir, name, look.keys)
    except Unreadable as error:
        yield (name, "unknown", *NO_CARD, str(error))
        return
    outcomes = {version: examine(models_dir, name, version, look) for version in versions}
    good = {version: outcome.sha256 for version, outcome in outcomes.items() if outcome.sha256 is not None}
    live = choose(good, pin, None)
    for version, outcome in outcomes.items():
        yield (f"{name}/{version}", _state(version, outcome, live, pin), *_describe(outcome.card), outcome.reason)
    problem = _pin_problem(name, pin, good)
    if problem is not None:
        yield (name, "frozen", *NO_CARD, problem)


def _describe(card: ModelCard | None) -> tuple[str, ...]:
    if card is None:
        return NO_CARD
    of = card.evaluation
    errors = (f"{metrics.rmse:.4g}" for metrics in (of.model, of.persistence, of.linear))
    created = f"{card.created:%Y-%m-%d %H:%M}"
    return (created, card.network, str(card.window), str(card.steps), card.data.describe(), *errors)


def _state(version: int, outcome: Outcome, live: Version | None, pin: Pin | None) -> str:
    is_live = live is not None and live.number == version
    is_pinned = pin is not None and pin.version == version
    words = ["live" if is_live else None, "pinned" if is_pinned else None, outcome.state]
    return ", ".join(filter(None, words))


def _pin_problem(name: str, pin: Pin | None, good: dict[int, str]) -> str | None:
    if pin is None or pin.version in good:
        return None
    why = pin.problem or f"{name}/{pin.version} cannot go live"
    return f"the pin is not obeyed: {why}; a running service keeps what is live, and a new one serves no {name}"
