"""Lesson 12: what a recurrent network learns from series that never existed.

Run it as a script, or open it as a notebook::

    python docs/lessons/never_existed.py
    python docs/lessons/never_existed.py --data examples/nile.csv --horizon 5 --pictures out/lesson
    marimo edit docs/lessons/never_existed.py
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Lesson 12: series that never existed")

with app.setup(hide_code=True):
    import argparse
    from pathlib import Path
    from typing import NamedTuple

    import equinox as eqx
    import jax
    import marimo as mo
    import numpy as np
    import polars as pl
    from matplotlib.figure import Figure

    import throughtime as tt
    from throughtime import zero_shot
    from throughtime.layers import per_step
    from throughtime.plots import BLUE, INK, LIGHT, house_style
    from throughtime.pretraining import FAMILIES, MixtureNetwork, Seasons, draw_group, network_with

    WINDOWS = 6  # of the backtest
    SHOWN = 3  # simple forecasts with a color of their own
    DASHES = tuple(zip((LIGHT[f"baseline-{number}"] for number in (1, 2, 3)), ("--", ":", "-."), strict=True))
    FLOOR = 1e-8  # of the logarithmic axis


@app.cell(hide_code=True)
def _():
    # A script has arguments after its file name; a notebook has none.
    _parser = argparse.ArgumentParser(description="What a network learns from series that never existed.")
    _parser.add_argument("--data", type=Path, metavar="FILE", help="a series of yours (default: the sea's temperature)")
    _parser.add_argument("--horizon", type=int, default=12, help="steps to forecast (default 12)")
    _parser.add_argument("--pictures", type=Path, metavar="DIR", help="also draw the chapters into this folder")
    arguments = _parser.parse_args(None if mo.app_meta().mode == "script" else [])
    tt.configure()  # keeps compiled programs, so the second run is quicker
    return (arguments,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lesson 12: what a recurrent network learns from series that never existed

    The networks of the other lessons know nothing at first, and learn from your data. A single series of 144 months is
    very little to learn from. But much of what a forecaster knows is not about this series: that seasons repeat, that
    trends flatten, that a level after a jump stays where it is, that intervals grow with the distance. All of that can
    be learned from other series, and these need not be real. A program that draws them gives as many as one likes, with
    nobody's data in it and no benchmark by accident.

    throughtime has a network of that kind in its package: `tt.pretrained()`. Four residual blocks of a GRU learned from
    synthetic series alone. This lesson looks at its series, into it, and at what it makes of a real one.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Series that never existed

    Ten families are drawn in a fixed mixture. A group has one structure, drawn once: the family, the season's shape,
    the orders. Each of its series has its own noise. Then most groups are changed, as life does it: breaks, shocks,
    outliers, other scales, a second family added. Here are three series of one group of each family, with a season of
    twelve steps. With another seed there are others.
    """)
    return


@app.function
def drawn_families(seed: int, steps: int = 120) -> dict[str, np.ndarray]:
    """Draw groups from the mixture until each family has come; return the first group (32, T) of each."""
    rng, drawn = np.random.default_rng(seed), {}
    while len(drawn) < len(FAMILIES):
        group = draw_group(rng, 32, steps, Seasons(12))
        drawn.setdefault(group.family, group.series)
    return {family: drawn[family] for family in FAMILIES}


@app.function
def families_picture(drawn: dict[str, np.ndarray]) -> Figure:
    """Draw three series of each family, above one another."""
    with house_style():
        figure = Figure(figsize=(10, 8.4))
        panels = figure.subplots(5, 2, sharex=True).T.ravel()
        for axes, (family, series) in zip(panels, drawn.items(), strict=True):
            for place, values in enumerate(series[:3]):
                axes.plot((values - values.mean()) / (np.ptp(values) or 1) - 1.1 * place, color=INK, linewidth=1.1)
            axes.set_title(f"{family}, weight {FAMILIES[family].share:.2f}")
            axes.set(yticks=[])
            axes.grid(axis="y", visible=False)
        for axes in panels[4::5]:
            axes.set_xlabel("step")
        figure.suptitle("Which series did the network learn from? Three of a group of each family", x=0.01, ha="left")
    return figure


