"""Minibatches of arrays, in shuffled epochs."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from throughtime._arguments import whole_number
from throughtime._errors import InputError
from throughtime._types import Int, Key, Whole
from throughtime.training.source import Block, Blocks, Source, on_device, shown
from throughtime.training.step import Fed


class Minibatches:
    """Batches of ``size`` examples, shuffled anew in each epoch.

    An epoch takes every example once. The epochs follow each other without a gap: the last batch of an epoch is filled
    up with the first examples of the next, so all batches have the same size. The order depends on the key of the run
    and on the step alone. All arrays stay on the device; the compiled loop takes the examples out of them.

    Attributes:
        arrays: any tree of arrays (N, ...), such as ``(xs, targets)`` or a dict.
        size: B, the number of examples in a batch.
        examples: N.
    """

    arrays: Any
    size: int
    examples: int

    def __init__(self, arrays: Any, size: Whole):
        """Put the arrays on the device.

        Raises:
            InputError: if the arrays differ in N, there are none, or B exceeds N.
        """
        self.arrays, self.size = on_device(arrays), whole_number("size", size)
        shapes = [array.shape for array in jax.tree.leaves(self.arrays)]
        if len({shape[:1] for shape in shapes}) != 1 or () in shapes:
            raise InputError(
                f"the arrays have the shapes {shown(shapes)}: expected one or more arrays with the same first axis, "
                "the examples; throughtime.pad makes one array of sequences of different lengths, and a mask",
                code="unequal-lengths",
                found=shapes,
            )
        self.examples = shapes[0][0]
        if self.size > self.examples:
            raise InputError(
                f"size is {self.size}, but there are {self.examples} examples: expected at most as many; the arrays "
                "alone, without Minibatches, are one batch",
                code="batch-too-large",
                found=self.size,
                expected=f"at most {self.examples}",
            )

    def __repr__(self) -> str:
        """Return the sizes."""
        return f"Minibatches({self.examples} examples, size={self.size})"


def minibatches(batches: Minibatches) -> Source:
    """Return the source of minibatches.

    The places of each step's examples are made ahead on the host, in microseconds a step: a compiled sort is slower.
    """
    size, examples = batches.size, batches.examples

    def blocks(key: Key, step: int, most: int) -> Blocks:
        seed = np.asarray(jax.random.key_data(key)).ravel().tolist()
        epoch, begin = divmod(step * size, examples)
        places = shuffled(examples, seed, epoch)[begin:]
        while True:
            while len(places) < most * size:
                epoch += 1
                places = np.concatenate([places, shuffled(examples, seed, epoch)])
            rows, places = places[: most * size].reshape(most, size), places[most * size :]
            yield Block(Fed(batches.arrays, jnp.asarray(rows), jnp.int32(step), jnp.int32(most)), most)
            step += most

    return Source(_gathered, blocks, batches.arrays)


def _gathered(data: Fed, key: Key) -> tuple[Any, Key]:
    """Return the examples of a step."""
    return jax.tree.map(lambda array: array.at[data.parts].get(mode="promise_in_bounds"), data.fixed), key


def shuffled(examples: int, seed: list[int], epoch: int) -> Int[np.ndarray, "N"]:
    """Return the order of the examples in an epoch."""
    return np.random.default_rng([*seed, epoch]).permutation(examples).astype(np.int32)
