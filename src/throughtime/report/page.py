"""One page that opens offline: the verdict first, then scores, every series, calibration and what the model did."""

import base64
import gzip
import json

from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template

from throughtime.plots import css_colors
from throughtime.report.content import ForecastContent, model_label
from throughtime.report.marks import marks_in_words
from throughtime.report.payload import payload
from throughtime.report.scores import key_rows, leaderboard, metric_name, overall_rows

COMPRESSION = 6  # 9 takes three times as long for 1 %


def render(content: ForecastContent) -> str:
    """Return the page as HTML in one file; names from the user's data are escaped, or compressed with the numbers."""
    data, rows = payload(content), overall_rows(content)
    columns, leaders = leaderboard(content)
    named = dict.fromkeys([*content.models, *(leader.model for leader in leaders)])
    data["labels"] = {name: model_label(name, content.season) for name in named}
    data["metric_names"] = {metric: metric_name(metric) for metric in data["scores"]}
    return template("report.html").render(
        content=content,
        rows=rows,
        key_rows=key_rows(rows, content.coverage),
        errors=content.errors,
        totals=content.totals,
        columns=columns,
        leaders=leaders,
        marks=marks_in_words(data["series"]),
        labels=data["labels"],
        drawn=len(data["series"]),
        colors=css_colors(),
        data=compressed(json.dumps(data, separators=(",", ":"), allow_nan=False)),
    )


def template(name: str, *more: BaseLoader) -> Template:
    """Return a page's template. It may include ``base.css``, which needs ``colors``, and the scripts of the charts.

    Args:
        name: of a file in ``report/templates``, or of one that ``more`` finds.
        more: loaders of other templates.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("throughtime.report"), *more]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def compressed(text: str) -> str:
    """Return text as base64 of gzip, which ``unpack.js`` undoes; the same text gives the same bytes."""
    return base64.b64encode(gzip.compress(text.encode(), COMPRESSION, mtime=0)).decode()
