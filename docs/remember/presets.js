// Settings, and links to them: a link holds the name of a preset and what was changed.

/** @typedef {{name: string, cell: string, gain: number, forget: number, clip: number, examples: number}} Lane */

const CURVE = 120;  // points of a drawn curve
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";  // 64 heights, one letter each

const SHARED = { task: "order", gap: 20, seed: 1, rate: 0.003, batch: 8, units: 32, points: null };
const LANE = { gain: 1, forget: 1, clip: 1, examples: 0 };
const RNN = { ...LANE, cell: "rnn" }, LSTM = { ...LANE, cell: "lstm" };
const RELU = { ...LANE, cell: "relu", gain: 1.5 };

/** Presets by name; the first one opens with the page. */
export const PRESETS = {
  "two-networks": { title: "RNN and LSTM", ...SHARED, lanes: [RNN, LSTM] },
  vanishing: { title: "Vanishing", ...SHARED, gap: 60, lanes: [RNN, LSTM] },
  exploding: { title: "Exploding", ...SHARED, task: "adding", gap: 40, seed: 2, lanes: [{ ...RELU, clip: 0 }, RELU] },
  "forget-bias": { title: "Forget bias", ...SHARED, gap: 60, lanes: [{ ...LSTM, forget: 0 }, LSTM] },
  overfitting: { title: "Overfitting", ...SHARED, lanes: [{ ...LSTM, examples: 16 }, LSTM] },
  "your-curve": { title: "Draw your own", ...SHARED, task: "curve", lanes: [RNN, LSTM] },
};
export const FIRST = "two-networks";
const SHARED_NUMBERS = ["gap", "seed", "rate", "batch", "units"], LANE_NUMBERS = Object.keys(LANE);
export const LIMITS = {
  gap: [5, 100], seed: [1, 9999], rate: [0.0001, 0.1], batch: [4, 32], units: [4, 64],
  gain: [0, 3], forget: [-5, 10], clip: [0, 100], examples: [0, 1000],
};
const TASKS = ["order", "adding", "copy", "curve"], CELL_NAMES = { rnn: "Plain RNN", relu: "Plain RNN (ReLU)", gru: "GRU", lstm: "LSTM" };

/** A sum of two sines, for those who do not draw. */
export function exampleCurve() {
  return Float32Array.from({ length: CURVE }, (_, t) => 0.5 + 0.28 * Math.sin((2 * Math.PI * t) / 24) + 0.17 * Math.sin((2 * Math.PI * t) / 8));
}

/** What tells two networks apart: their full names, and short ones. @returns {{full: string, short: string}[]} */
export function laneNames([first, second]) {
  const told = (lane) => [
    first.forget !== second.forget && `forget bias ${lane.forget}`,
    first.gain !== second.gain && `weights × ${lane.gain}`,
    first.clip !== second.clip && (lane.clip ? `clipping at ${lane.clip}` : "no clipping"),
    first.examples !== second.examples && (lane.examples ? `${lane.examples} examples` : "ever new examples"),
  ].filter(Boolean).join(", ");
  return [first, second].map((lane) => {
    const cell = CELL_NAMES[lane.cell], differs = told(lane), full = differs ? `${cell}, ${differs}` : cell;
    return { full, short: first.cell === second.cell && differs ? differs : full };
  });
}

function number(name, text, otherwise) {
  const value = Number(text), [least, most] = LIMITS[name];
  return text !== "" && Number.isFinite(value) ? Math.min(Math.max(value, least), most) : otherwise;
}

/** Settings of a link's part after #. Unknown names and values are left out. */
export function settingsOf(hash) {
  const [name, ...rest] = hash.replace(/^#/, "").split("&");
  const preset = PRESETS[name] ? name : FIRST, { title, ...settings } = structuredClone(PRESETS[preset]);
  const given = new URLSearchParams(rest.join("&"));
  for (const each of SHARED_NUMBERS) settings[each] = number(each, given.get(each) ?? "", settings[each]);
  if (TASKS.includes(given.get("task"))) settings.task = given.get("task");
  settings.lanes.forEach((lane, place) => {
    const part = (each) => given.get(each)?.split(",")[place] ?? "";
    for (const each of LANE_NUMBERS) lane[each] = number(each, part(each), lane[each]);
    if (CELL_NAMES[part("cell")]) lane.cell = part("cell");
  });
  settings.points = settings.task === "curve" ? curveOf(given.get("curve")) : null;
  return { preset, ...settings };
}

/** The preset that a link names, "own" if it changes something. */
export function presetOf(hash) {
  const { preset } = settingsOf(hash);
  return hashOf(settingsOf(hash)) === `#${preset}` || preset === "your-curve" ? preset : "own";
}

/** The link's part after # of some settings. */
export function hashOf(settings) {
  const preset = PRESETS[settings.preset], changes = [];
  for (const each of ["task", ...SHARED_NUMBERS]) if (settings[each] !== preset[each]) changes.push(`${each}=${settings[each]}`);
  for (const each of ["cell", ...LANE_NUMBERS]) {
    if (settings.lanes.some((lane, place) => lane[each] !== preset.lanes[place][each])) {
      changes.push(`${each}=${settings.lanes.map((lane) => lane[each]).join(",")}`);
    }
  }
  if (settings.points) changes.push(`curve=${Array.from(settings.points, (height) => DIGITS[Math.round(63 * height)]).join("")}`);
  return `#${[settings.preset, ...changes].join("&")}`;
}

/** Heights from 0 to 1 of a curve in a link. */
function curveOf(text) {
  if (text?.length !== CURVE || [...text].some((letter) => !DIGITS.includes(letter))) return exampleCurve();
  return Float32Array.from(text, (letter) => DIGITS.indexOf(letter) / 63);
}

/** A curve with mean 0 and deviation 1, by those of the part that is learned from. */
export function standardized(heights, share) {
  const learned = heights.subarray(0, Math.round(share * heights.length));
  const mean = learned.reduce((sum, height) => sum + height, 0) / learned.length;
  const deviation = Math.sqrt(learned.reduce((sum, height) => sum + (height - mean) ** 2, 0) / learned.length) || 1;
  return { points: heights.map((height) => (height - mean) / deviation), mean, deviation };
}
