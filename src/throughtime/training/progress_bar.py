"""A progress bar for terminals and notebooks."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from throughtime.training.callbacks import Follower, Run, Setting
from throughtime.training.loop import Progress


class ProgressBar(Setting):
    """A progress bar, among the callbacks of :func:`throughtime.train`: steps, loss, steps per second, time left.

    It shows itself in a terminal and in a notebook, and nothing elsewhere, as in a log file.
    """

    def begin(self, run: Run) -> "_RunBar":
        """Return the bar of one run."""
        return _RunBar(run)


class _RunBar(Follower):
    """The bar of one run."""

    every = None  # whenever a compiled call returns

    def __init__(self, run: Run):
        console = Console(stderr=True)
        columns = (TextColumn("{task.fields[loss]}"), TextColumn("{task.fields[speed]}"), TimeRemainingColumn())
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            *columns,
            console=console,
            disable=not (console.is_terminal or console.is_jupyter),
        )
        self._task = self._bar.add_task("training", total=run.steps, loss="", speed="compiling ...")
        self._bar.start()

    def __call__(self, progress: Progress) -> None:
        loss, speed = f"loss {progress.losses.mean():.3g}", f"{len(progress.losses) / progress.seconds:,.0f} steps/s"
        self._bar.update(self._task, completed=progress.step, loss=loss, speed=speed)

    def close(self) -> None:
        self._bar.stop()
