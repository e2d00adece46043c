"""Several processes that train together: options, the meeting, and an end that does not wait for the dead."""

import os
import sys
import time
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar

from cyclopts import Group, Parameter
from cyclopts.validators import Number

from throughtime.cli.options import RunOptions

CLUSTER = Group("Several processes", sort_key=4)
AUTO = "auto"
PATIENCE = 86_400  # seconds in which the first process may forecast and write; the others wait, and see if it dies
HEAD_START = 1.0  # seconds
Options = TypeVar("Options", bound=RunOptions)


@Parameter(name="*", group=CLUSTER)
@dataclass(frozen=True)
class ClusterOptions:
    """The processes that train together, each with the same command but for its number."""

    coordinator: Annotated[str | None, Parameter(show_default=False)] = None
    """HOST:PORT of the first process; or "auto" within Slurm, Kubernetes or Open MPI, which know all three."""
    processes: Annotated[int | None, Parameter(validator=Number(gte=1), show_default=False)] = None
    """How many processes."""
    process: Annotated[int | None, Parameter(validator=Number(gte=0), show_default=False)] = None
    """The number of this process, from 0; the first one writes the results."""

    def join(self) -> None:
        """Wait for the other processes, if there are any; call it before JAX computes.

        Raises:
            InputError: for options that do not fit together, and if JAX does not find the processes.
        """
        from throughtime._errors import InputError

        numbers = (self.processes, self.process)
        if self.coordinator in (None, AUTO):
            fits = numbers == (None, None)
        else:
            fits = None not in numbers and str(self.coordinator).rpartition(":")[2].isdigit()
        if not fits:
            raise InputError(
                "expected --coordinator HOST:PORT, --processes N and --process I together, or --coordinator auto alone",
                code="incomplete-cluster",
                found=[self.coordinator, *numbers],
            )
        if self.coordinator is None:
            return
        from throughtime import configure

        configure()  # JAX starts here
        import jax

        address = None if self.coordinator == AUTO else self.coordinator
        try:
            jax.distributed.initialize(address, *numbers, shutdown_timeout_seconds=PATIENCE)
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(
                f"the processes cannot meet: {reason}", code="no-cluster", found=self.coordinator
            ) from error

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of a Forecaster: all devices of all processes."""
        if self.coordinator is None:
            return {}
        import jax

        return {"devices": jax.device_count()}

    @property
    def writes(self) -> bool:
        """True in the process that writes the results; the others only take part in its trainings."""
        if self.coordinator is None:
            return True
        import jax

        return jax.process_index() == 0

    def own(self, options: Options) -> Options:
        """Return the options of a run as they are for this process: only the first one prints."""
        return options if self.writes else replace(options, quiet=True, json=False)


NO_CLUSTER = ClusterOptions()


def leave_others(code: int) -> None:
    """End a process that failed among others without them; JAX would wait a minute for those that are dead.

    With the first one JAX ends the others too, so it lets them say first why they end.
    """
    if "jax" in sys.modules:
        import jax

        if jax.distributed.is_initialized():
            if jax.process_index() == 0:
                time.sleep(HEAD_START)
            os._exit(code)
