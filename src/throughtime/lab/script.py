"""A run as a Python script that repeats it to the last digit."""

from throughtime import __version__
from throughtime.cells import cell_type, init_arguments
from throughtime.lab.curves import FILE, made_curve
from throughtime.lab.experiment import cell_options
from throughtime.lab.inputs import LabInput
from throughtime.lab.settings import Course, Learner

SCRIPT = '''"""{title}.

Made by throughtime {version}; with the same versions on the same machine every digit is the same again:

    python {name}
"""

{standard}import equinox as eqx
import jax
import jax.numpy as jnp
import optax

import throughtime as tt
{own}from throughtime import configure
from throughtime.training import run_steps, start

configure()  # compiled as the laboratory compiles

WINDOW, BATCH, STEPS = {window}, {batch}, {steps}
OPTIMIZER = {optimizer}
NOISE, EXAMPLES = {noise!r}, {examples}  # no examples: ever new windows
SERIES = jnp.asarray({curve}.learned)


@eqx.filter_jit
def initial(key):
    key_train, key_cell, key_readout = jax.random.split(key, 3)
{network}
    return start(network, OPTIMIZER, key_train)


def draw(series, key, count):
    starts = jax.random.randint(key, (count, 1), 0, len(series) - WINDOW)
    windows = series[starts + jnp.arange(WINDOW + 1)[None]]
    return windows + NOISE * jax.random.normal(jax.random.fold_in(key, 1), windows.shape) if NOISE else windows


def loss(network, series, key):
    if EXAMPLES:
        windows = draw(series, jax.random.key(0), EXAMPLES)[jax.random.randint(key, (BATCH,), 0, EXAMPLES)]
    else:
        windows = draw(series, key, BATCH)
    _, predictions = network(windows[:, :-1, None])
    return jnp.mean((predictions[..., 0] - windows[:, 1:]) ** 2)


for progress in run_steps(initial(jax.random.key({seed})), loss, OPTIMIZER, SERIES, steps=STEPS, every=100):
    print(f"step {{int(progress.state.step)}}   loss {{progress.losses[-1]}}")
'''


def script(course: Course, learner: Learner, lab_input: LabInput, *, title: str, name: str) -> str:
    """Return a program that trains for ``course.steps`` and prints the loss of every hundredth step and of the last.

    Args:
        course: the settings of the task.
        learner: the settings of the network and of its training.
        lab_input: the user's file and model.
        title: the name of the network.
        name: the name of the program's file.
    """
    imports, curve = _curve(course, lab_input)
    noise = made_curve(course.curve, course.noise).noise if course.curve != FILE else 0.0
    return SCRIPT.format(
        title=_escaped(f"{title} on {course.curve if course.curve != FILE else lab_input.file}"),
        version=__version__,
        name=name,
        standard="from pathlib import Path\n\n" if course.curve == FILE else "",
        own="from throughtime.cells.initializers import chrono\n" * (learner.init == "chrono") + imports,
        window=course.window,
        batch=course.batch,
        steps=course.steps,
        optimizer=_optimizer(learner),
        curve=curve,
        noise=noise,
        examples=learner.examples,
        network=_network(course, learner, lab_input),
        seed=course.seed,
    )


def _escaped(text: str) -> str:
    """Return a text for a docstring: the name of a file may hold quotes and backslashes."""
    return text.encode("unicode_escape").decode().replace('"', r"\"")


def _optimizer(learner: Learner) -> str:
    """Return the expression of the optimizer."""
    adam = f"optax.adam({learner.rate!r})"
    return f"optax.chain(optax.clip_by_global_norm({learner.clip!r}), {adam})" if learner.clip else adam


def _curve(course: Course, lab_input: LabInput) -> tuple[str, str]:
    """Return the import that the series needs, and its expression."""
    if course.curve != FILE:
        return "from throughtime.lab import made_curve\n", f"made_curve({course.curve!r}, {course.noise!r})"
    assert lab_input.file is not None
    series = f", {course.series!r}" if course.series else ""
    columns = "".join(f", {name}={column!r}" for name, column in lab_input.columns.items())
    panel = f"read_file(Path({str(lab_input.file.resolve())!r}){columns})"
    return "from throughtime.lab import file_curve, read_file\n", f"file_curve({panel}{series})"


def _network(course: Course, learner: Learner, lab_input: LabInput) -> str:
    """Return the lines that make the network."""
    if lab_input.folder is not None and lab_input.network is not None:
        return f"    del key_cell, key_readout\n    network = tt.load({str(lab_input.folder.resolve())!r})"
    kind = cell_type(learner.cell).__name__
    options = {name: repr(value) for name, value in cell_options(learner, course.window).items()}
    if learner.init == "chrono":
        options |= dict.fromkeys(init_arguments("chrono", course.window), f"chrono({max(course.window, 2)})")
    arguments = "".join(f", {name}={value}" for name, value in options.items())
    return (
        f"    cell = tt.{kind}(1, {learner.hidden}{arguments}, key=key_cell)\n"
        "    network = tt.RecurrentNetwork(cell, 1, key=key_readout)"
    )
