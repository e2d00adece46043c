"""The tasks of ``time_to_accuracy.py``, the same for every side: data, first weights, clock and a process's output.

The module needs only NumPy, which every side's environment has.
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np

BATCH, EPOCH, TESTED = 32, 128, 2048  # sequences in a batch, batches in an epoch, held-out sequences
SHORTEST, LONGEST = 20, 60  # steps of a sequence, where lengths differ
NEAR = 0.04  # a sum is right if its error is less (Hochreiter & Schmidhuber 1997, experiment 4)


class Examples(NamedTuple):
    """Sequences and their answers.

    Attributes:
        xs: (N, T, D) inputs, zeros after the end of a sequence.
        lengths: (N,) steps of each sequence.
        targets: (N,) a class or a number for a sequence, or (N, T) a class for each step; 0 after its end.
    """

    xs: np.ndarray
    lengths: np.ndarray
    targets: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """Return (N, T) True until the end of each sequence."""
        return np.arange(self.xs.shape[1]) < self.lengths[:, None]


class Task(NamedTuple):
    """A task, and the network and the optimizer that every side has for it.

    Attributes:
        draw: makes a number of examples.
        cell: "lstm" or "gru".
        hidden: H.
        inputs: D.
        outputs: O, the number of classes, or 1 for a number.
        bidirectional: True for an answer at each step by two cells, False for one after the last step.
        learning_rate: of Adam.
        epochs: the length of a run; for many networks 1, which stands for all of their steps.
        target: the accuracy that counts: 95 % of that at the end of one long run of throughtime, rounded. None for many
            networks, whose number of steps is given.
    """

    draw: Callable[[np.random.Generator, int], Examples]
    cell: str
    hidden: int
    inputs: int
    outputs: int
    bidirectional: bool
    learning_rate: float
    epochs: int
    target: float | None = None

    def examples(self, seed: int) -> tuple[Examples, Examples]:
        """Return the examples to learn from and the held-out ones, both new for each seed."""
        random = np.random.default_rng([seed, 1])
        return self.draw(random, BATCH * EPOCH), self.draw(random, TESTED)

    def cells(self, seed: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Return the first weights of each direction's cell: w_x (G*H, D), w_h (G*H, H), b (G*H,).

        Glorot's uniform numbers for the inputs, an orthogonal matrix for each gate, and zeros, but 1 for the gate f.
        The gates are in PyTorch's order.
        """
        random = np.random.default_rng([seed, 2])
        return [self._cell(random) for _ in range(1 + self.bidirectional)]

    def _cell(self, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        gates, hidden = {"lstm": 4, "gru": 3}[self.cell], self.hidden
        limit = (6 / (self.inputs + hidden)) ** 0.5
        w_x = random.uniform(-limit, limit, (gates * hidden, self.inputs))
        w_h = np.concatenate([np.linalg.qr(random.normal(size=(hidden, hidden)))[0] for _ in range(gates)])
        b = np.zeros(gates * hidden)
        if self.cell == "lstm":
            b[hidden : 2 * hidden] = 1
        return w_x.astype(np.float32), w_h.astype(np.float32), b.astype(np.float32)

    def readout(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the first weights of the readout: (O, H) of Glorot's uniform numbers, and zeros (O,)."""
        width = self.hidden * (1 + self.bidirectional)
        limit = (6 / (width + self.outputs)) ** 0.5
        w = np.random.default_rng([seed, 3]).uniform(-limit, limit, (self.outputs, width))
        return w.astype(np.float32), np.zeros(self.outputs, np.float32)

    def accuracy(self, answers: np.ndarray, tested: Examples) -> float:
        """Return the share of right answers: scores (N, O) or (N, T, O) of the classes, or numbers (N, 1)."""
        if self.outputs == 1:
            return float(np.mean(np.abs(answers[:, 0] - tested.targets) < NEAR))
        right = answers.argmax(-1) == tested.targets
        return float(right[tested.mask].mean() if right.ndim == 2 else right.mean())


def waveforms(random: np.random.Generator, count: int) -> Examples:
    """Draw noisy waves of five kinds, of any period, phase, amplitude and length; the answer is the kind."""
    lengths, kinds = random.integers(SHORTEST, LONGEST + 1, count), random.integers(0, 5, count)
    column = (count, 1)
    turns = (random.random(column) + np.arange(LONGEST) / random.uniform(8, 20, column)) % 1
    waves = [
        np.sin(2 * np.pi * turns),
        np.sign(turns - 0.5),
        4 * np.abs(turns - 0.5) - 1,
        2 * turns - 1,
        1 - 2 * turns,
    ]
    ys = np.choose(kinds[:, None], waves) * random.uniform(0.5, 1.5, column)
    ys = ys + 0.2 * random.normal(size=ys.shape)
    return _examples(ys[..., None], lengths, kinds)


def marks(random: np.random.Generator, count: int) -> Examples:
    """Draw numbers of which a few are marked; the answer at each step is where the nearest marks lead.

    A mark is positive or negative, one step in ten has one. The class says the sign of the last mark up to a step, the
    sign of the next one after it, and which of the two is larger: 8 classes.
    """
    lengths = random.integers(SHORTEST, LONGEST + 1, count)
    shape = count, LONGEST
    numbers, marked = random.uniform(-1, 1, shape), random.random(shape) < 0.1
    marked &= np.arange(LONGEST) < lengths[:, None]
    before, after = np.zeros(shape), np.zeros(shape)
    for t in range(1, LONGEST):
        before[:, t] = np.where(marked[:, t], numbers[:, t], before[:, t - 1])
    before[:, 0] = np.where(marked[:, 0], numbers[:, 0], 0)
    for t in range(LONGEST - 2, -1, -1):
        after[:, t] = np.where(marked[:, t + 1], numbers[:, t + 1], after[:, t + 1])
    classes = (before > 0) + 2 * (after > 0) + 4 * (np.abs(before) > np.abs(after))
    return _examples(np.stack([numbers, marked], axis=-1), lengths, classes)


def adding(random: np.random.Generator, count: int, steps: int = 200) -> Examples:
    """Draw numbers, two of them marked; the answer is their sum (Hochreiter & Schmidhuber 1997, experiment 4)."""
    numbers = random.random((count, steps))
    places = np.stack([random.integers(0, steps // 2, count), random.integers(steps // 2, steps, count)], axis=1)
    marked = np.zeros((count, steps))
    np.put_along_axis(marked, places, 1, axis=1)
    sums = np.take_along_axis(numbers, places, axis=1).sum(axis=1)
    return _examples(np.stack([numbers, marked], axis=-1), np.full(count, steps), sums)


def _examples(xs: np.ndarray, lengths: np.ndarray, targets: np.ndarray) -> Examples:
    """Return examples in the types that all sides take, with zeros after the end of each sequence."""
    kept = np.arange(xs.shape[1]) < lengths[:, None]
    targets = np.where(kept, targets, 0) if targets.ndim == 2 else targets
    kind = np.float32 if np.issubdtype(targets.dtype, np.floating) else np.int32
    return Examples((xs * kept[..., None]).astype(np.float32), lengths.astype(np.int32), targets.astype(kind))


TASKS = {
    "classify": Task(waveforms, "lstm", 64, 1, 5, False, 0.001, 30, 0.855),
    "tag": Task(marks, "gru", 64, 2, 8, True, 0.001, 30, 0.895),
    "add": Task(adding, "gru", 128, 2, 1, False, 0.003, 20, 0.93),
    "many": Task(waveforms, "lstm", 64, 1, 5, False, 0.001, 1),
    "many-small": Task(waveforms, "gru", 16, 1, 5, False, 0.003, 1),
}
# Twenty networks learn from the same examples, number n from the first weights of seed n.
MANY, NETWORKS, STEPS_OF_MANY = ("many", "many-small"), 20, 512


class Run:
    """A side's run: its evaluations, with the seconds of training before each.

    Attributes:
        task: the task.
        learned: the examples to learn from.
        tested: the held-out ones.
        epochs: the most epochs.
        setup: wall-clock and CPU seconds from the process's start to the first step.
        evaluations: (steps, accuracy, wall-clock and CPU seconds of training so far), without evaluating.
    """

    def __init__(self, args: argparse.Namespace):
        """Draw the examples."""
        self.task, self.epochs = TASKS[args.task], args.epochs or TASKS[args.task].epochs
        self.learned, self.tested = self.task.examples(args.seed)
        self._began, self._until_target, self._seconds = args.began, args.until_target, args.seconds
        self.setup = 0.0, 0.0
        self.evaluations: list[tuple[int, float, float, float]] = []
        self._trained = [0.0, 0.0]

    def start(self) -> None:
        """Start the clock, with everything ready for the first step."""
        self.setup = time.time() - self._began, time.process_time()
        self._go_on()

    def _go_on(self) -> None:
        self._since = time.perf_counter(), time.process_time()

    def evaluate(self, networks: Iterable[Any], answers: Callable[[Any], Any]) -> bool:
        """Stop the clock after an epoch, note the accuracy for the held-out examples, and go on.

        ``answers`` returns those of a network; the mean accuracy of all networks counts.
        Return True if the run is over: after its last epoch or its seconds, or at the target if that is what it is for.
        """
        now = time.perf_counter(), time.process_time()
        self._trained = [total + end - begin for total, end, begin in zip(self._trained, now, self._since, strict=True)]
        accuracy = float(np.mean([self.task.accuracy(np.asarray(answers(each)), self.tested) for each in networks]))
        self.evaluations.append(((len(self.evaluations) + 1) * EPOCH, accuracy, *self._trained))
        self._go_on()
        target = self.task.target
        reached = self._until_target and target is not None and accuracy >= target
        return reached or len(self.evaluations) >= self.epochs or self.setup[0] + self._trained[0] > self._seconds

    def answer(self, parameters: int, *packages: str) -> None:
        """Print the run as one JSON object, with the versions of these packages."""
        told: dict[str, Any] = {"setup": self.setup, "evaluations": self.evaluations, "parameters": parameters}
        print(json.dumps(told | {"versions": {package: version(package) for package in packages}}))


def arguments(**options: tuple[str, ...]) -> argparse.Namespace:
    """Parse the driver's arguments; ``options`` are those of a side, each with its choices."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--began", type=float, required=True, help="the time of the process's start")
    parser.add_argument("--epochs", type=int, help="fewer or more epochs than the task has")
    parser.add_argument("--until-target", action="store_true", help="end at the task's target")
    parser.add_argument("--seconds", type=float, default=math.inf, help="the longest time from the process's start")
    for name, choices in options.items():
        parser.add_argument(f"--{name}", choices=choices, required=True)
    return parser.parse_args()
