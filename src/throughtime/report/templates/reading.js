// The values at one step, read with the pointer or the keyboard.

// The names and values at a place on the axis. Where windows overlap, the last counts.
function valuesAt(series, place) {
  const lines = [];
  const shown = (key) => !view.hidden.has(key);
  const observed = series.y[place - series.at];
  if (shown("observed") && observed !== undefined && observed !== null) lines.push(["observed", number(observed)]);
  if (shown("outliers") && series.outliers?.includes(place - series.at)) lines.push(["far from its neighbors", ""]);
  const window = windowsOf(series).findLast((each) => place >= each.at && place < each.at + each[MODEL].length);
  if (!window) return lines;
  const step = place - window.at;
  for (const model of report.models) {
    if (window[model] && shown(model)) lines.push([label(model), number(window[model][step])]);
  }
  for (const level of report.levels) {
    const [low, high] = ["lo", "hi"].map((side) => window[`${MODEL}-${side}-${level}`]);
    if (low && shown(`level ${level}`)) lines.push([`${level} %`, `${number(low[step])} to ${number(high[step])}`]);
  }
  return lines;
}

// The step that is nearest to a value of the time axis, as a place on the axis.
function placeNear(series, stamp) {
  let low = series.at, high = endOf(series) - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((report.stamps[middle] + report.stamps[middle + 1]) / 2 < stamp) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The reading of a series' chart where the pointer or the keyboard's cursor is.
function stepReading(series, stamp) {
  const place = placeNear(series, stamp), at = report.stamps[place];
  return { x: at, heading: time(at), rows: valuesAt(series, place) };
}

// Move the cursor by steps, and tell the values there; it begins at the last observed value.
function read(by) {
  const { series } = view, { cursor } = charts.chart;
  const place = cursor === null ? series.at + series.y.length - 1 : placeNear(series, cursor) + by;
  const stamp = report.stamps[Math.min(Math.max(place, series.at), endOf(series) - 1)];
  const half = (view.range[1] - view.range[0]) / 2;
  charts.chart.read(stamp);
  if (stamp < view.range[0] || stamp > view.range[1]) showRange([stamp - half, stamp + half]);
  const { heading, rows } = stepReading(series, stamp);
  const words = rows.map(([name, value]) => `${name}: ${value}`).join(", ");
  document.getElementById("reading").textContent = `${heading}. ${words || "no value"}`;
}
