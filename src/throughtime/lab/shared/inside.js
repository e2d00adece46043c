// A unit through time: its gates as lines, and its equation with the numbers of one step.
//
// A unit is {cell, gates, h, c}: the kind of its cell, its gates as lists of numbers by their names, its output, and its
// memory, where that is not its output.

const GATES = {
  i: { name: "i, in", color: "baseline-2", dash: [6, 3] }, f: { name: "f, keep", color: "model", dash: [] },
  o: { name: "o, out", color: "baseline-3", dash: [2, 3] }, r: { name: "r, past", color: "baseline-2", dash: [6, 3] },
  z: { name: "z, keep", color: "model", dash: [] },
};
const DRAWN = { lstm: ["i", "f", "o"], gru: ["r", "z"], rnn: [], relu: [], plain: [] };  // of the cells with an equation; else all gates

const said = (value) => (Number.isFinite(value) ? value.toFixed(2).replace("-", "−") : "–");
const before = (values, t) => (t ? values[t - 1] : 0);
const ANEW = "No gate: the whole state is made anew at each step";

const EQUATIONS = {
  lstm: ({ gates: { i, f, g, o }, h, c }, t) => `memory c = f·c₋₁ + i·g = ${said(f[t])}·${said(before(c, t))} + ${said(i[t])}·${said(g[t])} = ${said(c[t])}; `
    + `output h = o·tanh c = ${said(o[t])}·${said(Math.tanh(c[t]))} = ${said(h[t])}`,
  gru: ({ gates: { z, n }, h }, t) => `h = (1 − z)·n + z·h₋₁ = ${said(1 - z[t])}·${said(n[t])} + ${said(z[t])}·${said(before(h, t))} = ${said(h[t])}`,
  rnn: ({ h }, t) => `h = tanh(W_x x + W_h h₋₁ + b) = tanh(${said(Math.atanh(h[t]))}) = ${said(h[t])}. ${ANEW}`,
  plain: ({ h }, t) => `h = g(W_x x + W_h h₋₁ + b) = ${said(h[t])}. ${ANEW}`,
  relu: ({ h }, t) => `h = max(0, W_x x + W_h h₋₁ + b) = ${said(h[t])}. ${ANEW}`,
};

/** The equation of a unit with its numbers at step t; of another cell, these numbers. */
export function equation(unit, t) {
  if (EQUATIONS[unit.cell]) return EQUATIONS[unit.cell](unit, t);
  const gates = Object.entries(unit.gates).map(([name, values]) => `${name} = ${said(values[t])}`);
  return [...gates, `output h = ${said(unit.h[t])}`].join(", ");
}

/** The picture of a unit's gates, and of its memory or its output. */
export function gatesPicture(unit) {
  const x = Array.from(unit.h, (_, t) => t + 1), names = DRAWN[unit.cell] ?? Object.keys(unit.gates);
  const gates = names.map((name, place) => {
    const { color: of, dash, ...told } = GATES[name] ?? { ...baselineLine(place), name };
    return { name: told.name, color: of, dash, width: of === "model" ? 2 : 1.4, x, y: Array.from(unit.gates[name]) };
  });
  const [name, values] = unit.c ? ["memory c", unit.c] : ["output h", unit.h];
  const lines = [...gates, { name, color: "ink", width: 1.3, dash: [], x, y: Array.from(values) }];
  return {
    x: { range: [1, Math.max(x.length, 2)], kind: "count" }, y: { range: withMargin(endsOf([...lines.map((line) => line.y), [0, 1]])) }, lines,
    heading: (t) => `step ${t}`, value: said,
  };
}
