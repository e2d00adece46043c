// The first view: what the networks say, their loss, what flows back, and their units.
const MOST_POINTS = 2000;  // of a loss curve; beyond, every second one is left out
// A logarithmic axis over whole powers of ten, so that it does not tremble while numbers change.
function powers(curves) {
  const logs = curves.flat().filter((value) => value > 0).map(Math.log10);
  const low = logs.length ? Math.floor(Math.min(...logs)) : 0;
  const high = Math.max(logs.length ? Math.ceil(Math.max(...logs)) : 0, low + 1);
  return { type: "log", exponentformat: "power", range: [low, high], dtick: Math.ceil((high - low) / 6) };
}

const LEGEND = {
  showlegend: true, margin: { l: 52, r: 12, t: 8, b: 62 }, legend: { orientation: "h", y: -0.24, font: { size: 11 } },
};
const lossCurves = [];
let activities = [];

function lineOfSide(side) {
  return side ? { ...lineOfOther(0), width: 2 } : lineOfOurs();
}

function nameOfSide(side) {
  const { sides } = lab.ready, twins = sides.length > 1 && sides[0].title === sides[1].title;
  return sides[side].title + (twins ? (side ? " (the other)" : " (the first)") : "");
}

function startCurves() {
  lossCurves.length = 0;
  for (const _ of lab.ready.sides) lossCurves.push({ x: [], y: [] });
  document.getElementById("activity").replaceChildren();
  document.getElementById("activity").className = lab.ready.sides.length > 1 ? "two" : "";
  activities = lab.ready.sides.map((_, side) => gridPicture(nameOfSide(side), document.getElementById("activity")));
}

function addLosses(side, losses) {
  const curve = lossCurves[side];
  for (const [step, loss] of losses) {
    curve.x.push(step);
    curve.y.push(loss);
  }
  if (curve.x.length <= MOST_POINTS) return;
  const last = curve.x.length - 1, kept = (_, place) => place % 2 === 0 || place === last;
  curve.x = curve.x.filter(kept);
  curve.y = curve.y.filter(kept);
}

// Norms by lag, the error's own step first; zeros are left out of a logarithmic picture.
function byLag(frame) {
  const hidden = frame.hidden, norms = [];
  for (let step = frame.at; step >= 0; step -= 1) {
    let squares = 0;
    for (let unit = 0; unit < hidden; unit += 1) squares += frame.gradients[step * hidden + unit] ** 2;
    norms.push(squares > 0 ? Math.sqrt(squares) : null);
  }
  return norms;
}

function drawPrediction(frames) {
  const { targets } = frames[0], steps = targets.map((_, step) => step);
  const low = Math.min(...targets, ...frames[0].inputs), high = Math.max(...targets, ...frames[0].inputs);
  const room = 0.25 * (high - low || 1);
  drawChart("prediction", [
    { x: steps, y: targets, name: "target", mode: "markers", marker: { color: colour("ink"), size: 5 } },
    ...frames.map((frame) => ({ x: steps, y: Array.from(frame.predictions), name: nameOfSide(frame.side), line: lineOfSide(frame.side) })),
  ], title("time step"), { range: [low - room, high + room] }, LEGEND);
}

function drawLoss() {
  const last = Math.max(...lossCurves.flatMap((curve) => curve.x.at(-1) ?? 1));
  drawChart("loss", [
    { x: [0, last], y: [lab.ready.naive, lab.ready.naive], name: "the last value again",
      line: { color: colour("soft"), dash: "dot", width: 1.5 } },
    ...lossCurves.map((curve, side) => ({ x: curve.x, y: curve.y, name: nameOfSide(side), mode: curve.x.length > 1 ? "lines" : "markers", line: lineOfSide(side) })),
  ], title("training step"), powers([[lab.ready.naive], ...lossCurves.map((curve) => curve.y)]), lossCurves.length > 1 ? LEGEND : {});
}

function drawLag(frames) {
  const norms = frames.map(byLag);
  drawChart("lag", frames.map((frame, place) => ({
    x: norms[place].map((_, lag) => lag), y: norms[place], name: nameOfSide(frame.side), line: lineOfSide(frame.side),
  })), title("steps back"), powers(norms), frames.length > 1 ? LEGEND : {});
}

function drawActivity(frames) {
  const largest = Math.max(...frames.map((frame) => frame.activity.reduce((most, value) => Math.max(most, Math.abs(value)), 0))) || 1;
  for (const frame of frames) {
    const { hidden, activity } = frame, steps = activity.length / hidden;
    activities[frame.side](hidden, steps, (unit, step) => signed(activity[step * hidden + unit] / largest),
      (unit, step) => `unit ${unit}, step ${step}: ${activity[step * hidden + unit].toPrecision(3)}`);
  }
  document.getElementById("activity-scale").textContent =
    `Blue is above zero, orange below; the strongest is ${largest.toPrecision(2)}.`;
}

function drawWatch(frames) {
  drawPrediction(frames);
  drawLoss();
  drawLag(frames);
  drawActivity(frames);
}
