"""A program that trains on one device of the CPU and on two: it prints the largest relative differences, as JSON."""

import json
import os
import sys

os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import polars as pl

import throughtime as tt
from throughtime.kernels import available
from throughtime.kernels.ffi import Call

B, T, D, H = 6, 7, 3, 9
STEPS, KEY = 12, jax.random.key(3)
rng = np.random.default_rng(0)
XS = rng.standard_normal((20, T, D), dtype=np.float32)
MASK = rng.random((20, T)) < 0.6
TARGETS = np.asarray(XS[..., :2] * 2 - 1)
rows_of_kernels: set[int] = set()


def spy() -> None:
    """Note how many sequences each native call gets."""
    run = Call._run

    def noted(self, target, results, operands):
        rows_of_kernels.add(operands[4].shape[0] * operands[4].shape[1])
        return run(self, target, results, operands)

    Call._run = noted


def masked_loss(network, batch, key):
    """A mean over what a mask leaves, which differs from device to device, and noise."""
    xs, mask, targets = batch
    ys = network(xs, mask=mask, key=key)[1]
    return tt.losses.masked_mean((ys - targets) ** 2, mask[..., None] & (targets > -1))


def mapped_loss(network, batch):
    """A sum over single sequences, and a weight that is no example."""
    xs, targets, weight = batch
    return weight[0] * jnp.sum((jax.vmap(lambda x: network(x[None])[1][0])(xs) - targets) ** 2) / len(xs)


def carrying_loss(network, batch, state):
    xs, targets = batch
    state, ys = network(xs, state)
    return jnp.mean((ys - targets) ** 2), state


class Trainings:
    """What trainings on so many devices give, by their names."""

    def __init__(self, devices):
        self.how = {"optimizer": optax.sgd(0.1), "steps": STEPS, "key": 5, "devices": devices}
        self.gru, self.lstm = tt.GRU(D, H, key=KEY), tt.ManyToMany(tt.LSTM(D, H, key=KEY), 2, key=KEY)

    def masked(self, *callbacks):
        network = tt.ManyToMany([self.gru, tt.Dropout(H, 0.2)], 2, key=KEY)
        minibatches = tt.Minibatches((XS, MASK, TARGETS), B)
        return tt.train(network, masked_loss, minibatches, callbacks=callbacks, **self.how)

    def watched(self):
        watch = tt.Watch(every=6, cell=lambda model: model.layer.layers[0])
        records = self.masked(watch).watched
        return records.gradient_norm, records.gradient_by_lag

    def mapped(self):
        batches = [(XS[n : n + 4], TARGETS[n : n + 4], np.ones(3, np.float32)) for n in range(STEPS)]
        return self.lstm_on(iter(batches))

    def lstm_on(self, batches):
        return tt.train(self.lstm, mapped_loss, batches, **self.how)

    def carried(self):
        return tt.train(self.lstm, carrying_loss, tt.Chunks((XS[:B], TARGETS[:B]), 3), **self.how)

    def forecaster(self):
        days = pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 3, 10), eager=True)
        frame = pl.DataFrame({"ds": days, "y": np.sin(np.arange(len(days))) + XS.ravel()[: len(days)]})
        settings = {"hidden": 8, "steps": STEPS, "members": 2, "devices": self.how["devices"]}
        fitted = tt.Forecaster(3, **settings).fit(frame)
        return fitted.losses_, fitted.predict()["throughtime"].to_numpy(), fitted.networks_


def difference(found, expected):
    """Return the largest difference of an array over its largest number."""
    pairs = zip(numbers(found), numbers(expected), strict=True)
    return max(float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-6)) for a, b in pairs)


def numbers(result):
    """Return the arrays of a result; of a history, the losses and the weights."""
    tree = (result.losses, result.model) if isinstance(result, tt.History) else result
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree) if eqx.is_inexact_array_like(leaf)]


def refused(batches):
    """Return the error of a batch that two devices cannot split."""
    try:
        Trainings(2).lstm_on(batches)
    except tt.InputError as error:
        return error.code, error.found


if __name__ == "__main__":
    names = sys.argv[1:]
    one = {name: getattr(Trainings(1), name)() for name in names}
    spy()
    two = {name: getattr(Trainings(2), name)() for name in names}
    uneven = XS[:5], TARGETS[:5], np.ones(3, np.float32)
    report = {
        "differences": {name: difference(two[name], one[name]) for name in names},
        "rows": sorted(rows_of_kernels) if available() else [3, 32],
        "refused": [refused(uneven), refused(iter([uneven]))],
        "devices": [len(leaf.devices()) for leaf in jax.tree.leaves(two) if isinstance(leaf, jax.Array)],
    }
    print(json.dumps(report))
