// The gradient as light: the unrolled network is a chain of the same cell, and the light that runs back along it is as
// wide as the gradient is large, on a linear scale.

const RUN = 2200, REST = 700;  // milliseconds of a run back, and until the next

/** The place of the running light at a time, from 1, the last step, to 0, the first; null while it rests. */
export function runningPlace(now) {
  const run = (now % (RUN + REST)) / RUN;
  return run > 1 ? null : 1 - run;
}

/** @returns the painting of `view.share` (T,), with the light at `view.running` */
export function lightPainter(view, name) {
  return (context, strip) => {
    if (!view.share) return;
    const { steps, column, height } = strip, radius = Math.min(3, Math.max(1.2, 0.2 * column));
    const strengths = Array.from(view.share, (share) => (Number.isFinite(share) ? Math.min(share, 1) : 1));
    paintBeam(context, strip, strengths, name);
    if (view.running !== null) paintRunning(context, strip, strengths, view.running * (steps - 1), name);
    context.strokeStyle = color("soft");
    context.lineWidth = 0.8;
    context.beginPath();
    context.moveTo(strip.center(0), height / 2);
    context.lineTo(strip.center(steps - 1), height / 2);
    context.stroke();
    strengths.forEach((strength, t) => paintCell(context, strip.center(t), height / 2, radius, name, strength));
    paintNeeded(context, strip, view.needed);
  };
}

/** A beam as wide as the gradient is large: all of the height where it starts. */
function paintBeam(context, strip, strengths, name) {
  const { height, steps } = strip, edge = (sign) => (strength, t) => [strip.center(t), (height / 2) * (1 + sign * strength)];
  context.beginPath();
  for (const point of [...strengths.map(edge(-1)), ...strengths.map(edge(1)).reverse()]) context.lineTo(...point);
  context.closePath();
  const gradient = context.createLinearGradient(strip.center(0), 0, strip.center(steps - 1), 0);
  gradient.addColorStop(0, `${color(name)}70`);
  gradient.addColorStop(1, `${color(name)}b0`);
  context.fillStyle = gradient;
  context.fill();
}

/** A flash that runs back within the beam, and is no larger than it. */
function paintRunning(context, strip, strengths, place, name) {
  const { height } = strip, before = Math.floor(place), part = place - before;
  const strength = (1 - part) * strengths[before] + part * (strengths[before + 1] ?? 0), x = strip.center(place);
  const radius = Math.max(0.5 * height * strength, 0.01), reach = radius + 6 * Math.min(8 * strength, 1);
  const gradient = context.createRadialGradient(x, height / 2, 0, x, height / 2, reach);
  gradient.addColorStop(0, color(name));
  gradient.addColorStop(0.5, `${color(name)}c0`);
  gradient.addColorStop(1, `${color(name)}00`);  // the same color: "transparent" is black
  context.fillStyle = gradient;
  context.beginPath();
  context.arc(x, height / 2, reach, 0, 2 * Math.PI);
  context.fill();
}

function paintCell(context, x, y, radius, name, strength) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = color("card");
  context.fill();
  context.globalAlpha = Math.min(strength, 1);
  context.fillStyle = color(name);
  context.fill();
  context.globalAlpha = 1;
  context.strokeStyle = color("soft");
  context.lineWidth = 0.8;
  context.stroke();
}

/** A dotted line where the answer's reason lies. */
function paintNeeded(context, strip, needed) {
  if (needed === null) return;
  context.strokeStyle = color("ink");
  context.lineWidth = 1.2;
  context.setLineDash([2, 3]);
  context.beginPath();
  context.moveTo(strip.center(needed), 0);
  context.lineTo(strip.center(needed), strip.height);
  context.stroke();
  context.setLineDash([]);
}
