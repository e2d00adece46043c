"""A program of one of several processes that fit a forecaster: ``PROCESS PROCESSES PORT FOLDER OUT KIND``.

It writes what it read, decided and learned to the folder OUT, or the code of the error. KIND is "whole"; "turns" if
memory is too small; or "large" if a partition of the second process does not fit in its memory.
"""

import json
import sys
from pathlib import Path

import jax
import numpy as np

import throughtime as tt
from throughtime.data import ColumnNames, padded_series
from throughtime.forecasting.train import _windows
from throughtime.partitions import fitting, reading
from throughtime.training import first_devices

process, processes, port = map(int, sys.argv[1:4])
folder, out, kind = sys.argv[4], Path(sys.argv[5]), sys.argv[6]
if processes > 1:
    jax.distributed.initialize(
        f"localhost:{port}", processes, process, heartbeat_timeout_seconds=10, shutdown_timeout_seconds=10
    )

NAMES = ColumnNames(static=("color", "size"), past="visits", future="promotion")
read, read_partition = [], reading.read_partition


def noted(partition, *others):
    read.append(partition.name)
    return read_partition(partition, *others)


def values_of_windows(design):
    """Return the values in this process's rows of a batch, of series that hold its number, and the rows of each."""
    devices, steps = first_devices(jax.device_count()), np.array([60 - 10 * process])
    values = np.full(steps[0], process + 1.0)
    series = padded_series(values, values > 0, np.zeros(1, int), steps, steps > 0)
    with devices.active():
        windows = jax.jit(lambda key, series: _windows(key, series, design, 8))(
            devices.put(jax.random.key(0)), devices.put_own(series)
        )
    rows = [np.asarray(shard.data) for shard in windows.future.addressable_shards]
    return sorted({float(value) for row in rows for value in row.flat}), [len(row) for row in rows]


reading.read_partition = noted
if kind == "turns":
    fitting.OF_VALUE, fitting.LEAST_VALUES = 2**20 // 8, 1
if kind == "large" and process == 1:
    reading.OF_ROW = 2**40
file = out / f"{kind}-{jax.device_count()}-{process}.json"
model = tt.Forecaster(3, hidden=4, steps=60, members=2, lookback=14, devices=jax.device_count())
try:
    tt.fit_folder(model, folder, columns=NAMES, memory=1010 + 1000 * process if kind == "turns" else None)
except tt.InputError as error:
    file.write_text(json.dumps({"error": error.code}))
    sys.exit()
encodings = [[encoding.vocabulary for encoding in role] for role in model.plan_.encodings]
found = {
    "read": read, "losses": model.losses_.tolist(), "encodings": encodings, "ids": model.panel_.ids.tolist(),
    "notes": model.notes_, "weights": [float(np.sum(leaf)) for leaf in jax.tree.leaves(model.networks_)],
}  # fmt: skip
if processes > 1 and kind == "turns":
    found["windows"] = values_of_windows(model.plan_.design)
file.write_text(json.dumps(found))
