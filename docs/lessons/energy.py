"""Lesson 14: hourly electricity with temperature.

Run it as a script, or open it as a notebook::

    python docs/lessons/energy.py
    marimo edit docs/lessons/energy.py
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Lesson 14: electricity and temperature")

with app.setup(hide_code=True):
    from datetime import datetime, timedelta

    import marimo as mo
    import numpy as np
    import polars as pl

    import throughtime as tt

    HOURS, HORIZON = 24 * 70, 24


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lesson 14: electricity and temperature

    How much electricity will be drawn tomorrow, hour by hour? Heating follows the temperature, which a weather service
    forecasts. The data are generated, with a seed: two seasons (day and week), and 3 % more for each degree below
    15 °C. The temperature is the true one here; a real forecast of it errs, and then so does yours.
    """)
    return


@app.function
def load(seed: int = 0) -> pl.DataFrame:
    """Return hourly load in megawatts and temperature, and one day more, whose load is `truth` alone."""
    rng, hours = np.random.default_rng(seed), np.arange(HOURS + HORIZON)
    weather = np.zeros(len(hours))
    for hour in hours[1:]:
        weather[hour] = 0.985 * weather[hour - 1] + rng.normal(0, 0.8)
    temperature = 6 + weather + 4 * np.sin(2 * np.pi * (hours - 9) / 24)
    working = np.where(hours // 24 % 7 < 5, 1.0, 0.8)
    day = 1 + 0.25 * np.sin(2 * np.pi * (hours - 7) / 24) + 0.1 * np.sin(4 * np.pi * (hours - 7) / 24)
    heating = 1 + 0.03 * np.maximum(15 - temperature, 0)
    truth = 500 * working * day * heating * np.exp(rng.normal(0, 0.015, len(hours)))
    ds = [datetime(2025, 11, 3) + timedelta(hours=int(hour)) for hour in hours]
    table = pl.DataFrame({"ds": ds, "temperature": temperature, "truth": truth})
    return table.with_columns(y=pl.when(pl.int_range(pl.len()) < HOURS).then("truth"))


@app.cell
def _():
    table = load()
    print(table.select("ds", "temperature", "y")[HOURS - 2 : HOURS + 2])
    return (table,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## With the temperature, and without

    The rows of tomorrow have a temperature and no load: the network reads them. The pretrained network sees the load
    alone: it knows the day and the week, not the weather.
    """)
    return


@app.function
def fitted(table: pl.DataFrame) -> tt.Forecaster:
    """Return a forecaster of one network that reads the temperature."""
    model = tt.Forecaster(horizon=HORIZON, members=1, steps=250)
    return model.fit(table.select("ds", "y", "temperature"), future="temperature")


@app.cell
def _(table):
    model = fitted(table)
    ahead = model.predict(level=[80, 95])
    history, truth = table[:HOURS], table["truth"].to_numpy()[HOURS:]
    alone = tt.pretrained().predict(history.select("ds", "y"), horizon=HORIZON)
    for name, said in (
        ("with temperature", ahead["throughtime"].to_numpy()),
        ("load alone", alone["throughtime"].to_numpy()),
        ("same hour last week", history["y"].to_numpy()[-168:-144]),
    ):
        print(f"{name:<20} {np.abs(said - truth).mean() / truth.mean():.1%} of the mean load")
    return ahead, model, truth


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Is the peak inside its interval?

    Who buys electricity asks about the highest hour. The interval is of each hour, not of the maximum: the chance that
    at least one of 24 hours is outside is larger than 20 %. And with a given number of training steps there is no
    held-out run, which would make the intervals as wide as the errors are: without `steps=`, the fit takes longer and
    calibrates them.
    """)
    return


@app.cell
def _(ahead, truth):
    low, high = (ahead[f"throughtime-{side}-80"].to_numpy() for side in ("lo", "hi"))
    peak = int(truth.argmax())
    print(f"peak at {ahead['ds'][peak]:%H:%M}: {truth[peak]:.0f} MW")
    print(f"its interval of 80 %: {low[peak]:.0f} to {high[peak]:.0f} MW")
    print(f"{np.mean((truth >= low) & (truth <= high)):.0%} of the day's hours are inside their intervals")
    return


@app.cell
def _(model):
    model.plot()
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    On the command line: `throughtime forecast load.csv --horizon 24 --future temperature`. If the file has no rows for
    tomorrow, `--future-file weather.csv` brings them. [Covariates](../covariates.md) says what a past covariate is good
    for: a measured temperature without a forecast.
    """)
    return


if __name__ == "__main__":
    app.run()
