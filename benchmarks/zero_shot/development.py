"""The development series: scores by kind over those of seasonal naive, and coverage by third of the horizon."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from zero_shot.pages import number, table
from zero_shot.peers import Answer
from zero_shot.scores import INTERVALS, Score, score, seasonal_naive
from zero_shot.windows import Windows

Forecast = Callable[[Windows], Answer]
NOTE = """\
MASE / SQL (scaled quantile loss of the nine deciles) of each kind, divided by seasonal naive's, and the geometric mean
over the kinds; lower is better. A mean over fewer kinds is in brackets, with the first row's over the same kinds. The
seasons are told. CPU s: of all windows; a peer's with imports and compilation."""
COVERED = "The shares that the intervals cover, by third of the horizon, in per cent: means over the kinds."
PUBLISHED_NOTE = """\
Published, not run here, and on other series: geometric means over tasks of MASE / CRPS or weighted quantile loss,
divided by seasonal naive's. Leakage: if a benchmark's series, or others of the same sources, were trained on. Of the
peers above, Fracast-0 was trained on real series; nobody has compared them with these."""
PUBLISHED = (
    ("TiRex", "35M", "real and synthetic", ".716 / .488", ".778 / .599", "none stated"),
    ("TinyCast", "146,505", "real and synthetic", ".774 / .545", ".880 / .722", "none stated"),
    ("Chronos-Bolt small", "48M", "real and synthetic", ".822 / .577", ".823 / .636", "of GIFT-Eval"),
    ("TempoPFN", "38M", "synthetic", ".788 / .533", "", "none"),
    ("Chronos-2 on synthetic series", "120M", "synthetic", ".720 / .496", "", "none"),
    ("FLAIR", "0", "none", ".838 / .587", "", "none"),
    ("AutoARIMA", "0", "none", "1.074 / .912", ".869 / .741", "none"),
    ("AutoTheta", "0", "none", "1.090 / 1.244", ".859 / .793", "none"),
)


class Row(NamedTuple):
    """The results of one model.

    Attributes:
        scores: by kind, divided by those of seasonal naive; the coverage as it is.
        worked: CPU seconds.
        failures: why there are no forecasts of some kinds.
    """

    scores: dict[str, Score]
    worked: float
    failures: list[str]


def measure(kinds: Sequence[Windows], model: Forecast) -> Row:
    """Return the results of a model on all kinds."""
    scores, worked, failures = {}, 0.0, []
    for windows in kinds:
        answer = model(windows)
        worked += answer.worked
        if answer.quantiles is None:
            failures.append(f"{windows.name}: {answer.failure}")
        else:
            found, naive = (score(windows, quantiles) for quantiles in (answer.quantiles, seasonal_naive(windows)))
            scores[windows.name] = Score(found.mase / naive.mase, found.sql / naive.sql, found.coverage)
    return Row(scores, worked, failures)


def mean(row: Row, kinds: Sequence[str]) -> tuple[float, float]:
    """Return the geometric means over some kinds of both ratios; NaN for none."""
    ratios = np.array([row.scores[kind][:2] for kind in kinds] or [(np.nan, np.nan)])
    mase, sql = np.exp(np.log(ratios).mean(axis=0))
    return float(mase), float(sql)


def page(rows: Mapping[str, Row], kinds: Sequence[Windows]) -> list[str]:
    """Return the tables and the remarks below them; the first row is the network's."""
    first, *_ = rows.values()
    names = [windows.name for windows in kinds]
    sizes = ", ".join(f"{len(windows.histories)} {windows.name}" for windows in kinds)
    scores = [
        [title, _mean_cell(row, first, names), *(_cell(row, name) for name in names), number(row.worked, ".1f")]
        for title, row in rows.items()
    ]
    covers = [[title, *_covered(row)] for title, row in rows.items() if row.scores]
    failed = [f"- {title}, {failure}" for title, row in rows.items() for failure in row.failures]
    thirds = [f"{level} %, {third} third" for level in INTERVALS for third in ("first", "second", "last")]
    published = ("", "parameters", "training data", "GIFT-Eval, 97 tasks", "Chronos II, 27 tasks", "leakage")
    return [
        *(f"Windows: {sizes}.", "", NOTE, ""),
        *(*table(["", "all kinds", *names, "CPU s"], scores), *([""] if failed else []), *failed, ""),
        *(COVERED, "", *table(["", *thirds], covers), ""),
        *(PUBLISHED_NOTE, "", *table(published, PUBLISHED)),
    ]


def _mean_cell(row: Row, first: Row, names: Sequence[str]) -> str:
    """Return the means over all kinds, or over those that a model forecasts beside the first row's."""
    have = [name for name in names if name in row.scores]
    if not have:
        return ""
    told = _pair(*mean(row, have))
    return told if len(have) == len(names) else f"({told} on {len(have)}; first row {_pair(*mean(first, have))})"


def _cell(row: Row, name: str) -> str:
    return _pair(*row.scores[name][:2]) if name in row.scores else ""


def _pair(mase: float, sql: float) -> str:
    return f"{number(mase)} / {number(sql)}"


def _covered(row: Row) -> list[str]:
    """Return the means over the kinds of the shares that are covered."""
    shares = np.mean([found.coverage for found in row.scores.values()], axis=0)
    return [number(100 * share, ".1f") for share in shares.ravel()]
