"""Batches: arrays, minibatches, chunks, a function that draws, or an iterable, each as a source."""

from collections.abc import Callable, Iterable
from typing import Any

import jax

from throughtime._types import Key
from throughtime.training.chunks import Chunks, chunks
from throughtime.training.constants import split
from throughtime.training.devices import Devices
from throughtime.training.host_batches import from_host
from throughtime.training.minibatches import Minibatches, minibatches
from throughtime.training.source import ArrayLike, Drawn, Source, endless, on_device, whole


def source_of(batches: Any, devices: Devices) -> Source:
    """Return the source that ``batches`` means: see :func:`throughtime.train`.

    Raises:
        InputError: for anything that cannot be a source.
    """
    if isinstance(batches, Minibatches):
        return minibatches(batches)
    if isinstance(batches, Chunks):
        return chunks(batches)
    if callable(batches):
        return _drawing(batches)
    alone = jax.tree_util.all_leaves([batches])  # neither a tuple nor a dict, whose items are arrays of one batch
    if alone and isinstance(batches, Iterable) and not isinstance(batches, ArrayLike | str | bytes):
        return from_host(batches, devices)
    return _whole(on_device(batches))


def _whole(arrays: Any) -> Source:
    """Return the source that gives all data to each step."""
    return Source(whole, lambda key, step, most: endless(arrays), arrays)


def _drawing(draw: Callable[[Key], Any]) -> Source:
    """Return the source whose batches a function draws on the device."""
    arrays, constants = split(draw)
    return Source(Drawn(constants), lambda key, step, most: endless(arrays), arrays)
