"""Latency of other clients during hostile requests, one kind after another."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.contract.test_hostile import HOSTILE, MEGABYTES, chunked, exchange
from tests.server import running
from tests.soak.load import loaded, post

pytestmark = pytest.mark.soak

ROUNDS = 20


def test_hostile_requests_by_the_thousand_fail_no_other_client(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = post("/predict/mlp", '{"value": 5}')
    with running(tmp_path / "log", "--body-seconds", "0.5") as server:
        port = int(server.url.rpartition(":")[2])
        process = psutil.Process(server.process.pid)
        with loaded(port, request, lambda answer: answer["model"] == "mlp", connections=8) as load:
            time.sleep(5)
            before = process.memory_info().rss
            begin = time.perf_counter()
            with ThreadPoolExecutor(2) as clients:  # each needs as much memory as the largest body
                list(
                    clients.map(
                        lambda parts: exchange(server, parts), [parts for parts, _ in HOSTILE.values()] * ROUNDS
                    )
                )
                list(clients.map(lambda _: exchange(server, chunked(200 * MEGABYTES)), range(ROUNDS)))
            end = time.perf_counter()
        grown = (process.memory_info().rss - before) / MEGABYTES
    with capsys.disabled():
        print(
            f"\n{ROUNDS * (len(HOSTILE) + 1)} hostile requests in {end - begin:.0f} s: the others' p99 is "
            f"{load.p99(begin, end):.1f} ms, {load.p99(until=begin):.1f} before; memory grew by {grown:.0f} MB"
        )

    assert load.failures == []
    assert grown < 50
