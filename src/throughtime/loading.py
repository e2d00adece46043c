"""Loading any saved model from its folder."""

from pathlib import Path
from typing import Any

import jax

from throughtime._errors import InputError
from throughtime.forecasting import KIND, Forecaster
from throughtime.layers import RecurrentNetwork, network_from_config
from throughtime.training import checkpoint


def load(path: str | Path) -> Any:
    """Load the model in the folder ``path``: a fitted Forecaster, or the network of a training run.

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

        return checkpoint.restore(saved.arrays, build, prefix)
    if saved.kind == KIND:
        return Forecaster.load(path)
    raise InputError(
        f"{path} holds a {saved.kind!r}: expected a forecaster or a training run",
        code="unknown-kind",
        file=path,
        found=saved.kind,
        expected=["training", KIND],
    )
