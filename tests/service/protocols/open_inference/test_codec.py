import json
import re
from typing import Any

import numpy as np
import pytest

from service.inference.errors import BadInput
from service.protocols.open_inference.codec import infer
from tests.service.protocols.live import live

LSTM = live("lstm")
ROWS = np.array([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]], "<f4")


def request(data: Any = None, shape: tuple[int, ...] = (2, 5), **changes: Any) -> bytes:
    tensor = {"name": "window", "shape": shape, "datatype": "FP32", "data": data} | changes
    return json.dumps({"inputs": [tensor]}).encode()


def values(content: bytes, header_length: int | None = None) -> list[float]:
    answer = infer(LSTM, content, header_length, 10)
    found: list[float] = json.loads(answer.content)["outputs"][0]["data"]
    return found


def test_flat_nested_and_binary_tensors_of_either_shape_have_the_same_answer() -> None:
    flat = values(request(ROWS.ravel().tolist()))
    binary = request(None, parameters={"binary_data_size": ROWS.nbytes})

    assert len(flat) == 2
    assert flat == values(request(ROWS.tolist()))
    assert flat == values(request(ROWS[..., None].tolist(), (2, 5, 1)))
    assert flat == values(binary + ROWS.tobytes(), len(binary))


def test_a_bare_tensor_is_answered_in_binary_with_the_same_numbers() -> None:
    answer = infer(LSTM, ROWS.tobytes(), 0, 10)

    assert answer.header_length is not None
    assert np.frombuffer(answer.content[answer.header_length :], "<f4").tolist() == pytest.approx(
        values(request(ROWS.tolist())), abs=1e-6
    )


@pytest.mark.parametrize(
    ("content", "header_length", "message"),
    [
        (request(ROWS.tolist(), name="value"), None, "lstm takes one input, 'window'"),
        (request(ROWS.tolist(), datatype="BF16"), None, "The datatype of 'window' must be one of FP16"),
        (request(ROWS.tolist(), (3, 5)), None, r"The data of 'window' has the shape \[2, 5\], not \[3, 5\]"),
        (request([1, 2, 3], (1, 3)), None, "takes the shape"),
        (request(None), None, "needs its numbers either in data or after the JSON"),
        (request(ROWS.tolist()), 9999, "Inference-Header-Content-Length is 9999, but the body has"),
        (b"123", 0, "A bare tensor is FP32, 20 bytes a row; 3 are left over"),
    ],
)
def test_a_tensor_that_the_model_does_not_take_is_refused_with_the_reason(
    content: bytes, header_length: int | None, message: str
) -> None:
    with pytest.raises(BadInput) as caught:
        infer(LSTM, content, header_length, 10)

    assert re.search(message, str(caught.value.detail))
