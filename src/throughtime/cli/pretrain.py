"""``throughtime pretrain``."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from throughtime.cli.interrupts import Stop
from throughtime.cli.options import ANY_RUN, Process, RunOptions, Seed
from throughtime.cli.runtime import running

STEPS_A_MINUTE = 500  # on two cores of 2026; a fixed number, so that the same minutes make the same weights
WEIGHTS = "pretrained.safetensors"


class StoppedError(Exception):
    """The user has asked to stop; the checkpoint is written."""


def pretrain(
    *,
    minutes: Annotated[float, Parameter(validator=Number(gt=0))] = 80.0,
    units: Annotated[int, Parameter(validator=Number(gte=1))] = 64,
    seed: Seed = 0,
    options: RunOptions = ANY_RUN,
    interrupts: Process,
) -> None:
    """Train the network of --preset instant anew, on synthetic series alone. Run again, it goes on.

    Example: throughtime pretrain --minutes 10

    Args:
        minutes: How long it takes on two cores, about: 500 steps each.
        units: Units of each of the four blocks.
    """
    with running("pretrain", options, interrupts) as runtime:
        folder = runtime.out.path
        steps = max(round(minutes * STEPS_A_MINUTE), 1)
        interrupts.kept = lambda: f"The last checkpoint is in {folder / 'run'}: the same command goes on from there."
        from throughtime.cli.progress_bar import TrainingBar
        from throughtime.pretraining import pretrain as train

        runtime.out.open()
        runtime.say(f"A network learns to forecast synthetic series: {units} units, {steps:,} steps, seed {seed}.")
        stop = Stop()
        with TrainingBar(runtime.console, interrupts, loss="pinball") as bar, interrupts.stoppable(stop):

            def show(progress: Any) -> None:
                speed = len(progress.losses) / progress.seconds
                bar.show("pretraining", progress.step, steps, loss=float(progress.losses.mean()), speed=speed)
                stop.ready.set()
                if stop.asked.is_set():
                    raise StoppedError

            try:
                history = train(folder / "run", steps=steps, seed=seed, hidden=units, callbacks=[show])
            except StoppedError:
                interrupts.leave()
        runtime.result = _write(folder / WEIGHTS, history, units, seed)
        runtime.say(f"Written to {folder / WEIGHTS}. Use it: tt.pretrained({str(folder / WEIGHTS)!r})")


def _write(file: Path, history: Any, units: int, seed: int) -> dict[str, Any]:
    """Write the weights, and return what they were trained with."""
    from throughtime import __version__
    from throughtime.pretraining import WINDOWS_A_STEP, averaged_weights
    from throughtime.zero_shot import save_weights

    card = {
        "throughtime": __version__,
        "units": units,
        "seed": seed,
        "steps": history.step,
        "windows": history.step * WINDOWS_A_STEP,
        "loss": float(history.losses[-1000:].mean()),
    }
    save_weights(file, averaged_weights(history.state), card)
    return card | {"seconds": history.seconds, "file": str(file)}
