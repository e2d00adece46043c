"""The names in the commands' help are those that the library has; to list them there would load JAX."""

import re

import pytest

from throughtime.cells import CELLS
from throughtime.cli import backtest, options
from throughtime.forecasting.baselines import BASELINES
from throughtime.forecasting.config import PRESETS
from throughtime.forecasting.head_catalog import HEADS


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (options.CELLS, CELLS),
        (options.HEADS.partition(" for counts")[0], HEADS),
        (options.PRESETS, PRESETS),
        (backtest.NAMES.replace("(always)", ""), BASELINES),
    ],
)
def test_names_in_the_help(text, names):
    assert set(re.findall(r"\w+", text)) - {"or"} == set(names)
