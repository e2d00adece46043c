"""A layer that reads from the end is the backward half of a bidirectional one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt


@pytest.mark.parametrize("masked", [False, True])
def test_it_is_the_backward_half(masked: bool) -> None:
    backward = tt.LSTM(3, 4, key=1)
    xs = jax.random.normal(jax.random.key(2), (2, 5, 3))
    mask = tt.sequence_mask([5, 3], 5) if masked else None
    both = tt.Bidirectional(tt.GRU(3, 2, key=0), backward)
    expected_state, expected = both(xs, mask=mask)
    layer = tt.Reversed(backward)
    state, ys = layer(xs, mask=mask)
    np.testing.assert_array_equal(ys, expected[..., 2:])
    np.testing.assert_array_equal(state.h, expected_state.backward.h)
    np.testing.assert_array_equal(layer.final_output(ys, mask), both.final_output(expected, mask)[..., 2:])
    np.testing.assert_allclose(layer.final_output(ys, mask), state.h, atol=1e-6)
    assert (layer.inputs, layer.hidden, layer.reads_tokens) == (3, 4, False)


def test_it_reads_ahead() -> None:
    network = tt.ManyToMany(tt.Reversed(tt.GRU(2, 4, key=0)), 2, key=1)
    with pytest.raises(tt.InputError) as error:
        tt.rollout(network, jnp.ones((3, 2)), 2)
    assert (error.value.code, error.value.found) == ("reads-ahead", "Reversed")
