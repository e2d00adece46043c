"""Engines: where partitions are worked on. This one is the present process; :mod:`.ray_engine` has the other."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

from throughtime._errors import InputError, describe_os_error
from throughtime._registry import known_name

Task = TypeVar("Task")
Result = TypeVar("Result")


class Failure(NamedTuple):
    """The error of a task, as text and JSON values, which any process understands.

    Attributes:
        message: for a person.
        fields: of an :class:`~throughtime.InputError`; the name of any other error.
    """

    message: str
    fields: dict[str, Any]


@runtime_checkable
class Engine(Protocol):
    """A place where tasks are done."""

    def results(
        self, work: Callable[[Task], Result], tasks: Sequence[Task]
    ) -> "Iterator[tuple[Task, Result | Failure]]":
        """Do the work for each task, and yield each with its result as soon as it is there.

        Args:
            work: a function of a module, or a record with a call.
            tasks: records, which may be pickled.
        """

    def close(self) -> None:
        """End what the engine has started, in the midst of its work too."""


class OneProcess:
    """The engine that does one task after the other in this process."""

    def results(
        self, work: Callable[[Task], Result], tasks: Sequence[Task]
    ) -> "Iterator[tuple[Task, Result | Failure]]":
        """Do the work for each task in turn."""
        for task in tasks:
            yield task, attempt(work, task)

    def close(self) -> None:
        """Do nothing: this process ends by itself."""


def attempt(work: Callable[[Task], Result], task: Task) -> Result | Failure:
    """Return the result of a task, or its failure: no error of one task ends the others."""
    try:
        return work(task)
    except InputError as error:
        return Failure(str(error), error.fields())
    except OSError as error:
        return failure(error, describe_os_error(error))
    except Exception as error:  # whatever is wrong with one partition
        return failure(error, str(error))


def failure(error: Exception, message: str) -> Failure:
    """Return the failure of an error that has no fields."""
    kind = type(error).__name__
    return Failure(f"{kind}: {message}", {"code": kind})


def engine_of(engine: Engine | str) -> Engine:
    """Return an engine, or the one with this name: "process" or "ray".

    Raises:
        InputError: for another name.
    """
    from throughtime.partitions.ray_engine import RayEngine

    names: dict[str, Callable[[], Engine]] = {"process": OneProcess, "ray": RayEngine}
    return names[known_name("engine", list(names), engine)]() if isinstance(engine, str) else engine
