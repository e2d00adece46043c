"""Lesson 4: from a file to a forecast that you can defend.

Run it as a script, or open it as a notebook::

    python docs/lessons/file_to_forecast.py
    python docs/lessons/file_to_forecast.py --picture forecast.png
    marimo edit docs/lessons/file_to_forecast.py
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Lesson 4: from a file to a forecast")

with app.setup(hide_code=True):
    import argparse
    from collections.abc import Callable
    from pathlib import Path
    from typing import NamedTuple

    import marimo as mo
    import numpy as np
    import polars as pl
    from matplotlib.figure import Figure

    import throughtime as tt
    from throughtime.data import fill_forward, format_times
    from throughtime.forecasting import MEDIAN, named_baselines
    from throughtime.plots import BLUE, INK, ORANGE, house_style

    MODEL = "throughtime"
    WINDOWS = 9  # the last one is kept in the drawer until the end
    LEVELS = [80, 95]

    Simple = Callable[[np.ndarray, int, int], np.ndarray]  # history, season, horizon -> (F,)


@app.cell(hide_code=True)
def _():
    # A script has arguments after its file name; a notebook has none.
    _parser = argparse.ArgumentParser(description="From a file to a forecast that you can defend.")
    _parser.add_argument("--picture", type=Path, metavar="FILE", help="also draw the backtest and the forecast")
    arguments = _parser.parse_args(None if mo.app_meta().mode == "script" else [])
    return (arguments,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lesson 4: from a file to a forecast that you can defend

    Any tool draws a line into the future. Somebody will ask why they should believe it. This lesson builds the answer
    step by step: look at the data, choose the score, start with simple methods, forecast the past, read the scores
    critically, and only then forecast the future. It uses two files: the weekly carbon dioxide in the air over Mauna
    Loa, and the yearly flow of the Nile.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Look first

    `tt.read_panel` detects the columns and the frequency and reports them. Read its notes, since a wrong guess here
    makes all later results wrong. A gap is not zero: it stays missing, in training and in the scores. Is there one long
    gap or many short ones? Are there any in the last year?
    """)
    return


@app.function
def examples() -> Path:
    """Return the folder of series, in this folder or one above it."""
    here = mo.notebook_dir() or Path.cwd()
    found = [folder / "examples" for folder in (here, *here.parents) if (folder / "examples" / "nile.csv").exists()]
    if not found:
        raise SystemExit("The folder examples is not here: run the lesson from within a checkout of throughtime.")
    return found[0]


@app.function
def longest_gap(values: np.ndarray) -> int:
    """Return the length of the longest run of missing values."""
    edges = np.diff(np.concatenate([[0], np.isnan(values), [0]]))
    return int((np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)).max(initial=0))


@app.function
def say_data(panel: "tt.Panel", season: int) -> None:
    """Print the notes on the file, its range of values and its gaps."""
    values = panel.series(0)
    for note in panel.notes:
        print(f"  {note}")
    print(f"  Values from {np.nanmin(values):g} to {np.nanmax(values):g}, the last one {values[-1]:g}.")
    print(f"  Longest gap {longest_gap(values)} steps; in the last {season} steps {np.isnan(values[-season:]).sum()}.")


@app.cell
def _():
    print("co2_weekly.csv: what is in it\n")
    panel = tt.read_panel(examples() / "co2_weekly.csv")
    say_data(panel, season=52)
    return (panel,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Say what counts, before there is a result

    Afterwards there is always some score by which your method wins.

    - The horizon follows from the decision: half a year of weeks, five years of the river.
    - The series' past is cut at several cutoffs. The horizon after each one is forecast from the data before it. One
      window can be luck.
    - The last window goes into a drawer. If you try ten models on the same windows and keep the best, you have fitted
      the windows. The drawer is opened once, after the decision.
    - The score is MASE: the mean absolute error over that of seasonal naive on the history. Below 1 is better than
      repeating the last season was, on average, one season ahead.
    - The network must lead the best simple method by more than twice the lead's standard error over the windows.
      Otherwise the simple method is used: it is cheaper, and anybody can check it.
    """)
    return


@app.function
def mase(forecasts: np.ndarray, truth: np.ndarray, scale: float) -> np.ndarray:
    """Return the score (K,) of each window of forecasts (K, F); missing true values do not count."""
    return np.nanmean(np.abs(forecasts - truth), axis=1) / scale


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Simple methods first

    Seasonal naive repeats the value one season before. On a rising series that is easy to beat. So add a second method,
    so simple that it fits on a napkin. For the carbon dioxide it is the same week of last year, plus the rise over the
    last year. For the Nile it is the mean of the last thirty years. A lead over the weaker of two simple methods proves
    nothing.
    """)
    return


