"""One page that opens offline: the verdict first, then the pictures, the scores and what was done with the data."""

from collections.abc import Sequence
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined


class Picture(NamedTuple):
    """An SVG picture and what it shows."""

    title: str
    svg: str


class Page(NamedTuple):
    """What the page says.

    Attributes:
        title: the file's name and the horizon.
        headline: the verdict.
        facts: (name, value) pairs.
        scores: rows of (series, MASE of the network, MASE of the baseline), worst first.
        forecasts: pictures of the forecasts.
        backtests: pictures of the backtest.
        notes: what was found in the data, and what was done.
        shown: how the series shown were chosen; empty where all are.
    """

    title: str
    headline: str
    facts: Sequence[tuple[str, str]]
    scores: Sequence[tuple[str, float, float]]
    forecasts: Sequence[Picture]
    backtests: Sequence[Picture]
    notes: Sequence[str]
    shown: str


def render(page: Page) -> str:
    """The page as HTML, all in one file; names from the user's data are escaped."""
    environment = Environment(
        loader=PackageLoader("throughtime.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("forecast.html").render(**page._asdict())
