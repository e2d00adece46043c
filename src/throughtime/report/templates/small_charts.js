// Calibration, reach and training.
function drawCalibration() {
  const levels = report.coverage.map(([level]) => level);
  const shares = report.coverage.map(([, share]) => 100 * share);
  const range = [0, 104];
  drawChart("calibration", [
    { x: [0, 100], y: [0, 100], line: { color: colour("soft"), dash: "dot", width: 1.2 }, hoverinfo: "skip" },
    { x: levels, y: shares, mode: "lines+markers", line: { color: colour("model"), width: 2 }, marker: { size: 9 },
      hovertemplate: "interval of %{x} %: covered %{y:.1f} %<extra></extra>" },
  ], { range, ...title("promised, %") }, { range, ...title("covered, %") });
}

function drawTraining() {
  const opacity = report.losses.length > 1 ? 0.6 : 1;
  drawChart("training", report.losses.map((curve) => ({
    x: curve.x, y: curve.y, opacity, name: curve.name, mode: curve.x.length > 1 ? "lines" : "markers",
    line: { color: colour("model"), width: 1.6 },
    hovertemplate: `${report.losses.length > 1 ? "%{fullData.name}, " : ""}step %{x:,d}: %{y:.4g}<extra></extra>`,
  })), title("training step"), { ...title("loss"), type: wide(report.losses) ? "log" : "linear" });
}

function drawReach() {
  const last = Math.max(...report.reach.flatMap((curve) => curve.x));
  const marks = report.season > 1 ? Math.min(Math.floor(last / report.season), 12) : 0;
  const shapes = Array.from({ length: marks }, (_, k) => dottedLine((k + 1) * report.season));
  drawChart("reach", report.reach.map((curve, place) => ({
    x: curve.x, y: curve.y.map((value) => (value > 0 ? value : null)), name: curve.name,
    line: { ...(place ? lineOfOther(place - 1) : lineOfOurs()), width: 1.8 },
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
