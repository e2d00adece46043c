// The charts beside the networks: losses, and what is left of the gradient.

/** The line of a network, solid or dashed. */
export function laneLine(place) {
  return place ? modelLine() : baselineLine(0);
}

/** The losses of a run so far. */
export class Losses {
  constructor(names, baseline) {
    Object.assign(this, { names, baseline, steps: [], train: [[], []], heldOut: [[], []] });
  }

  /** Adds a report of each network; every second point is dropped once there are many. */
  add(lanes) {
    const { step } = lanes[0];
    if (step === this.steps.at(-1)) return;
    this.steps.push(step);
    lanes.forEach(({ train, heldOut }, place) => {
      this.train[place].push(train);
      this.heldOut[place].push(heldOut);
    });
    if (this.steps.length > 600) this.thin();
  }

  thin() {
    const half = (list) => list.filter((_, place) => place % 2 === 0);
    this.steps = half(this.steps);
    for (const kind of ["train", "heldOut"]) this[kind] = this[kind].map(half);
  }

  picture() {
    const { names, steps, train, heldOut, baseline } = this;
    const lines = names.flatMap((name, place) => [
      { ...laneLine(place), name: `${name}, held out`, x: steps, y: heldOut[place] },
      { ...laneLine(place), width: 1, opacity: 0.45, quiet: true, name: `${name}, training`, x: steps, y: train[place] },
    ]);
    const guess = { name: "guessing", color: "soft", width: 1, dash: [2, 3], quiet: true };
    const last = Math.max(steps.at(-1) ?? 0, 100), [least, most] = endsOf(lines.map((line) => line.y), true) ?? [baseline, baseline];
    const range = [Math.max(Math.min(least, baseline / 10), baseline / 1e5), Math.min(Math.max(1.2 * most, 2 * baseline), 1e6 * baseline)];
    return {
      heading: (step) => `training step ${step}`,
      x: { range: [0, last], kind: "count" },
      y: { range, log: true },
      lines: [...lines, { ...guess, x: [0, last], y: [baseline, baseline] }],
    };
  }
}

/** What is left of each network's gradient, k steps back, in percent. */
export function gradientPicture(names, lanes, needed) {
  const steps = lanes[0].share.length, back = Array.from({ length: steps }, (_, k) => k);
  const lines = lanes.map(({ share }, place) => ({
    ...laneLine(place), name: names[place], x: back, y: back.map((k) => 100 * share[steps - 1 - k]),
  }));
  const finite = lines.flatMap((line) => line.y).filter(Number.isFinite), most = Math.max(100, ...finite);
  return {
    x: { range: [0, steps - 1], kind: "count" },
    y: { range: [0, most > 100 ? 1.05 * most : 100] },
    lines, markers: needed === null ? [] : [steps - 1 - needed],
    heading: (k) => `${k} steps back`, value: (percent) => `${Number(percent.toPrecision(3)).toLocaleString("en")} %`,
  };
}
