"""One page that opens offline: the verdict first, then scores, every series, calibration and what the model did."""

import base64
import gzip
import json
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from throughtime.report.content import ForecastContent
from throughtime.report.packed import packed
from throughtime.report.scores import metric_name, overall_rows
from throughtime.report.style import DARK, LIGHT

COMPRESSION = 6  # 9 takes three times as long for 1 %


def render(content: ForecastContent) -> str:
    """The page as HTML, all in one file; names from the user's data are escaped, or compressed with the numbers."""
    data = packed(content)
    data["metric_names"] = {metric: metric_name(metric) for metric in data["scores"]}
    environment = Environment(
        loader=PackageLoader("throughtime.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        content=content,
        rows=overall_rows(content),
        drawn=len(data["series"]),
        light=_variables(LIGHT),
        dark=_variables(DARK),
        data=_compressed(json.dumps(data, separators=(",", ":"), allow_nan=False)),
        library=_compressed(get_plotlyjs()),
    )


def _variables(colours: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


def _compressed(text: str) -> str:
    """Text as base64 of gzip, which browsers undo by themselves; the same text gives the same."""
    return base64.b64encode(gzip.compress(text.encode(), COMPRESSION, mtime=0)).decode()
