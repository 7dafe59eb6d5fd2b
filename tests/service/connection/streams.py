"""Requests of any kind, right and wrong, for the lane and the framework."""

import json

from hypothesis import strategies as st

from service.connection.lane import MAX_BYTES
from tests.service.connection.pair import post

KEY = "a key"
NUMBERS = st.floats() | st.integers(-(10**40), 10**40) | st.floats(-200, 200) | st.booleans() | st.none() | st.text()
VALID = st.floats(-200, 200, width=32) | st.integers(-200, 200)
WINDOWS = st.lists(VALID, min_size=5, max_size=5) | st.lists(NUMBERS, max_size=7)
ROWS = st.lists(WINDOWS | VALID, max_size=4) | WINDOWS
TENSORS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["window", "window", "value", "x"]),
        "shape": st.sampled_from([[1, 5], [1, 5, 1], [1], [1, 1], [2, 5], []]),
        "datatype": st.sampled_from(["FP32", "FP32", "FP64", "INT32", "INT8", "BOOL"]),
        "data": ROWS,
    },
    optional={"parameters": st.sampled_from([{}, {"binary_data_size": 20}, {"x": 1}, None])},
)
OUTPUTS = st.sampled_from(
    [
        [],
        [{"name": "prediction"}],
        [{"name": "lower_80"}],
        [{"name": "prediction", "parameters": {"binary_data": True}}],
    ]
)
PARAMETERS = st.sampled_from([{}, {"levels": [80]}, {"levels": "80,95"}, {"binary_data_output": True}])
OPEN_INFERENCE = st.fixed_dictionaries(
    {"inputs": st.lists(TENSORS, min_size=1, max_size=1) | st.lists(TENSORS, max_size=2)},
    optional={"id": st.text(max_size=3) | NUMBERS, "parameters": PARAMETERS, "outputs": OUTPUTS},
)
TENSORFLOW_SERVING = st.fixed_dictionaries(
    {"instances": ROWS | st.lists(st.fixed_dictionaries({"window": WINDOWS}), max_size=2)},
    optional={"signature_name": st.sampled_from(["", "serving_default", "x", 1])},
) | st.fixed_dictionaries({"inputs": ROWS | st.fixed_dictionaries({"window": ROWS})})
DOCUMENTS = (
    st.fixed_dictionaries({"window": WINDOWS})
    | st.fixed_dictionaries({"value": VALID | NUMBERS})
    | st.fixed_dictionaries({"window": WINDOWS, "levels": st.lists(st.sampled_from([80, 95.0, 99.9, 0]), max_size=2)})
    | st.dictionaries(st.sampled_from(["window", "value", "x"]), WINDOWS | NUMBERS)
    | st.fixed_dictionaries({"windows": st.lists(WINDOWS, max_size=4)})
    | OPEN_INFERENCE
    | TENSORFLOW_SERVING
    | st.lists(NUMBERS)
)
BODIES = (
    DOCUMENTS.map(lambda document: json.dumps(document).encode())
    | st.binary(max_size=60)
    | st.sampled_from([MAX_BYTES - 1, MAX_BYTES, MAX_BYTES + 1, 9999, 10_000, 49_999, 50_001]).map(
        lambda size: b'{"value": 5' + b" " * (size - 12) + b"}"
    )
)
PATHS = st.sampled_from(
    [
        *["/predict/lstm", "/predict/mlp", "/forecast/lstm", "/forecast/mlp"] * 3,
        *["/v2/models/lstm/infer", "/v2/models/mlp/infer", "/v1/models/lstm:predict", "/v1/models/mlp:predict"] * 3,
        *["/predict/predict/lstm", "/predict/forecast/mlp", "/predict/v2/models/lstm/infer", "/predictor/predict/mlp"],
        *["/predict/lstm/", "/predict/lstm/batch", "/predict/gru", "/predict/", "/predict", "/x/predict/lstm", "/x"],
        *["/predict/%6cstm", "/predict/lstm%2f", "//predict/lstm", "/v2/models//infer", "/v1/models/:predict"],
        *["/predict/lstm?", "/predict/lstm?version=1", "/predict/lstm?version=2", "/v2/models/lstm/infer?x"],
        *["/v2/models/lstm/versions/1/infer", "/v1/models/lstm/versions/1:predict", "http://there/predict/lstm"],
    ]
)
HEADERS = st.lists(
    st.sampled_from(
        [
            ("Content-Type", "application/json"),
            ("content-type", "application/json; charset=utf-8"),
            ("content-type", "APPLICATION/JSON"),
            ("content-type", "text/plain"),
            ("content-encoding", "identity"),
            ("content-encoding", "gzip"),
            ("Accept-Encoding", "gzip, deflate"),
            ("Inference-Header-Content-Length", "10"),
            ("accept", "text/html"),
            ("Origin", "https://a.example"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-prefix", "/shown"),
            ("X-Request-ID", "mine"),
            ("X-Request-ID", "not valid"),
            ("connection", "keep-alive"),
            ("connection", "close"),
            ("expect", "100-continue"),
            ("upgrade", "h2c"),
            ("authorization", "Bearer wrong"),
        ]
    ),
    max_size=4,
)


SINGLES = [
    ("/predict/mlp", b'{"value": 5}'),
    ("/predict/lstm", b'{"window": [1, 2, 3, 4, 5]}'),
    ("/forecast/mlp", b'{"value": 5}'),
    ("/forecast/lstm", b'{"window": [1, 2, 3, 4, 5]}'),
    (
        "/v2/models/lstm/infer",
        b'{"inputs":[{"name":"window","shape":[1,5],"datatype":"FP32","data":[1,2,3,4,5]}],"id":"1"}',
    ),
    ("/v2/models/mlp/infer", b'{"inputs":[{"name":"value","shape":[2,1],"datatype":"INT8","data":[[1],[2]]}]}'),
    ("/v1/models/lstm:predict", b'{"instances": [[1, 2, 3, 4, 5]]}'),
    ("/v1/models/mlp:predict", b'{"inputs": [[5]]}'),
]


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    method = draw(st.sampled_from(["POST"] * 8 + ["GET", "PUT", "HEAD", "OPTIONS"]))
    key = [("Authorization", f"Bearer {KEY}")] if draw(st.booleans()) else []
    if draw(st.booleans()):
        return post(*draw(st.sampled_from(SINGLES)), *key)
    return post(draw(PATHS), draw(BODIES), *key, *draw(HEADERS), method=method)


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """One to three requests on a connection, cut into parts anywhere."""
    content = b"".join(draw(st.lists(requests(), min_size=1, max_size=3)))
    cuts = sorted(draw(st.lists(st.integers(0, len(content)), max_size=3)))
    return [content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]
