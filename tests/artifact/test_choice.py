"""The rule that chooses the live version."""

from hypothesis import given
from hypothesis import strategies as st

from artifact.choice import Pin, Version, choose

GOOD = {1: "a", 2: "b", 3: "c"}


def test_without_a_pin_the_highest_good_version_is_live() -> None:
    assert choose(GOOD, None, None) == choose(GOOD, None, Version(1, "a")) == Version(3, "c")


def test_a_live_version_that_was_deleted_or_damaged_stays_although_lower_ones_are_good() -> None:
    assert choose(GOOD, None, Version(4, "d")) == Version(4, "d")
    assert choose({}, None, Version(4, "d")) == Version(4, "d")


def test_a_number_with_other_bytes_is_live_with_these() -> None:
    assert choose(GOOD, None, Version(3, "old")) == Version(3, "c")


def test_a_pin_is_obeyed_upwards_and_downwards() -> None:
    assert choose(GOOD, Pin(1), Version(3, "c")) == Version(1, "a")
    assert choose(GOOD, Pin(2), Version(1, "a")) == Version(2, "b")


def test_a_pin_that_cannot_be_obeyed_freezes_what_is_live_and_lets_nothing_else_live() -> None:
    for pin in (Pin(9), Pin(None, "unreadable")):
        assert choose(GOOD, pin, Version(1, "a")) == Version(1, "a")
        assert choose(GOOD, pin, None) is None


versions = st.builds(Version, st.integers(1, 6), st.sampled_from("abc"))


@given(
    st.dictionaries(st.integers(1, 6), st.sampled_from("abc")),
    st.none() | st.builds(Pin, st.none() | st.integers(1, 6)),
    st.none() | versions,
)
def test_only_what_is_good_or_live_already_is_live_and_the_choice_is_stable(
    good: dict[int, str], pin: Pin | None, current: Version | None
) -> None:
    live = choose(good, pin, current)

    assert live == current or (live is not None and good[live.number] == live.sha256)
    assert choose(good, pin, live) == live
