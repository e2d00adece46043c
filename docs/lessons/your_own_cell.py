"""Lesson 5: write your own cell in 30 lines, and check it against the contracts of a cell.

Run it as a script, or open it as a notebook::

    python docs/lessons/your_own_cell.py
    python docs/lessons/your_own_cell.py --steps 300 --picture flow.png
    marimo edit docs/lessons/your_own_cell.py
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Lesson 5: your own cell")

with app.setup(hide_code=True):
    import argparse
    import tempfile
    import textwrap
    from pathlib import Path
    from typing import ClassVar, NamedTuple

    import jax
    import jax.numpy as jnp
    import marimo as mo
    import numpy as np
    import optax
    import polars as pl
    from jax.nn import sigmoid

    import throughtime as tt
    from throughtime.cells import CELLS, gated_weights
    from throughtime.data import adding
    from throughtime.testing import ContractError
    from throughtime.training import run_steps, start

    LENGTH = 40
    KEY = jax.random.key(0)
    TASK = adding(LENGTH)
    OPTIMIZER = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.005))


@app.cell(hide_code=True)
def _():
    # A script has arguments after its file name; a notebook has none.
    _parser = argparse.ArgumentParser(description="Write your own cell in 30 lines.")
    _parser.add_argument("--steps", type=int, default=600, help="training steps of each cell (default 600)")
    _parser.add_argument("--picture", type=Path, metavar="FILE", help="also draw what flows back through the cell")
    arguments = _parser.parse_args(None if mo.app_meta().mode == "script" else [])
    return (arguments,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lesson 5: your own cell in 30 lines

    A paper has a new cell, or you have an idea. To unroll it, train it, inspect its gradients and forecast with it, you
    need one class with its equations, and `tt.check_cell`, which checks it against the contracts of a cell.

    The example is the update gate network, UGRNN (Collins, Sohl-Dickstein & Sussillo 2017, arXiv 1611.09913): one gate
    between the simple network and the GRU. It is not in the library.

        f = sigmoid(Wx_f @ x + Wh_f @ h + b_f)
        n = tanh(Wx_n @ x + Wh_n @ h + b_n)
        h = f * h + (1 - f) * n
        y = h

    The gate f keeps the old state; n is the candidate for the new one.

    ## A first attempt, with a mistake in it

    `tt.MatrixCell` is the base of cells whose state enters through one matrix product. It needs the weights, the
    initial state, and the step in two parts: `activate` computes the gates from the input's part `gx` and the state's
    part `gh`, and `update` computes the next state. `slopes` is the largest slope of each gate, for `gradient_flow`.
    """)
    return


@app.class_definition
class UGRNNState(NamedTuple):
    """h (H,): the last output."""

    h: jax.Array


@app.class_definition
class FirstAttempt(tt.MatrixCell):
    """A UGRNN with two mistakes."""

    GATES: ClassVar[tuple[str, ...]] = ("f", "n")
    w_x: jax.Array
    w_h: jax.Array
    b: jax.Array

    def __init__(self, inputs: int, hidden: int, *, key: jax.Array):
        self.w_x, self.w_h, self.b = gated_weights(inputs, hidden, self.GATES, ("glorot", "orthogonal", "zeros"), key)

    def initial_state(self) -> UGRNNState:
        return UGRNNState(jnp.full(self.hidden, 0.5))  # the middle between 0 and 1

    @property
    def slopes(self) -> tuple[float, float]:
        return 0.25, 1.0

    def activate(self, gx: jax.Array, gh: jax.Array) -> tuple[jax.Array, jax.Array]:
        f, n = jnp.split(gx + gh, 2)
        return sigmoid(f), jnp.tanh(n)

    def update(self, state: UGRNNState, gates: tuple[jax.Array, ...]) -> UGRNNState:
        f, n = gates
        return UGRNNState(f * state.h + (1 - f) * n)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    It runs and would even learn. `tt.check_cell` checks each contract in turn, on random inputs, and stops at the first
    one that the cell breaks:
    """)
    return


@app.function
def complaint(cell: tt.Cell) -> str:
    """Return the message for the first contract that the cell breaks, or that it keeps them all."""
    try:
        tt.check_cell(cell)
    except ContractError as error:
        return textwrap.fill(str(error), 110)
    return f"{type(cell).__name__} keeps every contract."


@app.cell
def _():
    print(f"1. The first attempt\n\n{complaint(FirstAttempt(3, 5, key=KEY))}\n")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    A state must start at zero. Otherwise padding on the left of a sequence would change the result. The obvious repair
    contains a second mistake:
    """)
    return


