// What the networks learn. Each task has a gap: so many steps before its answer lies what the answer needs.
//
// A task is {inputs, outputs, steps, baseline, draw}: D and O, T, the loss of the best answer that does not look at the
// inputs, and `draw(random)` of one sequence; `needed(xs)` is the step that the answer at the last step needs, the first
// one if there are several. One output is a number, several are classes: `answers` are their names.

const LETTERS = ["X", "Y", "a", "b", "c", "?"];  // two that count, three that distract, the question
const SYMBOLS = ["A", "B", "C", "D", "·", "?"];  // four to copy, a blank, the question
const COPIED = 3;

/** One-hot rows. */
function encode(places, width, xs) {
  places.forEach((place, t) => { xs[t * width + place] = 1; });
}

/** The first step whose input has a property. */
function firstStep(xs, width, has) {
  for (let t = 0; t * width < xs.length; t += 1) if (has(xs.subarray(t * width, (t + 1) * width))) return t;
  return 0;
}

/**
 * The order of two letters among others (Hochreiter & Schmidhuber 1997, task 6a). The first lies in the first tenth, the
 * second a little after the middle.
 */
function order(gap) {
  const steps = gap + 1;
  const draw = (random) => (xs, targets, scored) => {
    const first = random.whole(0, Math.floor(gap / 10)), second = random.whole(Math.floor(gap / 2), Math.floor(0.6 * gap));
    const signs = [random.whole(0, 1), random.whole(0, 1)];
    const letters = Array.from({ length: steps }, (_, t) => (t === gap ? 5 : random.whole(2, 4)));
    letters[first] = signs[0];
    letters[second] = signs[1];
    encode(letters, 6, xs);
    targets[gap] = 2 * signs[0] + signs[1];
    scored[gap] = 1;
  };
  return { inputs: 6, outputs: 4, steps, baseline: Math.log(4), letters: LETTERS, draw, needed: (xs) => firstStep(xs, 6, (x) => x[0] || x[1]),
           answers: ["X … X", "X … Y", "Y … X", "Y … Y"] };
}

/** The sum of two marked numbers (Hochreiter & Schmidhuber 1997, experiment 4), one in each half, the first early. */
function adding(gap) {
  const steps = gap + 1;
  const draw = (random) => (xs, targets, scored) => {
    const marked = [random.whole(0, Math.floor(gap / 10)), random.whole(Math.floor(steps / 2), gap)];
    for (let t = 0; t < steps; t += 1) xs[2 * t] = random.uniform();
    for (const t of marked) {
      xs[2 * t + 1] = 1;
      targets[gap] += xs[2 * t];
    }
    scored[gap] = 1;
  };
  return { inputs: 2, outputs: 1, steps, baseline: 1 / 6, draw, needed: (xs) => firstStep(xs, 2, (x) => x[1]) };
}

/** Three letters, to be said again after the gap (Hochreiter & Schmidhuber 1997; Arjovsky et al. 2016, § 5.1). */
function copy(gap) {
  const steps = gap + COPIED;
  const draw = (random) => (xs, targets, scored) => {
    const letters = Array.from({ length: steps }, (_, t) => (t === gap ? 5 : 4));
    for (let t = 0; t < COPIED; t += 1) {
      letters[t] = random.whole(0, 3);
      targets[gap + t] = letters[t];
      scored[gap + t] = 1;
    }
    encode(letters, 6, xs);
  };
  return { inputs: 6, outputs: 4, steps, baseline: Math.log(4), letters: SYMBOLS, draw, needed: () => COPIED - 1, answers: SYMBOLS.slice(0, 4) };
}

export const HELD_OUT = 0.2;  // the last fifth of a curve is for testing
const WINDOW = 50;

/** The next value of a curve, `points` with mean 0 and deviation 1, from windows of its first four fifths. */
export function curve(points) {
  const cut = Math.round(points.length * (1 - HELD_OUT)), steps = Math.min(WINDOW, cut - 1);
  const window = (start, from) => (xs, targets, scored) => {
    for (let t = 0; t < steps; t += 1) {
      xs[t] = points[start + t];
      targets[t] = points[start + t + 1];
      scored[t] = start + t + 1 >= from ? 1 : 0;
    }
  };
  const last = points.length - steps - 1;
  const changes = Array.from(points.subarray(cut), (value, place) => (value - points[cut + place - 1]) ** 2);
  const baseline = changes.reduce((sum, value) => sum + value, 0) / changes.length;  // the last value again
  return {
    inputs: 1, outputs: 1, steps, baseline, cut, points, needed: () => 0,
    draw: (random) => window(random.whole(0, cut - steps - 1), 0), test: () => window(last, cut),
  };
}

const MAKERS = { order, adding, copy };

/** @returns the task of some settings */
export function taskOf({ task, gap, points }) {
  return task === "curve" ? curve(points) : MAKERS[task](gap);
}
