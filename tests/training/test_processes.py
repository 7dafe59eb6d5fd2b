import os
import signal

import pytest

from training.processes import run_in_processes


def square(number: int) -> tuple[int, int, str]:
    return number * number, os.getpid(), os.environ["OMP_NUM_THREADS"]


def fail(number: int) -> None:
    raise ValueError(f"task {number}")


def die(_number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_every_task_is_done_in_another_process_with_one_thread_and_comes_with_its_number() -> None:
    before = dict(os.environ)

    found = dict(run_in_processes(square, [3, 4, 5]))

    assert {k: result[0] for k, result in found.items()} == {0: 9, 1: 16, 2: 25}
    assert os.getpid() not in {process for _, process, _ in found.values()}
    assert {threads for _, _, threads in found.values()} == {"1"}
    assert dict(os.environ) == before


def test_without_tasks_no_process_is_started() -> None:
    assert list(run_in_processes(square, [])) == []


def test_an_error_of_a_task_is_raised_here() -> None:
    with pytest.raises(ValueError, match="task 1"):
        list(run_in_processes(fail, [1]))


def test_a_process_that_dies_is_an_error_that_says_so() -> None:
    with pytest.raises(ChildProcessError, match="a worker process died"):
        list(run_in_processes(die, [1]))
