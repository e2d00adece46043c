"""Batches that the seed and the step alone make, windows of pools, and the process that makes them ahead."""

import multiprocessing
import operator
import signal
import subprocess
import sys

import jax
import numpy as np

from throughtime.pretraining import SyntheticBatches, batch_of, batches
from throughtime.pretraining.generators.draws import Seasons
from throughtime.pretraining.pool import GROUP, Pool, draw_pool
from throughtime.pretraining.windows import LEAST_KNOWN, draw_windows
from throughtime.zero_shot import SHAPES


def assert_same(found, expected):
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_batch_is_made_by_its_seed_and_step(few):
    """Also across pools, of which only the last ones are kept."""
    steps = (0, 1, batches.EPOCH + 3)
    found = {step: batch_of(5, step) for step in steps}
    found["other"] = batch_of(6, 0)
    batches._pool.cache_clear()
    for step in reversed(steps):
        assert_same(batch_of(5, step), found[step])
    futures = [batch["short"][1] for batch in found.values()]
    assert len({future.tobytes() for future in futures}) == len(futures)
    for name, (inputs, future) in found[1].items():
        assert future.shape == (batches.SOURCES[name].windows, SHAPES[name].horizon)
        assert np.abs(future).max() <= batches.FARTHEST
        assert all(np.isfinite(array).all() for array in (future, *inputs))


def test_batches_are_made_ahead_in_a_process_that_ends(monkeypatch):
    """What it makes is made up: the sum of the seed and the step."""
    monkeypatch.setattr(batches, "batch_of", operator.add)
    made = SyntheticBatches(100).starting_at(7)
    assert [next(made), next(made)] == [107, 108]
    (process,) = multiprocessing.active_children()
    made.close()
    process.join(60)
    assert process.exitcode == 0


KILLED = """
import operator, os, signal
from throughtime.pretraining import batches
batches.batch_of = operator.add
made = iter(batches.SyntheticBatches(100))
print(next(made), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_process_ends_with_a_killed_parent():
    """It has the parent's standard output, which is read to its end here."""
    done = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "100\n")


def test_windows_go_on_where_their_histories_end():
    """Of lines: all that happens to them leaves lines, but for noise upon a tenth."""
    slopes = np.arange(1, 9)[:, None]
    pool = Pool(
        (slopes * np.arange(300)).astype(np.float32), np.repeat([1, 12, 24, 52], 2), np.repeat([1, 1, 48, 1], 2)
    )
    drawn = draw_windows(np.random.default_rng(0), pool, 200, 90, 20)
    assert (drawn.history.shape, drawn.future.shape) == ((200, 90), (200, 20))
    values = np.concatenate([drawn.history, drawn.future], axis=1)
    bends = np.abs(np.diff(values, 2)) / np.abs(values[:, -1:] - values[:, -2:-1])
    is_line = np.nanmax(bends, axis=1) < 1e-3
    assert 0.85 < is_line.mean() < 1
    known = np.isfinite(drawn.history)
    assert known.sum(axis=1).min() >= LEAST_KNOWN
    began = known.argmax(axis=1)
    assert len(set(began.tolist())) > 10
    gaps = [not row[first:].all() for row, first in zip(known, began, strict=True)]
    assert 0.02 < np.mean(gaps) < 0.2
    told = np.stack(drawn.seasons)
    assert (np.isin(told[0], [1, 12, 24, 52])).mean() > 0.9
    assert set(told[1].tolist()) == {1, 48}


def test_pools():
    """Groups share their seasons; coarse steps divide them."""
    seasons = {Seasons(24, 168): 0.5, Seasons(7): 0.5}
    pools = [draw_pool(np.random.default_rng(seed), 6 * GROUP, 150, seasons, coarse=0.6) for seed in (1, 1, 2)]
    for found, expected in zip(pools[0], pools[1], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(pools[0].series, pools[2].series)
    assert pools[0].series.shape == (6 * GROUP, 150)
    pairs = {
        (short, long) for pool in pools for short, long in zip(pool.short.tolist(), pool.long.tolist(), strict=True)
    }
    assert {pair for pair in pairs if pair[1] > 1} <= {(24 // size, 168 // size) for size in (1, 2, 3, 4, 6, 8, 12)}
    assert any(1 < long < 168 for _, long in pairs)
    by_group = pools[0].short.reshape(-1, GROUP)
    assert (by_group == by_group[:, :1]).all()
