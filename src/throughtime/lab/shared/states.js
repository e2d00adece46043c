// The outputs of all units at all steps: a row a unit, a column a time step; blue above zero, orange below.
import { MARGIN } from "./strip.js";

const tile = document.createElement("canvas");

/** The three parts of a color such as #0072b2. */
export function parts(name) {
  const hex = color(name).slice(1);
  return [0, 2, 4].map((from) => parseInt(hex.slice(from, from + 2), 16));
}

/** @returns the painting of `view.hs` (T, H) for a Strip */
export function statesPainter(view, laneNumber) {
  return (context, strip) => {
    if (!view.hs) return;
    const { steps, units, width, height } = strip, above = parts("model"), below = parts("baseline-1");
    tile.width = steps;
    tile.height = units;
    const small = tile.getContext("2d"), image = small.createImageData(steps, units);
    for (let t = 0; t < steps; t += 1) {
      for (let unit = 0; unit < units; unit += 1) {
        const value = view.hs[t * units + unit] / view.most, [red, green, blue] = value < 0 ? below : above;
        image.data.set([red, green, blue, 255 * Math.min(Math.abs(value), 1)], 4 * (unit * steps + t));
      }
    }
    small.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(tile, MARGIN, 0, width - 2 * MARGIN, height);
    paintRow(context, strip, laneNumber);
  };
}

/** Frames the row of the unit in focus. */
function paintRow(context, { height, units, width, focus: { place } }, laneNumber) {
  const row = height / units, frame = (unit, opacity) => {
    context.globalAlpha = opacity;
    context.strokeStyle = color("ink");
    context.lineWidth = 1;
    context.strokeRect(MARGIN - 0.5, unit * row - 0.5, width - 2 * MARGIN + 1, row + 1);
    context.globalAlpha = 1;
  };
  if (place.lane === laneNumber) frame(place.unit, 1);
  if (place.over?.lane === laneNumber) frame(place.over.unit, 0.5);
}
