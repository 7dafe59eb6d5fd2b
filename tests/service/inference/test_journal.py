"""The decision in files: what is read is what was written, whether as a snapshot or as a line."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifact.choice import Version
from service.inference.decision import WAITING, Decision, ModelDecision
from service.inference.journal import FEW, Journal

MODELS = st.sampled_from(
    [
        WAITING,
        ModelDecision(Version(2, "b"), {1: "a", 2: "b"}),
        ModelDecision(refused={3: "is damaged"}, refused_count=1, pinned=3, pin_problem="it is refused"),
        ModelDecision(Version(1, "a"), {1: "a"}, in_repository=False, wish="load"),
        None,
    ]
)
NAMES = st.sampled_from([f"m{k}" for k in range(FEW + 10)])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.dictionaries(NAMES, MODELS, max_size=4), max_size=8), st.sampled_from(["often", "once"]))
def test_a_reader_sees_every_decision_whenever_it_looks(
    tmp_path_factory: pytest.TempPathFactory, changes: list[dict[str, ModelDecision | None]], looks: str
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    writer, reader = Journal(folder), Journal(folder)
    decision = Decision(1, {f"m{k}": WAITING for k in range(FEW + 10)})
    writer.write(decision)
    known = reader.read()
    assert known is not None
    for change in changes:
        models = {**decision.models, **{name: model for name, model in change.items() if model is not None}}
        for name in [name for name, model in change.items() if model is None]:
            models.pop(name, None)
        decision = Decision(decision.serial + 1, models, None, decision.serial, frozenset(change))
        writer.write(decision)
        if looks == "often":
            check(reader, decision)
    check(reader, decision)
    check(Journal(folder), decision)


def check(reader: Journal, decision: Decision) -> None:
    found = reader.read()
    assert found is not None
    assert (found.serial, dict(found.models)) == (decision.serial, decision.models)


def test_a_line_that_is_not_written_to_its_end_is_read_later(tmp_path: Path) -> None:
    writer, reader = Journal(tmp_path), Journal(tmp_path)
    models = {f"m{k}": WAITING for k in range(FEW + 10)}
    writer.write(Decision(1, models))
    writer.write(Decision(2, {**models, "m1": ModelDecision(pinned=7)}, None, 1, frozenset({"m1"})))
    (file,) = tmp_path.glob("changes-*.jsonl")
    content = file.read_bytes()
    file.write_bytes(content[:-5])
    assert (found := reader.read()) is not None
    assert found.serial == 1
    before = reader.stamp()

    file.write_bytes(content)

    assert reader.stamp() != before
    assert (found := reader.read()) is not None
    assert (found.serial, found.since, found.changed) == (2, 1, frozenset({"m1"}))
    assert found.models["m1"].pinned == 7
