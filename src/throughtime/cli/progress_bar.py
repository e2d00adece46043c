"""The progress bar that a person sees while a network trains."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from throughtime.cli.interrupts import Interrupts
from throughtime.cli.time_left import TimeLeft

WIDTH = 24  # of the bar for a whole command


class _Bars(Progress):
    """Bars below some lines."""

    def __init__(self, *columns: ProgressColumn, above: Callable[[], Iterable[RenderableType]], console: Console):
        self._above = above
        # With JSON the console is standard error, which is for messages alone.
        disable = console.quiet or console.stderr or not console.is_terminal
        super().__init__(*columns, console=console, transient=True, disable=disable)

    def get_renderables(self) -> Iterator[RenderableType]:
        """Return the lines, then the bars."""
        yield from self._above()
        yield from super().get_renderables()


class TrainingBar:
    """A progress bar: steps done, loss, steps per second and time left. Use it in a ``with`` statement."""

    def __init__(
        self,
        console: Console,
        interrupts: Interrupts,
        *,
        loss: str,
        above: Callable[[], Iterable[RenderableType]] = tuple,
    ):
        """Make a bar that prints to a terminal; a file gets none.

        Args:
            console: the terminal.
            interrupts: the process's handling of Ctrl-C.
            loss: the loss's name, such as "MSE".
            above: returns the lines above the bars, each time that they are drawn.
        """
        self._loss, self._interrupts = loss, interrupts
        self._bar = _Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=8),  # all of it fits into 80 columns
            TextColumn("{task.fields[unit]} {task.completed}/{task.total}"),
            TextColumn("{task.fields[loss]}"),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            above=above,
            console=console,
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
            told = f"{self._loss} {loss:.2e}"
            self._bar.update(self._tasks[stage], completed=done, loss=told, speed=words, visible=done < total)

    def count(self, stage: str, done: int, total: int, *, unit: str = "forecast") -> None:
        """Show how far a stage without a loss is: forecasts, or another unit, done of a total."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(stage, total=total, unit=unit, loss="", speed="")
        self._bar.update(self._tasks[stage], completed=done)


class ForecastBar(TrainingBar):
    """A training bar below the findings in a file and one bar for the whole forecast, with the time left of it.

    Attributes:
        doing: the present activity, if no stage says it.
    """

    def __init__(self, console: Console, interrupts: Interrupts, findings: Sequence[str]):
        self.doing = "loading and compiling"
        self._findings, self._left = findings, TimeLeft()
        super().__init__(console, interrupts, loss="pinball", above=self._overview)

    def show(self, stage: str, done: int, total: int, *, loss: float | None = None, speed: float = 0.0) -> None:
        """Show how far a stage is, and correct the time left."""
        self._left.count(stage, done, total)
        self.doing = ""
        super().show(stage, done, total, loss=loss, speed=speed)

    def _overview(self) -> Iterator[RenderableType]:
        """Return the lines above the stages."""
        yield from map(Text, self._findings)
        seconds = self._left.seconds()
        bar = ProgressBar(1.0, self._left.share(), WIDTH, pulse=seconds is None)
        left = "" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02d} left"
        whole = Table.grid(padding=(0, 1))
        whole.add_row("forecast", bar, left, self.doing)
        yield whole
