// Drawing a curve with mouse or finger, and its chart: the curve, what is hidden of it, and what the networks make of it.
import { laneLine } from "./shared/charts.js";
import { HELD_OUT } from "./tasks.js";

export class Drawing {
  /** `done(heights)`: a curve has been drawn, heights from 0 to 1 */
  constructor(chart, done) {
    Object.assign(this, { chart, done, drawn: null, last: null });
    const { plot } = chart;
    plot.addEventListener("pointerdown", (event) => this.begin(event));
    plot.addEventListener("pointermove", (event) => this.drawn && this.draw(event));
    plot.addEventListener("pointerup", () => this.end());
    plot.addEventListener("pointercancel", () => this.end());
  }

  /** @param heights of the curve; reports and names of the networks, or null while it is drawn */
  show(heights, scale, lanes, names) {
    this.heights = heights;
    const count = heights.length, cut = Math.round(count * (1 - HELD_OUT)), x = Array.from(heights, (_, t) => t + 1);
    const lines = [
      ...(lanes ?? []).map(({ alone }, place) => ({
        ...laneLine(place), name: `${names[place]}, alone`, x: Array.from(alone, (_, t) => cut + 1 + t),
        y: Array.from(alone, (value) => value * scale.deviation + scale.mean),
      })),
      { name: "your curve", color: "ink", width: 1.3, dash: [], x: x.slice(0, cut), y: Array.from(heights.subarray(0, cut)) },
      { name: "hidden from them", color: "ink", width: 1.3, dash: [2, 3], x: x.slice(cut - 1), y: Array.from(heights.subarray(cut - 1)) },
    ];
    this.chart.draw({
      x: { range: [1, 2 * count - cut + 1], kind: "count" }, y: { range: [-0.1, 1.1] }, lines, markers: [cut],
      heading: (t) => `step ${t}`,
    });
  }

  begin(event) {
    event.preventDefault();
    this.chart.plot.setPointerCapture(event.pointerId);
    this.drawn = this.heights.slice();
    this.last = null;
    this.draw(event);
  }

  /** Sets all points between the last place of the pointer and this one. */
  draw({ clientX, clientY }) {
    const { chart, drawn } = this, { left, top } = chart.plot.getBoundingClientRect(), { area } = chart;
    const place = Math.min(Math.max(Math.round(chart.valueAt(clientX - left)) - 1, 0), drawn.length - 1);
    const share = (area.bottom - (clientY - top)) / (area.bottom - area.top);
    const height = Math.min(Math.max(-0.1 + 1.2 * share, 0), 1), from = this.last ?? { place, height };
    const count = Math.max(Math.abs(place - from.place), 1);
    for (let k = 0; k <= count; k += 1) {
      drawn[Math.round(from.place + (k / count) * (place - from.place))] = from.height + (k / count) * (height - from.height);
    }
    this.last = { place, height };
    this.show(drawn, null, null, null);
  }

  end() {
    const { drawn } = this;
    this.drawn = null;
    if (drawn) this.done(drawn);
  }
}
