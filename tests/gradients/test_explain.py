"""The verdict: each fate of a gradient in its words, the causes, and the comparison of several cells."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_cell, random_inputs

import throughtime as tt
from throughtime.gradients.decay import straightness
from throughtime.gradients.explain import LIMITS, explain_comparison
from throughtime.gradients.finite import NotFinite
from throughtime.gradients.flow import CalendarStep, HorizonSensitivity

T = 7


def scaled_identity(scale):
    return lambda key, shape, dtype: scale * jnp.eye(*shape, dtype=dtype)


def linear_flow(factor, steps=60):
    """Return the flow of a linear cell whose gradient is multiplied by ``factor`` in each step."""
    cell = tt.Elman(1, 2, "identity", recurrent_init=scaled_identity(factor), key=jax.random.key(0))
    return tt.gradient_flow(cell, jnp.zeros((steps, 1)))


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [
        (0.5, "vanishes. A gradient halves every 1 steps; over more than 6 steps"),
        (0.99, "fades slowly"),
        (1.0, "keeps. Over all 60 steps 100% of a gradient is left"),
        (1.51, "explodes. Over 60 steps a gradient grows 5.5e+10 times, 51% a step"),
    ],
)
def test_each_fate_of_a_gradient(factor, verdict):
    assert verdict in linear_flow(factor).verdict


@pytest.mark.parametrize(("factor", "half_life", "fate"), [(0.5, 1.0, "vanishes"), (2.0, np.inf, "explodes")])
def test_extremes_neither_underflow_nor_overflow(factor, half_life, fate):
    """Over 2,000 steps: float64 holds neither 0.5^2000 nor 2^2000."""
    flow = linear_flow(factor, steps=2000)
    assert flow.half_life == pytest.approx(half_life, rel=1e-6)
    assert fate in flow.verdict


def test_a_half_life_is_told_only_of_a_straight_curve():
    """A curve that falls fast and then stays, over 20 steps, is none; a straight one with some noise is."""
    flow, lags = linear_flow(0.9, steps=20), np.arange(21)
    assert flow.is_straight
    assert "halves every 6.58 steps" in flow.verdict
    bent = replace(flow, decay=replace(flow.decay, memory=np.maximum(0.5**lags, 0.1)))
    assert not bent.is_straight
    assert "halves" not in bent.verdict
    assert "at no even rate; over all 20 steps 10% is left" in bent.verdict
    vanishing = replace(flow, decay=replace(flow.decay, memory=np.maximum(0.1**lags, 1e-3)))
    assert "halves" not in vanishing.verdict
    assert "vanishes" in vanishing.verdict


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        ([1.0, 0.5, 0.25, 0.125], 1.0),
        ([1.0, 4.0, 2.0, 1.0], 1.0),  # without lag 0
        ([1.0, 1.0, 1.0, 1.0], 1.0),
        ([1.0, 0.5, 0.5, 0.25, 0.25, 0.125], 0.8),  # logs -1 -1 -2 -2 -3 by lags 1 .. 5: slope -1/2
        ([1.0, 0.5, 0.0, 0.0], 0.0),
        ([1.0, 0.5, np.nan, 0.1], 0.0),
        ([1.0], 0.0),
    ],
)
def test_straightness_is_r_squared(memory, expected):
    logs = np.log2(np.array(memory[1:]) + 1e-300)
    if 0 < expected < 1:
        expected = np.corrcoef(np.arange(len(logs)), logs)[0, 1] ** 2
    assert straightness(np.array(memory)) == pytest.approx(expected, abs=1e-9)


def test_a_dead_network():
    dead = tt.Elman(1, 2, "relu", key=jax.random.key(0))
    dead = eqx.tree_at(lambda cell: cell.b, dead, jnp.full(2, -5.0))
    verdict = tt.gradient_flow(dead, jnp.zeros((T, 1))).verdict
    assert "vanishes for good. Nothing at all flows back over 1 step" in verdict
    assert "100% of the gates are dead" in verdict
    assert verdict.endswith(LIMITS)


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (NotFinite(3, "input"), "not finite from step 3 on, in xs"),
        (NotFinite(2, "state", "h", 3e30), "in h: the state overflows, after 3e+30 one step before"),
        (NotFinite(0, "jacobian"), "in the step's Jacobian"),
    ],
)
def test_a_value_that_is_not_finite_is_named(problem, words):
    assert words in replace(linear_flow(0.5), not_finite=problem).verdict


def test_the_gate_that_keeps_the_memory_is_named():
    cell = random_cell("gru")
    flow = tt.gradient_flow(cell, random_inputs(T, cell.inputs))
    assert f"z keeps {flow.gates['z'].mean():.0%} of the memory" in flow.verdict
    assert "keeps" not in replace(flow, cell="Other").verdict


@pytest.mark.parametrize(
    ("season", "words"),
    [
        (None, "A step is 3 hours."),
        (8.0, "A step is 3 hours, a season 8 of them: 1 % reaches back 0.8 seasons."),
    ],
)
def test_steps_on_the_calendar(season, words):
    sensitivity = HorizonSensitivity(np.ones((2, 5)), CalendarStep("3 hours", season))
    assert words in replace(linear_flow(0.5), sensitivity=sensitivity).verdict


def test_a_comparison_names_the_longest_and_the_shortest_memory():
    labels, flows = ["short", "long", "middle"], [linear_flow(factor) for factor in (0.5, 1.0, 0.8)]
    lines = explain_comparison(labels, flows).splitlines()
    assert lines[0] == (
        "Longest memory: long (1 of a gradient left after all 60 steps). Shortest: short (1 % left after 6 steps)."
    )
    assert [line.partition(":")[0] for line in lines[2:-1:2]] == labels
    assert all(LIMITS not in line for line in lines[:-1])
    assert lines[-1] == LIMITS


def test_a_comparison_of_one_is_its_verdict():
    flow = linear_flow(0.5)
    assert explain_comparison(["only"], [flow]) == flow.verdict.replace(flow.label, "only").replace(
        f" {LIMITS}", f"\n\n{LIMITS}"
    )
