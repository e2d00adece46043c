"""The page of the pretrained network: its tables are the code's."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from throughtime.pretraining import FAMILIES, WINDOWS_A_STEP
from throughtime.pretraining.batches import SOURCES
from throughtime.pretraining.generators.mixture import _drawn_family
from throughtime.zero_shot import BASES, shipped_weights

PAGE = (Path(__file__).parents[2] / "docs" / "pretrained.md").read_text()
DRAWN = 5000


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return lines[1:] if lines[0][0] else lines


def test_the_simple_forecasts():
    names = [name for first, *_ in rows("The simple forecasts") for name in first.split(", ")]
    assert names == list(BASES)


def test_the_families_and_their_shares():
    shares = {family: int(share.removesuffix(" %")) for family, share, *_ in rows("The series that it learned from")}
    assert list(shares) == list(FAMILIES)
    rng, drawn = np.random.default_rng(0), Counter()
    for source in SOURCES.values():
        weights = np.array(list(source.seasons.values()))
        for place in rng.choice(len(weights), DRAWN, p=weights / weights.sum()):
            name, _ = _drawn_family(rng, list(source.seasons)[place])
            drawn[name] += source.windows / WINDOWS_A_STEP / DRAWN
    assert shares == {family: pytest.approx(100 * share, abs=1.2) for family, share in drawn.items()}


def test_the_number_of_weights():
    count = sum(array.size for array in shipped_weights()[0].values())
    assert re.search(r"network \| ([\d,]+) weights", PAGE)[1] == f"{count:,}"
