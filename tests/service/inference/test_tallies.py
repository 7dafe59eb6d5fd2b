"""Tallies of many models: bounded, and no total ever falls."""

from hypothesis import given
from hypothesis import strategies as st

from service.inference.tallies import LEAST, Tallies
from service.inference.tally import MOST_COUNTED, Counts, Scores

NAMES = [f"m{k}" for k in range(MOST_COUNTED + 20)] + ["other"]
KINDS = ["ask", "ask", "ask", "put away", "forget", "choose", "small", "large"]
EVENTS = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(NAMES)), max_size=300)


def total(tallies: Tallies) -> Counts:
    found = tallies.rest()
    for counts in tallies.counts().values():
        found += counts
    return found


@given(EVENTS, st.integers(1, 50))
def test_the_total_is_what_was_counted_whatever_is_put_away_removed_or_counted_by_itself(
    events: list[tuple[str, str]], rows: int
) -> None:
    tallies, asked = Tallies(), 0
    for event, name in events:
        if event == "ask":
            tallies.of(name, 1).add(rows, 0, 1.0)
            asked += 1
        elif event == "put away":
            tallies.put_away(name)
        elif event == "forget":
            tallies.forget(name, ())
        elif event in ("small", "large"):
            tallies.is_small = event == "small"
        else:
            tallies.choose()
        assert total(tallies) == Counts(asked, asked * rows, 0, float(asked))
        assert len(tallies.own) <= MOST_COUNTED


def test_a_request_that_was_in_progress_when_its_model_was_put_away_or_replaced_is_counted() -> None:
    tallies = Tallies()
    asked = [tallies.of("sales", 1), tallies.of("demand", 1)]
    tallies.put_away("sales")
    tallies.forget("demand", ())

    for tally in asked:
        tally.add(2, 1, 1.5)

    assert total(tallies) == Counts(2, 4, 2, 3.0)


def test_the_busiest_models_are_counted_by_themselves_and_a_series_of_theirs_never_falls() -> None:
    tallies = Tallies()
    for _ in range(LEAST):
        tallies.of("busy", 1).add(1, 0, 1.0)
    tallies.of("idle", 1).add(1, 0, 1.0)

    tallies.choose()
    tallies.of("busy", 1).add(1, 0, 1.0)
    tallies.put_away("busy")

    assert tallies.own == {"busy"}
    assert tallies.counts() == {("busy", 1): Counts(1, 1, 0, 1.0)}
    assert tallies.rest().predictions == LEAST + 1


def test_the_scores_of_a_model_that_is_put_away_are_kept() -> None:
    tallies = Tallies()
    tallies.of("sales", 3).add_scores(Scores(2))

    tallies.put_away("sales")

    assert [(name, version, tally.scores.actuals) for name, version, tally in tallies.scored()] == [("sales", 3, 2)]
    assert tallies.of("sales", 3).scores.actuals == 2