@app.class_definition
class SecondAttempt(FirstAttempt):
    """A UGRNN with one mistake."""

    def initial_state(self) -> UGRNNState:
        return UGRNNState(jnp.zeros(self.hidden, jnp.float32))


@app.cell
def _():
    print(f"2. The second attempt\n\n{complaint(SecondAttempt(3, 5, key=KEY))}\n")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The state is in float32 while the weights are in float64. Training in double precision would lose the precision,
    silently or with an error in the middle of a scan. The state should take its type from the weights.

    ## The cell

    This is the complete cell, with two more good habits. The docstring has the equations. And the bias of f starts at
    1, in the weights, so that the cell keeps its state at first ("forget" finds the gate by its name).
    """)
    return


@app.class_definition
class UGRNN(tt.MatrixCell):
    """Update gate recurrent network (Collins, Sohl-Dickstein & Sussillo 2017, arXiv 1611.09913).

    Equations::

        f = sigmoid(Wx_f @ x + Wh_f @ h + b_f)
        n = tanh(Wx_n @ x + Wh_n @ h + b_n)
        h = f * h + (1 - f) * n
        y = h

    Gates f n; w_x (2H, D), w_h (2H, H), b (2H,); the bias of f starts at 1.
    """

    GATES: ClassVar[tuple[str, ...]] = ("f", "n")
    w_x: jax.Array
    w_h: jax.Array
    b: jax.Array

    def __init__(self, inputs: int, hidden: int, *, key: jax.Array):
        self.w_x, self.w_h, self.b = gated_weights(inputs, hidden, self.GATES, ("glorot", "orthogonal", "forget"), key)

    def initial_state(self) -> UGRNNState:
        return UGRNNState(jnp.zeros(self.hidden, self.w_h.dtype))

    @property
    def slopes(self) -> tuple[float, float]:
        return 0.25, 1.0  # sigmoid, tanh

    def activate(self, gx: jax.Array, gh: jax.Array) -> tuple[jax.Array, jax.Array]:
        f, n = jnp.split(gx + gh, 2)
        return sigmoid(f), jnp.tanh(n)

    def update(self, state: UGRNNState, gates: tuple[jax.Array, ...]) -> UGRNNState:
        f, n = gates
        return UGRNNState(f * state.h + (1 - f) * n)


@app.cell
def _():
    print(f"3. The cell\n\n{complaint(UGRNN(3, 5, key=KEY))}\n")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The contracts cannot know if these are the equations that you meant: a cell that forgets to use f passes every
    check. So compute one step by hand, in NumPy and double precision, with weights that are all different.
    """)
    return


