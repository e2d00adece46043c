"""Random weights for the forward pass: nothing here may depend on those that were trained."""

import numpy as np
import pytest

from throughtime.zero_shot import Weights, shipped_weights


@pytest.fixture(scope="session")
def weights() -> Weights:
    """Of the shapes of the shipped network, every unit of a size of about 1."""
    draw, drawn = np.random.default_rng(3), {}
    for name, array in shipped_weights()[0].items():
        values = draw.normal(size=array.shape) / np.sqrt(array.shape[-1] if array.ndim > 1 else 4)
        drawn[name] = values.astype(np.float32)
    return drawn
