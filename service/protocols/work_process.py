"""Worker process for large requests: it parses and encodes JSON, and calls the models in the service.

A JSON parser in C holds the GIL until it has finished, 0.9 s for 16 MiB: in a thread it would block every other
request. The process has its own GIL and a memory limit. The networks stay loaded in the service only.
"""

import os
import pickle
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from io import BufferedRWPair
from typing import Any, NamedTuple

from service.inference.errors import BodyTooLarge, DeadlineExceeded
from service.inference.lifecycle import Lifecycle
from service.inference.loader import LiveModel
from service.inference.malloc import tune_malloc

COMMAND = [sys.executable, "-m", "service.protocols.work_process"]
IDLE_SECONDS: float = 120  # then it ends; it costs 0.5 s of CPU to start, and 60 MB while it runs
NICENESS = 5  # lower priority than the event loop
DATA_BYTES = 448 * 2**20  # memory limit; 16 MiB of the shortest numbers take 240 MB when parsed
KEPT_BYTES = 64 * 2**20  # of freed memory, for the next request: new pages take a quarter of a request's time
WORK_SECONDS: float = 60  # without a word of the process; the largest body takes one or two
ATTEMPTS = 2
ENDS_BY_THEMSELVES = {0, -signal.SIGKILL, -signal.SIGTERM}  # idle, or killed from outside
TOO_MUCH = "The body takes more memory than a request may"


class WorkProcess:
    """The worker process: started on demand, exits when idle, runs one piece of work at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: _Running | None = None

    def run(self, work: Callable[[], Any]) -> Any:
        """Run picklable work, return its result or raise its error.

        Raises BodyTooLarge if it runs out of memory, DeadlineExceeded if nothing is heard of it for WORK_SECONDS.
        Called from a thread. LiveModel and Lifecycle objects stay in this process: the other one gets proxies, whose
        method calls are sent back.
        """
        with self._lock:
            for _ in range(ATTEMPTS):
                if self._running is None:
                    self._running = _start()
                try:
                    return _converse(self._running.stream, work)
                except TimeoutError:
                    self._stop()
                    raise DeadlineExceeded(f"The work took longer than {WORK_SECONDS:g} seconds") from None
                except (EOFError, OSError, pickle.UnpicklingError):
                    if self._stop() not in ENDS_BY_THEMSELVES:
                        break
        raise BodyTooLarge(TOO_MUCH)

    def _stop(self) -> int:
        """End the process. Returns its exit code."""
        running, self._running = self._running, None
        if running is None:
            return 0
        with suppress(OSError):  # unsent data
            running.stream.close()
        with suppress(subprocess.TimeoutExpired):  # it ends when the stream is closed
            return running.process.wait(1)
        running.process.kill()
        return running.process.wait()


class _Running(NamedTuple):
    process: subprocess.Popen[bytes]
    stream: BufferedRWPair


def _start() -> _Running:
    ours, theirs = socket.socketpair()
    ours.settimeout(WORK_SECONDS)
    with theirs:
        number = theirs.fileno()
        # A backtrace of pydantic's failed allocation allocates again, and can then wait for itself forever.
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "RUST_BACKTRACE": "0"}
        process = subprocess.Popen(  # noqa: S603  # the command is fixed
            [*COMMAND, str(number)], pass_fds=[number], stdin=subprocess.DEVNULL, env=environment
        )
    return _Running(process, _stream(ours))


def _stream(end: socket.socket) -> BufferedRWPair:
    """The socket as a file object: pickle writes large bytes to it without a copy, and without the GIL."""
    stream = end.makefile("rwb")
    end.close()  # the socket closes with the file
    return stream


def _converse(stream: BufferedRWPair, work: Callable[[], Any]) -> Any:
    """Send the work, answer the calls of the process, and return its result or raise its error."""
    known: list[Any] = []
    _send(stream, work, known)
    while True:
        kind, value = pickle.load(stream)  # noqa: S301  # only this program writes to the socket
        if kind == "done":
            return value
        if kind == "raised":
            raise _rebuild(*value)
        _send(stream, _call(known, *value), known)


def _call(known: list[Any], number: int, path: str, arguments: tuple[Any, ...]) -> tuple[str, Any]:
    target = known[number]
    try:
        for name in path.split("."):
            target = getattr(target, name)
        return "done", target(*arguments)
    except Exception as error:  # noqa: BLE001  # raised again in the other process
        return "raised", _take_apart(error)


class _Pickler(pickle.Pickler):
    def __init__(self, file: BufferedRWPair, known: list[Any]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._known = known

    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, LiveModel | Lifecycle):
            return None
        self._known.append(obj)
        return len(self._known) - 1, obj.card if isinstance(obj, LiveModel) else None


def _send(stream: BufferedRWPair, value: Any, known: list[Any]) -> None:
    _Pickler(stream, known).dump(value)
    stream.flush()


def _take_apart(error: Exception) -> tuple[Any, ...]:
    """Class, arguments and state of an error; pickle itself would restore the arguments only."""
    return type(error), error.args, error.__dict__


def _rebuild(kind: type[Exception], arguments: tuple[Any, ...], state: dict[str, Any]) -> Exception:
    error = kind.__new__(kind)
    error.args = arguments
    error.__dict__.update(state)
    return error


class _Remote:
    """Proxy of an object in the other process: method calls are sent there."""

    def __init__(self, stream: BufferedRWPair, number: int, path: str = "") -> None:
        self._stream = stream
        self._number = number
        self._path = path

    def __getattr__(self, name: str) -> "_Remote":
        return _Remote(self._stream, self._number, f"{self._path}.{name}".lstrip("."))

    def __call__(self, *arguments: Any) -> Any:
        _send(self._stream, ("call", (self._number, self._path, arguments)), [])
        kind, value = _receive(self._stream)
        if kind == "raised":
            raise _rebuild(*value)
        return value


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: BufferedRWPair) -> None:
        super().__init__(stream)
        self._stream = stream

    def persistent_load(self, identity: tuple[int, Any]) -> Any:
        number, card = identity
        remote: Any = _Remote(self._stream, number)
        return remote if card is None else LiveModel(card, remote.engine, remote.tally)


def _receive(stream: BufferedRWPair) -> Any:
    return _Unpickler(stream).load()


def main(arguments: list[str]) -> None:
    """Run the work that arrives on the socket, until it is closed or idle."""
    tune_malloc(KEPT_BYTES // 2, KEPT_BYTES)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the service, which ends this process
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES, DATA_BYTES))
    with socket.socket(fileno=int(arguments[0])) as end:
        stream = _stream(end.dup())
        while select.select([end], [], [], IDLE_SECONDS)[0]:
            try:
                _send(stream, _do(stream), [])
            except (EOFError, OSError):
                return


def _do(stream: BufferedRWPair) -> tuple[str, Any]:
    try:
        return "done", _receive(stream)()
    except MemoryError:
        return "raised", _take_apart(BodyTooLarge(TOO_MUCH))
    except (EOFError, OSError):
        raise
    except Exception as error:  # noqa: BLE001  # raised again in the service, with its traceback
        error.add_note(traceback.format_exc())
        return "raised", _take_apart(error)


if __name__ == "__main__":
    main(sys.argv[1:])
