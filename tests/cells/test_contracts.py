"""Every cell of the library keeps every contract, and the error for a broken one names it."""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import CELLS, random_cell

import throughtime as tt
from throughtime import testing as contracts
from throughtime.testing import CONTRACTS, ContractError, hold

# Elman cells differ in their activation alone, on which these contracts depend; one of them keeps all the others.
OF_ACTIVATIONS = (
    contracts.state_keeps_shape,
    contracts.step_is_pure,
    contracts.works_in_float64,
    contracts.gradient_equals_differences,
    contracts.comes_back_from_disk,
)


@pytest.mark.parametrize(
    ("name", "contract"),
    [
        (name, contract)
        for name in CELLS
        for contract in CONTRACTS
        if not name.startswith("elman-") or name == "elman-relu" or contract in OF_ACTIVATIONS
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_every_cell_keeps_every_contract(name, contract):
    hold(random_cell(name), contract)


class CountingState(NamedTuple):
    memory: tuple[jax.Array, jax.Array]
    steps: jax.Array


class Counting(tt.Cell):
    """A cell as a user may write it: two gates and a nested state, with an integer in it."""

    GATES: ClassVar[tuple[str, ...]] = ("keep", "new")
    w_x: jax.Array
    w_h: jax.Array
    b: jax.Array

    def initial_state(self):
        zeros = jnp.zeros(self.hidden, self.w_h.dtype)
        return CountingState((zeros, zeros), jnp.zeros((), jnp.int32))

    def step(self, state, gx):
        keep, new = jnp.split(gx + self.w_h @ state.memory[0], 2)
        h = jax.nn.sigmoid(keep) * state.memory[1] + jnp.sin(new)
        return CountingState((h, state.memory[0]), state.steps + 1), h


def test_a_custom_cell_passes():
    draw = np.random.default_rng(0)
    w_x, w_h, b = (jnp.asarray(draw.standard_normal(shape), jnp.float32) for shape in ((8, 3), (8, 4), (8,)))
    cell = Counting(w_x, w_h / 4, b)
    tt.check_cell(cell)
    np.testing.assert_array_equal(cell.w_x, w_x)


def test_check_cell_runs_the_whole_table(monkeypatch):
    checked = []
    monkeypatch.setattr(contracts, "CONTRACTS", [checked.append, checked.append, checked.append])
    cell = random_cell("gru")
    tt.check_cell(cell)
    assert checked == [cell] * 3


@pytest.mark.parametrize("thing", [tt.GRU, "gru", None])
def test_check_cell_expects_a_cell(thing):
    with pytest.raises(tt.InputError) as caught:
        tt.check_cell(thing)
    assert (caught.value.code, caught.value.found) == ("not-a-cell", type(thing).__name__)


# Each class below is Elman's cell with one thing broken.


class Thawed(tt.Elman):
    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


class Gateless(tt.Elman):
    GATES: ClassVar[tuple[str, ...]] = ("a", "b")


class Twice(tt.Elman):
    GATES: ClassVar[tuple[str, ...]] = ("a", "a")


class StartsAtOne(tt.Elman):
    def initial_state(self):
        return tt.ElmanState(jnp.ones(self.hidden, self.w_h.dtype))


class Unnamed(tt.Elman):
    def initial_state(self):
        return (jnp.zeros(self.hidden, self.w_h.dtype),)


class Grows(tt.Elman):
    def step(self, state, gx):
        after, y = super().step(state, gx)
        return tt.ElmanState(after.h[None]), y


class SumsItsOutput(tt.Elman):
    def step(self, state, gx):
        after, y = super().step(state, gx)
        return after, y.sum()


class Counts(tt.Elman):
    calls: ClassVar[list[None]] = []

    def step(self, state, gx):
        self.calls.append(None)
        after, y = super().step(state, gx)
        return after, y * len(self.calls)


class Remembers(tt.Elman):
    def step(self, state, gx):
        object.__setattr__(self, "b", self.b + 1)
        return super().step(state, gx)


class Centers(tt.Elman):
    def project(self, xs):
        return super().project(xs - xs.mean(axis=0, keepdims=True))


class Branches(tt.Elman):
    def step(self, state, gx):
        return super().step(state, -gx if gx[0] > 0 else gx)


@jax.custom_batching.custom_vmap
def swapped_in_a_batch(h):
    return h


@swapped_in_a_batch.def_vmap
def swap(size, batched, h):
    return h[::-1], batched[0]


class Swaps(tt.Elman):
    def step(self, state, gx):
        return super().step(tt.ElmanState(swapped_in_a_batch(state.h)), gx)


class KnowsThePlace(tt.Elman):
    def project(self, xs):
        place = jnp.arange(xs.shape[0], dtype=xs.dtype)
        return super().project(xs) * (place[:, None] if xs.ndim == 2 else place[0])


class Normalizes(tt.Elman):
    """A masked input has length zero, by which the gradient divides."""

    def project(self, xs):
        return super().project(xs / jnp.linalg.norm(xs, axis=-1, keepdims=True))


class StaysInFloat32(tt.Elman):
    def initial_state(self):
        return tt.ElmanState(jnp.zeros(self.hidden, jnp.float32))

    def step(self, state, gx):
        h = self.activation(gx + self.w_h @ state.h.astype(gx.dtype)).astype(jnp.float32)
        return tt.ElmanState(h), h


class Truncates(tt.Elman):
    def step(self, state, gx):
        return super().step(jax.lax.stop_gradient(state), gx)


class KeepsObjects(tt.Elman):
    names: Any  # an array that no file holds

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.names = np.array(["a", None], dtype=object)


def elman(kind: type[tt.Elman] = tt.Elman) -> tt.Elman:
    sound, broken = random_cell("elman-tanh"), eqx.filter_eval_shape(kind, 3, 5, key=jax.random.key(0))
    return eqx.tree_at(lambda cell: (cell.w_x, cell.w_h, cell.b), broken, (sound.w_x, sound.w_h, sound.b))


def with_numpy_bias() -> tt.Elman:
    cell = elman()
    return eqx.tree_at(lambda cell: cell.b, cell, np.array(cell.b))


def with_transposed_inputs() -> tt.Elman:
    cell = elman()
    return eqx.tree_at(lambda cell: cell.w_x, cell, cell.w_x.T)


# Of each broken cell: the contract that it breaks, and a part of the message that only this fault gives.
BROKEN: list[tuple[Callable[[tt.Cell], None], Callable[[], tt.Elman], str]] = [
    (contracts.frozen, lambda: elman(Thawed), "w_x could be set"),
    (contracts.frozen, with_numpy_bias, r"NumPy arrays.*\.b"),
    (contracts.layout, lambda: elman(Gateless), r"w_x is \(5, 3\): expected \(10, 3\)"),
    (contracts.layout, lambda: elman(Twice), r"\('a', 'a'\): expected distinct names"),
    (contracts.layout, with_transposed_inputs, r"w_x is \(3, 5\): expected \(5, 5\)"),
    (contracts.state_keeps_shape, lambda: elman(StartsAtOne), "expected zeros"),
    (contracts.state_keeps_shape, lambda: elman(Unnamed), "is a tuple: expected a NamedTuple"),
    (contracts.state_keeps_shape, lambda: elman(Grows), r"float32\(1, 5\).*expected.*float32\(5,\)"),
    (contracts.state_keeps_shape, lambda: elman(SumsItsOutput), r"The output is \(\(\), .*expected \(\(5,\)"),
    (contracts.step_is_pure, lambda: elman(Counts), "second call"),
    (contracts.step_is_pure, lambda: elman(Remembers), "was replaced"),
    (contracts.project_works_row_by_row, lambda: elman(Centers), "all rows at once"),
    (contracts.jit_equals_eager, lambda: elman(Branches), "TracerBoolConversionError"),
    (contracts.batch_equals_loop, lambda: elman(Swaps), "Sequence 0 of the batch"),
    (contracts.state_carries_over, lambda: elman(KnowsThePlace), "The two parts"),
    (contracts.masked_equals_shorter, lambda: elman(Normalizes), "The masked gradient at .* is .*nan"),
    (contracts.reverse_equals_flipped, lambda: elman(KnowsThePlace), "The reversed result"),
    (contracts.works_in_float64, lambda: elman(StaysInFloat32), r"\{'float32'\}: expected \{'float64'\}"),
    (contracts.gradient_equals_differences, lambda: elman(Truncates), "The slope at"),
    (contracts.comes_back_from_disk, lambda: KeepsObjects(3, 5, key=jax.random.key(0)), "object"),
]


@pytest.mark.parametrize(
    ("contract", "build", "message"),
    BROKEN,
    ids=[f"{contract.__name__}-{n}" for n, (contract, _, _) in enumerate(BROKEN)],
)
def test_the_error_names_the_broken_contract(contract, build, message):
    with pytest.raises(ContractError, match=f"(?s){message}") as caught:
        hold(build(), contract)
    assert caught.value.contract == contract.__name__


def test_check_cell_reaches_the_last_contract(monkeypatch):
    def another(arrays, build, prefix):
        return jax.tree.map(lambda leaf: leaf + 1, build())

    monkeypatch.setattr(contracts.checkpoint, "restore", another)
    with pytest.raises(ContractError) as caught:
        tt.check_cell(elman())
    assert caught.value.contract == contracts.CONTRACTS[-1].__name__
