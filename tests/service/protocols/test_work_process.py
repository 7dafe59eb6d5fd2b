import signal
from functools import partial

import pytest

from service.inference.errors import BodyTooLarge, DeadlineExceeded
from service.protocols import work_process
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


def test_a_process_that_hangs_is_replaced_and_what_it_worked_on_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    process = WorkProcess()
    with monkeypatch.context() as patch:
        patch.setattr(work_process, "WORK_SECONDS", 0.1)
        process._running = hanging = work_process._start()
    hanging.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(DeadlineExceeded):
            process.run(partial(len, b"12345"))

        assert hanging.process.returncode == -signal.SIGKILL
        assert process.run(partial(len, b"12345")) == 5
    finally:
        process._stop()
