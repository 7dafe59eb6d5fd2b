import json

import pytest

from service.inference.errors import InvalidRequest, NotJSON
from service.protocols.native.codec import answer_batch, answer_single
from tests.service.protocols.live import live

LSTM, MLP = live("lstm"), live("mlp")


def test_a_row_and_a_batch_of_that_row_have_the_same_prediction() -> None:
    single = json.loads(answer_single(LSTM, b'{"window": [1, 2, 3, 4, 5]}'))
    batch = json.loads(answer_batch(LSTM, b'{"windows": [[1, 2, 3, 4, 5], [1, 2, 3, 4, 500]]}', 10))

    assert single["prediction"] == batch["predictions"][0] == pytest.approx(7.8, abs=0.001)
    assert (single["extrapolated"], batch["extrapolated"]) == (False, [1])


@pytest.mark.parametrize("space", ["", " ", "\n"])
def test_the_flat_reader_and_pydantic_give_the_same_batch(space: str) -> None:
    flat = b'{"windows":[[1,2,3,4,5],[6,7,8,9,10]]}'
    other = f'{{"windows":{space}[[1,2,3,4,5],[6,7,8,9,10.0e0]]{space}}}'.encode()

    assert answer_batch(LSTM, flat, 10) == answer_batch(LSTM, other, 10)


def test_more_rows_than_the_limit_are_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        answer_batch(MLP, b'{"values": [1, 2, 3]}', 2)

    assert caught.value.detail[0]["type"] == "too_long"


@pytest.mark.parametrize(("content", "place"), [(b'{"value": 3.4e38}', ["body", "value"])])
def test_a_forecast_beyond_float32_is_refused_with_the_place_of_its_row(content: bytes, place: list[str | int]) -> None:
    with pytest.raises(InvalidRequest) as single:
        answer_single(MLP, content)
    with pytest.raises(InvalidRequest) as batch:
        answer_batch(MLP, b'{"values": [1, 3.4e38]}', 10)

    assert (single.value.detail[0]["type"], single.value.detail[0]["loc"]) == ("prediction_overflow", place)
    assert batch.value.detail[0]["loc"] == ["body", "values", 1]


@pytest.mark.parametrize("content", [b"", b"{", b"window=1", b"\xff"])
def test_what_is_not_json_is_refused_as_such(content: bytes) -> None:
    with pytest.raises(NotJSON):
        answer_single(LSTM, content)
