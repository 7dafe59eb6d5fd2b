import json
import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifact import verify
from service.inference.errors import InvalidRequest, NotJSON, ServiceError
from service.protocols.native.body import batch_body, single_body
from service.protocols.native.schemas import prediction_json, predictions_json
from tests.repository import SHIPPED

CARD = verify(SHIPPED, "mlp", 1).card
WINDOW, VALUE = verify(SHIPPED, "lstm", 1).card.input, CARD.input
FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(value=FLOAT32)
def test_every_float32_is_read_as_itself(value: float) -> None:
    content = json.dumps({"value": float(str(np.float32(value)))}).encode()

    read = single_body(VALUE, 1).parse(content).content

    assert np.float32(read) == np.float32(value)


@given(value=st.floats(min_value=2.0**128 - 2.0**103) | st.floats(max_value=-(2.0**128) + 2.0**103) | st.just(math.nan))
def test_no_number_that_rounds_to_a_float32_infinity_is_read(value: float) -> None:
    with pytest.raises(InvalidRequest):
        single_body(VALUE, 1).parse(json.dumps({"value": value}).encode())


@given(values=st.lists(FLOAT32, min_size=1, max_size=20))
def test_every_float32_is_written_in_its_shortest_form(values: list[float]) -> None:
    predictions = np.array(values, np.float32)

    written = json.loads(predictions_json(CARD, predictions, np.array([], np.intp)), parse_float=str)

    assert [Decimal(text) for text in written["predictions"]] == [Decimal(str(number)) for number in predictions]


def test_a_single_prediction_is_written_as_the_contract_shows_it() -> None:
    written = prediction_json(CARD, np.float32(7.8), extrapolated=False)

    assert written == b'{"model":"mlp","version":1,"prediction":7.8,"extrapolated":false}'


@given(content=st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_any_bytes_are_read_or_refused_with_a_reason(content: bytes) -> None:
    for body in (single_body(WINDOW, 5), single_body(VALUE, 1), batch_body(WINDOW, 5, 10)):
        with pytest.raises((NotJSON, InvalidRequest)) as caught:
            body.parse(content)
        assert caught.value.detail


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.sampled_from(["window", "value", "x"]), inner),
    max_leaves=12,
)


@given(value=JSON_VALUES)
def test_any_json_is_read_exactly_when_it_is_five_finite_float32_under_the_one_key(value: object) -> None:
    try:
        window = single_body(WINDOW, 5).parse(json.dumps(value).encode()).content
    except ServiceError:
        assert not is_window(value)
    else:
        assert is_window(value)
        assert len(window) == 5


def is_window(value: object) -> bool:
    if not isinstance(value, dict) or list(value) != ["window"] or not isinstance(value["window"], list):
        return False
    numbers = value["window"]
    return len(numbers) == 5 and all(
        type(number) in {int, float} and math.isfinite(number) and abs(number) < 2.0**128 - 2.0**103
        for number in numbers
    )
