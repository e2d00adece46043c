"""The processes that fit one forecaster on a folder: each reads its own partitions, and tells the others of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from throughtime._errors import InputError
from throughtime.forecasting import ForecasterConfig

if TYPE_CHECKING:  # it loads JAX
    from throughtime.training import Devices

T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """The processes of a training. All call the same methods in the same order.

    Attributes:
        devices: of the training; None if they are of one process.
    """

    devices: "Devices | None" = None

    @property
    def count(self) -> int:
        """The number of them."""
        return 1 if self.devices is None else self.devices.processes

    @property
    def index(self) -> int:
        """The number of this one, from 0."""
        if self.devices is None:
            return 0
        import jax

        return jax.process_index()

    def own(self, items: Sequence[T]) -> Sequence[T]:
        """Return this process's share of some items: those of all processes follow one another."""
        first, last = (len(items) * place // self.count for place in (self.index, self.index + 1))
        return items[first:last]

    def of_each(self, value: T) -> list[T]:
        """Return the value of each process, in their order."""
        return [value] if self.devices is None else self.devices.of_each(value)

    def made_by_each(self, make: Callable[[], T]) -> list[T]:
        """Return what each process makes, in their order.

        Raises:
            InputError: in all processes, the first one of any of them.
            OSError: likewise.
        """
        made = self.of_each(_attempt(make))
        for error in made:
            if isinstance(error, Exception):
                raise error
        return cast(list[T], made)

    def of_first(self, make: Callable[[], T]) -> T:
        """Return what the first process makes; its errors are those of all."""
        return cast(T, self.made_by_each(lambda: make() if self.index == 0 else None)[0])


def _attempt(make: Callable[[], T]) -> T | InputError | OSError:
    """Return what is made, or the error of input that cannot be used: other processes wait to hear of it."""
    try:
        return make()
    except (InputError, OSError) as error:
        return error


def processes_of(config: ForecasterConfig) -> Processes:
    """Return the processes whose devices train a forecaster."""
    if config.devices == 1:
        return Processes()
    from throughtime.training import first_devices  # loads JAX

    devices = first_devices(config.devices)
    return Processes(devices if devices.processes > 1 else None)
