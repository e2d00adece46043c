// Calibration, reach and training.
function drawCalibration() {
  const [levels, shares, lows, highs] = [0, 1, 2, 3].map((part) => report.coverage.map((found) => found[part]));
  const wide = (values, gap = null) => values.flatMap((value) => [value, value, gap]);
  new Chart("calibration").draw({
    x: { range: [0, 104], title: "promised, %" },
    y: { range: [0, 104], title: "covered, %" },
    bands: [{ x: levels.flatMap((level) => [level - 1.2, level + 1.2, null]), low: wide(lows), high: wide(highs), color: "model", opacity: 0.25 }],
    lines: [
      { x: [0, 100], y: [0, 100], color: "soft", width: 1.2, dash: DOTTED, quiet: true },
      { ...modelLine(), name: "covered", x: levels, y: shares, points: 4.5 },
    ],
    heading: (level) => `interval of ${number(level)} %`,
    value: (share) => `${share.toFixed(1)} %`,
  });
}

// The range of a loss: whatever the scale, with the same margin on the page.
function lossRange(losses, log) {
  const ends = endsOf(losses, log);
  return log ? withMargin(ends.map(Math.log10)).map((exponent) => 10 ** exponent) : withMargin(ends);
}

function drawTraining() {
  const losses = report.losses.map((curve) => curve.y), log = isWide(losses), several = losses.length > 1;
  const last = Math.max(...report.losses.flatMap((curve) => curve.x), 2);
  new Chart("training").draw({
    x: { range: [0, last], kind: "count", title: "training step" },
    y: { range: lossRange(losses, log), log, title: "loss" },
    lines: report.losses.map((curve) => ({
      ...modelLine(), width: 1.6, opacity: several ? 0.6 : 1, name: several ? curve.name : "loss", x: curve.x, y: curve.y,
    })),
    heading: (step) => `step ${Math.round(step).toLocaleString("en")}`,
  });
}

function drawReach() {
  const last = Math.max(...report.reach.flatMap((curve) => curve.x), 2), seasons = Math.floor(last / report.season);
  const marks = report.season > 1 ? Math.min(seasons, 12) : 0;
  new Chart("reach", { legend: report.reach.length > 1 }).draw({
    x: { range: [0, last], kind: "count", title: marks ? "steps back (dotted: seasons)" : "steps back" },
    y: { range: decades(report.reach.map((curve) => curve.y)), log: true, title: "share of the largest" },
    lines: report.reach.map((curve, place) => ({
      ...(place ? baselineLine(place - 1) : modelLine()), width: 1.8, name: curve.name, x: curve.x, y: curve.y,
    })),
    markers: Array.from({ length: marks }, (_, k) => (k + 1) * report.season),
    heading: (lag) => `${number(lag)} ${lag === 1 ? "step" : "steps"} back`,
  });
}

function drawSmallCharts() {
  if (report.coverage.length) drawCalibration();
  if (report.losses.length) drawTraining();
  if (report.reach) drawReach();
}
