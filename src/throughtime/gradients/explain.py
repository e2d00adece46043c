"""What the figures of a gradient flow mean, in words."""

import numpy as np

from throughtime.gradients.flow import UNDERFLOW, GradientFlow, half_life

EXPLODED = 10.0  # times what went in
MANY_DEAD, MANY_SATURATED = 0.3, 0.3
KEEPS = {"LSTM": "f", "GRU": "z"}  # the gate that multiplies the old state
LIMITS = (
    "This holds for these weights and inputs. A small gradient does not prove that the memory is unused, a large one "
    "not that it is; and two cells of equal accuracy may remember over different spans."
)


def explain(flow: GradientFlow) -> str:
    """What happens to a gradient, why, in the calendar's units where there are any, and the limits of saying so."""
    sentences = [_happens(flow), *_paths(flow), *_causes(flow), *_calendar(flow), *_estimated(flow), LIMITS]
    return f"{flow.cell}: {' '.join(sentences)}"


def _happens(flow: GradientFlow) -> str:
    last, steps = flow.memory[-1], flow.steps
    if flow.not_finite is not None:
        step, array, cause = flow.not_finite
        return f"not finite from step {step} on, in {array}: {cause}. Nothing can be said about longer lags."
    if last > EXPLODED:
        growth = float(np.exp((np.log(last) - np.log(flow.memory[0])) / steps)) if np.isfinite(last) else float("inf")
        return f"explodes. Over {steps} steps a gradient grows {last:.1e} times, {growth - 1:.0%} a step."
    gone = int(np.argmin(flow.memory > 0))  # 0 where something is left over every lag
    if gone and flow.memory[gone - 1] > UNDERFLOW:
        return f"vanishes for good. Nothing at all flows back over {gone} {'step' if gone == 1 else 'steps'} or more."
    if flow.reach < steps:
        return (
            f"vanishes. A gradient halves every {flow.half_life:.2g} steps; over more than {flow.reach} steps less "
            "than 1 % of it is left."
        )
    if flow.half_life < 4 * steps:
        life = f"A gradient halves every {flow.half_life:.3g} steps"
        return f"fades slowly. {life}; over all {steps} steps {last:.0%} is left."
    return f"keeps. Over all {steps} steps {last:.0%} of a gradient is left."


def _paths(flow: GradientFlow) -> list[str]:
    """Which part of a state with several arrays carries it."""
    if not flow.paths or flow.not_finite is not None:
        return []
    lives = {name: half_life(path) for name, path in list(flow.paths.items())[:2]}  # others are an sLSTM's units
    parts = [f"through {name} alone {_life(life)}" for name, life in lives.items()]
    return [f"Taken apart, {', '.join(parts)}."]


def _life(life: float) -> str:
    if life == 0:
        return "nothing passes"
    return "it does not fade" if np.isinf(life) else f"it halves every {life:.2g} steps"


def _causes(flow: GradientFlow) -> list[str]:
    causes = []
    if flow.dead > MANY_DEAD:
        causes.append(f"{flow.dead:.0%} of the gates are dead: their slope is 0 and nothing passes.")
    elif flow.saturated > MANY_SATURATED:
        causes.append(f"{flow.saturated:.0%} of the gates are saturated: less than 5 % of what could pass does.")
    if len(flow.gates) > 1:
        means = ", ".join(f"{name} {values.mean():.2f}" for name, values in flow.gates.items())
        causes.append(f"The gates are on average {means}.")
        kept = KEEPS.get(flow.cell.partition(",")[0])
        if kept is not None:
            share = float(flow.gates[kept].mean())
            life = np.log(0.5) / np.log(share)
            causes.append(
                f"{kept} keeps {share:.0%} of the memory in each step: by itself it halves in {life:.2g} steps."
            )
    elif flow.recurrent_norm is not None and flow.slopes:
        slope = float(np.mean(list(flow.slopes.values())))
        causes.append(
            f"The largest singular value of W_h is {flow.recurrent_norm:.2f} and the activation's slope {slope:.2f} on "
            "average: a step multiplies a gradient by about their product at most."
        )
    return causes


def _calendar(flow: GradientFlow) -> list[str]:
    if flow.unit is None:
        return []
    sentence = f"A step is {flow.unit.words}"
    if flow.unit.season is not None:
        seasons, more = flow.reach / flow.unit.season, "" if flow.reach < flow.steps else " or more"
        sentence += f", a season {flow.unit.season:g} of them: 1 % reaches back {seasons:.1f} seasons{more}"
    return [sentence + "."]


def _estimated(flow: GradientFlow) -> list[str]:
    worst = float(np.max(flow.errors))
    return [f"The norms are estimates, with errors of up to {worst:.1g}."] if worst > 0 else []
