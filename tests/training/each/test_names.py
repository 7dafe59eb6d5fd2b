import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifact import NAME_PATTERN
from training.data.errors import SeriesError
from training.each.names import LONGEST, safe_name, safe_names


@pytest.mark.parametrize(
    ("series", "name"),
    [
        ("shop 7", "shop-7"),
        ("Café Zürich", "cafe-zurich"),
        ("Straße", "strasse"),
        ("A/B (north)", "a-b-north"),
        ("..\\..//etc/passwd", "etc-passwd"),
        ("  _x_ ", "x"),
        ("EU_west.1", "eu_west.1"),
        ("東京", "u6771u4eac"),
        ("½ l", "1-2-l"),
        ("№ 5", "no-5"),
        ("-7.5", "7.5"),
        ("!?", "u21u3f"),
        ("🙂", "u1f642"),
    ],
)
def test_an_id_becomes_small_ascii_letters_digits_and_hyphens(series: str, name: str) -> None:
    assert safe_name(series) == name


@given(st.text(min_size=1), st.integers(20, LONGEST))
def test_any_text_has_a_name_that_a_model_may_have(series: str, room: int) -> None:
    name = safe_name(series, room)

    assert re.fullmatch(NAME_PATTERN, name)
    assert len(name) <= room
    assert safe_name(name, room) == name


def test_ids_that_are_too_long_are_cut_and_still_have_names_of_their_own() -> None:
    one, other = safe_name("x" * 200 + "1", 40), safe_name("x" * 200 + "2", 40)

    assert one != other
    assert (len(one), one[:30]) == (40, "x" * 30)


def test_two_ids_with_the_same_name_are_an_error_that_names_both() -> None:
    with pytest.raises(SeriesError, match=r"'Shop A' and 'shop-a' would both be published as eu-shop-a; give one of"):
        safe_names(["b", "Shop A", "c", "shop-a"], "eu")


def test_names_leave_room_for_the_prefix_and_the_network() -> None:
    names = safe_names(["y" * 300], "p" * 60)

    assert all(len(f"{name}-mlp-window") == LONGEST for name in names.values())
