"""Lesson 2: a network of 100 neurons learns the sine wave.

Run it::

    python docs/lessons/sine_wave.py
    python docs/lessons/sine_wave.py --steps 300
"""

# %% [markdown]
# The task: read 30 points of sin(t), 0.04 apart, and say at each point what the next one is. `tt.TimeSeriesData` draws
# windows that start at random between 0 and 10.

# %%
import argparse
import tempfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax

import throughtime as tt
from throughtime.forecasting.losses import masked_mean, squared_error
from throughtime.forecasting.rollout import rollout
from throughtime.layers import network_config
from throughtime.training import checkpoint
from throughtime.training.loop import TrainState, start, train

WINDOW = 30
SERIES = tt.TimeSeriesData(num_points=250, xmin=0, xmax=10)

# %% [markdown]
# The network: a cell of 100 ReLU neurons, unrolled through time, and one linear readout of every output.


# %%
def make_network(seed: int) -> tt.RecurrentNetwork:
    """One input, 100 units, one output."""
    key_cell, key_readout = jax.random.split(jax.random.key(seed))
    cell = tt.Elman(1, 100, activation="relu", recurrent_init="uniform", key=key_cell)
    return tt.RecurrentNetwork(cell, 1, key=key_readout)


# %% [markdown]
# One training step draws one window, compares prediction and truth, and lets Adam move the weights. `train` compiles
# the whole loop, so the loss draws its own batch, from the key that it is given.


# %%
OPTIMISER = optax.adam(0.001)


def loss(network: tt.RecurrentNetwork, data: None, key: jax.Array) -> jax.Array:
    """The mean squared error of one random window."""
    x, y, _ = SERIES.draw(key, 1, WINDOW)
    _, predictions = network(x)
    return masked_mean(squared_error(predictions, y))


def learn(steps: int, seed: int = 0) -> TrainState:
    """Train, with a line every 100 steps: the mean loss of those."""
    state = start(make_network(seed), OPTIMISER, jax.random.key(seed))
    for progress in train(state, loss, OPTIMISER, None, steps=steps, every=100):
        state = progress.state
        print(f"step {int(state.step):>5}   MSE {progress.losses.mean():.6f}")
    return state


# %% [markdown]
# Is that good? A number says little alone. The curve moves slowly: whoever repeats the last point is never far off.
# A network has learnt something when it beats that.


# %%
def scores(network: tt.RecurrentNetwork) -> tuple[float, float]:
    """Mean squared error one step ahead over 200 windows: the network's, and that of repeating the last point."""
    x, y = tt.TimeSeriesData(seed=1).next_batch(200, WINDOW)
    _, predictions = network(jnp.asarray(x))
    return float(np.mean((predictions - y) ** 2)), float(np.mean((x - y) ** 2))


# %% [markdown]
# The harder test: feed the network its own predictions and let it go on alone. Each small error is now an input, and
# the next one starts from it. Nothing in this training prepares the network for that.


# %%
def alone(network: tt.RecurrentNetwork, points: int) -> tuple[np.ndarray, np.ndarray]:
    """What the network says from t = 6.2 on, without another look at the curve; and the curve, (points,) each."""
    x, _, times = SERIES.instance(5.0, WINDOW)
    generated = rollout(network, jnp.asarray(x), points)
    return np.asarray(generated[:, 0]), SERIES.ret_true(times[-1] + SERIES.resolution * np.arange(points))


# %% [markdown]
# A checkpoint is a folder with the weights, the optimiser's state, the step and the random key. `tt.load` gives the
# network back; `checkpoint.restore` gives everything, to go on training.


# %%
def save(state: TrainState, folder: Path) -> None:
    """Write the training state."""
    checkpoint.save(folder, "training", {"network": network_config(state.model)}, {"training": state})


def resume(folder: Path) -> TrainState:
    """The training state that `save` wrote."""
    arrays = checkpoint.load(folder).arrays
    return checkpoint.restore(arrays, lambda: start(make_network(0), OPTIMISER, jax.random.key(0)), "training")


# %%
def tell_story(steps: int) -> None:
    """All of it."""
    print("1. Training: one window of 30 points a step\n")
    state = learn(steps)

    print("\n2. One step ahead, over 200 windows\n")
    network_mse, repeat_mse = scores(state.model)
    print(f"network                {network_mse:.6f}")
    print(f"repeat the last point  {repeat_mse:.6f}")
    if network_mse >= repeat_mse:
        raise SystemExit(f"\nThe network has not learnt enough in {steps} steps: repeating the last point is better.")

    print("\n3. Going on alone, each prediction the next input\n")
    generated, truth = alone(state.model, 200)
    for points in (10, 50, 200):
        own, zero = np.mean((generated - truth)[:points] ** 2), np.mean(truth[:points] ** 2)
        print(f"{points:>4} points: network {own:.6f}, always 0 {zero:.6f}")

    with tempfile.TemporaryDirectory() as folder:
        save(state, Path(folder))
        x = jnp.asarray(SERIES.instance(5.0, WINDOW)[0])
        np.testing.assert_array_equal(tt.load(folder)(x)[1], state.model(x)[1])
        again = resume(Path(folder))
    print(f"\n4. Saved and loaded: the same predictions, and training would go on at step {int(again.step) + 1}.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A network of 100 neurons learns the sine wave.")
    parser.add_argument("--steps", type=int, default=1500, help="training steps (default 1500)")
    tell_story(parser.parse_args().steps)
