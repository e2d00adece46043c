// Where the errors of the backtest lie.
function errorLines(curves) {
  return curves.map(({ name, x, y }) => ({ ...lineOfModel(name), name: label(name), x, y, points: 3 }));
}

function drawErrorCurve(id, curves, title, what) {
  const last = Math.max(...curves.flatMap((curve) => curve.x));
  new Chart(id, { legend: true }).draw({
    x: { range: [0.5, last + 0.5], kind: "count", title },
    y: { range: [0, 1.08 * endsOf(curves.map((curve) => curve.y))[1]] },
    lines: errorLines(curves),
    heading: (place) => `${what} ${number(place)}`,
  });
}

// A histogram is a band a bin, each with its own gap.
function drawResiduals({ edges, counts, unit }) {
  const bars = counts.flatMap((count, place) => [[edges[place], count], [edges[place + 1], count], [null, null]]);
  const most = Math.max(...counts), middles = counts.map((_, place) => (edges[place] + edges[place + 1]) / 2);
  new Chart("residuals").draw({
    x: { range: withMargin([edges[0], edges.at(-1)], 0.02), title: `value minus forecast, in mean errors of ${label(unit)}` },
    y: { range: [0, 1.08 * most], kind: "count", title: "values" },
    bands: [{ x: bars.map(([x]) => x), low: bars.map(([x]) => (x === null ? null : 0)), high: bars.map(([, high]) => high),
              color: "model", opacity: 0.45 }],
    lines: [{ ...modelLine(), width: 0, name: "values", x: middles, y: counts }],
    markers: [0],
    heading: (middle) => `around ${number(Number(middle.toPrecision(3)))}`,
  });
}

function drawTogether({ x, y }) {
  new Chart("together").draw({
    x: { range: [0.5, x.at(-1) + 0.5], kind: "count", title: "steps apart" },
    y: { range: [Math.min(-0.2, ...y) - 0.05, 1], title: "correlation" },
    lines: [
      { x: [0.5, x.at(-1) + 0.5], y: [0, 0], color: "soft", width: 1.2, dash: DOTTED, quiet: true },
      { ...modelLine(), name: "correlation", x, y, points: 3.5 },
    ],
    heading: (lag) => `${number(lag)} ${lag === 1 ? "step" : "steps"} apart`,
    value: (share) => share.toFixed(2),
  });
}

function drawErrors() {
  const { errors } = report;
  if (!errors) return;
  drawErrorCurve("error-steps", errors.steps, "step ahead", "step");
  if (errors.windows.length) drawErrorCurve("error-windows", errors.windows, "window", "window");
  drawResiduals(errors);
  if (errors.together) drawTogether(errors.together);
}
