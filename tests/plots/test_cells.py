"""What a notebook and a terminal show of cells: sizes, gates and weights, whatever the cell holds."""

import re
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import CELLS, random_cell
from tests.plots.pages import Shown, curves, images, texts
from tests.plots.pages import name as name_of

import throughtime as tt
from throughtime.layers.batch_normalization import BatchNorm
from throughtime.layers.normalization import LayerNorm
from throughtime.layers.residual import Residual
from throughtime.plots.cells import DECOMPOSED
from throughtime.plots.matrices import SIDE

KEY = jax.random.key(0)


def count(cell):
    return sum(leaf.size for leaf in jax.tree.leaves(cell) if eqx.is_inexact_array(leaf))


@pytest.mark.parametrize("name", [name for name in CELLS if not name.startswith("elman") or name == "elman-tanh"])
def test_every_cell_shows_sizes_gates_and_weights(name):
    cell = random_cell(name)
    shown = Shown(cell._repr_html_())
    title = f"{type(cell).__name__}, {cell.inputs} inputs, {cell.hidden} units"
    assert shown.title == title
    assert f"{count(cell):,} parameters." in cell._repr_html_()
    gates = shown.table("gate")
    assert list(gates) == ["gate", *cell.GATES]
    split = [leaf for leaf in jax.tree.leaves(cell) if leaf.shape[0] == cell.w_x.shape[0]]
    assert {row[0] for row in list(gates.values())[1:]} == {str(sum(leaf.size for leaf in split) // len(cell.GATES))}
    blocks = images(shown.figure("w_x"))
    assert len(blocks) == len(cell.GATES)
    assert blocks[-1].shape == (cell.hidden, cell.inputs, 4)
    assert texts(shown.figure("w_x")) == (list(cell.GATES) if len(cell.GATES) > 1 else [])
    assert name_of(shown.figure("w_x")).startswith(f"weights of {', '.join(cell.GATES)}: w_x, ")
    if hasattr(cell, "w_h"):
        assert images(shown.figure("w_h"))[0].shape == (cell.hidden, cell.hidden, 4)
    assert str(cell).startswith(title)
    assert all(f"  {gate} " in str(cell) for gate in cell.GATES)


def test_figures_are_those_of_the_weights():
    cell = random_cell("lstm")
    gates = Shown(cell._repr_html_()).table("gate")
    assert gates["gate"] == ["parameters", "w_x, typical size", "w_h, typical size", "b"]
    block = slice(cell.hidden, 2 * cell.hidden)  # of f
    w_x, w_h, b = (np.asarray(each)[block] for each in (cell.w_x, cell.w_h, cell.b))
    typical = [f"{np.sqrt(np.mean(np.square(w, dtype=float))):.3g}" for w in (w_x, w_h)]
    assert gates["f"] == ["77", *typical, f"{b.min():.3g} to {b.max():.3g}"]
    image = images(Shown(cell._repr_html_()).figure("w_h"))[1]
    largest = np.abs(np.asarray(cell.w_h)).max()
    np.testing.assert_allclose(image[..., 3] / 255, np.abs(w_h) / largest, atol=0.03)


def test_a_fresh_bias_is_one_number():
    gates = Shown(tt.LSTM(2, 3, key=KEY)._repr_html_()).table("gate")
    assert [row[-1] for row in gates.values()] == ["b", "0", "1", "0", "0"]


def test_singular_values_are_drawn_by_gate():
    cell = random_cell("gru")
    figure = Shown(cell._repr_html_()).figure("singular values")
    assert len(curves(figure)) == 3
    assert {"r", "z", "n"} <= set(texts(figure))
    values = [np.linalg.svd(block, compute_uv=False) for block in np.split(np.asarray(cell.w_h, float), 3)]
    assert f"from {np.min(values):.2g} to {np.max(values):.2g}" in name_of(figure)


def test_wrappers_show_what_is_inside_and_their_own():
    cell = Residual(LayerNorm(tt.LSTM(4, 4, key=KEY)))
    shown = Shown(cell._repr_html_())
    assert shown.title == "Residual of LayerNorm of LSTM, 4 inputs, 4 units"
    gates = shown.table("gate")
    assert gates["gate"][:3] == ["parameters", "gain_x", "gain_h"]
    assert gates["f"][:3] == [f"{count(cell) // 4}", "1", "1"]
    cell = BatchNorm(tt.GRU(2, 5, key=KEY), 3)
    shown = Shown(cell._repr_html_())
    assert shown.table("array")["x.variance"] == ["3 x 15", "1"]
    assert shown.table("gates")["steps"] == ["3"]
    assert f"{count(cell) - 4 * 45} parameters." in str(cell)  # running statistics are none


@pytest.mark.parametrize("name", ["lstm", "lru"])
def test_what_holds_no_numbers_has_no_picture(name):
    cell = random_cell(name)
    sizes = f"{type(cell).__name__}, {cell.inputs} inputs, {cell.hidden} units"
    shapes = eqx.filter_eval_shape(lambda: cell)
    nothing = eqx.filter(cell, lambda leaf: False)
    seen = []

    @jax.jit
    def traced(cell):
        seen.append((cell._repr_html_(), str(cell)))
        return cell

    traced(cell)
    for page, title in (
        (shapes._repr_html_(), sizes),
        (nothing._repr_html_(), type(cell).__name__),
        (seen[0][0], sizes),
    ):
        shown = Shown(page)
        assert shown.title == title
        assert shown.captions == []
    assert Shown(shapes._repr_html_()).table("gate")[cell.GATES[0]] == [
        f"{sum(leaf.size for leaf in jax.tree.leaves(cell) if leaf.shape[0] == cell.w_x.shape[0]) // len(cell.GATES)}"
    ]
    assert seen[0][1].startswith(sizes)


def test_many_cells_at_once_are_said_to_be_many():
    cells = eqx.filter_vmap(lambda key: tt.GRU(2, 5, key=key))(jax.random.split(KEY, 3))
    shown = Shown(cells._repr_html_())
    assert shown.title == "GRU, 2 inputs, 5 units"
    assert shown.table("gates")["cells"] == ["3 side by side"]
    assert shown.table("array")["w_h"][0] == "3 x 15 x 5"
    assert shown.captions == []


def test_displays_are_the_same_each_time_and_share_no_ids():
    def ids(page):
        return re.findall(r' id="([^"]+)"', page)

    first, again, other = (tt.GRU(2, 5, key=jax.random.key(seed))._repr_html_() for seed in (3, 3, 4))
    assert first == again
    assert len(ids(first + other)) == len(set(ids(first + other))) > 0


def test_large_cells_stay_small():
    cell = tt.Elman(3, DECOMPOSED + 1, key=KEY)
    page = cell._repr_html_()
    shown = Shown(page)
    assert not any(caption.startswith("singular") for caption in shown.captions)
    (image,) = images(shown.figure("w_h"))
    assert image.shape == (SIDE, SIDE, 4)
    assert len(page) < 40_000
    assert len(tt.LSTM(100, 200, key=KEY)._repr_html_()) < 100_000


def test_numbers_that_are_none_do_not_fail():
    cell = random_cell("elman-relu")
    broken = eqx.tree_at(lambda cell: cell.w_h, cell, cell.w_h.at[1, 2].set(jnp.nan))
    shown = Shown(broken._repr_html_())
    assert not any(caption.startswith("singular") for caption in shown.captions)
    deleted = tt.Elman(2, 3, key=KEY)
    deleted.w_h.delete()
    assert Shown(deleted._repr_html_()).title == "Elman, 2 inputs, 3 units"


class Named(tt.Cell):
    """A user's cell, with names that are HTML."""

    GATES: ClassVar[tuple[str, ...]] = ("<a>", "b & c")
    w_x: jax.Array
    b: jax.Array
    note: str = eqx.field(static=True)

    def initial_state(self):
        return ()

    def step(self, state, gx):
        return state, gx[:3]


def test_names_are_escaped():
    cell = Named(jnp.ones((6, 2)), jnp.zeros(6), "<script>alert(1)</script>")
    page = cell._repr_html_()
    assert "<script>" not in page
    shown = Shown(page)
    assert list(shown.table("gate")) == ["gate", "<a>", "b & c"]
    assert shown.table("gates")["note"] == ["<script>alert(1)</script>"]


def test_the_printed_form_of_jax_people_stays():
    assert repr(tt.LSTM(3, 7, key=KEY)) == "LSTM(w_x=f32[28,3], w_h=f32[28,7], b=f32[28])"
