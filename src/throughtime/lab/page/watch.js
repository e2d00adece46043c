// The first view: what the networks say, their loss, what flows back, and their units.
const MOST_POINTS = 2000;  // of a loss curve; beyond, every second one is left out
const lossCurves = [];
let activities = [];

function lineOfSide(side) {
  return side ? { ...baselineLine(0), width: 2 } : modelLine();
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
  while (curve.x.length > MOST_POINTS) {
    const last = curve.x.length - 1, kept = (_, place) => place % 2 === 0 || place === last;
    curve.x = curve.x.filter(kept);
    curve.y = curve.y.filter(kept);
  }
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

function startCharts() {
  for (const id of ["prediction", "loss", "lag"]) new Chart(id, { legend: true });
}

function drawPrediction(frames) {
  const { targets, inputs } = frames[0], x = targets.map((_, step) => step);
  charts.prediction.draw({
    x: { range: [0, targets.length - 1], kind: "count", title: "time step" },
    y: { range: withMargin(endsOf([targets, inputs]), 0.25) },
    lines: [
      { name: "target", x, y: targets, color: "ink", width: 0, dash: [], points: 2.5 },
      ...frames.map((frame) => ({ ...lineOfSide(frame.side), name: nameOfSide(frame.side), x, y: frame.predictions })),
    ],
  });
}

function drawLoss() {
  const last = Math.max(...lossCurves.map((curve) => curve.x.at(-1) ?? 1)), { naive } = lab.ready;
  charts.loss.draw({
    x: { range: [0, last], kind: "count", title: "training step" },
    y: { range: decades([[naive], ...lossCurves.map((curve) => curve.y)]), log: true },
    lines: [
      { name: "the last value again", x: [0, last], y: [naive, naive], color: "soft", width: 1.5, dash: DOTTED },
      ...lossCurves.map((curve, side) => ({ ...lineOfSide(side), ...curve, name: nameOfSide(side) })),
    ],
  });
}

function drawLag(frames) {
  const norms = frames.map(byLag), longest = Math.max(...norms.map((each) => each.length - 1), 1);
  charts.lag.draw({
    x: { range: [0, longest], kind: "count", title: "steps back" },
    y: { range: decades(norms), log: true },
    lines: frames.map((frame, place) => ({
      ...lineOfSide(frame.side), name: nameOfSide(frame.side), x: norms[place].map((_, lag) => lag), y: norms[place],
    })),
  });
}

function drawActivity(frames) {
  const largest = Math.max(...frames.map((frame) => largestOf(frame.activity))) || 1;
  for (const frame of frames) {
    const { hidden, activity } = frame, steps = activity.length / hidden;
    activities[frame.side](hidden, steps, (unit, step) => signed(activity[step * hidden + unit] / largest),
      (unit, step) => `unit ${unit}, step ${step}: ${activity[step * hidden + unit].toPrecision(3)}`);
  }
  const scale = document.getElementById("activity-scale");
  const words = `Blue is above zero, orange below; the strongest is ${largest.toPrecision(2)}.`;
  if (scale.textContent !== words) scale.textContent = words;
}

function drawWatch(frames) {
  drawPrediction(frames);
  drawLoss();
  drawLag(frames);
  drawActivity(frames);
}
