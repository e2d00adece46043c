// One network that learns, and a look into it.
import { Batch, largest, Network, Walk } from "./engine.js";
import { Random } from "./random.js";

const TESTED = 64;  // sequences that are held out
const TEST_SEED = 1_000_003;

export class Learner {
  /**
   * @param task of tasks.js
   * @param settings {{seed: number, rate: number, batch: number, units: number}}
   * @param lane {{cell: string, gain: number, forget: number, clip: number, examples: number}} examples: how many
   *   training sequences there are, 0 for no end of them
   */
  constructor(engine, task, settings, lane) {
    const { inputs, outputs, steps } = task, random = new Random(settings.seed);
    Object.assign(this, { task, settings, lane, random, step: 0, sum: 0, count: 0, peak: 0 });
    this.network = new Network(engine, lane, { inputs, units: settings.units, outputs }, random);
    this.batch = new Batch(this.network, settings.batch, steps);
    this.test = new Batch(this.network, task.test ? 1 : TESTED, steps);
    const held = new Random(settings.seed + TEST_SEED);
    this.test.fill((...row) => (task.test ? task.test() : task.draw(held))(...row));
    this.walk = new Walk(this.network, steps);
    this.alone = task.points ? new Walk(this.network, 2 * task.points.length - task.cut) : null;
  }

  /** One training step. All learners of a seed see the same batches. */
  train() {
    const { batch, task, lane, settings, random } = this;
    batch.fill((...row) => task.draw(lane.examples ? new Random(settings.seed + random.whole(1, lane.examples)) : random)(...row));
    this.sum += batch.train(settings.rate, lane.clip);
    this.count += 1;
    this.peak = Math.max(this.peak, batch.norm);
    this.step += 1;
  }

  /** The losses since the last call, and the network's inner life on a sequence. */
  look(sequence) {
    const { task, walk } = this, { loss, accuracy } = this.test.evaluate();
    const ys = walk.forward(sequence.xs), last = (task.steps - 1) * task.outputs;
    const answer = task.outputs > 1 ? sequence.targets[task.steps - 1] : 0;
    const report = {
      step: this.step, train: this.count ? this.sum / this.count : NaN, heldOut: loss, accuracy, norm: this.batch.norm, peak: this.peak,
      ys, said: largest(ys.subarray(last)), ...walk.states(), share: walk.gradient(answer), alone: this.runAlone(),
    };
    this.sum = this.count = 0;
    return report;
  }

  /** The continuation of a curve, from its held-out part on. */
  runAlone() {
    const { alone, task } = this;
    if (!alone) return null;
    const xs = new Float32Array(alone.steps);
    xs.set(task.points.subarray(0, task.cut));
    return alone.forward(xs, task.cut).subarray(task.cut - 1);
  }

  free() {
    for (const part of [this.batch, this.test, this.walk, this.alone, this.network]) part?.free();
  }
}

/** A sequence of the held-out kind to look at, the `number`-th. */
export function sequenceOf(task, seed, number) {
  const random = new Random(seed + TEST_SEED + 7 * number);
  const xs = new Float32Array(task.steps * task.inputs), targets = new Float32Array(task.steps);
  const scored = new Float32Array(task.steps);
  (task.test ? task.test() : task.draw(random))(xs, targets, scored);
  return { xs, targets, scored };
}