@app.function
def step_by_hand(cell: UGRNN, h: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Compute the docstring's equations in NumPy."""
    w_x, w_h, b = (np.asarray(w, np.float64) for w in (cell.w_x, cell.w_h, cell.b))
    a_f, a_n = np.split(w_x @ x + w_h @ h + b, 2)
    f = 1 / (1 + np.exp(-a_f))
    return f * h + (1 - f) * np.tanh(a_n)


@app.cell
def _():
    _cell, _draw = UGRNN(3, 5, key=KEY), np.random.default_rng(0)
    _h, _x = _draw.normal(size=5), _draw.normal(size=3)
    _, _y = _cell.step(UGRNNState(jnp.asarray(_h)), _cell.project(jnp.asarray(_x)))
    np.testing.assert_allclose(_y, step_by_hand(_cell, _h, _x), rtol=1e-5)
    print("One step by hand: the same numbers, to 1e-5.\n")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Train it

    The library's loop trains it like any other cell, on the adding task of lesson 3. Two of forty numbers are marked,
    and the last output should be their sum. The constant answer 1, the mean, has an error of 1/6. A simple network and
    a GRU are trained for comparison, all with 24 units.
    """)
    return


@app.function
def loss(network: tt.RecurrentNetwork, data: None, key: jax.Array) -> jax.Array:
    """Return the mean squared error of the last output, over 32 sequences."""
    batch = TASK.draw(key, 32)
    return jnp.mean((network(batch.xs)[1][:, -1, 0] - batch.targets[:, -1]) ** 2)


@app.function
def learn(kind: type[tt.Cell], steps: int) -> tt.RecurrentNetwork:
    """Train a network of 24 units of this cell, and print the mean error of each 100 steps."""
    key_cell, key_readout = jax.random.split(KEY)
    state = start(tt.RecurrentNetwork(kind(2, 24, key=key_cell), 1, key=key_readout), OPTIMIZER, KEY)
    errors = []
    for progress in run_steps(state, loss, OPTIMIZER, None, steps=steps, every=100):
        state = progress.state
        errors.append(f"{progress.losses.mean():.4f}")
    print(f"  {kind.__name__:<6} {'  '.join(errors)}")
    return state.model


@app.cell
def _(arguments):
    print(f"4. Adding, {LENGTH} steps: mean error of each 100 training steps (1/6 = {TASK.baseline:.4f})\n")
    trained = {_kind.__name__: learn(_kind, arguments.steps) for _kind in (tt.Elman, UGRNN, tt.GRU)}
    return (trained,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What flows back through it

    `tt.gradient_flow` needs only the cell's `step`, and `activate` for the gates. Before and after training:
    """)
    return


@app.function
def flow_of(cell: tt.Cell) -> tt.GradientFlow:
    """Measure the gradient flow over four sequences of the task."""
    return tt.gradient_flow(cell, TASK.draw(KEY, 4).xs)


@app.cell
def _(trained):
    print("\n5. What flows back\n")
    _key_cell, _ = jax.random.split(KEY)
    for _name, _cell in (("as it starts", UGRNN(2, 24, key=_key_cell)), ("trained", trained["UGRNN"].cell)):
        _flow = flow_of(_cell)
        print(f"  {_name}: after {LENGTH} steps {_flow.memory[-1]:.2g} is left; half-life {_flow.half_life:.3g} steps")
    flow = flow_of(trained["UGRNN"].cell)
    print(f"\n{textwrap.fill(flow.verdict, 110)}")
    drawn = flow.plot()
    drawn
    return (drawn,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Forecast with it

    A Forecaster takes a cell by its name, because a saved model stores only names: loading a file must not run code
    from it. So give the cell a name in the library's table, in the program that saves and in every program that loads.
    Its constructor must take `(inputs, hidden, *, key)`, as this one does.
    """)
    return


@app.function
def forecast_with(name: str, kind: type[tt.Cell]) -> pl.DataFrame:
    """Fit a small forecaster with this cell on a synthetic series, save it, load it, and forecast."""
    CELLS[name] = kind
    steps = np.arange(120)
    frame = pl.DataFrame({"ds": steps, "y": 10 + np.sin(2 * np.pi * steps / 12) + 0.02 * steps})
    model = tt.Forecaster(horizon=4, season=12, cell=name, preset="fast", steps=60, hidden=16).fit(frame)
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder)
        return tt.load(folder).predict(level=[80])


@app.cell
def _():
    print('\n6. tt.Forecaster(cell="ugrnn"), saved and loaded\n')
    print(forecast_with("ugrnn", UGRNN))
    return


@app.cell(hide_code=True)
def _(arguments, drawn):
    if arguments.picture:
        drawn.savefig(arguments.picture)
        print(f"\nWritten to {arguments.picture}.")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What you have, and what not

    - These 30 lines give you batches, masks, `jax.grad`, training, gates and verdicts, the wrappers `tt.LayerNorm`,
      `tt.BatchNorm` and `tt.Zoneout`, and checkpoints.
    - There is no native kernel: those exist for the Elman, GRU and LSTM cells. Yours runs by the scan, which is a
      quarter to a half slower. `throughtime forecast --cell` knows only the library's names.
    - Derive a cell that is linear in its state from `tt.LinearCell`, which gives it a parallel scan. Derive one that
      reads its state twice, such as the LEM, from `tt.GatedCell`.
    """)
    return


if __name__ == "__main__":
    app.run()
