"""The engine that distributes tasks with Ray, on the cores of this machine or of a cluster."""

import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from typing import Any

from throughtime._arguments import whole_number
from throughtime._errors import InputError, not_installed
from throughtime.partitions.engines import Failure, Result, Task, attempt, failure

RETRIES = 3  # of a task whose worker was killed
WAITING = (
    2  # tasks for each core, so that no core waits for the next one, and a cluster that can grow knows that it must
)
OBJECT_STORE = 100 * 2**20  # bytes of a Ray of one's own: tasks and results are small


class RayEngine:
    """The engine of Ray: each task on one core, again if its worker is killed. It needs ``throughtime[ray]``.

    Attributes:
        address: of the cluster; None for one of this machine's own that ends with the work.
        workers: the cores of that; all if None.
    """

    def __init__(self, address: str | None = None, workers: int | None = None):
        """Check the arguments. Ray starts with the first task.

        Raises:
            InputError: for a number of workers below 1, and for one of a cluster, which has its own.
        """
        self.address, self.workers = address, workers
        self._own: Any = None
        if workers is not None:
            self.workers = whole_number("the number of workers", workers, code="bad-workers")
            if address is not None:
                raise InputError(
                    f"the cluster at {address} has its own number of workers: leave out {workers}",
                    code="workers-of-cluster",
                    found=workers,
                )

    def results(
        self, work: Callable[[Task], Result], tasks: Sequence[Task]
    ) -> "Iterator[tuple[Task, Result | Failure]]":
        """Do the work for the tasks, many at a time; those of a process that calls this in a Ray of its own use that.

        Raises:
            InputError: without Ray, and if no cluster answers at the address.
        """
        if not tasks:
            return
        with self._started() as ray:
            remote = ray.remote(max_retries=RETRIES)(attempt)
            cores = int(ray.cluster_resources().get("CPU", 1))
            left, running = iter(tasks), dict[Any, Task]()
            try:
                while True:
                    more = islice(left, WAITING * cores - len(running))
                    running |= {remote.remote(work, task): task for task in more}
                    if not running:
                        return
                    for done in ray.wait(list(running), num_returns=1)[0]:
                        yield running.pop(done), _result(ray, done)
            finally:
                for unwanted in running if ray.is_initialized() else ():  # whoever asked has had enough
                    ray.cancel(unwanted)

    @contextmanager
    def _started(self) -> Iterator[Any]:
        """Start Ray or connect to it, and yield its module; leave a Ray that runs already as it is."""
        try:
            ray = import_module("ray")
        except ModuleNotFoundError as missing:
            raise not_installed("the engine 'ray'", missing, "ray") from None
        if ray.is_initialized():
            yield ray
            return
        own = {"num_cpus": self.workers, "include_dashboard": False, "object_store_memory": OBJECT_STORE}
        arguments = {"log_to_driver": False, "logging_level": "error", **({} if self.address else own)}
        try:
            with _sigterm_kept(), warnings.catch_warnings():
                # the children of a process with JAX become other programs at once
                warnings.filterwarnings("ignore", r"os\.fork\(\) was called", RuntimeWarning)
                ray.init(self.address or "local", **arguments)
        except ConnectionError as error:
            raise InputError(
                f"no Ray answers at {self.address!r} ({error}): expected the address of a cluster, such as auto on one "
                "of its machines",
                code="no-cluster",
                found=self.address,
            ) from error
        self._own = ray
        try:
            yield ray
        finally:
            self.close()

    def close(self) -> None:
        """End the Ray of one's own, or the connection to a cluster."""
        own, self._own = self._own, None
        if own is not None:
            own.shutdown()


@contextmanager
def _sigterm_kept() -> Iterator[None]:
    """Keep the process's handler of SIGTERM, if it has one; that of Ray prints a stack trace, and may not end it."""
    former = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if callable(former) and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, former)


def _result(ray: Any, done: Any) -> Any:
    """Return what a task returned, or the failure of Ray to do it, as after its worker was killed too often."""
    try:
        return ray.get(done)
    except ray.exceptions.RayError as error:
        return failure(error, str(error).partition("\n")[0])
