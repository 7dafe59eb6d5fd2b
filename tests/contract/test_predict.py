"""The four prediction routes, over HTTP."""

import json
import re

import httpx
import numpy as np
import pytest

from artifact import verify
from tests.repository import SHIPPED

JSON = {"Content-Type": "application/json"}


def true_y(i: float) -> float:
    return 1.8 * i - 1.2


def test_the_lstm_answers_a_window(client: httpx.Client) -> None:
    answer = client.post("/predict/lstm", json={"window": [1, 2, 3, 4, 5]})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "model": "lstm",
        "version": 1,
        "prediction": pytest.approx(7.8, abs=0.01),
        "extrapolated": False,
    }


def test_the_mlp_answers_a_value(client: httpx.Client) -> None:
    answer = client.post("/predict/mlp", json={"value": 5})

    assert answer.status_code == 200
    assert answer.json() == {
        "model": "mlp",
        "version": 1,
        "prediction": pytest.approx(7.8, abs=0.001),
        "extrapolated": False,
    }


def test_an_answer_has_its_keys_in_the_order_of_the_contract(client: httpx.Client) -> None:
    single = client.post("/predict/mlp", json={"value": 5})
    batch = client.post("/predict/mlp/batch", json={"values": [5]})

    assert list(single.json()) == ["model", "version", "prediction", "extrapolated"]
    assert list(batch.json()) == ["model", "version", "predictions", "extrapolated"]


@pytest.mark.parametrize("name", ["lstm", "mlp"])
def test_a_batch_gives_the_numbers_of_its_single_requests(client: httpx.Client, name: str) -> None:
    windows = [[float(i + k) for k in range(5)] for i in range(0, 120, 7)]
    rows = windows if name == "lstm" else [window[-1] for window in windows]
    single, batch = ("window", "windows") if name == "lstm" else ("value", "values")

    together = client.post(f"/predict/{name}/batch", json={batch: rows}).json()
    alone = [client.post(f"/predict/{name}", json={single: row}).json() for row in rows]

    assert together["predictions"] == [answer["prediction"] for answer in alone]
    assert together["extrapolated"] == [number for number, answer in enumerate(alone) if answer["extrapolated"]]
    assert together["extrapolated"]


@pytest.mark.parametrize("rows", [1, 2, 4095, 4096, 4097, 10_000])
def test_a_batch_of_any_size_is_answered_row_by_row(client: httpx.Client, rows: int) -> None:
    values = np.linspace(4, 103, rows).tolist()

    answer = client.post("/predict/mlp/batch", json={"values": values}).json()

    np.testing.assert_allclose(answer["predictions"], [true_y(value) for value in values], atol=1e-3)
    assert answer["extrapolated"] == []


@pytest.mark.parametrize(
    ("window", "extrapolated"),
    [
        ([0, 0, 0, 0, 0], False),
        ([103, 103, 103, 103, 103], False),
        ([103, 103, 103, 103, 103.0000001], False),  # the same float32
        ([103, 103, 103, 103, 103.00001], True),
        ([-0.00001, 1, 2, 3, 4], True),
    ],
)
def test_a_value_outside_the_trained_range_is_told(
    client: httpx.Client, window: list[float], *, extrapolated: bool
) -> None:
    answer = client.post("/predict/lstm", json={"window": window}).json()

    assert answer["extrapolated"] is extrapolated


def test_numbers_are_printed_in_their_shortest_float32_form(client: httpx.Client) -> None:
    values = np.linspace(-1e4, 1e4, 300).tolist()

    text = client.post("/predict/mlp/batch", json={"values": values}).text

    printed = re.findall(r"-?[\d.]+(?:e-?\d+)?", text.partition('"predictions":[')[2].partition("]")[0])
    assert len(printed) == 300
    for number in printed:
        assert float(number) == float(str(np.float32(number)))


BAD_NUMBERS = {
    "NaN": ("NaN", "finite_number"),
    "Infinity": ("Infinity", "finite_number"),
    "-Infinity": ("-Infinity", "finite_number"),
    "1e999": ("1e999", "finite_number"),
    "1e39": ("1e39", "less_than"),
    "-1e39": ("-1e39", "greater_than"),
    "a string": ('"5"', "float_type"),
    "true": ("true", "float_type"),
    "null": ("null", "float_type"),
    "a list": ("[5]", "float_type"),
    "an object": ("{}", "float_type"),
    "a prediction beyond float32": ("3.4e38", "prediction_overflow"),
}

