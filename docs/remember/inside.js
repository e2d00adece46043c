// A unit through time: its gates as lines, and its equation with the numbers of one step.

const LINES = {
  lstm: [["i", 0, "baseline-2"], ["f", 1, "model"], ["o", 3, "baseline-3"]],
  gru: [["r", 0, "baseline-2"], ["z", 1, "model"]],
};
const NAMES = { i: "i, in", f: "f, keep", o: "o, out", r: "r, past", z: "z, keep" };
const DASHES_OF = { i: [6, 3], f: [], o: [2, 3], r: [6, 3], z: [] };

const said = (value) => (Number.isFinite(value) ? value.toFixed(2).replace("-", "−") : "–");

/** A unit of a report: `at(gate, t)`, `h(t)` and `c(t)`. */
function reader({ hs, cs, gates }, { units, blocks }, unit) {
  return {
    at: (gate, t) => gates[(t * blocks + gate) * units + unit],
    h: (t) => (t < 0 ? 0 : hs[t * units + unit]),
    c: (t) => (t < 0 ? 0 : cs[t * units + unit]),
  };
}

const EQUATIONS = {
  lstm: ({ at, h, c }, t) => `memory c = f·c₋₁ + i·g = ${said(at(1, t))}·${said(c(t - 1))} + ${said(at(0, t))}·${said(at(2, t))} = ${said(c(t))}; `
    + `output h = o·tanh c = ${said(at(3, t))}·${said(Math.tanh(c(t)))} = ${said(h(t))}`,
  gru: ({ at, h }, t) => `h = (1 − z)·n + z·h₋₁ = ${said(1 - at(1, t))}·${said(at(2, t))} + ${said(at(1, t))}·${said(h(t - 1))} = ${said(h(t))}`,
  rnn: ({ h }, t) => `h = tanh(W_x x + W_h h₋₁ + b) = tanh(${said(Math.atanh(h(t)))}) = ${said(h(t))}. No gate: the whole state is made anew at each step`,
  relu: ({ h }, t) => `h = max(0, W_x x + W_h h₋₁ + b) = ${said(h(t))}. No gate: the whole state is made anew at each step`,
};

/** The equation of a unit with its numbers at step t. */
export function equation(cell, report, sizes, unit, t) {
  return EQUATIONS[cell](reader(report, sizes, unit), t);
}

/** The picture of a unit's gates, its memory or its output. */
export function gatesPicture(cell, report, sizes, unit) {
  const read = reader(report, sizes, unit), steps = report.share.length, x = Array.from({ length: steps }, (_, t) => t + 1);
  const gates = (LINES[cell] ?? []).map(([gate, block, name]) => ({
    name: NAMES[gate], color: name, width: gate === "f" || gate === "z" ? 2 : 1.4, dash: DASHES_OF[gate], x, y: x.map((t) => read.at(block, t - 1)),
  }));
  const state = cell === "lstm" ? { name: "memory c", y: x.map((t) => read.c(t - 1)) } : { name: "output h", y: x.map((t) => read.h(t - 1)) };
  const lines = [...gates, { ...state, color: "ink", width: 1.3, dash: [], x }];
  const ends = endsOf([...lines.map((line) => line.y), [0, 1]]);
  return {
    x: { range: [1, steps], kind: "count" }, y: { range: withMargin(ends) }, lines,
    heading: (t) => `step ${t}`, value: said,
  };
}
