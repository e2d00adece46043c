// The gradient through time, in one measure: the norm of dh_T / ds_(T-k), that of `throughtime gradients`.
import { laneLine } from "../shared/charts.js";

const LEAST = 1e-8;  // less is not told apart in the picture
const KEPT = 0.9;  // the share after all steps from which a gradient is said not to shrink
const PAUSE = 49, SHORTEST = 300;  // it rests 49 times as long as measuring takes, and so many milliseconds at least
const FIRST_PAUSE = 1000;  // milliseconds

/** What is left by steps back, on a logarithmic axis, on which an even rate is a straight line. */
export function gradientPicture(lanes, withBound) {
  const back = (values) => values.map((_, k) => k);
  const lines = lanes.map(({ reach: { memory }, place, name }) => ({ ...laneLine(place), name, x: back(memory), y: memory }));
  const bounds = withBound ? lanes.map(({ reach: { bound }, place, name }) => ({
    ...laneLine(place), name: `${name}, at most`, x: back(bound), y: bound, width: 1.2, dash: DOTTED, quiet: true })) : [];
  const [low, high] = decades(lines.map((line) => line.y));
  return {
    x: { range: [0, Math.max(...lines.map(({ x }) => x.length - 1), 1)], kind: "count" },
    y: { range: [Math.max(low, LEAST), Math.max(high, 1)], log: true },
    lines: [...bounds, ...lines], heading: (k) => `${k} steps back`,
  };
}

/** The share that is left at each step of a window, from the first to the last. */
export function sharesOf({ memory }) {
  return Float32Array.from(memory.slice(0, -1).reverse());
}

/** The rate in words: a half-life only of a straight curve. */
export function rateText({ memory, half_life: life }) {
  if (!(memory.at(-1) < KEPT)) return "it does not shrink";
  return life === null ? "it shrinks at no even rate" : `it halves every ${Number(life.toPrecision(2)).toLocaleString("en")} steps`;
}

/** Asks for the gradient again and again, as long as there is something new, for a small share of the time. */
export class Measuring {
  constructor(ask) {
    this.ask = ask;
    this.forget();
  }

  /** The network is another one: nothing that was asked counts. */
  forget() {
    clearTimeout(this.timer);
    Object.assign(this, { asked: 0, took: null, waiting: false, stale: false, timer: 0 });
  }

  /** There is something new to measure. */
  renew() {
    if (this.waiting || this.timer) this.stale = true;
    else this.measure();
  }

  measure() {
    Object.assign(this, { asked: performance.now(), waiting: true, stale: false, timer: 0 });
    this.ask();
  }

  /** The measurement has come, or was refused. How long the first one took says nothing: it was compiled. */
  came() {
    if (!this.waiting) return;
    this.waiting = false;
    const isFirst = this.took === null;
    this.took = isFirst ? Infinity : Math.min(this.took, performance.now() - this.asked);
    this.timer = setTimeout(() => {
      this.timer = 0;
      if (this.stale && !document.hidden) this.measure();
    }, isFirst ? FIRST_PAUSE : Math.max(PAUSE * this.took, SHORTEST));
  }
}