@app.cell
def _():
    families = families_picture(drawn_families(seed=4))
    families
    return (families,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What the network reads

    The network has 256,000 weights, and does not spend them on what arithmetic does better. Eighteen simple forecasts
    are computed from the whole history: seasonal naive, exponential smoothing around a profile, Theta, damped trends,
    an autoregression and so on. The network reads them, patch by patch, and the error that each of them would have had
    at the end of the history. It answers with weights for them, a correction of their mixture, and thirteen quantiles.

    All values are in units of the window: its level is subtracted, and the rest divided by the mean difference of
    values a season apart. So a river and a price look alike to it.
    """)
    return


@app.class_definition
class Case(NamedTuple):
    """A series with its season, and the steps that are hidden from the network."""

    panel: tt.Panel
    season: int
    horizon: int

    @property
    def history(self) -> np.ndarray:
        """Return the values that the network may see (N,), NaN where missing."""
        return self.panel.series(0)[: -self.horizon]

    @property
    def truth(self) -> np.ndarray:
        """Return the values that are hidden (F,)."""
        return self.panel.series(0)[-self.horizon :]


@app.function
def examples() -> Path:
    """Return the folder of series, in this folder or one above it."""
    here = mo.notebook_dir() or Path.cwd()
    found = [folder / "examples" for folder in (here, *here.parents) if (folder / "examples" / "nile.csv").exists()]
    if not found:
        raise SystemExit("The folder examples is not here: run the lesson from within a checkout of throughtime.")
    return found[0]


@app.function
def make_case(file: Path, horizon: int) -> Case:
    """Read the first series of a file, whose last horizon is hidden."""
    panel = tt.read_panel(file)
    return Case(panel, panel.frequency.season, horizon)


@app.class_definition
class Look(NamedTuple):
    """A window as the network sees it: the name of its shape, its inputs, and the weights (C, K) that it gives."""

    shape: str
    inputs: zero_shot.Inputs
    weights: np.ndarray

    def in_units(self, horizon: int) -> np.ndarray:
        """Return the simple forecasts (K, F) in the data's own units."""
        return self.inputs.bases[0, :, :horizon] * self.inputs.scale[0] + self.inputs.center[0]


@app.function
def look_at(network: MixtureNetwork, case: Case) -> Look:
    """Return what the network reads before the hidden steps, and how it weights the simple forecasts."""
    name = "short" if len(case.history) <= 144 else "long"
    shape = zero_shot.SHAPES[name]
    values = np.full((1, max(len(case.history), shape.context)), np.nan)
    values[0, -len(case.history) :] = case.history
    season = np.array([case.season])
    inputs = zero_shot.inputs_of(values, zero_shot.Seasons(season, season), shape)
    return Look(name, inputs, np.asarray(eqx.filter_jit(MixtureNetwork.shares)(network, name, inputs))[0])


@app.function
def of_steps(look: Look, horizon: int) -> np.ndarray:
    """Return the weights (K,), averaged over the patches that the horizon touches."""
    patch = zero_shot.SHAPES[look.shape].patch
    return look.weights[: -(-horizon // patch)].mean(axis=0)


@app.function
def say_weights(look: Look, case: Case) -> None:
    """Print the simple forecasts by weight, with their errors on the hidden steps."""
    weights = of_steps(look, case.horizon)
    errors = np.nanmean(np.abs(look.in_units(case.horizon) - case.truth), axis=1)
    mixture = np.nanmean(np.abs(weights @ look.in_units(case.horizon) - case.truth))
    print(f"The mixture of simple forecasts for the last {case.horizon} steps of {case.panel.ids[0]}\n")
    print(f"  {'weight':>7}{'error':>9}   simple forecast")
    for place in np.argsort(-weights):
        if weights[place] > 0.01:
            print(f"  {weights[place]:>7.0%}{errors[place]:>9.3g}   {zero_shot.BASES[place]}")
    print(f"\n  Error of the mixture {mixture:.3g}, of the best simple forecast, known afterwards, {errors.min():.3g}.")


@app.cell
def _(arguments):
    case = make_case(arguments.data or examples() / "sea_surface_temperature.csv", arguments.horizon)
    network = network_with(zero_shot.shipped_weights()[0])
    look = look_at(network, case)
    say_weights(look, case)
    return case, look, network


@app.function
def ahead(case: Case) -> np.ndarray:
    """Return the quantiles (F, Q) of the hidden steps."""
    return tt.pretrained().quantiles([case.history], case.horizon, (case.season, case.season))[0]


@app.function
def mixture_picture(look: Look, case: Case, quantiles: np.ndarray) -> Figure:
    """Draw the end of a history, all simple forecasts, and the network's."""
    past = case.history[-4 * case.horizon :]
    steps, middle = np.arange(1, case.horizon + 1), zero_shot.MIDDLE
    low, high = (zero_shot.LEVELS.index(level) for level in (0.1, 0.9))
    best = np.argsort(-of_steps(look, case.horizon))[:SHOWN]
    with house_style():
        figure = Figure(figsize=(10, 4.2))
        axes = figure.subplots()
        for forecast in look.in_units(case.horizon):
            axes.plot(steps, forecast, color=INK, alpha=0.2, linewidth=0.9)
        axes.plot(np.arange(1 - len(past), 1), past, color=INK, linewidth=1.3)
        axes.plot(steps, case.truth, color=INK, linewidth=1.3, marker=".", label="what came")
        for place, (color, dash) in zip(best, DASHES, strict=True):
            forecast = look.in_units(case.horizon)[place]
            axes.plot(steps, forecast, color=color, linestyle=dash, label=zero_shot.BASES[place])
        axes.fill_between(steps, quantiles[:, low], quantiles[:, high], color=BLUE, alpha=0.2, linewidth=0)
        axes.plot(steps, quantiles[:, middle], color=BLUE, linewidth=2, label="the network, 80 %")
        axes.axvline(0.5, color=INK, linestyle=":", linewidth=1)
        axes.set(title="What does the network make of eighteen simple forecasts?", xlabel="steps after the cutoff")
        axes.set_ylabel(str(case.panel.ids[0]))
        axes.legend(fontsize=8.5, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


@app.cell
def _(case, look):
    mixture = mixture_picture(look, case, ahead(case))
    mixture
    return (mixture,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Does it need its memory?

    The simple forecasts know the whole history already, so what is left for the recurrence? The blocks read the patches
    of the window from the oldest to the newest, then those of the horizon. Here a step of the cell is a patch: 8 values
    of a short series, 16 of a long one. `tt.gradient_flow` measures each block's GRU on the inputs that it really gets
    for this series, as in lesson 3; and the same network before its first series. With random weights, half of a
    gradient is gone every few patches. See what training made of that.
    """)
    return


@app.function
def block_flows(network: MixtureNetwork, look: Look) -> dict[str, tt.GradientFlow]:
    """Measure the GRU of each block on its own inputs in this window."""
    units, flows = eqx.filter_jit(MixtureNetwork.embedded)(network, look.shape, look.inputs), {}
    for layer in network.stack.layers:
        if isinstance(layer, tt.Block):
            flows[f"block {len(flows) + 1}"] = tt.gradient_flow(layer.cell, per_step(layer.norm, units)[0])
        _, units = eqx.filter_jit(layer)(units)
    return flows


@app.function
def untrained() -> MixtureNetwork:
    """Return the network as it was before the first series."""
    return eqx.filter_jit(MixtureNetwork)(key=jax.random.key(0))


@app.function
def say_flows(name: str, flows: dict[str, tt.GradientFlow]) -> None:
    """Print the half-life of a gradient in each block, and the means of its gates."""
    print(f"\n{name:<12}{'half-life':>10}{'left at the end':>17}{'reset r':>9}{'keep z':>8}{'saturated':>11}")
    for block, flow in flows.items():
        gates = "".join(f"{np.mean(flow.gates[gate]):>{width}.2f}" for gate, width in (("r", 9), ("z", 8)))
        print(f"  {block:<10}{flow.half_life:>10.3g}{flow.memory[-1]:>17.2g}{gates}{flow.saturated:>11.0%}")


@app.function
def blocks_picture(trained: dict[str, tt.GradientFlow], before: dict[str, tt.GradientFlow]) -> Figure:
    """Draw for each block the gradient that is left, and its mean gates."""
    gates = {"keep z": DASHES[0], "reset r": DASHES[1]}
    with house_style():
        figure = Figure(figsize=(10, 5))
        memories, means = figure.subplots(2, len(trained), sharey="row")
        for axes, below, (name, flow) in zip(memories, means, trained.items(), strict=True):
            axes.semilogy(np.maximum(before[name].memory, FLOOR), color=INK, linestyle="--", label="untrained")
            axes.semilogy(np.maximum(flow.memory, FLOOR), color=BLUE, linewidth=2, label="trained")
            axes.set(title=name, xlabel="patches back")
            for gate, (color, dash) in gates.items():
                below.plot(flow.gates[gate[-1]], color=color, linestyle=dash, label=gate)
            below.set(xlabel="patch", ylim=(0, 1))
        memories[0].set_ylabel("what is left of a gradient")
        means[0].set_ylabel("gate, mean over units")
        memories[0].legend(fontsize=8.5)
        means[0].legend(fontsize=8.5)
        figure.suptitle("How far back does each block remember, and how much does it keep?", x=0.01, ha="left")
    return figure


@app.cell
def _(look, network):
    flows, before = block_flows(network, look), block_flows(untrained(), look)
    say_flows("trained", flows)
    say_flows("untrained", before)
    blocks = blocks_picture(flows, before)
    blocks
    return (blocks,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    Read it with the limits of lesson 3: a gradient that is left does not prove that the memory is used. And these are
    means over units, for one window.

    ## A real series

    Now the test that counts. The pretrained network forecasts the last windows of the series, each from what came
    before it, beside seasonal naive. Nothing is trained, so six windows take a fraction of a second. Of the 80 %
    intervals, about four of five should contain the value; with so few windows, three of five or all of them are no
    surprise.
    """)
    return


@app.function
def backtest(case: Case) -> pl.DataFrame:
    """Return the forecasts of the last windows, with the true values."""
    model = tt.Forecaster(horizon=case.horizon, season=case.season, preset="instant")
    return model.backtest(case.panel, windows=WINDOWS, level=80)


@app.function
def say_scores(rows: pl.DataFrame, name: str) -> None:
    """Print the errors over all windows, and who is better."""
    network, naive = (float((rows["y"] - rows[model]).abs().mean()) for model in ("throughtime", "seasonal_naive"))
    inside = rows["y"].is_between(rows["throughtime-lo-80"], rows["throughtime-hi-80"]).mean()
    better = "the network" if network < naive else "seasonal naive"
    print(f"\n{name}: mean absolute error of {WINDOWS} windows\n")
    print(f"  network {network:.3g}, seasonal naive {naive:.3g}, a ratio of {network / naive:.2f}: {better} is better.")
    print(f"  {inside:.0%} of the values are in the intervals of 80 %.")


@app.cell
def _(case):
    rows = backtest(case)
    say_scores(rows, str(case.panel.ids[0]))
    return (rows,)


@app.function
def backtest_picture(rows: pl.DataFrame, case: Case) -> Figure:
    """Draw the windows with the true values."""
    shown = -(WINDOWS + 2) * case.horizon
    with house_style():
        figure = Figure(figsize=(10, 3.8))
        axes = figure.subplots()
        times, values = case.panel.times(0)[shown:], case.panel.series(0)[shown:]
        axes.plot(times, values, color=INK, linewidth=1.3, label="true values")
        for place, window in enumerate(rows.partition_by("cutoff", maintain_order=True)):
            first = place == 0
            bounds = (window[f"throughtime-{side}-80"] for side in ("lo", "hi"))
            axes.fill_between(window["ds"], *bounds, color=BLUE, alpha=0.2, linewidth=0)
            axes.plot(window["ds"], window["throughtime"], color=BLUE, label="the network, 80 %" * first)
            axes.plot(window["ds"], window["seasonal_naive"], color=DASHES[0][0], linestyle="--", linewidth=1.2)
            axes.axvline(window["ds"][0], color=INK, alpha=0.5, linestyle=":", linewidth=0.9)
        axes.lines[2].set_label("seasonal naive")
        axes.set(title="Does it hold for a series that exists?", ylabel=str(case.panel.ids[0]))
        axes.legend(fontsize=8.5, ncols=3, loc="upper left", bbox_to_anchor=(0, -0.12))
    return figure


@app.cell
def _(case, rows):
    windows = backtest_picture(rows, case)
    windows
    return (windows,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What to keep

    - What a network learns from synthetic series is what their program contains. A pattern that no family draws, such
      as the moving date of Easter, it cannot know.
    - It reads one series and its past, no covariates. If you have hundreds of related series, train on them:
      `preset="balanced"` does, and keeps the pretrained network where the held-out ends prefer it.
    - It can be trained again, by the same loop and kernels as your own networks: `throughtime pretrain --minutes 10`
      makes a small one, `tt.pretrained(file)` forecasts with it. Change a family in
      `src/throughtime/pretraining/generators`, and see what it believes then.
    """)
    return


@app.cell(hide_code=True)
def _(arguments, blocks, families, mixture, windows):
    if arguments.pictures:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
        _drawn = {"families": families, "mixture": mixture, "blocks": blocks, "windows": windows}
        for _name, _figure in _drawn.items():
            _figure.savefig(arguments.pictures / f"{_name}.png")
        print(f"\nPictures written to {arguments.pictures}.")
    return


if __name__ == "__main__":
    app.run()
