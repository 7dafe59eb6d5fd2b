"""Supervisor of several workers: start them and replace those that end or hang."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from socket import socket
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from service.server import Server, where

logger = logging.getLogger("lagcast")

START_SECONDS, PING_SECONDS = 60.0, 0.1
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 1.0, 30.0
ORPHAN_PAUSE_SECONDS = 0.5
ORPHAN_END_SECONDS = 3.0  # for the requests that are being answered when the parent is gone


class Worker(Process):
    """A worker, which ends as a single process of the service does."""

    @property
    def server(self) -> Server:
        if self._server is None:
            self._server = Server(self.config)
        return self._server  # type: ignore[return-value]  # no other is ever put there


class Supervisor(Multiprocess):
    """uvicorn's, which handles a second SIGTERM, and outlives a worker that cannot start.

    uvicorn's own ends every worker as soon as one fails to start. Here the others serve on while it is tried again,
    with growing pauses; only if no worker has ever started, the parent ends, with `exit_code` 1.
    """

    def __init__(self, config: uvicorn.Config, sockets: list[socket]) -> None:
        super().__init__(config, sockets)
        self.exit_code = 0
        self._failures = 0
        self._retry_at = 0.0
        self._has_started = False
        self._started: dict[int | None, float] = {}  # when, of the workers that have not answered yet
        signal.signal(signal.SIGTERM, self._on_sigterm)
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # uvicorn ignores it: Ctrl-\ would end only the workers

    def _on_sigterm(self, *_: object) -> None:
        if self.should_exit.is_set():
            for process in self.processes:
                if process.pid is not None and process.process.is_alive():
                    os.kill(process.pid, signal.SIGTERM)
        else:
            self.signal_queue.append(signal.SIGTERM)

    def keep_subprocess_alive(self) -> None:
        """Replace the workers that have ended or hang."""
        if self.should_exit.is_set() or time.monotonic() < self._retry_at:
            return
        for index, process in enumerate(self.processes):
            if self._is_starting(process):
                continue
            if process.is_alive(timeout=self.config.timeout_worker_healthcheck):
                self._note_start(process)
                continue
            process.kill()
            process.join()
            logger.warning("the worker %s has ended with %s", process.pid, process.exitcode)
            if self.should_exit.is_set():
                return
            has_failed = self._started.pop(process.pid, None) is not None or process.exitcode == STARTUP_FAILURE
            if has_failed and not self._put_off(process):
                return
            self.processes[index] = self._start()
        if all(process.is_ready(timeout=1) for process in self.processes):
            self._failures = 0

    def _is_starting(self, process: Process) -> bool:
        """Whether a worker still imports its modules: it answers no health check then, on a busy machine for long."""
        is_young = time.monotonic() < self._started.get(process.pid, 0.0) + START_SECONDS
        if not (is_young and process.process.is_alive()):
            return False
        if process.ping(timeout=PING_SECONDS):
            del self._started[process.pid]
            return False
        return True

    def _put_off(self, process: Process) -> bool:
        """Whether a worker that failed to start is worth another attempt, which is then due now."""
        if process.exitcode == STARTUP_FAILURE and not self._has_started:
            logger.error("the worker %s failed to start, and no other has: ending", process.pid)
            self.exit_code = 1
            self.should_exit.set()
            return False
        pause = min(FIRST_PAUSE_SECONDS * 2**self._failures, MAX_PAUSE_SECONDS)
        logger.error("the worker %s failed to start; another is tried, and after it in %g seconds", process.pid, pause)
        self._failures += 1
        self._retry_at = time.monotonic() + pause
        return True

    def _note_start(self, process: Process) -> None:
        if not self._has_started and process.is_ready(timeout=1):
            self._has_started = True
            logger.info(where(self.sockets[0]))

    def init_processes(self) -> None:
        """Start the first workers."""
        self.processes += [self._start() for _ in range(self.processes_num)]

    def _start(self) -> Process:
        process = Worker(self.config, self.sockets)
        process.start()
        self._started[process.pid] = time.monotonic()
        return process


class EndsWithParent:
    """An application factory of a worker, which ends when its parent does: else it would hold the port as an orphan.

    It is made in the parent, and called in the worker.
    """

    def __init__(self, create: Callable[[], Any]) -> None:
        self._create = create
        self._parent = os.getpid()

    def __call__(self) -> Any:
        threading.Thread(target=_end_with, args=(self._parent,), daemon=True).start()
        return self._create()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(ORPHAN_PAUSE_SECONDS)
    logger.error("the parent process is gone: ending")
    for _ in range(2):  # the second one ends the wait for load balancers: a new parent needs the port
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(ORPHAN_PAUSE_SECONDS)
    time.sleep(ORPHAN_END_SECONDS)
    os._exit(1)
