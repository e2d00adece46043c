"""Single series: MASE over three rolling windows, beside seasonal naive and AutoETS."""

from collections.abc import Mapping, Sequence

from zero_shot.development import Forecast
from zero_shot.pages import number, table
from zero_shot.scores import score
from zero_shot.windows import Windows

NOTE = """\
MASE: the mean over the last three horizons, each forecast from all values before it, in units of seasonal naive's error
on these. Every model is told the season; AutoETS has no seasonal part if it is longer than 24 steps."""


def page(series: Sequence[Windows], models: Mapping[str, Forecast]) -> list[str]:
    """Forecast, and return the table."""
    rows = []
    for windows in series:
        answers = [model(windows) for model in models.values()]
        cells = [
            answer.failure if answer.quantiles is None else number(score(windows, answer.quantiles).mase)
            for answer in answers
        ]
        rows.append([windows.name, str(windows.horizon), str(windows.season), *cells])
        print(*rows[-1], flush=True)
    return [NOTE, "", *table(["", "horizon", "season", *models], rows)]
