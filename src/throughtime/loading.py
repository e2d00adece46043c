"""Loading any saved model from its folder, and the states of networks to and from theirs."""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax

from throughtime._errors import InputError
from throughtime._foreign import foreign_content
from throughtime.forecasting import KIND, Forecaster
from throughtime.layers import Recurrent, RecurrentNetwork, first_state, network_from_config
from throughtime.training import checkpoint, named_leaves

STATE = "state"
READ_BY = {
    "run": "; this is the run of a tt.train with Checkpoints, which the same call goes on with",
    STATE: "; this is the state of a network, which tt.load_state reads",
}
"""What reads folders of other kinds."""


def load(path: str | Path) -> Any:
    """Load the model in the folder ``path``: a fitted Forecaster, or the network of a demo's training.

    Raises:
        InputError: if the folder holds no checkpoint, or a truncated, altered, foreign or newer one.
    """
    saved = checkpoint.load(path)
    if saved.kind == "training":
        config = saved.config.get("network")
        if config is None:
            raise InputError(
                f"{path} holds a training run without its network's configuration: expected one that was saved with "
                '{"network": throughtime.layers.network_config(network)}',
                code="no-network",
                file=path,
            )
        prefix = "training.model"

        def build() -> RecurrentNetwork:
            network = network_from_config(config, key=jax.random.key(0))
            return checkpoint.with_saved_types(network, saved.arrays, prefix)

        with foreign_content(path):
            return checkpoint.restore(saved.arrays, build, prefix)
    if saved.kind == KIND:
        return Forecaster.load(path)
    instead = READ_BY.get(saved.kind, "")
    raise InputError(
        f"{path} holds a {saved.kind!r}: expected a forecaster or the network of a training{instead}",
        code="unknown-kind",
        file=path,
        found=saved.kind,
        expected=["training", KIND],
    )


def save_state(path: str | Path, state: Any) -> None:
    """Write the state of a network to the folder ``path``, in one step for any reader.

    Args:
        path: a folder; it is made if it does not exist. What it held before is replaced.
        state: as ``network(xs)``, :func:`throughtime.unroll` or :func:`throughtime.encode` returned it.

    Raises:
        InputError: if ``path`` is a file, and for a network.
    """
    if isinstance(state, eqx.Module):
        raise InputError(
            f"expected the state of a network, found a {type(state).__name__}: its weights are no state, and "
            "equinox.tree_serialise_leaves writes them",
            code="not-a-state",
            found=type(state).__name__,
            expected="a state",
        )
    checkpoint.save(path, STATE, {}, {STATE: state})


def load_state(path: str | Path, network: Recurrent) -> Any:
    """Return the state in the folder ``path``, as :func:`save_state` wrote it.

    Args:
        path: the folder.
        network: a network like the one of the state, which says what the arrays are; its weights do not count.

    Raises:
        InputError: if the folder holds no state, or a truncated, altered, foreign or newer one, and for a state of
            another network; names the arrays that differ.
    """
    saved = checkpoint.load(path)
    if saved.kind != STATE:
        raise InputError(
            f"{path} holds a {saved.kind!r}: expected a state; tt.load reads models",
            code="unknown-kind",
            file=path,
            found=saved.kind,
            expected=[STATE],
        )
    alone = named_leaves(jax.eval_shape(lambda: first_state(network, ())), STATE)
    pairs = [(saved.arrays[name], leaf) for name, leaf in alone.items() if name in saved.arrays]
    batch = pairs[0][0].shape[:1] if pairs and pairs[0][0].ndim > pairs[0][1].ndim else ()
    return checkpoint.restore(saved.arrays, lambda: first_state(network, batch), STATE)
