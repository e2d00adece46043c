"""The lessons run as scripts, and their numbers are the right ones."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

LESSONS = Path(__file__).parents[2] / "docs" / "lessons"


def run(lesson: str, *arguments: str) -> subprocess.CompletedProcess:
    """A lesson as its reader starts it."""
    return subprocess.run(
        [sys.executable, str(LESSONS / lesson), *arguments], capture_output=True, text=True, check=False
    )


def imported(lesson: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(lesson, LESSONS / f"{lesson}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def by_hand() -> ModuleType:
    return imported("by_hand")


@pytest.fixture(scope="module")
def sine_wave() -> ModuleType:
    return imported("sine_wave")


def test_every_lesson_is_tested_here():
    assert {path.name for path in LESSONS.glob("*.py")} == {"by_hand.py", "sine_wave.py"}


def test_by_hand_runs_and_draws_only_when_asked(tmp_path):
    picture = tmp_path / "by_hand.png"
    finished = run("by_hand.py", "--picture", str(picture))
    assert finished.returncode == 0, finished.stderr
    for words in ("1. By hand", "The same numbers", "gradient, largest          0\n", "dy1/dy0, largest           0\n"):
        assert words in finished.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["by_hand.png"]


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


def test_by_hand_saturates(by_hand):
    """All of y1 is 1 or -1 to the last bit, its derivative and every gradient 0, and learning stands still."""
    given = by_hand.WEIGHTS, by_hand.X0, by_hand.X1
    y1 = by_hand.two_steps(*given)[1]
    np.testing.assert_array_equal(y1, [[1, -1, 1]] * 3)
    np.testing.assert_array_equal(by_hand.slope(y1), np.zeros((3, 3)))
    assert by_hand.largest_gradient(*given) == 0
    np.testing.assert_array_equal(by_hand.flow_to_first_step(*given), np.zeros((3, 3, 3)))
    for before, after in zip(by_hand.WEIGHTS, by_hand.descend(*given), strict=True):
        np.testing.assert_array_equal(after, before)


def test_by_hand_learns_from_scaled_inputs(by_hand):
    x0, x1 = by_hand.scaled(by_hand.X0, by_hand.X1)
    both = np.concatenate([x0, x1])
    np.testing.assert_allclose(both.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(both.std(axis=0), 1, rtol=1e-6)
    assert by_hand.largest_gradient(by_hand.WEIGHTS, x0, x1) > 0.1
    learnt = by_hand.descend(by_hand.WEIGHTS, x0, x1)
    assert by_hand.error(learnt, x0, x1) < 0.01 * by_hand.error(by_hand.WEIGHTS, x0, x1)


def test_by_hand_gradient_through_time(by_hand):
    """dy1/dy0 is (1 - y1^2) times the transposed Wy."""
    x0, x1 = by_hand.scaled(by_hand.X0, by_hand.X1)
    y1 = np.asarray(by_hand.two_steps(by_hand.WEIGHTS, x0, x1)[1])
    expected = (1 - y1**2)[:, :, None] * np.asarray(by_hand.WEIGHTS.w_y).T
    np.testing.assert_allclose(by_hand.flow_to_first_step(by_hand.WEIGHTS, x0, x1), expected, rtol=1e-5, atol=1e-6)


def test_sine_wave_runs_and_learns():
    finished = run("sine_wave.py")
    assert finished.returncode == 0, finished.stderr
    assert "step  1500" in finished.stdout
    assert "training would go on at step 1501" in finished.stdout


def test_sine_wave_says_when_it_has_not_learnt(sine_wave, monkeypatch):
    untrained = sine_wave.start(sine_wave.make_network(0), sine_wave.OPTIMISER, sine_wave.jax.random.key(0))
    monkeypatch.setattr(sine_wave, "learn", lambda steps: untrained)
    with pytest.raises(SystemExit, match="has not learnt enough in 7 steps: repeating the last point is better"):
        sine_wave.tell_story(7)


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
