// The chart of one series: history, forecast, intervals and backtest windows.
const MODEL = "throughtime";
const view = { series: null, range: null, cursor: null, hidden: new Set() };

function baselines() {
  return report.models.filter((model) => model !== MODEL);
}

function lineOfModel(model) {
  return model === MODEL ? lineOfOurs() : lineOfOther(baselines().indexOf(model));
}

function windowsOf(series) {
  return [...series.backtest, ...series.forecasts];
}

// The stamps of `count` steps from a place on the axis.
function stampsFrom(at, count) {
  return report.stamps.slice(at, at + count);
}

// One line through all windows, with a gap after each.
function lineThrough(windows, column) {
  const x = [], y = [];
  for (const each of windows) {
    if (!each[column]) continue;
    x.push(...stampsFrom(each.at, each[column].length), null);
    y.push(...each[column], null);
  }
  return { x, y };
}

// The step's length around a place, to give an interval of a single step a width that can be seen.
function stepAt(at) {
  const stamps = report.stamps;
  return at > 0 ? stamps[at] - stamps[at - 1] : stamps[at + 1] - stamps[at];
}

// Each window's interval as a polygon of its own; where a bound is unknown the polygon ends, and another begins.
function bandThrough(windows, level) {
  const x = [], y = [];
  for (const each of windows) {
    const low = each[`${MODEL}-lo-${level}`], high = each[`${MODEL}-hi-${level}`];
    if (!low) continue;
    let run = [];
    for (let step = 0; step <= low.length; step += 1) {
      const known = step < low.length && low[step] !== null && high[step] !== null;
      if (known) run.push(step);
      if (known || !run.length) continue;
      const half = run.length === 1 ? 0.4 * stepAt(each.at + run[0]) : 0;
      const along = run.flatMap((k) => (half ? [report.stamps[each.at + k] - half, report.stamps[each.at + k] + half]
                                             : [report.stamps[each.at + k]]));
      const twice = half ? [run[0], run[0]] : run;
      x.push(...along, ...along.toReversed(), null);
      y.push(...twice.map((k) => low[k]), ...twice.toReversed().map((k) => high[k]), null);
      run = [];
    }
  }
  return { x, y };
}

// What the legend switches, in the order in which it is drawn.
function parts(series) {
  const windows = windowsOf(series);
  const levels = report.levels.filter((level) => windows.some((each) => each[`${MODEL}-lo-${level}`]));
  const models = report.models.filter((model) => windows.some((each) => each[model]));
  return {
    levels: levels.toReversed(),
    models: [...models.filter((model) => model !== MODEL), ...models.filter((model) => model === MODEL)],
  };
}

function traces(series) {
  const windows = windowsOf(series);
  const { levels, models } = parts(series);
  const drawn = levels.map((level) => ({
    ...bandThrough(windows, level), ...bandStyle(levels.length), key: `level ${level}`,
  }));
  drawn.push({
    x: stampsFrom(series.at, series.y.length), y: series.y, key: "observed", name: "observed",
    mode: series.y.length <= 400 ? "lines+markers" : "lines",
    line: { color: colour("ink"), width: 1.3 }, marker: { size: 3 },
  });
  for (const model of models) {
    const line = lineThrough(windows, model);
    const short = windows.some((each) => each[model]?.length <= 24);
    drawn.push({ ...line, key: model, name: label(model), mode: short ? "lines+markers" : "lines",
                 line: lineOfModel(model), marker: { size: model === MODEL ? 5 : 4 } });
  }
  return drawn.filter((trace) => !view.hidden.has(trace.key)).map((trace) => ({
    type: "scatter", connectgaps: false, showlegend: false, hoverinfo: "skip", ...trace,
  }));
}

// The place on the axis after the last that is drawn.
function endOf(series) {
  return Math.max(series.at + series.y.length, ...windowsOf(series).map((each) => each.at + each[MODEL].length));
}

function extent(series) {
  const last = endOf(series) - 1;
  const margin = 0.6 * stepAt(last);
  return [report.stamps[series.at] - margin, report.stamps[last] + margin];
}

// From `steps` before the end of the history, or before the first forecast, to the end.
function rangeOf(series, steps) {
  const [first, last] = extent(series);
  const from = Math.max(series.at + series.y.length - steps, series.at);
  return [Math.max(first, report.stamps[from] - 0.6 * stepAt(from)), last];
}

// The values seen in a range, with some air above and below.
function heights(drawn, [from, to]) {
  let least = Infinity, most = -Infinity;
  for (const { x, y } of drawn) {
    for (let place = 0; place < x.length; place += 1) {
      if (y[place] === null || x[place] === null || x[place] < from || x[place] > to) continue;
      least = Math.min(least, y[place]);
      most = Math.max(most, y[place]);
    }
  }
  if (least > most) return null;
  const air = 0.06 * (most - least) || 0.06 * Math.abs(most) || 1;
  return [least - air, most + air];
}

function drawSeries() {
  const chart = document.getElementById("chart");
  const drawn = traces(view.series);
  const coarse = matchMedia("(pointer: coarse)").matches;
  const lines = view.series.backtest.map((each) => {
    const at = (report.stamps[each.at] + report.stamps[Math.max(each.at - 1, 0)]) / 2;
    return dottedLine(at);
  });
  const height = heights(drawn, view.range);
  Plotly.react(chart, drawn, {
    ...baseLayout(),
    hovermode: false,  // Plotly's would show values of neighbouring steps as if they were of this one
    dragmode: coarse ? false : "zoom",  // a finger scrolls the page
    shapes: lines,
    xaxis: { ...axisStyle(), type: report.pattern ? "date" : "linear", range: [...view.range], showgrid: false,
             tickformat: report.pattern ? undefined : "d" },
    yaxis: { ...axisStyle(), fixedrange: true, range: height ?? [0, 1], exponentformat: "power" },
  }, CONFIG);
  showReading();
}

function showRange(range) {
  const [first, last] = extent(view.series);
  const least = 2 * stepAt(view.series.at + view.series.y.length - 1);
  const width = Math.min(Math.max(range[1] - range[0], least), last - first);
  const from = Math.min(Math.max(range[0], first), last - width);
  view.range = [from, from + width];
  drawSeries();
}

function zoom(factor) {
  const [from, to] = view.range;
  const middle = view.cursor === null ? (from + to) / 2 : report.stamps[view.cursor];
  showRange([middle - (middle - from) * factor, middle + (to - middle) * factor]);
}

