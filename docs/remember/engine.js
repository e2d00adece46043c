// The compiled network as objects: native/wasm/interface.cc from JavaScript.
import { glorot, orthogonal, uniform } from "./weights.js";

/** The cells of the page by name: numbers of native/kernels.h, gates, and the gate that keeps the state. */
export const CELLS = {
  rnn: { cell: 0, activation: 2, gates: 1, keeps: -1, blocks: 0 },
  relu: { cell: 0, activation: 3, gates: 1, keeps: -1, blocks: 0 },
  gru: { cell: 1, activation: 2, gates: 3, keeps: 1, blocks: 4 },
  lstm: { cell: 2, activation: 2, gates: 4, keeps: 1, blocks: 5 },
};

/** Compiles the module; it asks for nothing from outside. */
export async function loadEngine(bytes) {
  const { instance } = await WebAssembly.instantiate(bytes, {});
  instance.exports._initialize();
  return instance.exports;
}

function floats(engine, address, length) {
  return new Float32Array(engine.memory.buffer, address, length);
}

/** A cell with a linear readout, and its optimizer. */
export class Network {
  /** @param sizes {{inputs: number, units: number, outputs: number}} */
  constructor(engine, { cell, gain, forget }, sizes, random) {
    const kind = CELLS[cell];
    Object.assign(this, { engine, kind, sizes });
    this.address = engine.network_new(kind.cell, kind.activation, sizes.inputs, sizes.units, sizes.outputs);
    const parameters = floats(engine, engine.network_parameters(this.address), engine.network_size(this.address));
    parameters.set(initialWeights(kind, sizes, gain, forget, random));
  }

  free() {
    this.engine.network_free(this.address);
  }
}

/** All weights in the order of native/wasm/network.h, as the library starts them. */
function initialWeights({ gates, keeps, cell }, { inputs, units, outputs }, gain, forget, random) {
  const each = (draw) => Array.from({ length: gates }, (_, gate) => [...draw(gate)]).flat();
  return [
    ...each(() => glorot(random, units, inputs)),
    ...each(() => orthogonal(random, units, gain)),
    ...each((gate) => new Float32Array(units).fill(gate === keeps ? forget : 0)),
    ...new Float32Array(cell === 1 ? units : 0),
    ...uniform(random, outputs * units, units),
    ...uniform(random, outputs, units),
  ];
}

/** A batch of sequences and the training step on it. */
export class Batch {
  constructor(network, rows, steps) {
    const { engine, sizes } = network;
    Object.assign(this, { engine, rows, steps, sizes });
    this.address = engine.batch_new(network.address, rows, steps);
  }

  /** Fills each row by `draw(xs, targets, scored)`, arrays of zeros of one sequence. */
  fill(draw) {
    const { engine, rows, steps, address, sizes } = this;
    const parts = [[engine.batch_xs(address), steps * sizes.inputs], [engine.batch_targets(address), steps],
      [engine.batch_scored(address), steps]];
    for (let row = 0; row < rows; row += 1) {
      draw(...parts.map(([start, length]) => floats(engine, start + 4 * row * length, length).fill(0)));
    }
  }

  /** @returns {number} the loss before the step */
  train(rate, limit) {
    return this.engine.batch_train(this.address, rate, limit);
  }

  /** The norm of the last step's gradient, before clipping. */
  get norm() {
    return this.engine.batch_norm(this.address);
  }

  /** @returns {{loss: number, accuracy: number}} of the batch; the share of right classes */
  evaluate() {
    const { engine, address, rows, steps, sizes: { outputs } } = this;
    const loss = engine.batch_evaluate(address), places = rows * steps;
    const ys = floats(engine, engine.batch_ys(address), places * outputs);
    const targets = floats(engine, engine.batch_targets(address), places);
    const scored = floats(engine, engine.batch_scored(address), places);
    let right = 0, count = 0;
    for (let place = 0; place < places; place += 1) {
      if (!scored[place]) continue;
      count += 1;
      right += largest(ys.subarray(place * outputs, (place + 1) * outputs)) === targets[place];
    }
    return { loss, accuracy: right / count };
  }

  free() {
    this.engine.batch_free(this.address);
  }
}

/** The place of the largest number. */
export function largest(values) {
  return values.reduce((best, value, place) => (value > values[best] ? place : best), 0);
}

/** One sequence step by step: its states, its gates, and the way of a gradient back. */
export class Walk {
  constructor(network, steps) {
    Object.assign(this, { engine: network.engine, network, steps });
    this.address = network.engine.walk_new(network.address, steps);
  }

  /** Runs xs; from step `given` on, the network reads its own output. @returns {Float32Array} the outputs (T, O) */
  forward(xs, given = this.steps) {
    const { engine, address } = this;
    floats(engine, engine.walk_xs(address), xs.length).set(xs);
    engine.walk_forward(address, given);
    return this.copy("ys", 0, this.steps * this.network.sizes.outputs);
  }

  /** Outputs of the units after each step (T, H), the memories of an LSTM, and the gates (T, blocks, H). */
  states() {
    const { steps, network: { sizes: { units }, kind: { blocks } } } = this;
    const padded = 4 * Math.ceil(units / 4), block = 16 * Math.ceil(units / 16), stored = this.copy("gates", 0, steps * blocks * block);
    const gates = new Float32Array(steps * blocks * units);
    for (let t = 0; t < steps; t += 1) {
      for (let gate = 0; gate < blocks; gate += 1) {
        const from = t * blocks * block + gate * padded;
        gates.set(stored.subarray(from, from + units), (t * blocks + gate) * units);
      }
    }
    return { hs: this.copy("hs", units, steps * units), cs: this.copy("cs", units, steps * units), gates };
  }

  /** The norm of the derivative of output o at the last step by the state after each step, over that at the last. */
  gradient(output) {
    const { engine, steps, network: { sizes: { units } } } = this;
    engine.walk_backward(this.address, output);
    const d_hs = this.copy("d_hs", units, steps * units), d_cs = this.copy("d_cs", units, steps * units);
    const norms = Float64Array.from({ length: steps }, (_, t) => {
      let square = 0;
      for (let place = t * units; place < (t + 1) * units; place += 1) square += d_hs[place] ** 2 + d_cs[place] ** 2;
      return Math.sqrt(square);
    });
    return Float32Array.from(norms, (norm) => norm / (norms[steps - 1] || 1));
  }

  copy(name, from, length) {
    const { engine } = this;
    return floats(engine, engine[`walk_${name}`](this.address) + 4 * from, length).slice();
  }

  free() {
    this.engine.walk_free(this.address);
  }
}
