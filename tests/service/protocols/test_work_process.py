from functools import partial

import pytest

from service.inference.errors import BodyTooLarge
from service.protocols.native.flat import _read_any_numbers
from service.protocols.work_process import WorkProcess


def test_work_that_takes_too_much_memory_is_refused_without_a_backtrace_which_could_hang(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RUST_BACKTRACE", "1")
    process = WorkProcess()
    try:
        with pytest.raises(BodyTooLarge):
            process.run(partial(_read_any_numbers, b"[" + b"1," * 16_000_000 + b"1]"))
        process.run(partial(len, b""))
    finally:
        process._stop()

    assert "stack backtrace" not in capfd.readouterr().err
