"""Batches that come from the host: gathered into blocks and put on the device ahead, in a thread."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from throughtime._errors import InputError
from throughtime._types import Key
from throughtime.training.devices import Devices
from throughtime.training.source import Block, Blocks, Source, as_array
from throughtime.training.step import Fed

MOST_BYTES = 2**25  # of a block; one at work and one ahead
MOST_SECONDS = 0.25  # a block takes: a slow iterator is waited for batch by batch
MOST_SHAPES = 16  # each is compiled, which takes seconds


@runtime_checkable
class Positioned(Protocol):
    """Batches that can begin at any step, so that a run that goes on makes none that it has used before."""

    def starting_at(self, step: int) -> Iterator[Any]:
        """Return the batches of ``step``, ``step + 1``, ..."""


class _Form(NamedTuple):
    """The structure of a batch, and the shapes and types of its arrays."""

    structure: Any
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[np.dtype, ...]


def from_host(batches: Iterable[Any], devices: Devices) -> Source:
    """Return the source whose batches an iterable makes.

    An iterable that can be iterated again, such as a list or a data loader of PyTorch, starts again after its end; an
    iterator or a generator ends the run. Each of several processes makes its own rows of the batches.
    """

    def blocks(key: Key, step: int, most: int) -> Blocks:
        return made_ahead(_blocks(_starting_at(batches, step), step, most, devices))

    return Source(own, blocks)


def made_ahead(made: Iterator[Block]) -> Blocks:
    """Yield blocks, each of which a thread has made while the one before it was at work."""
    with ThreadPoolExecutor(1, "throughtime-batches") as pool:
        ahead = pool.submit(next, made, None)
        while (block := ahead.result()) is not None:
            ahead = pool.submit(next, made, None)
            yield block


def own(data: Fed, key: Key) -> tuple[Any, Key]:
    """Return a step's batch."""
    return data.parts, key


def _starting_at(batches: Iterable[Any], step: int) -> Iterator[Any]:
    """Return the batches of ``step``, ``step + 1``, ...; others than :class:`Positioned` ones are skipped."""
    return batches.starting_at(step) if isinstance(batches, Positioned) else islice(_repeated(batches), step, None)


def _repeated(batches: Iterable[Any]) -> Iterator[Any]:
    """Yield the batches, again and again if that is possible."""
    while True:
        count = 0
        for count, batch in enumerate(batches, 1):  # noqa: B007
            yield batch
        if isinstance(batches, Iterator) or not count:
            return


def _blocks(batches: Iterator[Any], step: int, most: int, devices: Devices) -> Iterator[Block]:
    """Yield blocks of batches of the same form."""
    forms = set[_Form]()
    patience = devices.patience(MOST_SECONDS)
    batch = next(batches, None)
    while batch is not None:
        leaves, form = _numbers(batch)
        forms.add(form)
        if len(forms) > MOST_SHAPES:
            raise InputError(
                f"the batches have {len(forms)} different shapes, the last one {form.shapes}: expected at most "
                f"{MOST_SHAPES}, as each is compiled; pad to a few lengths, and mask",
                code="too-many-shapes",
                found=form.shapes,
                expected=f"at most {MOST_SHAPES} shapes",
            )
        rows = max(min(most, MOST_BYTES // max(sum(leaf.nbytes for leaf in leaves), 1)), 1)
        buffers = [np.empty((rows, *leaf.shape), leaf.dtype) for leaf in leaves]
        count, began = 0, time.perf_counter()
        while True:
            for buffer, leaf in zip(buffers, leaves, strict=True):
                buffer[count] = leaf
            count += 1
            batch = next(batches, None)
            if batch is None or count == rows or time.perf_counter() - began > patience:
                break
            leaves, next_form = _numbers(batch)
            if next_form != form:
                break
        parts = jax.tree.unflatten(form.structure, devices.put_rows(buffers))
        yield Block(Fed(None, parts, jnp.int32(step), jnp.int32(count)), count)
        step += count


def _numbers(batch: Any) -> tuple[list[np.ndarray], _Form]:
    """Return the arrays of a batch, and its form."""
    named, structure = jax.tree_util.tree_flatten_with_path(batch)
    leaves = [as_array(path, leaf) for path, leaf in named]
    return leaves, _Form(structure, tuple(leaf.shape for leaf in leaves), tuple(leaf.dtype for leaf in leaves))
