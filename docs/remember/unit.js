// One unit of a report, as the picture of its gates needs it.
import { CELLS } from "./engine.js";

const NAMES = { lstm: ["i", "f", "g", "o"], gru: ["r", "z", "n"], rnn: [], relu: [] };  // of the blocks of a report's gates

/** @returns the unit of shared/inside.js */
export function unitOf(cell, { hs, cs, gates, share }, units, unit) {
  const steps = Array.from(share, (_, t) => t), { blocks } = CELLS[cell];
  const through = (values, block = 0, of = 1) => steps.map((t) => values[(t * of + block) * units + unit]);
  return {
    cell, h: through(hs), c: cell === "lstm" ? through(cs) : null,
    gates: Object.fromEntries(NAMES[cell].map((name, block) => [name, through(gates, block, blocks)])),
  };
}
