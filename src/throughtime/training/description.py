"""The description of a run by digests, the same in another process: a checkpoint continues the same run only."""

import hashlib
import re
import types
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from throughtime.training.captured import PLAIN, Same, captured
from throughtime.training.constants import split
from throughtime.training.leaves import is_array, is_key, named_leaves
from throughtime.training.optimizer_key import update_key
from throughtime.training.step import TrainState

ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def describe(first: TrainState, loss: Any, optimizer: Any, data: Any, callbacks: tuple[type, ...]) -> dict[str, str]:
    """Return the digests of the parts of a run.

    Args:
        first: the state before the first step.
        loss: the loss, with the source of its batches.
        optimizer: the optimizer.
        data: the arrays of the batches.
        callbacks: their kinds.
    """
    parts: Mapping[str, Any] = {
        "model": (first.model, split(first.model)[1]),
        "loss": captured(loss),
        "optimizer": update_key(optimizer),
        "batches": data,
        "key": first.key,
        "callbacks": callbacks,
    }
    return {name: hashlib.sha256(_text(part).encode()).hexdigest()[:16] for name, part in parts.items()}


def _text(item: Any) -> str:
    """Return a text that is equal for equal objects, in each process."""
    if isinstance(item, Same):  # the entries of a dict that are read stand for themselves
        return "dict" if isinstance(item.item, dict) else _text(item.item)
    if isinstance(item, float) and item.is_integer():  # Optax's cosine schedules turn 20 into 20.0 when first called
        return repr(int(item))
    if isinstance(item, PLAIN):
        return repr(item)
    if is_array(item):
        array = np.ascontiguousarray(jax.random.key_data(item) if is_key(item) else item)
        content = array.reshape(-1).view(np.uint8).data  # not a copy: the array may be a memory map
        return f"{array.dtype}{array.shape}{hashlib.sha256(content).hexdigest()}"
    if isinstance(item, tuple | frozenset):
        texts = map(_text, item)
        return f"({', '.join(sorted(texts) if isinstance(item, frozenset) else texts)})"
    if isinstance(item, types.CodeType):
        return f"{item.co_name}{item.co_names}{_text(item.co_consts)}"
    if isinstance(item, types.FunctionType):
        return f"{item.__qualname__}{_text(item.__code__)}"
    if isinstance(item, type | types.ModuleType):
        return "number" if item is int or item is float else item.__name__
    if isinstance(item, jax.tree_util.PyTreeDef):
        return ADDRESS.sub("", str(item))
    leaves = named_leaves(item, "")
    return f"{type(item).__qualname__}{[(name, _text(leaf)) for name, leaf in leaves.items()]}"
