"""Every wrapped cell keeps every contract of a cell."""

import jax
import pytest
from tests.layers.wrapped import WRAPPED, random_wrapped

import throughtime as tt
from throughtime.testing import CONTRACTS, hold

DRAWN = "a draw of zoneout"


@pytest.fixture(scope="module", params=[*WRAPPED, DRAWN])
def cell(request: pytest.FixtureRequest) -> tt.Cell:
    if request.param == DRAWN:
        return random_wrapped("zoneout").draw(jax.random.key(5))
    return random_wrapped(request.param)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.__name__)
def test_every_wrapped_cell_keeps_every_contract(cell, contract):
    hold(cell, contract)
