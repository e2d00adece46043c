"""One series at a time: the pretrained network, against networks that are trained on the series too."""

import time
from collections.abc import Sequence

import numpy as np
import polars as pl

import throughtime as tt
from throughtime.forecasting import forecast_quantiles
from zero_shot.pages import number, table
from zero_shot.scores import Score, score
from zero_shot.windows import Windows

EACH = 8  # windows of a kind
LONGEST = 2_000  # values of a history: a training on more takes minutes
MODELS = {"pretrained": {"preset": "fast"}, "trained": {"preset": "balanced", "members": 4}}
NOTE = f"""\
Up to {EACH} windows of each kind of the development series, evenly spaced, each a fit of its own to the last
{LONGEST:,} values or fewer. "pretrained" is the preset "fast", which trains nothing; "trained" is "balanced" with
networks that are trained on the series, unless the held-out ends prefer the pretrained one. MASE and SQL of the first
over those of the second: geometric means over the windows; below 1, training did not pay. CPU s: of one fit and
forecast, once all is compiled (median)."""


def page(kinds: Sequence[Windows]) -> list[str]:
    """Measure all kinds, and return the page."""
    rows, all_ratios = [], []
    for kind in kinds:
        places = np.unique(np.linspace(0, len(kind.histories) - 1, EACH).astype(int))
        fits = {title: [_fit(_only(kind, place), arguments) for place in places] for title, arguments in MODELS.items()}
        (alone, alone_seconds), (trained, trained_seconds) = (zip(*found, strict=True) for found in fits.values())
        with np.errstate(divide="ignore", invalid="ignore"):  # a forecast without an error has no ratio
            ratios = np.log(np.array([each[:2] for each in alone]) / np.array([each[:2] for each in trained]))
        all_ratios.append(ratios)
        values = np.median([min(len(kind.histories[place]), LONGEST) for place in places])
        seconds = [number(float(np.median(worked)), ".2f") for worked in (alone_seconds, trained_seconds)]
        rows.append([kind.name, str(len(places)), number(float(values), ".0f"), *_means(ratios), *seconds])
        print(*rows[-1], flush=True)
    ratios = np.concatenate(all_ratios)
    rows.append(["all", str(len(ratios)), "", *_means(ratios), "", ""])
    header = ["", "windows", "values (median)", "MASE ratio", "SQL ratio", "CPU s, pretrained", "CPU s, trained"]
    return [NOTE, "", *table(header, rows)]


def _only(kind: Windows, place: int) -> Windows:
    """Return one window of a kind."""
    history = kind.histories[place][-LONGEST:]
    return kind._replace(histories=[history], truth=kind.truth[place : place + 1])


def _fit(window: Windows, arguments: dict[str, object]) -> tuple[Score, float]:
    """Return the score of a forecaster that is fitted on one history, and the CPU seconds."""
    began = time.process_time()
    frame = pl.DataFrame({"ds": np.arange(len(window.histories[0])), "y": window.histories[0]})
    model = tt.Forecaster(horizon=window.horizon, season=window.told[0], **arguments).fit(frame)
    quantiles = forecast_quantiles(model.fitted_, model.panel_, model.panel_.lengths)
    return score(window, quantiles), time.process_time() - began


def _means(ratios: np.ndarray) -> list[str]:
    """Return the geometric means of both ratios over the windows that have them."""
    known = ratios[np.isfinite(ratios).all(axis=1)]
    return [number(float(mean)) for mean in np.exp(known.mean(axis=0))]