ROUTES: dict[str, tuple[str, list[str | int]]] = {
    "/predict/lstm": ('{"window": [1, 2, 3, 4, %s]}', ["body", "window", 4]),
    "/predict/mlp": ('{"value": %s}', ["body", "value"]),
    "/predict/lstm/batch": ('{"windows": [[1, 2, 3, 4, 5], [1, 2, 3, 4, %s]]}', ["body", "windows", 1, 4]),
    "/predict/mlp/batch": ('{"values": [1, %s]}', ["body", "values", 1]),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("bad", BAD_NUMBERS)
def test_what_is_not_a_finite_float32_number_is_a_422_that_names_the_place_and_not_the_input(
    client: httpx.Client, route: str, bad: str
) -> None:
    template, place = ROUTES[route]
    number, kind = BAD_NUMBERS[bad]

    answer = client.post(route, content=template % number, headers=JSON)

    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert set(problem) == {"type", "loc", "msg"}
    assert problem["type"] == kind
    row_of_place = place if "lstm" not in route else place[:-1]
    assert problem["loc"] == (row_of_place if kind == "prediction_overflow" else place)


BAD_SHAPES = {
    "four values": ("/predict/lstm", {"window": [1, 2, 3, 4]}, "too_short"),
    "six values": ("/predict/lstm", {"window": [1, 2, 3, 4, 5, 6]}, "too_long"),
    "no values": ("/predict/lstm", {"window": []}, "too_short"),
    "a number for a window": ("/predict/lstm", {"window": 5}, "list_type"),
    "no window": ("/predict/lstm", {}, "missing"),
    "null for a window": ("/predict/lstm", {"window": None}, "list_type"),
    "a list for an object": ("/predict/lstm", [1, 2, 3, 4, 5], "model_type"),
    "no value": ("/predict/mlp", {}, "missing"),
    "a list for a value": ("/predict/mlp", {"value": [5]}, "float_type"),
    "four values in a batch": ("/predict/lstm/batch", {"windows": [[1, 2, 3, 4]]}, "too_short"),
    "an empty batch": ("/predict/lstm/batch", {"windows": []}, "too_short"),
    "an empty batch of values": ("/predict/mlp/batch", {"values": []}, "too_short"),
    "a batch that is too long": ("/predict/mlp/batch", {"values": [1] * 100_001}, "too_long"),
}


@pytest.mark.parametrize(("route", "body", "kind"), BAD_SHAPES.values(), ids=BAD_SHAPES)
def test_a_wrong_shape_is_a_422(client: httpx.Client, route: str, body: object, kind: str) -> None:
    answer = client.post(route, json=body)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["type"] == kind


def test_an_unknown_key_is_a_422_that_says_which_key_there_is_and_repeats_nothing(client: httpx.Client) -> None:
    answer = client.post("/predict/mlp", json={"value": 5, "<script>": 1})

    assert answer.status_code == 422
    assert answer.json() == {
        "detail": [{"type": "extra_forbidden", "loc": ["body"], "msg": "Unknown key; the only key is 'value'"}]
    }


def test_a_batch_that_is_wrong_throughout_gets_a_short_answer(client: httpx.Client) -> None:
    answer = client.post("/predict/lstm/batch", json={"windows": [["x"] * 5] * 10_000})

    assert answer.status_code == 422
    assert len(answer.content) < 2000


NOT_JSON = {
    "nothing": b"",
    "words": b"window",
    "cut short": b'{"window": [1, 2',
    "two documents": b'{"value": 5}{"value": 5}',
    "single quotes": b"{'value': 5}",
    "bad UTF-8": b'{"val\xffue": 5}',
    "UTF-16": '{"value": 5}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"value": 5}',
    "a hex number": b'{"value": 0x5}',
    "nested too deep": b'{"value": ' + b"[" * 250_000 + b"]" * 250_000 + b"}",
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("content", NOT_JSON.values(), ids=NOT_JSON)
def test_a_body_that_is_not_json_is_a_400(client: httpx.Client, route: str, content: bytes) -> None:
    answer = client.post(route, content=content, headers=JSON)

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("The body is not JSON: ")


def test_a_number_of_ten_thousand_digits_is_not_a_float32(client: httpx.Client) -> None:
    answer = client.post("/predict/mlp", content=b'{"value": ' + b"9" * 10_000 + b"}", headers=JSON)

    assert answer.status_code in {400, 422}
    assert b"999" not in answer.content


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json"])
def test_another_content_type_is_a_415(client: httpx.Client, content_type: str) -> None:
    answer = client.post("/predict/mlp", content=b'{"value": 5}', headers={"Content-Type": content_type})

    assert answer.status_code == 415
    assert answer.json() == {"detail": "Content-Type must be application/json"}


@pytest.mark.parametrize("headers", [{}, JSON, {"Content-Type": "Application/JSON; charset=utf-8"}])
def test_json_is_read_by_its_name_and_without_one(client: httpx.Client, headers: dict[str, str]) -> None:
    assert client.post("/predict/mlp", content=b'{"value": 5}', headers=headers).status_code == 200


def test_a_compressed_body_is_a_415(client: httpx.Client) -> None:
    answer = client.post("/predict/mlp", content=b"\x1f\x8b", headers=JSON | {"Content-Encoding": "gzip"})

    assert answer.status_code == 415
    assert "Content-Encoding" in answer.json()["detail"]


@pytest.mark.parametrize("size", ["announced", "chunked"])
def test_a_body_beyond_the_limit_is_a_413_and_ends_the_connection(client: httpx.Client, size: str) -> None:
    content = b" " * (16 * 2**20 + 1)
    chunks = (content[start : start + 2**16] for start in range(0, len(content), 2**16))

    answer = client.post("/predict/mlp", content=content if size == "announced" else chunks, headers=JSON)

    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    assert answer.json() == {"detail": "The body is larger than 16777216 bytes"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("route", ROUTES)
def test_another_method_is_a_405(client: httpx.Client, route: str, method: str) -> None:
    answer = client.request(method, route)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json() == {"detail": "Method Not Allowed"}


@pytest.mark.parametrize("path", ["/predict", "/predict/", "/predict/lstm/", "/models/lstm/../mlp/"])
def test_another_path_is_a_404(client: httpx.Client, path: str) -> None:
    answer = client.post(path, json={"value": 5})

    assert answer.status_code == 404
    assert answer.json() == {"detail": "Not Found"}


@pytest.mark.parametrize("name", ["lstm", "mlp"])
def test_the_golden_samples_on_the_card_are_what_the_service_answers(client: httpx.Client, name: str) -> None:
    for sample in verify(SHIPPED, name, 1).card.golden:
        body = {"window": sample.window} if name == "lstm" else {"value": sample.window[0]}
        answer = client.post(f"/predict/{name}", content=json.dumps(body), headers=JSON).json()
        assert answer["prediction"] == pytest.approx(sample.forecast[0], rel=1e-4)
        assert answer["extrapolated"] is False
