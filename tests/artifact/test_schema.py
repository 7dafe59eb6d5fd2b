import json
from typing import Any

import pytest

from artifact import CARD_FILE, ArtifactError, TensorSpec, verify
from artifact.schema import read_card
from tests.repository import CHECKOUT

SCHEMA_1 = CHECKOUT / "tests" / "data" / "schema_1"


def card_of(name: str, **changes: Any) -> bytes:
    card = json.loads((SCHEMA_1 / name / "1" / CARD_FILE).read_text())
    return json.dumps(card | changes).encode()


@pytest.mark.parametrize("name", ["lstm", "mlp"])
def test_a_card_of_schema_1_is_read_as_one_step_of_a_network_named_like_the_model(name: str) -> None:
    assert json.loads(card_of(name))["schema_version"] == 1

    card = verify(SCHEMA_1, name, 1).card

    assert (card.schema_version, card.network, card.steps) == (2, name, 1)
    assert card.output.shape == [None, 1]
    before = json.loads(card_of(name))["golden"]
    assert [(sample.window, sample.forecast) for sample in card.golden] == [
        (sample["window"], [sample["prediction"]]) for sample in before
    ]


@pytest.mark.parametrize("name", ["lstm", "mlp"])
def test_an_upgraded_card_reads_as_itself(name: str) -> None:
    card = read_card(card_of(name), "card")

    assert read_card(card.model_dump_json().encode(), "card") == card


@pytest.mark.parametrize("version", [3, 4, 10**30])
def test_a_card_of_a_newer_schema_than_the_code_is_refused_in_these_words(version: int) -> None:
    with pytest.raises(ArtifactError) as error:
        read_card(card_of("lstm", schema_version=version), "lstm/1/card.json")

    assert str(error.value) == (
        f"lstm/1/card.json: is a card of schema version {version}, newer than this code, "
        "which reads cards up to schema version 2; upgrade the code"
    )


@pytest.mark.parametrize("version", [0, -1, "1", None, True, 1.5, [2]])
def test_what_is_no_schema_version_is_refused(version: Any) -> None:
    with pytest.raises(ArtifactError, match="card: schema_version: Input should be 2"):
        read_card(card_of("lstm", schema_version=version), "card")


@pytest.mark.parametrize(
    ("golden", "message"),
    [
        (None, "golden: Input should be a valid list"),
        ([], "golden: List should have at least 1 item"),
        ([1], "golden.0: Input should be a valid dictionary"),
        ([{"window": [1, 2, 3, 4, 5]}], "golden.0.forecast: Field required"),
        ([{"window": [1, 2, 3, 4, 5], "prediction": "x"}], "golden.0.forecast.0: Input should be a valid number"),
    ],
)
def test_damaged_golden_samples_of_schema_1_are_refused(golden: Any, message: str) -> None:
    with pytest.raises(ArtifactError, match=message):
        read_card(card_of("lstm", golden=golden), "card")


SCHEMA_2 = read_card(card_of("lstm"), "card").model_dump(mode="json")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 2}, "the output's shape is not"),
        ({"output": {"name": "prediction", "shape": [None, 2]}}, "the output's shape is not"),
        (
            {"steps": 2, "output": {"name": "prediction", "shape": [None, 2]}},
            "another number of values in its forecast than there are steps",
        ),
        ({"network": ""}, "network: String should have at least 1 character"),
        ({"name": "Sales"}, "name: String should match pattern"),
        ({"name": ".hidden"}, "name: String should match pattern"),
        ({"name": "a" * 129}, "name: String should match pattern"),
        ({"name": "a\n"}, "name: String should match pattern"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ArtifactError, match=message):
        read_card(json.dumps(SCHEMA_2 | changes).encode(), "card")


@pytest.mark.parametrize("name", ["a", "0", "sales-lstm", "a.b_c", "a" * 128])
def test_names_are_free(name: str) -> None:
    assert read_card(json.dumps(SCHEMA_2 | {"name": name}).encode(), "card").name == name


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 10_000])
def test_what_is_not_json_is_refused(content: bytes) -> None:
    with pytest.raises(ArtifactError, match="card: the file: Invalid JSON"):
        read_card(content, "card")


@pytest.mark.parametrize("content", [b"null", b"[]", b"1"])
def test_json_that_is_no_object_is_refused(content: bytes) -> None:
    with pytest.raises(ArtifactError, match="card: the file: Input should be a valid dictionary"):
        read_card(content, "card")


@pytest.mark.parametrize(
    ("shape", "row_shape", "is_single_value"),
    [([None, 5, 1], (5, 1), False), ([None, 1], (1,), True), ([None, 1, 1], (1, 1), False), ([None, 5], (5,), False)],
)
def test_a_tensor_tells_the_shape_of_its_rows(
    shape: list[int | None], row_shape: tuple[int, ...], is_single_value: object
) -> None:
    spec = TensorSpec(name="window", shape=shape)

    assert (spec.row_shape, spec.is_single_value) == (row_shape, is_single_value)
