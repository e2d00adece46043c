"""The network to pretrain, beside its forward pass in NumPy."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from throughtime.pretraining import MixtureNetwork, batch_of, pinball_loss
from throughtime.pretraining.network import SPREAD
from throughtime.training import named_leaves
from throughtime.zero_shot import LEVELS, forecast

pytestmark = pytest.mark.usefixtures("few")


@pytest.fixture(scope="module")
def network():
    """With random weights everywhere, also where training starts from zeros and ones."""
    draw, shapes = np.random.default_rng(1), eqx.filter_eval_shape(MixtureNetwork, hidden=5, blocks=2, key=0)

    def drawn(leaf):
        return jnp.asarray(0.4 * draw.normal(size=leaf.shape), jnp.float32)

    return jax.tree.map(lambda leaf: drawn(leaf) if isinstance(leaf, jax.ShapeDtypeStruct) else leaf, shapes)


def weights_of(network):
    return {name.removeprefix("n."): np.asarray(leaf) for name, leaf in named_leaves(network, "n").items()}


def test_numpy_computes_what_jax_does(network, few):
    """Of both shapes of windows, and the loss by hand."""
    batch, weights = batch_of(0, 0), weights_of(network)

    @eqx.filter_jit
    def by_jax(network, batch):
        return {name: network(name, inputs) for name, (inputs, _) in batch.items()}, pinball_loss(network, batch)

    quantiles, loss = by_jax(network, batch)
    assert sorted(batch) == ["long", "short"]
    losses = []
    for name, (inputs, future) in batch.items():
        found = forecast(weights, name, inputs)
        assert found.shape == (*future.shape, len(LEVELS))
        np.testing.assert_allclose(found, quantiles[name], rtol=1e-5, atol=1e-5)
        error = future[:, :, None] - found
        levels = np.array(LEVELS)
        losses += list(2 * np.maximum(levels * error, (levels - 1) * error).mean(axis=(1, 2)))
    assert float(loss) == pytest.approx(np.mean(losses), rel=1e-5)


def test_the_first_quantiles_are_normal(few):
    """Before training, around the mixture: for a mixture of one forecast, around that."""
    weights = weights_of(MixtureNetwork(hidden=5, blocks=1, key=2))
    inputs, _ = batch_of(0, 0)["short"]
    found = forecast(weights, "short", inputs._replace(bases=np.full_like(inputs.bases, 1.5)))
    np.testing.assert_allclose(found, np.broadcast_to(1.5 + SPREAD * norm.ppf(LEVELS), found.shape), atol=1e-4)
