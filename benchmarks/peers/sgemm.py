"""The machine's own speed: NumPy's product of square matrices of 1,024 in single precision, in GFLOP/s."""

import json
import os
import sys
import time

os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])

import numpy as np  # noqa: E402

SIZE, TIMES = 1024, 10
a = np.random.default_rng(0).random((SIZE, SIZE), np.float32)
seconds = []
for _ in range(TIMES):
    began = time.perf_counter()
    a @ a
    seconds.append(time.perf_counter() - began)
print(json.dumps(2 * SIZE**3 / min(seconds) / 1e9))
