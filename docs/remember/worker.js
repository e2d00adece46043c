// Trains two networks side by side, away from the page, and sends it pictures only as fast as it draws them.
import { loadEngine } from "./engine.js";
import { Learner, sequenceOf } from "./learner.js";
import { taskOf } from "./tasks.js";

const SLICE = 16;  // milliseconds of training between looks at the messages
const FRAME = 32;  // milliseconds at least from picture to picture: with whole slices, about 20 pictures a second
const LAST = 3000;  // training steps of a run

const engine = fetch(new URL("network.wasm", import.meta.url)).then((answer) => answer.arrayBuffer()).then(loadEngine);
const soon = new MessageChannel();  // a timeout of 0 would wait for 4 milliseconds
let run = null;

/** A run of two networks with the same settings. */
class Run {
  constructor(loaded, settings) {
    this.settings = settings;
    this.task = taskOf(settings);
    this.learners = settings.lanes.map((lane) => new Learner(loaded, this.task, settings, lane));
    this.drawn = true;  // the page has shown the last picture
    this.going = false;
    this.trained = 0;  // milliseconds
    this.sent = -Infinity;
    this.choose(0);
  }

  get step() {
    return this.learners[0].step;
  }

  get ended() {
    return this.step >= LAST;
  }

  /** Slow at first, so that the first steps can be seen; then as fast as the machine. */
  get allowed() {
    const seconds = this.trained / 1000;
    return Math.min(LAST, 2 + 40 * seconds + 60 * seconds ** 3);
  }

  choose(number) {
    this.sequence = sequenceOf(this.task, this.settings.seed, number);
    this.isNew = true;
  }

  /** Trains for a slice of time. */
  train() {
    const start = performance.now();
    while (this.step < this.allowed && performance.now() - start < SLICE) {
      for (const learner of this.learners) learner.train();
      this.isNew = true;
    }
    this.trained += Math.max(performance.now() - start, this.step < this.allowed ? 0 : SLICE);
  }

  send() {
    const lanes = this.learners.map((learner) => learner.look(this.sequence));
    postMessage({ lanes, sequence: this.sequence, run: this.settings.run, ended: this.ended });
    this.drawn = this.isNew = false;
    this.sent = performance.now();
  }

  free() {
    for (const learner of this.learners) learner.free();
  }
}

/** Trains and sends as long as the run goes; one turn at a time is on its way. */
let waiting = false;

function turn() {
  waiting = false;
  if (!run) return;
  if (run.going && !run.ended) run.train();
  if (run.isNew && run.drawn && performance.now() - run.sent >= FRAME) run.send();
  if (run.going && !run.ended) goOn(run.step < run.allowed);
  else if (run.isNew) goOn(false);
}

function goOn(now) {
  if (waiting) return;
  waiting = true;
  if (now) soon.port2.postMessage(null);
  else setTimeout(turn, SLICE);
}
soon.port1.onmessage = turn;

const ACTIONS = {
  start: async (settings) => {
    const loaded = await engine;
    run?.free();
    run = new Run(loaded, settings);
  },
  go: () => { run.going = true; },
  pause: () => { run.going = false; },
  drawn: () => { run.drawn = true; },
  choose: (number) => run.choose(number),
};

let queue = Promise.resolve();  // an order waits for those before it: the first one for the engine
onmessage = ({ data: { kind, value } }) => {
  queue = queue.then(() => ACTIONS[kind](value)).then(() => goOn(true));
};
