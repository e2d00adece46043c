"""throughtime's reference step: the training of ``throughtime demo``, without its files."""

import task

from throughtime import configure

configure()  # as the command line does, before JAX is imported

from throughtime.cli import sine_wave as demo  # noqa: E402

args = task.arguments()
chunks: list[float] = []
seconds = 0.0


def callback(learned: demo.Learned) -> None:
    """Record the time in the compiled loop since the last report, every 100 steps."""
    global seconds
    if learned.seconds:
        chunks.append((learned.seconds - seconds) / demo.EVERY * 1e6)
        seconds = learned.seconds


came = (demo.HIDDEN, demo.WINDOW, demo.BATCH, demo.LEARNING_RATE, demo.EVERY)
wanted = (task.HIDDEN, task.WINDOW, task.BATCH, task.LEARNING_RATE, task.CHUNK)
if came != wanted:
    raise SystemExit(f"the demo no longer does the reference step: it has {came}, the peers do {wanted}")
network = demo.learn(steps=task.STEPS, seed=args.seed, callback=callback).state.model
task.answer(chunks, lambda x: network(x)[1], "throughtime", "jax", "jaxlib", "equinox", "optax", "numpy")
