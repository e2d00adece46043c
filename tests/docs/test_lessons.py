"""The lessons run as scripts, and their numbers are the right ones."""

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from tests.docs.lessons import LESSONS, imported

SATURATES = """
import runpy, sys
import numpy as np
lesson = runpy.run_path(sys.argv[1])
given = lesson["WEIGHTS"], lesson["X0"], lesson["X1"]
y1 = lesson["two_steps"](*given)[1]
np.testing.assert_array_equal(y1, [[1, -1, 1]] * 3)
np.testing.assert_array_equal(lesson["slope"](y1), np.zeros((3, 3)))
assert lesson["largest_gradient"](*given) == 0
np.testing.assert_array_equal(lesson["flow_to_first_step"](*given), np.zeros((3, 3, 3)))
for before, after in zip(given[0], lesson["descend"](*given), strict=True):
    np.testing.assert_array_equal(after, before)
print("saturated")
"""
RUNNER = """
import contextlib, io, json, os, runpy, sys, traceback

said = []
for folder, *sys.argv in json.loads(sys.argv[1]):
    sys.path[0] = os.path.dirname(sys.argv[0])
    os.chdir(folder)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except BaseException:
            traceback.print_exc(file=out)
    said.append(out.getvalue())
print(json.dumps(said))
"""


def optimized(*arguments: str) -> subprocess.CompletedProcess:
    """A process as a reader starts it. In the tests' own, unoptimized one XLA's tanh does not quite reach 1."""
    plain = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, env=plain)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The working directory of the lessons that run."""
    return tmp_path_factory.mktemp("lessons")


@pytest.fixture(scope="module")
def said(folder, tmp_path_factory) -> list[str]:
    """What lessons 1, its numbers, and 2 print, run as scripts; in one process, which imports JAX once."""
    saturates = tmp_path_factory.mktemp("script") / "saturates.py"
    saturates.write_text(SATURATES)
    by_hand, sine_wave = str(LESSONS / "by_hand.py"), str(LESSONS / "sine_wave.py")
    scripts = ((by_hand, "--picture", str(folder / "by_hand.png")), (str(saturates), by_hand), (sine_wave,))
    finished = optimized("-c", RUNNER, json.dumps([(str(folder), *script) for script in scripts]))
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


@pytest.fixture(scope="module")
def by_hand() -> ModuleType:
    return imported("by_hand")


@pytest.fixture(scope="module")
def sine_wave() -> ModuleType:
    return imported("sine_wave")


@pytest.fixture(scope="module")
def vanishing(by_hand) -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "by_hand", by_hand)  # its neighbor, which a script finds by itself
        return imported("vanishing_gradients")


@pytest.fixture(scope="module")
def told(vanishing) -> str:
    """What the story prints, up to the training."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        vanishing.say_two_steps()
        for cells in (vanishing.bounds, vanishing.activations, vanishing.initializers, vanishing.gates):
            vanishing.chapter(cells.__name__, cells())
        vanishing.say_normalized()
        vanishing.say_bare_lstm()
    return out.getvalue()


def test_every_lesson_is_tested_here():
    assert {path.name for path in LESSONS.glob("*.py")} == {
        "by_hand.py",
        "sine_wave.py",
        "vanishing_gradients.py",
        "file_to_forecast.py",  # in test_file_to_forecast.py
        "your_own_cell.py",  # in test_your_own_cell.py
        "different_lengths.py",  # this one and the others in test_training_lessons.py
        "tags.py",
        "own_outputs.py",
        "digits.py",
        "characters.py",
        "long_sequence.py",
        "never_existed.py",  # in test_never_existed.py
        "retail.py",  # this one and the next in test_business_lessons.py
        "energy.py",
        "web_traffic.py",
    }


