"""Lesson 15: visits of web pages, at once and with an eye on what is unusual.

Run it as a script, or open it as a notebook::

    python docs/lessons/web_traffic.py
    marimo edit docs/lessons/web_traffic.py
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Lesson 15: web traffic")

with app.setup(hide_code=True):
    from datetime import date, timedelta

    import marimo as mo
    import numpy as np
    import polars as pl

    import throughtime as tt

    DAYS, HORIZON, PAGES = 200, 14, 40


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lesson 15: web traffic

    Forty pages, and nobody has time to look at each. The pretrained network forecasts them without training, and tells
    which of yesterday's values are unusual. The data are generated, with a seed: counts with a week, a trend, noise
    that grows with the level, days without a measurement, and one page that somebody famous linked to.
    """)
    return


@app.function
def visits(seed: int = 0) -> pl.DataFrame:
    """Return daily visits of forty pages; page 7 has ten times as many on the last day, some days are missing."""
    rng, steps, parts = np.random.default_rng(seed), np.arange(DAYS + HORIZON), []
    for page in range(PAGES):
        level = np.exp(rng.uniform(3, 9) + rng.normal(0, 0.001) * steps + np.cumsum(rng.normal(0, 0.02, len(steps))))
        week = 1 + rng.uniform(0.05, 0.4) * np.cos(2 * np.pi * (steps - rng.integers(7)) / 7)
        seen = rng.negative_binomial(20, 20 / (20 + level * week)).astype(float)
        if page == 7:
            seen[DAYS - 1] *= 10
        seen[:DAYS][rng.random(DAYS) < 0.01] = np.nan
        ds = [date(2025, 3, 1) + timedelta(days=int(step)) for step in steps]
        parts.append(pl.DataFrame({"unique_id": f"page {page:02}", "ds": ds, "y": seen}))
    return pl.concat(parts)


@app.cell
def _():
    table = visits()
    known = pl.col("ds") < date(2025, 3, 1) + timedelta(days=DAYS)
    history, later = table.filter(known), table.filter(~known)
    print(f"{history['y'].is_nan().sum()} of {len(history):,} values are missing")
    return history, later


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## At once

    `preset="fast"` trains nothing. It holds out the ends of the series, and widens the intervals until they cover
    these.
    """)
    return


@app.cell
def _(history):
    model = tt.Forecaster(horizon=HORIZON, preset="fast").fit(history)
    forecasts = model.predict(level=[80, 95])
    print(forecasts.head(2))
    rows = model.backtest(history, windows=3, level=[80, 95])
    print(tt.scores(rows))
    return forecasts, model


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What is unusual?

    `anomalies` compares each value with the forecast of one step from the values before it; two months of them are
    enough here. Among forty pages some ordinary values are outside of an interval of 99 % too, so look at how far.
    """)
    return


@app.function
def unusual(model: tt.Forecaster, history: pl.DataFrame) -> list[str]:
    """Return the pages whose last value is outside of the interval of 99 %."""
    recent = history.filter(pl.col("ds") > history["ds"].max() - timedelta(days=60))
    judged = model.anomalies(recent, level=99)
    last = judged.filter(pl.col("ds") == history["ds"].max())
    return last.filter("flag")["unique_id"].to_list()


@app.cell
def _(history, model):
    print("unusual on the last day:", ", ".join(unusual(model, history)))
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The next day

    New rows move the end of the history, without training: `update`, then `predict`. Was the forecast of two weeks ago
    any good? The answer is in the rows that came.
    """)
    return


@app.function
def covered(forecasts: pl.DataFrame, later: pl.DataFrame, level: int) -> float:
    """Return the share of later values inside the interval of this level."""
    joined = forecasts.join(later, on=["unique_id", "ds"])
    inside = pl.col("y").is_between(f"throughtime-lo-{level}", f"throughtime-hi-{level}")
    return float(joined.select(inside.mean()).item())


@app.cell
def _(forecasts, later, model):
    print(f"the interval of 80 % held {covered(forecasts, later, 80):.0%} of the two weeks that came")
    moved = model.update(later).predict()
    print(f"the next forecast begins on {moved['ds'].min()}")
    return


@app.cell
def _(model):
    model.plot("page 07")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    On the command line: `throughtime forecast visits.csv --horizon 14 --preset fast`, and [`throughtime
    stream`](../in_use.md#a-stream) for rows that keep coming.
    """)
    return


if __name__ == "__main__":
    app.run()
