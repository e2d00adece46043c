"""Made-up content of pages, without training, and what a page holds."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser

import numpy as np
import polars as pl

from throughtime.data.frequency import Frequency
from throughtime.data.panel import Panel
from throughtime.report.content import ForecastContent
from throughtime.report.reach import Line, Reach

NAMES = ["</script><script>alert(1)</script>", 'a "quoted" & <b>bold</b> one', "`${x}` {{ y }}", "北京", ""]
LEVELS = (80, 95)
F, W = 3, 2
MONTH = Frequency("month", stamp="datetime64[D]")


def panel_of(names=NAMES, lengths=None, frequency=MONTH, values=None):
    """Series that end at the same step, of 30 steps and some more each unless given."""
    lengths = 30 + np.arange(len(names)) if lengths is None else np.array(lengths)
    offsets = np.append(0, np.cumsum(lengths))
    values = np.random.default_rng(0).normal(10, 2, offsets[-1]) if values is None else values
    return Panel(np.array(names), values, offsets, frequency.multiple * (300 - lengths), frequency, ("read <it>",))


def fan(y, levels=LEVELS):
    """A forecast and its bounds."""
    bounds = {
        f"throughtime-{side}-{level}": y + sign * level for level in levels for side, sign in (("lo", -1), ("hi", 1))
    }
    return {"throughtime": y} | bounds


def forecasts_of(panel, horizon=F, levels=LEVELS):
    ids, times = panel.future(horizon)
    return {"unique_id": ids, "ds": times, **fan(100 + np.arange(len(ids), dtype=float), levels)}


def backtest_of(panel, horizon=F, levels=LEVELS):
    """W windows that follow each other; what came, and two baselines."""
    parts = []
    for window in range(W, 0, -1):
        ids, times = panel.cut(window * horizon).future(horizon)
        y = np.arange(len(ids), dtype=float)
        cutoffs = np.repeat(times[::horizon] - 1, horizon)
        known = {"unique_id": ids, "ds": times, "cutoff": cutoffs, "y": y}
        parts.append(known | fan(y + 10 * window, levels) | {"seasonal_naive": y - 1, "AutoETS": y - 2})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def scores_of(panel, metrics=("smape", "mase")):
    """Over all series and by series; throughtime is worst at the last, and the second has no score."""
    own = np.arange(len(panel)) + 0.25
    parts = []
    for place, metric in enumerate(metrics):
        overall = {"unique_id": [""], "throughtime": [0.5], "seasonal_naive": [0.4], "AutoETS": [None]}
        by_model = {"throughtime": own, "seasonal_naive": own + 0.5, "AutoETS": own - 0.125}
        moved = {name: values + place for name, values in by_model.items()}
        by_series = pl.DataFrame({"unique_id": panel.ids.astype(str)} | moved)
        parts += [pl.DataFrame(overall), by_series.filter(pl.arange(pl.len()) != 1)]
        parts[-2:] = [
            part.with_columns(pl.lit(metric).alias("metric"), pl.col("AutoETS").cast(float)) for part in parts[-2:]
        ]
    return pl.concat(parts)


def content_of(panel=None, **more):
    """A page of everything, or with other parts."""
    panel = panel_of() if panel is None else panel
    steps = np.arange(1, 1001)
    parts = {
        "title": "Forecast of file <a>.csv",
        "headline": "AutoETS is better than throughtime by 5%.",
        "season": 12,
        "facts": (("series", str(len(panel))), ("took", "1 s")),
        "decisions": ("A season of <12> steps.",),
        "notes": panel.notes,
        "levels": LEVELS,
        "forecasts": forecasts_of(panel),
        "backtest": backtest_of(panel),
        "scores": scores_of(panel),
        "seconds": {"throughtime": 125.0, "seasonal_naive": 0.012},
        "losses": (Line("member 1", steps, 1 / steps), Line("member 2", steps, 2 / steps)),
        "reach": Reach(
            (Line("first step ahead", np.arange(1, 37), 0.9 ** np.arange(36)),), "Half of it.", "GRU: fades."
        ),
    }
    return ForecastContent(panel=panel, **(parts | more))


class Elements(HTMLParser):
    """Every tag with its attributes, and the text inside each tag of a kind."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self._open = [], {}, []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)
        self.text.setdefault(tag, []).append("")

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if self._open:
            self.text[self._open[-1]][-1] += data


def data_of(page):
    """What the charts are drawn from."""
    match = re.search(r'<script type="text/plain" id="data">([^<]*)</script>', page)
    return json.loads(gzip.decompress(base64.b64decode(match[1])))


def contrast(color, other):
    """Of two colors, by WCAG 2.2."""

    def luminance(color):
        parts = np.array([int(part, 16) for part in re.findall("..", color[1:])]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    low, high = sorted((luminance(color), luminance(other)))
    return (high + 0.05) / (low + 0.05)