def test_by_hand_runs_and_draws_only_when_asked(said, folder):
    assert "Traceback" not in said[0], said[0]
    for words in ("1. By hand", "The same numbers", "gradient, largest          0\n", "dy1/dy0, largest           0\n"):
        assert words in said[0]
    assert (folder / "by_hand.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in folder.iterdir()] == ["by_hand.png"]  # the others were run there too


FIRST = np.array([[0, 1], [2, 3], [4, 5]])
SECOND = np.array([[100, 101], [102, 103], [104, 105]])
MEAN, DEVIATION = np.vstack([FIRST, SECOND]).mean(axis=0), np.vstack([FIRST, SECOND]).std(axis=0)


def float64_steps(weights, x0: np.ndarray, x1: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """y0, the pre-activation of y1, and y1, entry by entry: no matrix product."""
    w_x, w_y, b = (np.asarray(part, np.float64) for part in weights)
    y0, a1 = np.empty((3, 3)), np.empty((3, 3))
    for row in range(3):
        for neuron in range(3):
            y0[row, neuron] = np.tanh(sum(x0[row, i] * w_x[i, neuron] for i in range(2)) + b[0, neuron])
        for neuron in range(3):
            recurrent = sum(y0[row, j] * w_y[j, neuron] for j in range(3))
            a1[row, neuron] = recurrent + sum(x1[row, i] * w_x[i, neuron] for i in range(2)) + b[0, neuron]
    return y0, a1, np.tanh(a1)


@pytest.mark.parametrize("way", ["two_steps", "unrolled"])
@pytest.mark.parametrize("inputs", ["as_they_are", "scaled"])
def test_by_hand_numbers(by_hand, inputs, way):
    """Where the inputs are as they are, y1 is 1 or -1 whatever Wy is: only the scaled ones tell."""
    given, x0, x1 = (by_hand.X0, by_hand.X1), FIRST, SECOND
    if inputs == "scaled":
        given = by_hand.scaled(*given)
        x0, x1 = (x0 - MEAN) / DEVIATION, (x1 - MEAN) / DEVIATION
    y0, a1, y1 = float64_steps(by_hand.WEIGHTS, x0, x1)
    for came, expected in zip(getattr(by_hand, way)(by_hand.WEIGHTS, *given), (y0, y1), strict=True):
        np.testing.assert_allclose(came, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(by_hand.pre_activation(by_hand.WEIGHTS, *given), a1, rtol=1e-6, atol=1e-6)


def test_by_hand_saturates(said):
    """All of y1 is 1 or -1 to the last bit, its derivative and every gradient 0, and learning stands still."""
    assert said[1] == "saturated\n"


def test_by_hand_learns_from_scaled_inputs(by_hand):
    x0, x1 = by_hand.scaled(by_hand.X0, by_hand.X1)
    both = np.concatenate([x0, x1])
    np.testing.assert_allclose(both.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(both.std(axis=0), 1, rtol=1e-6)
    assert by_hand.largest_gradient(by_hand.WEIGHTS, x0, x1) > 0.1
    learned = by_hand.descend(by_hand.WEIGHTS, x0, x1)
    assert by_hand.error(learned, x0, x1) < 0.01 * by_hand.error(by_hand.WEIGHTS, x0, x1)


def test_by_hand_gradient_through_time(by_hand):
    """dy1/dy0 is (1 - y1^2) times the transposed Wy."""
    x0, x1 = by_hand.scaled(by_hand.X0, by_hand.X1)
    y1 = np.asarray(by_hand.two_steps(by_hand.WEIGHTS, x0, x1)[1])
    expected = (1 - y1**2)[:, :, None] * np.asarray(by_hand.WEIGHTS.w_y).T
    np.testing.assert_allclose(by_hand.flow_to_first_step(by_hand.WEIGHTS, x0, x1), expected, rtol=1e-5, atol=1e-6)


def test_sine_wave_runs_and_learns(said):
    assert "Traceback" not in said[2], said[2]
    assert "step  1500" in said[2]
    assert "training would go on at step 1501" in said[2]


def test_sine_wave_says_when_it_has_not_learned(sine_wave):
    untrained = sine_wave.start(sine_wave.make_network(0), sine_wave.OPTIMIZER, sine_wave.jax.random.key(0))
    with pytest.raises(SystemExit, match="has not learned enough in 0 steps: repeating the last point is better"):
        sine_wave.say_scores(untrained)


def test_sine_wave_scores(sine_wave):
    """A network that says the negative of its input, against the truth of sin(t) 0.04 apart."""
    network_mse, repeat_mse = sine_wave.scores(lambda x: (None, -x))
    x, y = sine_wave.tt.TimeSeriesData(seed=1).next_batch(200, 30)
    assert network_mse == pytest.approx(np.mean((x + y) ** 2))
    # sin(t + d) - sin(t) = 2 cos(t + d/2) sin(d/2): its mean square over all t is 2 sin(d/2)^2.
    assert repeat_mse == pytest.approx(2 * np.sin(0.02) ** 2, rel=0.1)


def test_sine_wave_goes_on_from_the_window(sine_wave):
    """The window's 30 points, then each prediction as the next input: in float64, one step after the other."""
    network = sine_wave.make_network(0)
    generated, truth = sine_wave.alone(network, 7)
    np.testing.assert_allclose(truth, np.sin(6.2 + 0.04 * np.arange(7)), atol=1e-6)
    w_x, w_h, b = (np.asarray(w, np.float64) for w in (network.cell.w_x, network.cell.w_h, network.cell.b))
    readout = np.asarray(network.readout.weight, np.float64), np.asarray(network.readout.bias, np.float64)
    h, inputs, expected = np.zeros(100), list(np.sin(5.0 + 0.04 * np.arange(30))), []
    for step in range(36):
        h = np.maximum(w_x[:, 0] * inputs[step] + w_h @ h + b, 0)
        if step >= 29:
            expected.append((readout[0] @ h + readout[1])[0])
            inputs.append(expected[-1])
    np.testing.assert_allclose(generated, expected, rtol=0, atol=1e-5)


def test_vanishing_gradients_begin_with_two_steps_by_hand(vanishing, by_hand):
    """dy1/dh, entry by entry by finite differences in float64."""
    w_x, w_y, b = (np.asarray(part, np.float64) for part in by_hand.WEIGHTS)
    first, second = (FIRST - MEAN) / DEVIATION, (SECOND - MEAN) / DEVIATION
    for row in range(3):
        jacobian = np.empty((3, 3))
        for neuron in range(3):
            ends = []
            for nudge in (1e-6, -1e-6):
                y0 = np.tanh(nudge * w_y[neuron] + first[row] @ w_x + b[0])
                ends.append(np.tanh(y0 @ w_y + second[row] @ w_x + b[0]))
            jacobian[:, neuron] = (ends[0] - ends[1]) / 2e-6
        expected = np.sqrt(np.linalg.eigvalsh(jacobian.T @ jacobian)[-1])
        assert vanishing.norms_by_hand()[row, 2] == pytest.approx(expected, rel=1e-5)


def table(told: str, label: str) -> list[str]:
    """What stands behind a cell's name: left, bound, reach, dead."""
    (line,) = (line for line in told.splitlines() if line.startswith(f"  {label}  "))
    return line.removeprefix(f"  {label}").replace(" or more", "+").split()


def test_vanishing_gradients_are_those_that_are_known(told):
    """A linear network's is a power; a bound is (g sigma_max)^40; a dead ReLU lets nothing through, a leaky one 1 %."""
    left, bound, reach, dead = table(told, "linear, sigma_max 1.1")
    assert (float(left), float(bound), reach, dead) == (45, 45, "40+", "0%")  # 1.1^40 = 45.26
    left, bound, *_ = table(told, "sigmoid, sigma_max 3.9")
    assert float(left) < 1e-6
    assert float(bound) == pytest.approx(0.975**40, rel=0.02)
    assert table(told, "relu, bias -3") == ["0", "1", "0", "100%"]
    assert table(told, "leaky_relu, bias -3") == ["1e-80", "1", "1", "0%"]
    for bias in (0, 1, 3):
        assert f"bias {bias}: through c {(1 + np.exp(-bias)) ** -40:.3e}" in told


def test_vanishing_gradients_and_what_helps(told):
    """What the text says of the remedies, in the order in which they come."""
    for better, worse in (
        ("elu, bias 0", "relu, bias 0"),
        ("tanh, orthogonal", "tanh, normal"),
        ("tanh, identity", "tanh, orthogonal"),
        ("LSTM, f starts at 1", "LSTM, f starts at 0"),
        ("LSTM, f starts at chrono", "LSTM, f starts at 1"),
        ("GRU, z starts at 1", "GRU, z starts at 0"),
        ("GRU, z starts at chrono", "GRU, z starts at 1"),
    ):
        assert float(table(told, better)[0]) > 5 * float(table(told, worse)[0])
    for way, least, most in (("as it is", 0, 1e-6), ("layer norm", 0.1, 10), ("batch norm", 0.1, 10)):
        (line,) = (line for line in told.splitlines() if f"dy1/dy0, {way}" in line)
        assert least <= float(line.split()[-1]) < most


def test_vanishing_gradients_clip(vanishing):
    """By value to [-1, 1], by norm to 1 in the same direction; the gradient before is not small."""
    gradient = {"a": np.array([30.0, -0.4], np.float32), "b": np.array([[-0.2, 0.5, 0.1]], np.float32)}
    np.testing.assert_allclose(vanishing.clipped("by value", gradient), [1, -0.4, -0.2, 0.5, 0.1], rtol=1e-6)
    by_norm = vanishing.clipped("by norm", gradient)
    np.testing.assert_allclose(by_norm, np.array([30, -0.4, -0.2, 0.5, 0.1]) / np.sqrt(900.46), rtol=1e-6)
    np.testing.assert_array_equal(vanishing.clipped("by value", np.array([3, np.nan], np.float32)), [1, np.nan])
    assert np.isnan(vanishing.clipped("by norm", np.array([3, np.nan], np.float32))).all()


def test_vanishing_gradients_and_a_latch_that_remembers(vanishing):
    """The state h = tanh(3 h) holds near 0.995, where a step multiplies a gradient by 3 (1 - 0.995^2) = 0.03."""
    (plus, left), (minus, _) = vanishing.latch(2.0), vanishing.latch(-2.0)
    assert plus == pytest.approx(np.tanh(3 * plus), abs=1e-6)
    assert plus > 0.99
    assert minus == -plus
    assert left == pytest.approx((3 * (1 - plus**2)) ** 40, rel=0.5)


@pytest.mark.slow
def test_vanishing_gradients_run_and_tell_who_learns(tmp_path):
    finished = optimized(str(LESSONS / "vanishing_gradients.py"), "--pictures", str(tmp_path / "new"))
    assert finished.returncode == 0, finished.stderr
    tanh, gru = (
        float(line.split("(1/6")[0].split()[-1]) for line in finished.stdout.splitlines() if "each 100 steps" in line
    )
    assert tanh > 0.15  # the mean of all answers has 1/6
    assert gru < 0.01
    ratios = [float(line.split()[-1]) for line in finished.stdout.splitlines() if "steps: gradient 35 steps" in line]
    assert max(ratios[:2]) < 1e-5  # tanh, after 100 and after 600 steps
    assert min(ratios[2:]) > 1e-3
    names = {"bounds", "activations", "initializers", "gates", "training"}
    assert {path.name for path in (tmp_path / "new").iterdir()} == {f"{name}.png" for name in names}


def test_they_are_notebooks_that_marimo_finds_nothing_wrong_with():
    """Else `marimo edit` would open them with an error: a name defined twice, a cycle between cells."""
    files = sorted(map(str, LESSONS.glob("*.py")))
    command = [sys.executable, "-m", "marimo", "check", "--strict", *files]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.slow
@pytest.mark.parametrize("lesson", [path.stem for path in LESSONS.glob("*.py")])
def test_they_run_in_jupyter(lesson, tmp_path):
    """Exported, and run by Jupyter beside the other lessons, as a reader has them."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    for path in LESSONS.glob("*.py"):
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / "examples").symlink_to(LESSONS.parents[1] / "examples")
    exported = tmp_path / f"{lesson}.ipynb"
    command = [sys.executable, "-m", "marimo", "export", "ipynb", str(LESSONS / f"{lesson}.py"), "--sort", "top-down"]
    subprocess.run([*command, "-o", str(exported)], check=True, capture_output=True)
    notebook = nbformat.read(exported, as_version=4)
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert said.strip()
