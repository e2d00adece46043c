"""The progress bar that a person sees while a network trains."""

from contextlib import ExitStack
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from throughtime.cli.interrupts import Interrupts


class TrainingBar:
    """A progress bar: steps done, loss, steps per second and time left. Use it in a ``with`` statement."""

    def __init__(self, console: Console, interrupts: Interrupts, *, loss: str):
        """Make a bar that prints to ``console``; ``loss`` is the loss's name, such as "MSE"."""
        self._loss, self._interrupts = loss, interrupts
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=8),  # all of it fits into 80 columns
            TextColumn("{task.fields[unit]} {task.completed}/{task.total}"),
            TextColumn("{task.fields[loss]}"),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=console.quiet or not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._open = ExitStack()

    def __enter__(self) -> "TrainingBar":
        """Show the bar."""
        self._open.enter_context(self._interrupts.cleaning(self._show_cursor))
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bar."""
        self._bar.stop()
        self._open.close()

    def _show_cursor(self) -> None:
        """Show the cursor, which the bar hides: if Ctrl-C ends the process, :meth:`__exit__` does not run."""
        if not self._bar.disable:
            self._bar.console.show_cursor()

    def show(self, stage: str, done: int, total: int, *, loss: float | None = None, speed: float = 0.0) -> None:
        """Show how far a stage of training is: steps done of a total, the loss and the steps per second."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(stage, total=total, unit="step", loss="", speed="compiling ...")
        if loss is not None:
            words = f"{speed:,.0f} steps/s"
            self._bar.update(self._tasks[stage], completed=done, loss=f"{self._loss} {loss:.2e}", speed=words)

    def count(self, stage: str, done: int, total: int, *, unit: str = "forecast") -> None:
        """Show how far a stage without a loss is: forecasts, or another unit, done of a total."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(stage, total=total, unit=unit, loss="", speed="")
        self._bar.update(self._tasks[stage], completed=done)
