"""What a person sees while a network trains."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class TrainingBar:
    """A progress bar: steps done, loss, steps per second and time left. Use it in a ``with`` statement."""

    def __init__(self, console: Console, title: str, steps: int, *, done: int = 0, loss: str = "MSE"):
        """``done`` steps of ``steps`` stand at the start; ``loss`` names what :meth:`advance` reports."""
        self.loss = loss
        self.console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("step"),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=console.quiet,
        )
        self._task = self._bar.add_task(title, total=steps, completed=done, loss="", speed="compiling ...")

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take it away."""
        self._bar.stop()

    def advance(self, done: int, loss: float, steps_per_second: float) -> None:
        """Show where training is."""
        speed = f"{steps_per_second:,.0f} steps/s"
        self._bar.update(self._task, completed=done, loss=f"{self.loss} {loss:.2e}", speed=speed)