@app.function
def seasonal_naive(history: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """Return (F,): the last season, repeated."""
    return np.resize(history[-season:], horizon)


@app.function
def last_year_moved(history: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """Return (F,): the last season, plus the difference between the last value and the one a season before."""
    return seasonal_naive(history, season, horizon) + history[-1] - history[-1 - season]


@app.function
def thirty_years(history: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """Return (F,): the mean of the last thirty values."""
    del season  # the mean has none
    return np.full(horizon, history[-30:].mean())


@app.class_definition
class Case(NamedTuple):
    """A file and its forecasting task."""

    file: str
    horizon: int
    season: int
    unit: str
    napkin: Simple


@app.cell
def _():
    CARBON = Case("co2_weekly.csv", 26, 52, "ppm", last_year_moved)
    NILE = Case("nile.csv", 5, 1, "10^8 m3", thirty_years)
    return CARBON, NILE


@app.class_definition
class Past(NamedTuple):
    """The true values (K, F), the history before each window without gaps, and the scale of MASE."""

    truth: np.ndarray
    histories: list[np.ndarray]
    scale: float


@app.function
def cut(panel: "tt.Panel", case: Case) -> Past:
    """Return the last windows, one horizon apart, with gaps of the histories filled from a season before."""
    values, filled = panel.series(0), fill_forward(panel.values, panel.offsets, case.season)
    cuts = [len(values) - k * case.horizon for k in range(WINDOWS, 0, -1)]
    first = values[: cuts[0]]
    scale = np.nanmean(np.abs(first[case.season :] - first[: -case.season]))
    truth = np.stack([values[at : at + case.horizon] for at in cuts])
    return Past(truth, [filled[:at] for at in cuts], float(scale))


@app.function
def by_hand(method: Simple, past: Past, case: Case) -> np.ndarray:
    """Return the forecasts (K, F) of a simple method at each cutoff."""
    return np.stack([method(history, case.season, case.horizon) for history in past.histories])


@app.function
def say_simple(past: Past, case: Case) -> None:
    """Print the mean scores of two simple methods, without the drawer."""
    print(f"\n{case.file}: simple methods first, MASE over {WINDOWS - 1} windows of {case.horizon} steps\n")
    for name, method in (("seasonal_naive", seasonal_naive), ("napkin", case.napkin)):
        print(f"  {name:<16}{mase(by_hand(method, past, case), past.truth, past.scale)[:-1].mean():>7.3f}")


@app.cell
def _(CARBON, panel):
    past = cut(panel, CARBON)
    say_simple(past, CARBON)
    return (past,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Forecast the past

    `backtest` fits on the data before the first window and forecasts all windows, each from the data before it. The
    simple methods are estimated again at each cutoff, so the network has the harder task; `refit=True` also fits the
    network again each time. It is compared with baselines: here drift, the line through the first and the last value,
    and Naive2, which is naive on the seasonally adjusted series. The extra `baselines` adds "autoets" and others: `pip
    install -e '.[baselines]'` in a checkout.

    `preset="fast"` is the pretrained network, which has learned from synthetic series alone (lesson 12). To fit it is
    to widen its intervals until they cover the held-out ends; no network is trained. The default, "balanced", trains
    four networks on the series, and takes the better of both. Try it when you have read to the end. But then the drawer
    has been opened, and the result is one more choice after the fact.

    The same on the command line, with a report:

        throughtime backtest examples/co2_weekly.csv --horizon 26 --windows 9 --preset fast
    """)
    return


@app.function
def forecaster(case: Case) -> "tt.Forecaster":
    """Return a forecaster: the pretrained network, with intervals as wide as this series needs them."""
    return tt.Forecaster(horizon=case.horizon, season=case.season, preset="fast")


@app.function
def backtest(panel: "tt.Panel", case: Case) -> pl.DataFrame:
    """Return the forecasts of the network and the baselines, with the true values."""
    return forecaster(case).backtest(panel, windows=WINDOWS, level=LEVELS, baselines=["drift", "naive2"])


@app.function
def of_windows(rows: pl.DataFrame, column: str) -> np.ndarray:
    """Return a column (K, F) of the backtest, window by window."""
    return rows[column].to_numpy().reshape(WINDOWS, -1)


@app.function
def all_scores(rows: pl.DataFrame, past: Past, case: Case) -> dict[str, np.ndarray]:
    """Return the MASE (K,) of each method in each window; the drawer is the last."""
    forecasts = {name: of_windows(rows, name) for name in (MODEL, "seasonal_naive", "drift", "naive2")}
    forecasts["napkin"] = by_hand(case.napkin, past, case)
    return {name: mase(said, past.truth, past.scale) for name, said in forecasts.items()}


@app.function
def say_scores(scores: dict[str, np.ndarray], case: Case) -> None:
    """Print each method's mean score and its scores by window, without the drawer."""
    print(f"\n{case.file}: the network and the simple methods, window by window\n")
    for name, each in scores.items():
        print(f"  {name:<16}{each[:-1].mean():>7.3f}   " + "".join(f"{one:>7.2f}" for one in each[:-1]))


@app.cell
def _(CARBON, panel, past):
    rows = backtest(panel, CARBON)
    np.testing.assert_allclose(of_windows(rows, "seasonal_naive"), by_hand(seasonal_naive, past, CARBON))  # the same
    scores = all_scores(rows, past, CARBON)
    say_scores(scores, CARBON)
    return rows, scores


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Read the scores

    A mean over windows hides their differences, so look at each window. The windows are few and follow each other, so
    the standard error of the lead is itself only a rough number. But it prevents the worst mistake: to take one lucky
    window for a lead.
    """)
    return


@app.class_definition
class Decision(NamedTuple):
    """The best simple method; the network's lead over it in MASE; the lead's standard error; windows won."""

    rival: str
    lead: float
    doubt: float
    won: int

    @property
    def network(self) -> bool:
        """True if the network leads by more than twice the standard error."""
        return self.lead > 2 * self.doubt


@app.function
def decide(scores: dict[str, np.ndarray]) -> Decision:
    """Decide by the rule above, from all windows except the drawer."""
    judged = {name: each[:-1] for name, each in scores.items()}
    rival = min((name for name in judged if name != MODEL), key=lambda name: judged[name].mean())
    leads = judged[rival] - judged[MODEL]
    return Decision(rival, leads.mean(), leads.std(ddof=1) / np.sqrt(len(leads)), int((leads > 0).sum()))


@app.function
def say_decision(made: Decision, scores: dict[str, np.ndarray]) -> None:
    """Print the winner and how certain it is."""
    count, drawer = WINDOWS - 1, {name: scores[name][-1] for name in (MODEL, made.rival)}
    naive = 1 - scores[MODEL][:-1].mean() / scores["seasonal_naive"][:-1].mean()
    share = made.lead / scores[made.rival][:-1].mean()
    print(f"  Against seasonal naive the network's error is {abs(naive):.0%} {'less' if naive > 0 else 'more'}.")
    print(f"  Against the best simple method, {made.rival}, {abs(share):.0%} {'less' if share > 0 else 'more'}.")
    print(f"  Lead {made.lead:+.3f} MASE, standard error {made.doubt:.3f}; {made.won} of {count} windows won.")
    if made.network:
        print("  The lead is more than twice its standard error: use the network.")
    elif made.lead > 0:
        print(f"  A lead, but not more than twice its standard error. It may be chance: use {made.rival}.")
    else:
        print(f"  The network does not win. Use {made.rival}.")
    print(f"  The drawer, opened now: {MODEL} {drawer[MODEL]:.3f}, {made.rival} {drawer[made.rival]:.3f}.")
    if (drawer[MODEL] < drawer[made.rival]) != made.network:
        print("  The drawer disagrees. We do not change our mind over one window, but we write it down.")


@app.cell
def _(scores):
    print("\nco2_weekly.csv: the decision\n")
    made = decide(scores)
    say_decision(made, scores)
    return (made,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Intervals are promises

    "80 %" means that four in five of many such intervals contain the true value. This need not hold in each window: the
    errors of one window are correlated, since they share one history. So count over all windows, and look at the
    distance of single windows from the mean. Too little coverage is a broken promise. Too much is a weak one: an
    interval from zero to infinity always covers.
    """)
    return


@app.function
def covered(rows: pl.DataFrame, level: int) -> np.ndarray:
    """Return (K,): the share of each window's known values inside the network's interval."""
    low, high, truth = (of_windows(rows, name) for name in (f"{MODEL}-lo-{level}", f"{MODEL}-hi-{level}", "y"))
    inside = (low <= truth) & (truth <= high)
    return np.nanmean(np.where(np.isnan(truth), np.nan, inside), axis=1)


@app.function
def kept(share: float, level: int) -> str:
    """Compare the covered share with the level, in words."""
    if abs(share - level / 100) <= 0.05:
        return "promise kept within 5 points"
    return "wider than necessary" if share > level / 100 else "too narrow, and to be quoted with that figure"


@app.function
def say_intervals(rows: pl.DataFrame, unit: str) -> None:
    """Print each level's coverage, including the drawer: no choice depends on it any more."""
    for level in LEVELS:
        each = covered(rows, level)
        width = float((rows[f"{MODEL}-hi-{level}"] - rows[f"{MODEL}-lo-{level}"]).mean())
        print(
            f"  {level} % promised, {each.mean():.0%} covered; the worst window {each.min():.0%}. "
            f"{width:,.4g} {unit} wide on average: {kept(each.mean(), level)}."
        )


@app.cell
def _(CARBON, rows):
    print("\nco2_weekly.csv: the network's intervals\n")
    say_intervals(rows, CARBON.unit)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Now the future

    Forecast with the chosen method. The network is fitted to all data, including the drawer with the newest data. A
    simple method gets its range from its own errors in the windows. The table is the result. Never quote a median
    without its range.
    """)
    return


@app.class_definition
class Told(NamedTuple):
    """A case with its backtest, scores and decision."""

    panel: "tt.Panel"
    past: Past
    rows: pl.DataFrame
    scores: dict[str, np.ndarray]
    made: Decision


@app.function
def of_network(model: "tt.Forecaster") -> pl.DataFrame:
    """Return ``point, lo-80, hi-80, ...`` of a fitted forecaster."""
    said = model.predict(level=LEVELS).drop("unique_id", "ds")
    return said.rename(lambda name: name.removeprefix(f"{MODEL}-").replace(MODEL, "point"))


@app.function
def of_simple(name: str, told: "Told", case: Case) -> pl.DataFrame:
    """Return the same for a simple method, with ranges from the quantiles of its absolute errors."""
    history = fill_forward(told.panel.values, told.panel.offsets, case.season)
    if name == "napkin":
        point = case.napkin(history, case.season, case.horizon)
        past = by_hand(case.napkin, told.past, case)
    else:
        point = named_baselines([name])[name](history, case.season, case.horizon)[:, MEDIAN]
        past = of_windows(told.rows, name)
    table = {"point": point}
    for level in LEVELS:
        off = np.nanquantile(np.abs(past - told.past.truth), level / 100)
        table |= {f"lo-{level}": point - off, f"hi-{level}": point + off}
    return pl.DataFrame(table)


@app.function
def say_forecast(times: list[str], forecast: pl.DataFrame) -> None:
    """Print some steps of the forecast, with the ranges."""
    print(f"  {'':<10}" + "".join(f"{name:>9}" for name in forecast.columns))
    for step in sorted({0, 1, len(times) // 2, len(times) - 1}):
        print(f"  {times[step]:<10}" + "".join(f"{value:>9.1f}" for value in forecast.row(step)))


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Write it down

    State the limits, too. Later readers see the claim and can check it. No backtest can know this: the next half year
    may differ from all of the windows.
    """)
    return


@app.function
def memo(told: "Told", case: Case, times: list[str], forecast: pl.DataFrame) -> str:
    """Return the text for the person who asked."""
    made, last = told.made, forecast.row(-1, named=True)
    low, high = last["lo-80"], last["hi-80"]
    sent, other = (MODEL, made.rival) if made.network else (made.rival, MODEL)
    score, beside = (float(told.scores[name].mean()) for name in (sent, other))
    better = int((told.scores[sent] < told.scores[other]).sum())
    if made.network:
        promise = f"Such ranges contained {covered(told.rows, 80).mean():.0%} of the true values"
    else:
        promise = "The range is as wide as 80 % of this method's errors were"
    return f"""\
  {times[-1]}: {last["point"]:.1f} {case.unit}; four times of five between {low:.1f} and {high:.1f}. Method: {sent}.
  {promise} in {WINDOWS} past periods of {case.horizon} steps.
  MASE {score:.2f} there; {other} had {beside:.2f}, and was worse in {better} of {WINDOWS} periods.
  Limits: one series, {WINDOWS} consecutive periods. The forecast uses only the series' own past, so it cannot foresee
  what never happened there. Each range holds for one step, not for all steps at once.
  In {case.horizon} steps we compare with the true values, and report it here."""


@app.function
def tell_future(told: Told, case: Case, model: "tt.Forecaster") -> pl.DataFrame:
    """Print the forecast and the memo, and return the forecast; the model is fitted only if it was chosen."""
    times = format_times(told.panel.future(case.horizon)[1])
    forecast = of_network(model.fit(told.panel)) if told.made.network else of_simple(told.made.rival, told, case)
    print(f"\n{case.file}: the forecast, and what you write\n")
    say_forecast(times, forecast)
    print(f"\n{memo(told, case, times, forecast)}")
    return forecast


@app.cell
def _(CARBON, made, panel, past, rows, scores):
    told = Told(panel, past, rows, scores, made)
    forecast = tell_future(told, CARBON, forecaster(CARBON))
    return forecast, told


@app.function
def picture(told: Told, forecast: pl.DataFrame, case: Case) -> Figure:
    """Draw the backtest with the true values, and the forecast."""
    shown = -(WINDOWS + 2) * case.horizon
    times, ahead = told.panel.times(0)[shown:], told.panel.future(case.horizon)[1]
    truth, napkin = told.panel.series(0)[shown:], by_hand(case.napkin, told.past, case)
    with house_style():
        figure = Figure(figsize=(10, 4.5))
        axes = figure.subplots()
        axes.plot(times, truth, color=INK, linewidth=1.2, label="true values")
        for place, window in enumerate(told.rows.partition_by("cutoff", maintain_order=True)):
            label = place == 0
            bounds = (window[f"{MODEL}-{side}-80"] for side in ("lo", "hi"))
            axes.fill_between(window["ds"], *bounds, color=BLUE, alpha=0.25, linewidth=0, label="80 %" * label)
            axes.plot(window["ds"], window[MODEL], color=BLUE, label=MODEL * label)
            axes.plot(window["ds"], napkin[place], color=ORANGE, linestyle="--", label="napkin" * label)
        axes.fill_between(ahead, forecast["lo-80"], forecast["hi-80"], color=INK, alpha=0.2, linewidth=0)
        axes.plot(ahead, forecast["point"], color=INK, linestyle=":", label="forecast, 80 %")
        axes.set(title=f"{WINDOWS} windows, the last one the drawer, and the forecast", ylabel=case.unit)
        axes.legend(fontsize=8.5)
    return figure


@app.cell
def _(CARBON, forecast, told):
    drawn = picture(told, forecast, CARBON)
    drawn
    return (drawn,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What does it look at?

    Move each of the past values a little, one at a time, and see how far the forecast moves. If it followed one value
    above all, one wrong measurement would spoil it. Without a training this costs a second. Of a network that was
    trained here, `tt.gradient_flow(model)` measures the same by derivatives.
    """)
    return


@app.function
def influence(history: np.ndarray, case: Case, count: int) -> np.ndarray:
    """Return by how much the forecast moves with each of the last values (count,), the last one first."""
    step = 0.1 * float(np.nanstd(np.diff(history)))
    moved = history + step * np.eye(len(history))[: -count - 1 : -1]
    said = tt.pretrained().quantiles([history, *moved], case.horizon, (case.season, case.season))[:, :, MEDIAN]
    return np.abs(said[1:] - said[0]).sum(axis=1) / step


@app.function
def say_reach(moves: np.ndarray, season: int) -> None:
    """Print the shares of the past values in the movement of the forecast."""
    share = np.cumsum(moves) / moves.sum()
    one, two = share[season - 1], share[2 * season - 1]
    print(f"  Of the forecast's movement with the last {len(share)} values, {share[0]:.0%} is with the last one,")
    print(f"  {one:.0%} with the last season, {two:.0%} with the last two.")


@app.cell
def _(CARBON, forecast, panel):
    print("\nco2_weekly.csv: how far back the network looks\n")
    say_reach(influence(panel.series(0), CARBON, 4 * CARBON.season), CARBON.season)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The Nile, where there is little to learn

    This series has a hundred numbers, no season, and one drop in 1898. The text above was written before the winner was
    known. Write yours in the same way.
    """)
    return


@app.function
def tell_past(case: Case) -> Told:
    """Do all of the above: from the file to the decision."""
    panel = tt.read_panel(examples() / case.file)
    print(f"\n{case.file}: what is in it\n")
    say_data(panel, max(case.season, case.horizon))
    past = cut(panel, case)
    say_simple(past, case)
    rows = backtest(panel, case)
    scores = all_scores(rows, past, case)
    say_scores(scores, case)
    print(f"\n{case.file}: the decision\n")
    made = decide(scores)
    say_decision(made, scores)
    print(f"\n{case.file}: the network's intervals\n")
    say_intervals(rows, case.unit)
    return Told(panel, past, rows, scores, made)


@app.cell
def _(NILE):
    _ = tell_future(tell_past(NILE), NILE, forecaster(NILE))
    return


@app.cell(hide_code=True)
def _(arguments, drawn):
    if arguments.picture:
        drawn.savefig(arguments.picture)
        print(f"\nPicture written to {arguments.picture}.")
    return


if __name__ == "__main__":
    app.run()
