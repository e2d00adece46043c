// The series: a chart of the window that the networks read and of what follows, and an outline to choose it in.
import { laneLine } from "../shared/charts.js";

/** The places on the axis of a window and of as many steps after it, past the series' end too. */
function placesOf({ stamps }, count) {
  const step = stamps.length > 1 ? stamps[1] - stamps[0] : 1, last = stamps.length - 1;
  return Array.from({ length: count }, (_, k) => (k <= last ? stamps[k] : stamps[last] + (k - last) * step));
}

/** The picture of some frames of one window; their lines have the places and names of their lanes. */
export function windowPicture(ready, lanes) {
  const [{ frame }] = lanes, { window, cut, mean, deviation, resolution } = ready;
  const places = placesOf(frame, 2 * window), inUnits = (values) => Array.from(values, (value) => mean + deviation * value);
  const series = inUnits(frame.values), heldOutFrom = places[cut - frame.start];
  const lines = lanes.map(({ frame: { predictions, alone }, place, name }) => ({
    ...laneLine(place), name, x: places.slice(1), y: inUnits([...predictions, ...alone.slice(1)]),
  }));
  const starts = [{ x: places[window], text: cut - frame.start === window ? "held out, alone" : "alone" }];
  const spread = endsOf([series]), all = endsOf([...lines.map((line) => line.y), series]), room = spread[1] - spread[0] || 1;
  return {
    x: { range: [places[0], places.at(-1)], kind: resolution ? "time" : "index", resolution },
    y: { range: withMargin([Math.max(all[0], spread[0] - room), Math.min(all[1], spread[1] + room)], 0.08) },
    lines: [{ name: "the series", x: places.slice(0, series.length), y: series, color: "ink", width: 1, dash: [], points: 2 }, ...lines],
    markers: cut - frame.start !== window && heldOutFrom ? [heldOutFrom] : [], starts,
    heading: (at) => headingOf(places.indexOf(at), places, ready, frame),
  };
}

/** The time of a step, and how its prediction was made. */
function headingOf(step, places, { resolution, window, cut }, frame) {
  const time = resolution ? timeWords(places[step], resolution) : `step ${places[step]}`;
  const how = step > window ? `${step - window} step${step === window + 1 ? "" : "s"} alone` : "one step ahead";
  return `${time}, ${how}${frame.start + step >= cut ? ", held out" : ""}`;
}

function timeWords(stamp, resolution) {
  const iso = new Date(stamp).toISOString();
  return iso.slice(0, { year: 4, month: 7, day: 10, minute: 16 }[resolution] ?? 23).replace("T", " ");
}

/** The outline of the whole series with its window, and the held-out part in the color of cards. */
export class Overview {
  constructor(element, choose) {
    this.canvas = element.querySelector("canvas");
    this.input = element.querySelector("input");
    this.ready = null;
    this.input.addEventListener("input", () => {
      this.paint();
      choose(Number(this.input.value));
    });
    new ResizeObserver(() => this.paint()).observe(this.canvas);
    whenColorsChange(() => this.paint());
  }

  show(ready) {
    this.ready = ready;
    this.input.max = ready.last;
    this.input.value = ready.start;
    this.paint();
  }

  paint() {
    const { canvas, ready } = this, { clientWidth: width, clientHeight: height } = canvas, sharpness = devicePixelRatio || 1;
    if (!ready || !width) return;
    canvas.width = Math.round(width * sharpness);
    canvas.height = Math.round(height * sharpness);
    const context = canvas.getContext("2d"), { overview, length, cut, window } = ready, start = Number(this.input.value);
    context.scale(sharpness, sharpness);
    const left = (place) => (place / length) * width, [low, high] = withMargin(endsOf([overview]));
    context.fillStyle = color("line");
    context.globalAlpha = 0.5;
    context.fillRect(left(cut), 0, width - left(cut), height);
    context.fillStyle = color("model");
    context.globalAlpha = 0.22;
    context.fillRect(left(start), 0, Math.max(left(window), 2), height);
    context.globalAlpha = 1;
    context.strokeStyle = color("soft");
    context.beginPath();
    overview.forEach((value, k) => context.lineTo((k / (overview.length - 1)) * width, height * (1 - (value - low) / (high - low))));
    context.stroke();
    context.strokeStyle = color("model");
    context.lineWidth = 1.5;
    context.strokeRect(left(start), 1, Math.max(left(window), 2), height - 2);
  }
}
