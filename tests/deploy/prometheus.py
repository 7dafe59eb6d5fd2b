"""A real Prometheus with the rules of the checkout, and targets that a test sets."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.deploy.files import DEPLOY, read
from tests.server import free_port

SECONDS_AT_MOST = 180  # to wait for a value: generous for a busy machine, since no test here measures speed


class Prometheus:
    """A running Prometheus: its address, and the file with its targets."""

    def __init__(self, address: str, targets: Path) -> None:
        self._url = f"http://{address}/api/v1"
        self._targets = targets

    def scrape(self, *urls: str) -> None:
        """Scrape these services from now on, with the instance labels replica-0, replica-1, … in this order."""
        groups = [
            {"targets": [url.removeprefix("http://")], "labels": {"instance": f"replica-{number}"}}
            for number, url in enumerate(urls)
        ]
        written = self._targets.with_suffix(".new")
        written.write_text(json.dumps(groups))
        written.rename(self._targets)

    def ask(self, path: str, **parameters: str | float) -> Any:
        """The `data` of an API answer. Waits while Prometheus starts, when it does not answer or answers 503."""
        deadline = time.monotonic() + SECONDS_AT_MOST
        while True:
            try:
                answer = httpx.get(f"{self._url}/{path}", params=parameters)
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    assert answer.status_code == httpx.codes.OK, answer.text
                    return answer.json()["data"]
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, "Prometheus does not start"
            time.sleep(0.2)

    def now(self, query: str) -> dict[tuple[str, ...], float]:
        """The current value of each series of a query, by its label values, sorted by label name."""
        return {_key(found["metric"]): float(found["value"][1]) for found in self.ask("query", query=query)["result"]}

    def since(self, begin: float, query: str, step: float = 1) -> dict[tuple[str, ...], list[float]]:
        """The values of each series of a query, from a start time until now."""
        found = self.ask("query_range", query=query, start=begin, end=time.time(), step=step)["result"]
        return {_key(series["metric"]): [float(value) for _, value in series["values"]] for series in found}

    def wait(self, query: str, is_there: Callable[[Mapping[tuple[str, ...], float]], bool]) -> None:
        """Wait until the result of a query satisfies a condition."""
        deadline = time.monotonic() + SECONDS_AT_MOST
        while not is_there(seen := self.now(query)):
            assert time.monotonic() < deadline, f"{query}: {seen}"
            time.sleep(0.2)


def _key(labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(labels[name] for name in sorted(labels) if name not in {"__name__", "job", "instance"})


@contextmanager
def prometheus(folder: Path) -> Iterator[Prometheus]:
    """Start Prometheus with the configuration of the checkout, except for the targets and the scrape interval."""
    config = read(DEPLOY / "prometheus" / "prometheus.yml")
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(DEPLOY / "prometheus" / "alerts.yml")]
    scrape = config["scrape_configs"][0]
    del scrape["dns_sd_configs"]
    scrape["file_sd_configs"] = [{"files": [str(folder / "targets.json")], "refresh_interval": "1s"}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address={address}"], stderr=log)
        try:
            yield Prometheus(address, folder / "targets.json")
        finally:
            process.terminate()
            process.wait(timeout=60)
