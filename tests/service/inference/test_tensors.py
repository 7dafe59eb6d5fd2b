import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from artifact import TensorSpec, verify
from service.inference.errors import BadInput
from service.inference.tensors import DATATYPES, check_shape, read_bytes, read_numbers, to_float32
from tests.repository import SHIPPED

WINDOW = verify(SHIPPED, "lstm", 1).card.input
VALUE = verify(SHIPPED, "mlp", 1).card.input
FP32 = DATATYPES["FP32"]


@given(array=st_numpy.arrays(np.float64, st_numpy.array_shapes(max_dims=4), elements=st.floats(-1e30, 1e30)))
def test_nested_lists_are_read_as_the_array_that_they_show(array: np.ndarray) -> None:
    read = read_numbers(array.tolist(), FP32)

    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, array.astype(np.float32))


@pytest.mark.parametrize(
    "value",
    [[[1], [2, 3]], [1, [2]], [[1], 2], [[], [1]], ["1"], [True], [None], [{}], [1, "x"], [[[1]], [[True]]], "1", None],
)
def test_what_is_ragged_or_no_number_is_refused(value: Any) -> None:
    with pytest.raises(BadInput):
        read_numbers(value, FP32)


@pytest.mark.parametrize(
    ("value", "datatype"), [(256, "UINT8"), (-1, "UINT64"), (2**63, "INT64"), (10**400, "FP32"), (1.5, "INT32")]
)
def test_a_number_that_its_datatype_does_not_hold_is_refused(value: float, datatype: str) -> None:
    with pytest.raises(BadInput):
        read_numbers([value], DATATYPES[datatype])


@pytest.mark.parametrize("datatype", DATATYPES)
def test_bytes_are_read_where_they_lie_whatever_the_datatype(datatype: str) -> None:
    numbers = np.arange(10, dtype=DATATYPES[datatype]).reshape(2, 5)
    content = b"{}" + numbers.tobytes()

    read = read_bytes(memoryview(content)[2:], (2, 5), DATATYPES[datatype])

    assert not read.flags.owndata
    np.testing.assert_array_equal(to_float32(read, WINDOW), numbers.astype(np.float32))


def test_float32_bytes_reach_the_engine_without_a_copy() -> None:
    content = memoryview(np.ones((2, 5), np.float32).tobytes())

    assert np.shares_memory(np.frombuffer(content, np.uint8), to_float32(read_bytes(content, (2, 5, 1), FP32), WINDOW))


@pytest.mark.parametrize("length", [0, 19, 21, 40])
def test_bytes_of_another_number_than_the_shape_has_are_refused(length: int) -> None:
    with pytest.raises(BadInput, match="has 20 bytes as float32, not"):
        read_bytes(memoryview(b"\0" * length), (1, 5), FP32)


def test_a_shape_of_more_bytes_than_there_are_numbers_for_is_refused() -> None:
    with pytest.raises(BadInput):
        read_bytes(memoryview(b""), (2**62, 2**62, 4), FP32)


@pytest.mark.parametrize(
    ("shape", "spec"), [((3, 5, 1), WINDOW), ((3, 5), WINDOW), ((1, 5), WINDOW), ((3, 1), VALUE), ((3,), VALUE)]
)
def test_rows_are_taken_with_and_without_a_last_axis_of_one(shape: tuple[int, ...], spec: TensorSpec) -> None:
    check_shape(shape, spec, 3)


@pytest.mark.parametrize(
    "shape", [(), (5,), (1, 4), (1, 5, 2), (5, 1), (1, 5, 1, 1), (0, 5), (4, 5), (2**63 - 1, 5), (1, 1, 5)]
)
def test_another_shape_or_number_of_rows_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match="'window' takes"):
        check_shape(shape, WINDOW, 3)


@pytest.mark.parametrize("shape", [(), (3,), (5,), (3, 5, 1), (5, 3)])
def test_a_last_axis_of_more_than_one_must_not_be_left_out(shape: tuple[int, ...]) -> None:
    flat = TensorSpec(name="window", shape=[None, 5])

    check_shape((3, 5), flat, 3)
    with pytest.raises(BadInput, match=r"'window' takes the shape \[-1, 5\], not"):
        check_shape(shape, flat, 3)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 3.5e38, -1e300])
@pytest.mark.parametrize("place", [0, 7, 14])
def test_one_number_that_is_not_finite_in_float32_is_found_wherever_it_is(bad: float, place: int) -> None:
    tensor = np.ones(15)
    tensor[place] = bad

    with pytest.raises(BadInput, match="finite numbers only"):
        to_float32(tensor.reshape(3, 5), WINDOW)


@given(content=st.binary(min_size=20, max_size=20), datatype=st.sampled_from(["FP32", "FP16", "FP64", "INT8"]))
def test_any_bytes_are_finite_numbers_or_refused_without_a_warning(content: bytes, datatype: str) -> None:
    dtype = DATATYPES[datatype]
    tensor = read_bytes(
        memoryview(content[: 5 * min(dtype.itemsize, 4)].ljust(5 * dtype.itemsize, b"\xff")), (1, 5), dtype
    )

    with np.errstate(invalid="ignore"):
        exact = tensor.astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            batch = to_float32(tensor, WINDOW)
        except BadInput:
            assert not np.isfinite(exact).all() or np.abs(exact).max() > 3.4e38
        else:
            assert np.isfinite(batch).all()
