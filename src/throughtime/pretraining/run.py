"""Pretraining: the network trains on synthetic series alone, in a run that can be interrupted and continued."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import optax

from throughtime._types import Whole
from throughtime.pretraining.batches import SyntheticBatches
from throughtime.pretraining.network import MixtureNetwork, pinball_loss
from throughtime.training import Checkpoints, History, averaged, train

LEARNING_RATE = 3e-3  # at its peak: more loses, less is slower
RISE, FLAT = 0.02, 0.55  # shares of the steps: until the peak, and until the fall along a cosine
LAST_RATE = 0.01  # of the peak
DECAY_OF_SQUARES = 0.99
WEIGHT_DECAY = 1e-2  # of matrices
CLIP_NORM = 1.0
AVERAGED_OVER = 0.998
SECONDS = 600.0  # from checkpoint to checkpoint


def pretrain(
    folder: str | Path, *, steps: Whole, seed: Whole = 0, hidden: Whole = 64, callbacks: Sequence[Any] = ()
) -> History:
    """Train a network on synthetic series, or go on with the run in a folder; the same call gives the same bits.

    :func:`averaged_weights` of the history's state are those to forecast with.

    Args:
        folder: where the checkpoint is, written every ten minutes and at the end.
        steps: the number of steps. Each sees 96 short and 32 long windows that no other step sees.
        seed: makes the first weights and all series.
        hidden: H, the units of a block.
        callbacks: as for :func:`throughtime.train`.

    Raises:
        InputError: if the folder holds another run.
    """
    return train(
        MixtureNetwork(hidden=int(hidden), key=seed),
        pinball_loss,
        SyntheticBatches(int(seed)),
        optimizer=optimizer(int(steps)),
        steps=steps,
        key=seed,
        callbacks=[Checkpoints(folder, SECONDS), *callbacks],
    )


def optimizer(steps: int) -> optax.GradientTransformation:
    """Return AdamW whose learning rate rises, stays, and falls along a cosine, with an average of the weights."""
    peak = max(int(RISE * steps), 1)
    fall = max(steps - int(FLAT * steps), 1)
    rate = optax.join_schedules(
        [
            optax.linear_schedule(0.0, LEARNING_RATE, peak),
            optax.constant_schedule(LEARNING_RATE),
            optax.cosine_decay_schedule(LEARNING_RATE, fall, LAST_RATE),
        ],
        [peak, steps - fall],
    )
    adamw = optax.chain(
        optax.clip_by_global_norm(CLIP_NORM),
        optax.adamw(rate, b2=DECAY_OF_SQUARES, weight_decay=WEIGHT_DECAY, mask=_is_matrix),
    )
    return averaged(adamw, AVERAGED_OVER)


def _is_matrix(model: Any) -> Any:
    """Return for each array if it is a matrix; biases and scales do not decay."""
    return jax.tree.map(lambda array: array.ndim > 1, model)
