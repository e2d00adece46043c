"""Lesson 13: daily sales of six shops with promotions.

Run it as a script, or open it as a notebook::

    python docs/lessons/retail.py
    marimo edit docs/lessons/retail.py
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Lesson 13: shops with promotions")

with app.setup(hide_code=True):
    from datetime import date, timedelta

    import marimo as mo
    import numpy as np
    import polars as pl

    import throughtime as tt

    DAYS, HORIZON, SHOPS = 365, 14, 6


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lesson 13: shops with promotions

    How much will each shop sell in the next two weeks, if we promote on a weekend? The data are generated, with a seed,
    so the truth is known: a promotion multiplies sales by 1.6, a week has its shape, and the level of all shops drifts.
    """)
    return


@app.function
def sales(seed: int = 0) -> pl.DataFrame:
    """Return daily sales of six shops, and the plan of promotions for two weeks more, whose sales are `truth` alone."""
    rng, parts = np.random.default_rng(seed), []
    steps = np.arange(DAYS + HORIZON)
    drift = np.exp(np.cumsum(rng.normal(0, 0.012, len(steps))))
    for shop in range(SHOPS):
        week = 1 + rng.uniform(0.2, 0.5) * np.sin(2 * np.pi * (steps - 3) / 7)
        promotion = (rng.random(len(steps)) < 0.12).astype(int)
        sold = rng.poisson(rng.uniform(60, 150) * week * drift * 1.6**promotion)
        ds = [date(2025, 1, 1) + timedelta(days=int(step)) for step in steps]
        parts.append(pl.DataFrame({"unique_id": f"shop {shop + 1}", "ds": ds, "promotion": promotion, "truth": sold}))
    known = pl.col("ds") < date(2025, 1, 1) + timedelta(days=DAYS)
    return pl.concat(parts).with_columns(y=pl.when(known).then("truth"))


@app.cell
def _():
    table = sales()
    history, plan = table.filter(pl.col("y").is_not_null()), table.filter(pl.col("y").is_null())
    print(history.head(3))
    return history, plan


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Tell the network what is planned

    A column that is known for the days to come is a *future* covariate. The pretrained network reads none, so a network
    is trained on all six shops together. Beside it are the pretrained network, which knows nothing of promotions, and
    the same day of last week.
    """)
    return


@app.function
def fitted(history: pl.DataFrame) -> tt.Forecaster:
    """Return a forecaster of one network that reads the promotions."""
    model = tt.Forecaster(horizon=HORIZON, members=1, steps=200)
    return model.fit(history.select("unique_id", "ds", "y", "promotion"), future="promotion")


@app.function
def errors(forecasts: dict[str, np.ndarray], plan: pl.DataFrame) -> pl.DataFrame:
    """Return each method's mean absolute error, over mean sales, on days with a promotion and on others."""
    rows = []
    for name, values in forecasts.items():
        missed = plan.with_columns(missed=(pl.col("truth") - pl.Series(values)).abs())
        for promoted, part in missed.partition_by("promotion", as_dict=True).items():
            share = part["missed"].sum() / part["truth"].sum()
            rows.append({"method": name, "days": ("other", "promotion")[promoted[0]], "error": round(share, 3)})
    return pl.DataFrame(rows).pivot("days", index="method", values="error")


@app.cell
def _(history, plan):
    model = fitted(history)
    future = plan.select("unique_id", "ds", "promotion")
    forecasts = model.predict(level=[80], future=future)
    plain = tt.pretrained().predict(history.select("unique_id", "ds", "y"), horizon=HORIZON)
    last_week = [np.resize(part["y"].to_numpy()[-7:], HORIZON) for part in history.partition_by("unique_id")]
    said = {
        "with promotions": forecasts["throughtime"].to_numpy(),
        "without": plain["throughtime"].to_numpy(),
        "last week": np.concatenate(last_week),
    }
    print(errors(said, plan))
    return forecasts, model


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What if we promote on another day?

    The forecast of a plan is one call. Compare two plans of the first shop: no promotion at all, and one on each day of
    the first weekend.
    """)
    return


@app.function
def what_if(model: tt.Forecaster, plan: pl.DataFrame) -> tuple[float, float]:
    """Return the first shop's sales in two weeks without a promotion, and with one on the first Saturday and Sunday."""
    none = plan.select("unique_id", "ds", promotion=pl.lit(0))
    weekend = none.with_columns(promotion=(pl.col("ds").rank("dense") <= 7) & (pl.col("ds").dt.weekday() >= 6))
    sums = []
    for changed in (none, weekend.with_columns(pl.col("promotion").cast(pl.Int64))):
        sums.append(model.predict(future=changed).filter(unique_id="shop 1")["throughtime"].sum())
    return sums[0], sums[1]


@app.cell
def _(model, plan):
    without, promoted = what_if(model, plan)
    print(f"two weeks of shop 1: {without:.0f} without a promotion, {promoted:.0f} with one on the first weekend")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The network learned an association, as all of them do: here promotions were drawn at random, so it is the effect.
    Shops promote when sales are weak, and then the two differ. On the command line, the same is

        throughtime forecast sales.csv --horizon 14 --future promotion

    whose [report](../report.md) tells what the promotions bring, and the sum of all shops with its intervals: intervals
    of single shops do not add up.
    """)
    return


if __name__ == "__main__":
    app.run()
