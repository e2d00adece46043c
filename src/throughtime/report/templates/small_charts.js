// Calibration, reach and training.
function drawSmall(id, drawn, xaxis, yaxis, more = {}) {
  Plotly.react(document.getElementById(id), drawn.map((trace) => ({ type: "scatter", mode: "lines", ...trace })), {
    ...baseLayout(),
    margin: { l: 52, r: 12, t: 8, b: 42 },
    dragmode: false,
    hovermode: "closest",
    xaxis: { ...axisStyle(), showgrid: false, fixedrange: true, ...xaxis },
    yaxis: { ...axisStyle(), fixedrange: true, ...yaxis },
    ...more,
  }, CONFIG);
}

function title(text) {
  return { title: { text, font: { size: 12, color: colour("soft") }, standoff: 6 } };
}

function drawCalibration() {
  const levels = report.coverage.map(([level]) => level);
  const shares = report.coverage.map(([, share]) => 100 * share);
  const range = [0, 104];
  drawSmall("calibration", [
    { x: [0, 100], y: [0, 100], line: { color: colour("soft"), dash: "dot", width: 1.2 }, hoverinfo: "skip" },
    { x: levels, y: shares, mode: "lines+markers", line: { color: colour("model"), width: 2 }, marker: { size: 9 },
      hovertemplate: "interval of %{x} %: covered %{y:.1f} %<extra></extra>" },
  ], { range, ...title("promised, %") }, { range, ...title("covered, %") });
}

// Whether a logarithmic axis tells more: all positive, over more than a factor of ten.
function wide(curves) {
  const values = curves.flatMap((curve) => curve.y).filter((value) => value !== null);
  return values.length && values.every((value) => value > 0) && Math.max(...values) > 10 * Math.min(...values);
}

function drawTraining() {
  const opacity = report.losses.length > 1 ? 0.6 : 1;
  drawSmall("training", report.losses.map((curve) => ({
    x: curve.x, y: curve.y, opacity, name: curve.name, mode: curve.x.length > 1 ? "lines" : "markers",
    line: { color: colour("model"), width: 1.6 },
    hovertemplate: `${report.losses.length > 1 ? "%{fullData.name}, " : ""}step %{x:,d}: %{y:.4g}<extra></extra>`,
  })), title("training step"), { ...title("loss"), type: wide(report.losses) ? "log" : "linear" });
}

function drawReach() {
  const styles = ["model", "baseline-1", "baseline-2", "baseline-3", "baseline-4", "baseline-5"];
  const last = Math.max(...report.reach.flatMap((curve) => curve.x));
  const marks = report.season > 1 ? Math.min(Math.floor(last / report.season), 12) : 0;
  const shapes = Array.from({ length: marks }, (_, k) => ({
    type: "line", x0: (k + 1) * report.season, x1: (k + 1) * report.season, y0: 0, y1: 1, yref: "paper", layer: "below",
    line: { color: colour("soft"), width: 1, dash: "dot" },
  }));
  drawSmall("reach", report.reach.map((curve, place) => ({
    x: curve.x, y: curve.y.map((value) => (value > 0 ? value : null)), name: curve.name,
    line: { color: colour(styles[place % styles.length]), width: 1.8, dash: place ? DASHES[place - 1] : "solid" },
    hovertemplate: "%{fullData.name}, %{x} steps back: %{y:.2g}<extra></extra>",
  })), title(marks ? "steps back (dotted: seasons)" : "steps back"),
  { ...title("share of the largest"), type: "log", exponentformat: "power", dtick: 1 },
  { shapes, showlegend: report.reach.length > 1, margin: { l: 52, r: 12, t: 8, b: 84 },
    legend: { orientation: "h", y: -0.34, font: { size: 11 } } });
}

function drawSmallCharts() {
  if (report.coverage.length) drawCalibration();
  if (report.losses.length) drawTraining();
  if (report.reach) drawReach();
}
