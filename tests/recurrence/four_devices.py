"""A program on four devices of the CPU: it prints the largest relative errors against one device, as JSON."""

import json
import os
from functools import partial

os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=4"

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

import throughtime as tt

B, T, D, H = 8, 6, 3, 9
KEY = jax.random.key(3)
XS = jax.random.normal(jax.random.key(1), (B, T, D))
MASK = jax.random.bernoulli(jax.random.key(2), 0.7, (B, T))
ROWS = jax.make_mesh((4,), ("rows",), axis_types=(AxisType.Auto,))
GRID = jax.make_mesh((2, 2), ("rows", "columns"), axis_types=(AxisType.Auto,) * 2)
EXPLICIT = jax.make_mesh((4,), ("rows",))


class OwnCell(tt.GRU):
    """A cell without a kernel."""


CELLS = {
    "gru": tt.GRU(D, H, key=KEY),
    "lstm": tt.LSTM(D, H, key=KEY),
    "elman": tt.Elman(D, H, "relu", key=KEY),
    "mingru": tt.MinGRU(D, H, key=KEY),
    "lru": tt.LRU(D, H, key=KEY),
    "lem": tt.LEM(D, H, key=KEY),
    "slstm": tt.SLSTM(D, H, key=KEY),
    "own": OwnCell(D, H, key=KEY),
    "zoneout": tt.Zoneout(tt.LSTM(D, H, key=KEY), 0.2),
}
WITH_KERNEL = ("gru", "lstm", "elman", "mingru", "lru")


def error(results, expected):
    """Return the largest difference on any device over the largest value."""
    worst = 0.0
    for leaf, right in zip(jax.tree.leaves(results), jax.tree.leaves(expected), strict=True):
        copies = [shard.data for shard in leaf.addressable_shards] if leaf.is_fully_replicated else [leaf]
        size = max(float(np.abs(right).max()), 1e-3)
        worst = max(worst, *(float(np.abs(np.asarray(copy) - np.asarray(right)).max()) / size for copy in copies))
    return worst


def loss(cell, xs, mask, state, mean=lambda value: value, **options):
    last, ys = tt.unroll(cell, xs, state, mask=mask, **options)
    return mean(jnp.mean(jnp.sin(ys)) + sum(jnp.mean(leaf**2) for leaf in jax.tree.leaves(last)))


def data_parallel(cell, mesh=ROWS, state=None, check=True, **options):
    """Return the gradients by cell and inputs of a loss whose batch is split over all axes of the mesh."""
    axes = mesh.axis_names

    def mean(value):
        return jax.lax.pmean(value, axes)

    def on_each(cell, xs, mask):
        first = None if state is None else jax.tree.map(lambda leaf: leaf[: len(xs)], state)
        d_cell, d_xs = jax.grad(partial(loss, mean=mean, **options), argnums=(0, 1))(cell, xs, mask, first)
        return (d_cell if check else jax.lax.pmean(d_cell, axes)), d_xs

    run = jax.shard_map(on_each, mesh=mesh, in_specs=(P(), P(axes), P(axes)), out_specs=(P(), P(axes)), check_vma=check)
    return jax.jit(run)(cell, XS, MASK)


def one_device(cell, state=None):
    return jax.jit(jax.grad(partial(loss, method="scan"), argnums=(0, 1)))(cell, XS, MASK, state)


def gradients(errors):
    for name, cell in CELLS.items():
        right = one_device(cell)
        errors[f"{name} scan"] = error(data_parallel(cell, method="scan"), right)
        if name in WITH_KERNEL:
            errors[f"{name} kernel"] = error(data_parallel(cell, method="kernel"), right)
    gru = CELLS["gru"]
    right = one_device(gru)
    errors["two axes"] = error(data_parallel(gru, GRID, method="kernel"), right)
    state = tt.GRUState(jnp.full((B, H), 0.3))
    errors["state"] = error(data_parallel(gru, state=state, method="kernel"), one_device(gru, state))
    errors["reverse"] = error(
        data_parallel(CELLS["lstm"], method="kernel", reverse=True),
        jax.grad(partial(loss, method="scan", reverse=True), argnums=(0, 1))(CELLS["lstm"], XS, MASK, None),
    )
    errors["second"] = error(second_gradient(gru, "kernel", ROWS), second_gradient(gru, "scan", None))


