// What the page says of the two networks: in words, and never more than the numbers do.

/** What a task asks. */
export const ASKED = {
  order: "Two letters among others, each X or Y. Asked at the end: which, in which order?",
  adding: "Two numbers are marked. At the end: what is their sum?",
  copy: "Three letters. Asked after the gap: say them again.",
  curve: "Draw here. The networks do not see the last fifth: there they go on alone.",
};

/** The right answer to a sequence. */
export function rightAnswer(task, { targets, scored }) {
  if (task.points) return "";
  const asked = Array.from(targets).filter((_, t) => scored[t]);
  return task.answers ? asked.map((answer) => task.answers[answer]).join(" ") : asked[0].toFixed(2);
}

/** A network's answer. */
export function saidAnswer(task, { ys }, { scored }) {
  const { outputs, steps } = task, said = [];
  for (let t = 0; t < steps; t += 1) {
    if (!scored[t]) continue;
    const y = Array.from(ys.subarray(t * outputs, (t + 1) * outputs));
    said.push(task.answers ? task.answers[y.indexOf(Math.max(...y))] : y[0].toFixed(2));
  }
  return said.join(" ");
}

/** How well a network does on sequences that it was not trained on. */
export function scoreText(task, { accuracy, heldOut }) {
  if (!Number.isFinite(heldOut)) return "not a number any more";
  if (task.answers) return `${Math.round(100 * accuracy)} % right`;
  const percent = (100 * heldOut) / task.baseline;
  return `error ${percent < 1000 ? Number(percent.toPrecision(2)) : "more than 1,000"} % of ${task.points ? "repeating" : "guessing"}`;
}

/** The norm of the last training step's gradient, and the largest of the run. */
export function normText({ norm, peak }, limit) {
  const text = (size) => (size >= 1e6 ? size.toExponential(0) : Number(size.toPrecision(2)).toLocaleString("en"));
  return `gradient’s norm ${text(norm)}, at most ${text(peak)}${limit && peak > limit ? `, clipped to ${limit}` : ""}`;
}

/**
 * "knows", "learns" or "guesses". Of classes by their share of right answers, with a margin of three deviations of 64
 * guesses; of numbers by their error: below a tenth of guessing, below nine tenths, or above.
 */
export function stateOf(task, { accuracy, heldOut }) {
  const error = heldOut / task.baseline;
  if (task.answers) return accuracy >= 0.95 ? "knows" : accuracy > 1 / task.outputs + 0.16 ? "learns" : "guesses";
  if (error < 0.1) return "knows";
  return error < 0.9 ? "learns" : "guesses";
}

const STATES = {
  knows: ["has learned it", "has learned it"], learns: ["is learning", "has learned a part of it"],
  guesses: ["is still guessing", "is still guessing"],
};

/** The first sentence of the page. Names are those of presets.js. */
export function verdict(task, settings, lanes, names, ended) {
  const states = lanes.map((lane) => stateOf(task, lane)), step = lanes[0].step.toLocaleString("en");
  const subject = ({ full, short }) => (full === short ? `the ${full.replace("Plain", "plain")}` : `with ${short} it`);
  const told = states[0] === states[1] && states[0] !== "learns"
    ? `both networks ${states[0] === "knows" ? "have learned it" : "are still guessing"}`
    : names.map((name, place) => `${subject(name)} ${STATES[states[place]][Number(ended)]}`).join(", ");
  const where = settings.task === "curve" ? "Your curve" : `Gap ${settings.gap}`;
  return `${where}: ${told}. ${ended ? `The run ended after ${step} steps` : `Training step ${step}`}.`;
}
