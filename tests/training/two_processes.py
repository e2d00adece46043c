"""A program of one of several processes that train together: ``PROCESS PROCESSES PORT FOLDER [STEP]``.

It writes the losses of its trainings to the folder. If a step is given, the last process dies after it.
"""

import os
import signal
import sys
from pathlib import Path

import jax
import numpy as np
import optax

import throughtime as tt

process, processes, port = map(int, sys.argv[1:4])
folder, last_step = Path(sys.argv[4]), int(sys.argv[5]) if len(sys.argv) > 5 else None
if processes > 1:
    jax.distributed.initialize(
        f"localhost:{port}", processes, process, heartbeat_timeout_seconds=10, shutdown_timeout_seconds=10
    )

B, T, D, H, STEPS, KEY = 8, 6, 3, 9, 300, jax.random.key(4)


def draw(key):
    xs = jax.random.normal(key, (B, T, D))
    return xs, jax.random.bernoulli(key, 0.7, (B, T)), xs[..., :2] * 2 - 1


def own_rows(spoiled=False):
    """Yield this process's rows of the batches; the last process has fewer batches, and can have spoiled ones."""
    rng = np.random.default_rng(0)
    for _ in range(40 + processes - process):
        xs = rng.standard_normal((B, T, D), dtype=np.float32)
        batch = xs, rng.random((B, T)) < 0.7, xs[..., :2] * 2 - 1
        xs, *others = (array.reshape(processes, -1, *array.shape[1:])[process] for array in batch)
        yield xs * np.float32(np.nan if spoiled and process == processes - 1 else 1), *others


def loss(network, batch):
    xs, mask, targets = batch
    return tt.losses.masked_mean((network(xs, mask=mask)[1] - targets) ** 2, mask[..., None] & (targets > -1))


def die(progress):
    if process == processes - 1 and progress.step == last_step:
        os.kill(os.getpid(), signal.SIGKILL)


def stop_alone(progress):
    """Wish to end in one process alone."""
    return process == processes - 1 and progress.step == 200


network = tt.ManyToMany(tt.GRU(D, H, key=KEY), 2, key=KEY)
how = {"optimizer": optax.sgd(0.1), "key": 5, "devices": jax.device_count()}
kept = [tt.Checkpoints(folder / "run", seconds=0), die]
drawn = tt.train(network, loss, draw, steps=STEPS, callbacks=kept, **how)
rows = tt.train(network, loss, own_rows(), steps=STEPS, callbacks=[lambda progress: None], **how)
stopped = tt.train(network, loss, draw, steps=STEPS, callbacks=[stop_alone], **how)
try:
    tt.train(network, loss, own_rows(spoiled=True), steps=STEPS, **how)
except tt.training.DivergedError as error:
    print(error.code, error.step, file=sys.stderr)
losses = {"drawn": drawn.losses, "rows": rows.losses, "stopped": stopped.losses}
np.savez(folder / f"{processes}-{process}.npz", **losses, weights=drawn.model.layer.w_h)