def second_gradient(cell, method, mesh):
    def outer(cell, xs, mask, mean):
        return jnp.sum(jax.grad(partial(loss, mean=mean, method=method))(cell, xs, mask, None).b ** 2)

    if mesh is None:
        return jax.grad(partial(outer, mean=lambda value: value))(cell, XS, MASK)
    on_each = jax.grad(partial(outer, mean=lambda value: jax.lax.pmean(value, "rows")))
    return jax.jit(jax.shard_map(on_each, mesh=mesh, in_specs=(P(), P("rows"), P("rows")), out_specs=P()))(
        cell, XS, MASK
    )


def training(errors):
    """Descend by data-parallel gradients and by those of one device."""
    many = one = tt.RecurrentNetwork(CELLS["lstm"], 2, key=KEY)

    def network_loss(network, xs, mean):
        return mean(jnp.mean((network(xs)[1] - xs[..., :2]) ** 2))

    def on_each(network, xs):
        return jax.grad(partial(network_loss, mean=lambda value: jax.lax.pmean(value, "rows")))(network, xs)

    parallel = jax.jit(jax.shard_map(on_each, mesh=ROWS, in_specs=(P(), P("rows")), out_specs=P()))
    single = jax.jit(lambda network: jax.grad(partial(network_loss, mean=lambda value: value))(network, XS))
    for _ in range(5):
        many = jax.tree.map(lambda weight, slope: weight - 0.5 * slope, many, parallel(many, XS))
        one = jax.tree.map(lambda weight, slope: weight - 0.5 * slope, one, single(one))
    errors["training"] = error(many, one)


def explicit(errors):
    """Unroll batches that explicit axes split; a mask or a state alone may be split too."""
    split = NamedSharding(EXPLICIT, P("rows"))
    xs, mask = jax.device_put(XS, split), jax.device_put(MASK, split)
    for name in ("gru", "mingru", "lem", "zoneout"):
        cell = CELLS[name]
        results = tt.unroll(cell, xs, mask=MASK)
        assert results[1].sharding.spec[0] == "rows", name
        errors[f"{name} explicit"] = error(results, tt.unroll(cell, XS, mask=MASK))
    state = jax.device_put(tt.GRUState(jnp.full((B, H), 0.3)), split)
    errors["mask explicit"] = error(tt.unroll(CELLS["gru"], XS, mask=mask), tt.unroll(CELLS["gru"], XS, mask=MASK))
    errors["state explicit"] = error(
        tt.unroll(CELLS["gru"], XS, state), tt.unroll(CELLS["gru"], XS, tt.GRUState(jnp.full((B, H), 0.3)))
    )
    right = one_device(CELLS["own"])
    with jax.set_mesh(EXPLICIT):
        results = jax.jit(jax.grad(loss, argnums=(0, 1)))(CELLS["own"], xs, MASK, None)
        errors["gradient explicit"] = error(results, right)


def tokens_and_noise(errors):
    """Embed tokens that explicit axes split, and draw noise: of cells, with a learned state too, and between layers."""
    split = NamedSharding(EXPLICIT, P("rows"))
    tokens = jax.random.randint(KEY, (B, T), 0, 5)
    both = tt.Bidirectional(CELLS["zoneout"], tt.LearnedInitialState(CELLS["gru"]))
    network = tt.ManyToOne([tt.Embedding(5, D, key=KEY), tt.Dropout(D, 0.2), both], 2, "mean", key=KEY)

    def network_loss(network, tokens, mask):
        return jnp.mean(network(tokens, mask=mask, key=KEY)[1] ** 2)

    right = jax.jit(jax.grad(network_loss))(network, tokens, MASK)
    with jax.set_mesh(EXPLICIT):
        placed = jax.device_put((tokens, MASK), split)
        errors["tokens and noise explicit"] = error(jax.jit(jax.grad(network_loss))(network, *placed), right)


if __name__ == "__main__":
    errors: dict[str, float] = {}
    gradients(errors)
    errors["unchecked"] = error(
        data_parallel(CELLS["gru"], check=False, method="kernel")[0], one_device(CELLS["gru"])[0]
    )
    training(errors)
    explicit(errors)
    tokens_and_noise(errors)
    print(json.dumps(errors))
