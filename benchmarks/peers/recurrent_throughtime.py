"""throughtime's recurrent training step, with its native kernels and by the plain scan, in turns."""

import recurrent_task

args = recurrent_task.arguments()

from throughtime import configure  # noqa: E402

configure()  # as the command line does, before JAX is imported

import jax  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402

from throughtime.cells import CELLS  # noqa: E402
from throughtime.data import TimeSeriesData  # noqa: E402
from throughtime.kernels import available, off  # noqa: E402
from throughtime.layers import RecurrentNetwork  # noqa: E402

options = {"activation": "relu"} if args.cell == "elman" else {}
data = TimeSeriesData(num_points=max(250, 2 * args.steps))
optimizer = optax.adam(0.001)


def network(key: jax.Array) -> RecurrentNetwork:
    """Return a model of the requested size."""
    return RecurrentNetwork(CELLS[args.cell](1, args.hidden, **options, key=key), 1, key=key)


def program():
    """Return many training steps as one compiled function of their number; traced here, so that ``off`` applies."""

    def loss(model, key):
        x, y, _ = data.draw(key, args.batch, args.steps)
        return jax.numpy.mean((model(x)[1] - y) ** 2)

    def gradient(model, key):
        return jax.grad(loss)(model, key)

    def step(i, carry):
        model, moments = carry
        key = jax.random.fold_in(jax.random.key(0), i)
        if args.models == 1:
            found = gradient(model, key)
        else:
            found = jax.vmap(gradient)(model, jax.random.split(key, args.models))
        updates, moments = optimizer.update(found, moments, model)
        return optax.apply_updates(model, updates), moments

    if args.models == 1:
        model = network(jax.random.key(1))
    else:
        model = jax.vmap(network)(jax.random.split(jax.random.key(1), args.models))
    carry = model, optimizer.init(model)
    compiled = (
        jax.jit(lambda carry, steps: jax.lax.fori_loop(0, steps, step, carry)).lower(carry, np.int32(1)).compile()
    )
    return lambda steps: jax.block_until_ready(compiled(carry, np.int32(steps)))


if not available():
    raise SystemExit(f"there are no kernels to measure: {available().why}")
sides = {"kernel": program()}
with off():
    sides["scan"] = program()
recurrent_task.measure(sides, args.chunks, "throughtime", "jax", "jaxlib", "optax")
