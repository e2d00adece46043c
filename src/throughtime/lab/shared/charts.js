// The charts beside the networks: losses, and what is left of a gradient.
const MOST_POINTS = 600;

/** The line of a network: the first of two is vermilion and dashed, the second, or a single one, blue. */
export function laneLine(place) {
  return place ? modelLine() : baselineLine(0);
}

/** The losses of a run so far, of each network by its place; `baselines` are {name, loss} of those that learn nothing. */
export class Losses {
  constructor(names, baselines) {
    Object.assign(this, { names, baselines, lanes: names.map(() => []) });
  }

  /** Adds the losses of a network at a step; every second point is dropped once there are many. */
  add(place, { step, train, heldOut }) {
    const points = this.lanes[place];
    if (step === points.at(-1)?.step) return;
    points.push({ step, train, heldOut });
    if (points.length > MOST_POINTS) this.lanes[place] = points.filter((_, k) => k % 2 === 0);
  }

  picture() {
    const { lanes, names, baselines } = this, places = names.map((_, place) => place).filter((place) => names[place]);
    const lines = places.flatMap((place) => {
      const points = lanes[place], x = points.map(({ step }) => step), name = names[place];
      return [
        { ...laneLine(place), name, x, y: points.map(({ heldOut }) => heldOut) },
        { ...laneLine(place), width: 1, opacity: 0.45, quiet: true, name: `${name}, training`, x, y: points.map(({ train }) => train) },
      ];
    });
    const last = Math.max(...lines.map(({ x }) => x.at(-1) ?? 0), 100);
    const naive = baselines.map(({ name, loss }, k) => ({ name, x: [0, last], y: [loss, loss], color: "soft", width: 1, dash: k ? [6, 3] : [2, 3] }));
    return {
      heading: (step) => `training step ${step.toLocaleString("en")}`,
      x: { range: [0, last], kind: "count" },
      y: { range: this.range(lines), log: true },
      lines: [...lines, ...naive],
    };
  }

  /** From a third of the baselines, or less, to twice them, or more; what diverges does not squeeze the rest. */
  range(lines) {
    const guessing = this.baselines.map(({ loss }) => loss), low = Math.min(...guessing), high = Math.max(...guessing);
    const [least, most] = endsOf(lines.map((line) => line.y), true) ?? [low, high];
    return [Math.max(Math.min(0.8 * least, low / 3), low / 1e5), Math.min(Math.max(1.2 * most, 2 * high), 1e6 * high)];
  }
}

/** What is left of each network's gradient, k steps back, in percent. `needed`: the step that matters, or null. */
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
