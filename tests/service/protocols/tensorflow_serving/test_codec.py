import json
from typing import Any

import pytest

from service.inference.errors import BadInput, NotJSON
from service.protocols.tensorflow_serving.codec import predict_rows
from tests.service.protocols.live import live

LSTM, MLP = live("lstm"), live("mlp")
ROW = [1, 2, 3, 4, 5]


def predicted(document: Any) -> Any:
    return json.loads(predict_rows(LSTM, json.dumps(document).encode(), 10))


def test_instances_and_inputs_named_or_not_have_the_same_numbers() -> None:
    plain = predicted({"instances": [ROW, ROW]})["predictions"]

    assert plain[0] == plain[1] == [pytest.approx(7.8, abs=0.001)]
    assert plain == predicted({"instances": [{"window": ROW}, {"window": ROW}]})["predictions"]
    assert plain == predicted({"inputs": [ROW, ROW]})["outputs"]
    assert plain == predicted({"inputs": {"window": [ROW, ROW]}})["outputs"]
    assert plain == predicted({"signature_name": "serving_default", "instances": [ROW, ROW]})["predictions"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "JSON Value: Is not object"),
        ({}, "Missing 'inputs' or 'instances' key"),
        ({"inputs": [], "instances": []}, "expecting only one of 'inputs' or 'instances'"),
        ({"instances": []}, "No values in 'instances' array"),
        ({"instances": [ROW], "signature_name": "other"}, 'Serving signature name: "other" not found'),
        ({"instances": [ROW, [1, 2]]}, "Failed to process element: 1 of 'instances' list"),
        ({"instances": [{"window": ROW}, {"other": ROW}]}, "keys must be equal to: window"),
        ({"inputs": {"other": [ROW]}}, "Missing named input: window"),
    ],
)
def test_a_wrong_request_is_refused_in_the_words_of_tensorflow_serving(document: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        predicted(document)


@pytest.mark.parametrize("content", [b"", b"{", b"instances"])
def test_what_is_not_json_is_refused_as_such(content: bytes) -> None:
    with pytest.raises(NotJSON, match="JSON Parse error"):
        predict_rows(MLP, content, 10)
