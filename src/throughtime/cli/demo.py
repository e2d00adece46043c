"""``throughtime demo``."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from throughtime.cli.interrupts import Stop
from throughtime.cli.options import ANY_RUN, CELLS, Flag, Process, RunOptions, Seed
from throughtime.cli.outputs import OutputFolder
from throughtime.cli.runtime import running


def demo(
    *,
    steps: Annotated[int, Parameter(validator=Number(gte=1, lte=10_000_000))] = 2000,
    cell: Annotated[str, Parameter(help=f"The recurrent cell: {CELLS}.")] = "elman",
    pictures: bool = True,
    resume: Annotated[bool, Flag] = False,
    seed: Seed = 0,
    options: RunOptions = ANY_RUN,
    interrupts: Process,
) -> None:
    """Watch an RNN of 100 units learn to predict sin(t) one step ahead: the sine wave, from data to gallery.

    Args:
        steps: Training steps.
        pictures: Draw the pictures.
        resume: Go on from the checkpoint in the folder.
    """
    with running("demo", options, interrupts) as runtime:
        interrupts.kept = lambda: _kept(runtime.out)
        from throughtime.cli import alone, sine_wave
        from throughtime.cli.progress_bar import TrainingBar
        from throughtime.kernels import available

        folder = runtime.out.open()
        runtime.say(f"An RNN learns sin(t): cell {cell}, {sine_wave.HIDDEN} units, {steps} steps, seed {seed}.")
        if not (kernels := available()):
            runtime.say(f"Native kernels are not available; this is only slower: {kernels.why}.")
        stop = Stop(b"")  # the end of a hundred steps is near
        with TrainingBar(runtime.console, interrupts, loss="MSE") as bar, interrupts.stoppable(stop):

            def callback(learned: sine_wave.Learned) -> bool:
                step, mse = learned.mse[-1]
                runtime.say(f"step {step:>6}   MSE {mse:.6f}")
                bar.show("training", step, steps, loss=mse, speed=step / learned.seconds if learned.seconds else 0.0)
                if learned.seconds:
                    stop.ready.set()
                return stop.asked.is_set()

            learned = sine_wave.learn(
                steps=steps, cell=cell, seed=seed, folder=folder / "model", resume=resume, callback=callback
            )
            if stop.asked.is_set():
                interrupts.leave()
        with runtime.out.staged(former=sine_wave.PICTURES) as stage:
            metrics = sine_wave.write_results(stage, learned, seed, pictures=pictures)
        runtime.say(
            f"Trained in {metrics['train_seconds']:.2f} s ({metrics['us_per_step']:.0f} us a step). Mean squared error "
            f"on the training instance: {metrics['test_mse']:.2e}.\n"
            f"Continuing alone, each prediction fed back, it stays within {sine_wave.NEAR} of the curve for "
            f"{metrics['continuation_follows']} of {metrics['continuation_points']} points: it has never seen its own "
            f"errors.\nTrained for {alone.STEPS} more steps on {alone.OWN} of its own outputs, it stays for "
            f"{metrics['alone_follows']}."
        )
        runtime.say(f"Written to {folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")
        runtime.say(
            "Next: throughtime lab shows a network learn; throughtime forecast FILE --horizon 12, your own series."
        )
        runtime.result = metrics | {"out": str(folder)}


def _kept(out: OutputFolder) -> str:
    """Return what there is when the demo is interrupted."""
    if out.filled:
        return out.kept()
    if (out.path / "model" / "checkpoint.json").exists():
        return f"The last checkpoint is in {out.path / 'model'}; go on with --resume."
    return "There is no checkpoint yet."
