"""Unrolling outside of ``jax.jit``: compiled once for each shape, and no memory is kept.

Varied: cells with a kernel, without one, linear, wrapped, one's own; a network, a stack and noise; one step, a sequence
and a batch; masks, directions, carried states, gradients, ``jax.vmap`` and forward mode.
"""

import gc
import resource
import sys
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import pytest
from jax._src import monitoring
from tests.contract import random_inputs, random_weights

import throughtime as tt
from throughtime.recurrence import trajectory, unroll_perturbed, zero_perturbations

KEY = jax.random.key(0)
XS = random_inputs(4, 5, 3)


class OwnCell(tt.GRU):
    """A cell without a kernel."""


CELLS = {
    "gru": random_weights(lambda: tt.GRU(3, 6, key=KEY)),
    "lem": random_weights(lambda: tt.LEM(3, 6, key=KEY)),
    "mingru": random_weights(lambda: tt.MinGRU(3, 6, key=KEY)),
    "own": random_weights(lambda: OwnCell(3, 6, key=KEY)),
    "zoneout": tt.Zoneout(random_weights(lambda: tt.LSTM(3, 6, key=KEY)), 0.2),
}
NETWORK = random_weights(lambda: tt.RecurrentNetwork(CELLS["zoneout"], 2, key=KEY))
STACK = tt.Stack([CELLS["gru"], random_weights(lambda: tt.Block(tt.LEM(6, 6, key=KEY)))])
PERTURBATIONS = zero_perturbations(CELLS["lem"], 5)
WAYS = {
    **{f"{name} step": lambda cell=cell: tt.unroll(cell, XS[0, :1]) for name, cell in CELLS.items()},
    **{f"{name} batch": lambda cell=cell: tt.unroll(cell, XS) for name, cell in CELLS.items()},
    "mask": lambda: tt.unroll(CELLS["lem"], XS, mask=jnp.ones((4, 5), bool), reverse=True),
    "gradient": lambda: jax.grad(lambda cell: tt.unroll(cell, XS[0])[1].sum())(CELLS["lem"]),
    "vmap": lambda: jax.vmap(lambda x: tt.unroll(CELLS["own"], x))(XS),
    "forward mode": lambda: jax.jvp(lambda x: tt.unroll(CELLS["lem"], x)[1], (XS[0],), (XS[0],)),
    "network": lambda: NETWORK(XS),
    "noise": lambda: NETWORK(XS, key=KEY),
    "stack": lambda: STACK(XS),
    "batch norm": lambda: tt.layers.unroll_batch_norm(tt.layers.BatchNorm(CELLS["gru"], 5), XS),
    "trajectory": lambda: trajectory(CELLS["lem"], XS[0]),
    "perturbed": lambda: unroll_perturbed(CELLS["lem"], XS[0], PERTURBATIONS),
}


@pytest.fixture
def compiled() -> Iterator[list[str]]:
    """Collect the names of the events of compilations."""
    events: list[str] = []

    def listen(event: str, _: float, **__: object) -> None:
        if "backend_compile" in event:
            events.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield events
    monitoring.unregister_event_duration_listener(listen)


@pytest.mark.parametrize("way", WAYS)
def test_a_second_call_compiles_nothing(way, compiled):
    jax.block_until_ready(WAYS[way]())
    compiled.clear()
    for _ in range(3):
        jax.block_until_ready(WAYS[way]())
    assert not compiled


def test_a_stream_of_observations_compiles_once_and_keeps_no_memory(compiled):
    cell, x = tt.LEM(3, 11, key=KEY), XS[0, :1]
    state = cell.initial_state()
    for _ in range(50):
        state, _ = tt.unroll(cell, x, state)
    assert compiled
    compiled.clear()
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(500):
        state, _ = tt.unroll(cell, x, state)
    kept = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert not compiled
    assert kept * (1 if sys.platform == "darwin" else 1024) < 50e6  # 879 MB when each call compiled
