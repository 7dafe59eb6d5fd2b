"""Connection to a Dask or Ray cluster that exists, for joblib."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Backend = Literal["loky", "dask", "ray"]

CONNECT_SECONDS = 30


class ClusterError(OSError):
    """A cluster that cannot be used; the message says why."""


@contextmanager
def connected(backend: Backend, address: str | None) -> Iterator[int]:
    """Connect to the cluster, register it with joblib as `backend`, and give the number of its processes.

    address: of Dask's scheduler, `tcp://host:8786`; of Ray, `host:6379` or `ray://host:10001`, None for the cluster
    that RAY_ADDRESS names or, without one, for Ray on this machine. Raises ClusterError.
    """
    try:
        with (_dask if backend == "dask" else _ray)(address) as jobs:
            yield jobs
    except ImportError as error:
        raise ClusterError(
            f"--backend {backend} needs {error.name}, which is not installed: pip install 'lagcast[cluster]'"
        ) from None


@contextmanager
def _dask(address: str | None) -> Iterator[int]:
    from distributed import Client
    from distributed.scheduler import KilledWorker

    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise ClusterError(f"--address {address}: there is no Dask scheduler: {error}") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError:
            raise ClusterError(f"--address {address}: the Dask scheduler has no workers") from None
        try:
            yield sum(client.ncores().values())
        except KilledWorker as error:
            raise ClusterError(f"--address {address}: the Dask cluster lost a worker: {error}") from None


@contextmanager
def _ray(address: str | None) -> Iterator[int]:
    import ray
    from ray.util.joblib import register_ray

    try:
        ray.init(address, log_to_driver=False)
    except ConnectionError as error:
        raise ClusterError(f"--address {address}: there is no Ray cluster: {error}") from None
    try:
        register_ray()
        yield int(ray.cluster_resources().get("CPU", 1))
    except ray.exceptions.RayError as error:
        raise ClusterError(f"the Ray cluster lost a process: {error}") from None
    finally:
        ray.shutdown()
