"""The verdict on a gradient flow: the meaning of its numbers, in sentences."""

from collections.abc import Sequence

import numpy as np

from throughtime.gradients.decay import STRAIGHT, UNDERFLOW, BoundKind, half_life, straightness
from throughtime.gradients.finite import NotFinite
from throughtime.gradients.flow import GradientFlow

EXPLODED = 10.0  # the growth from which a gradient is called exploding
MANY_DEAD, MANY_SATURATED = 0.3, 0.3  # shares from which they are named as a cause
KEEP_GATES = {"LSTM": "f", "GRU": "z"}  # the gate that multiplies the old state, by the cell's class
UNEVEN = "A gradient shrinks, at no even rate"
BOUNDS: dict[BoundKind, str] = {
    "pascanu": "(g sigma_max(W))^k, g the activation's largest slope (Pascanu, Mikolov & Bengio 2013)",
    "product": "the product of the last k steps' own norms",
}
LIMITS = (
    "This holds for these weights and inputs. A small gradient does not prove that the memory is unused, a large one "
    "not that it is; and two cells of equal accuracy may remember over different spans."
)


def explain(flow: GradientFlow) -> str:
    """Return the fate of a gradient, its rate and causes, and the limits of the measurement."""
    return f"{flow.label}: {' '.join([*_sentences(flow), LIMITS])}"


def explain_comparison(labels: Sequence[str], flows: Sequence[GradientFlow]) -> str:
    """Return the longest and the shortest memory, the verdict of each flow, and once the limits of all of them."""
    lines = []
    if len(flows) > 1:
        ranked = sorted(range(len(flows)), key=lambda n: _memory_span(flows[n]), reverse=True)
        longest, shortest = (f"{labels[n]} ({_remaining(flows[n])})" for n in (ranked[0], ranked[-1]))
        lines = [f"Longest memory: {longest}. Shortest: {shortest}.", ""]
    for label, flow in zip(labels, flows, strict=True):
        lines += [f"{label}: {' '.join(_sentences(flow))}", ""]
    return "\n".join([*lines, LIMITS])


def _sentences(flow: GradientFlow) -> list[str]:
    return [_fate(flow), *_paths(flow), *_causes(flow), *_calendar(flow), *_estimates(flow)]


def _memory_span(flow: GradientFlow) -> tuple[int, float]:
    """Return a key that is larger for a longer memory: the reach, then the remainder at the last lag."""
    return flow.reach, float(np.nan_to_num(min(flow.memory[-1], 1.0)))


def _remaining(flow: GradientFlow) -> str:
    if flow.reach == flow.steps:
        return f"{flow.memory[-1]:.2g} of a gradient left after all {flow.steps} steps"
    return f"1 % left after {flow.reach} steps"


def _fate(flow: GradientFlow) -> str:
    last, steps = flow.memory[-1], flow.steps
    if flow.not_finite is not None:
        return f"{_not_finite(flow.not_finite)}. Nothing can be said about longer lags."
    if last > EXPLODED:
        growth = float(np.exp((np.log(last) - np.log(flow.memory[0])) / steps)) if np.isfinite(last) else float("inf")
        return f"explodes. Over {steps} steps a gradient grows {last:.1e} times, {growth - 1:.0%} a step."
    first_zero = int(np.argmin(flow.memory > 0))  # 0 if something remains at every lag
    if first_zero and flow.memory[first_zero - 1] > UNDERFLOW:
        lag = f"{first_zero} {'step' if first_zero == 1 else 'steps'}"
        return f"vanishes for good. Nothing at all flows back over {lag} or more."
    if flow.reach < steps:
        rate = f"A gradient halves every {flow.half_life:.2g} steps" if flow.is_straight else UNEVEN
        return f"vanishes. {rate}; over more than {flow.reach} steps less than 1 % of it is left."
    if flow.half_life < 4 * steps:
        rate = f"A gradient halves every {flow.half_life:.3g} steps" if flow.is_straight else UNEVEN
        return f"fades slowly. {rate}; over all {steps} steps {last:.0%} is left."
    return f"keeps. Over all {steps} steps {last:.0%} of a gradient is left."


def _not_finite(problem: NotFinite) -> str:
    step, kind, array, largest = problem
    if kind == "input":
        return f"not finite from step {step} on, in xs: the input is not finite"
    if kind == "state":
        return f"not finite from step {step} on, in {array}: the state overflows, after {largest:.3g} one step before"
    return f"not finite from step {step} on, in the step's Jacobian: the slope is not finite, the state is"


def _paths(flow: GradientFlow) -> list[str]:
    if not flow.paths or flow.not_finite is not None:
        return []
    first = list(flow.paths.items())[:2]  # the others of an sLSTM are scales
    parts = [f"through {name} alone {_life(path)}" for name, path in first]
    return [f"Taken apart, {', '.join(parts)}."]


def _life(path: np.ndarray) -> str:
    life = half_life(path)
    if life == 0:
        return "nothing passes"
    if np.isinf(life):
        return "it does not fade"
    return f"it halves every {life:.2g} steps" if straightness(path) >= STRAIGHT else "it fades at no even rate"


def _causes(flow: GradientFlow) -> list[str]:
    return [*_inactive_gates(flow), *(_mean_gates(flow) if len(flow.gates) > 1 else _recurrent_matrix(flow))]


def _inactive_gates(flow: GradientFlow) -> list[str]:
    if flow.dead > MANY_DEAD:
        return [f"{flow.dead:.0%} of the gates are dead: their slope is 0 and nothing passes."]
    if flow.saturated > MANY_SATURATED:
        return [f"{flow.saturated:.0%} of the gates are saturated: less than 5 % of what could pass does."]
    return []


def _mean_gates(flow: GradientFlow) -> list[str]:
    means = ", ".join(f"{name} {values.mean():.2f}" for name, values in flow.gates.items())
    sentences = [f"The gates are on average {means}."]
    keep = KEEP_GATES.get(flow.cell)
    if keep is not None:
        share = float(flow.gates[keep].mean())
        life = np.log(0.5) / np.log(share)
        sentences.append(f"{keep} keeps {share:.0%} of the memory in each step: alone it halves in {life:.2g} steps.")
    return sentences


def _recurrent_matrix(flow: GradientFlow) -> list[str]:
    if flow.recurrent_norm is None or not flow.slopes:
        return []
    slope = float(np.mean(list(flow.slopes.values())))
    return [
        f"The largest singular value of W_h is {flow.recurrent_norm:.2f} and the activation's slope {slope:.2f} on "
        "average: a step multiplies a gradient by about their product at most."
    ]


def _calendar(flow: GradientFlow) -> list[str]:
    if flow.calendar_step is None:
        return []
    step, season = flow.calendar_step
    if season is None:
        return [f"A step is {step}."]
    reach = f"{flow.reach / season:.1f} seasons{'' if flow.reach < flow.steps else ' or more'}"
    return [f"A step is {step}, a season {season:g} of them: 1 % reaches back {reach}."]


def _estimates(flow: GradientFlow) -> list[str]:
    worst = float(np.max(flow.errors))
    return [f"The norms are estimates, with errors of up to {worst:.1g}."] if worst > 0 else []
