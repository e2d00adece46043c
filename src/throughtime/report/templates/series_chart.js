// The chart of one series: history, forecast, intervals and backtest windows.
const MODEL = "throughtime";
const view = { series: null, range: null, hidden: new Set() };

function baselines() {
  return report.models.filter((model) => model !== MODEL);
}

function lineOfModel(model) {
  return model === MODEL ? modelLine() : baselineLine(baselines().indexOf(model));
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

// The intervals of all windows, with gaps between them; one between unknown steps gets a width that can be seen.
function bandThrough(windows, level) {
  const x = [], low = [], high = [];
  const add = (stamp, least, most) => { x.push(stamp); low.push(least); high.push(most); };
  for (const each of windows) {
    const lows = each[`${MODEL}-lo-${level}`], highs = each[`${MODEL}-hi-${level}`];
    if (!lows) continue;
    const known = (step) => (lows[step] ?? null) !== null && (highs[step] ?? null) !== null;
    for (let step = 0; step < lows.length; step += 1) {
      const stamp = report.stamps[each.at + step], alone = known(step) && !known(step - 1) && !known(step + 1);
      const half = alone ? 0.4 * stepAt(each.at + step) : 0;
      if (alone) add(stamp - half, lows[step], highs[step]);
      add(stamp + half, lows[step], highs[step]);
    }
    add(null, null, null);
  }
  return { x, low, high };
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

const OBSERVED = { color: "ink", width: 1.3, dash: [], points: 1.5 };
const OUTLIER = { color: "warn", width: 0, dash: [], points: 3.5 };
const MISSING = { color: "warn", opacity: 0.2 };

// The runs of missing values as bands over the whole height; one step has a width that can be seen.
function missingBands(series, [low, high]) {
  const x = [], stamp = (step) => report.stamps[series.at + step];
  eachRun((step) => series.y[step] === null, series.y.length, (first, last) => {
    const half = 0.5 * stepAt(series.at + first);
    x.push(stamp(first) - half, stamp(last) + half, null);
  });
  const filled = (value) => x.map((each) => (each === null ? null : value));
  return { ...MISSING, key: "missing", x, low: filled(low), high: filled(high) };
}

// The lines and bands that are switched on.
function layers(series) {
  const windows = windowsOf(series), { levels, models } = parts(series);
  const bands = levels.map((level) => ({
    ...bandThrough(windows, level), key: `level ${level}`, color: "model", opacity: bandOpacity(levels.length),
  }));
  const lines = [{ ...OBSERVED, key: "observed", x: stampsFrom(series.at, series.y.length), y: series.y }];
  for (const model of models) {
    lines.push({ ...lineOfModel(model), ...lineThrough(windows, model), key: model, points: model === MODEL ? 2.5 : 2 });
  }
  if (series.outliers) {
    const x = series.outliers.map((step) => report.stamps[series.at + step]);
    lines.push({ ...OUTLIER, key: "outliers", x, y: series.outliers.map((step) => series.y[step]) });
  }
  const isShown = ({ key }) => !view.hidden.has(key);
  return { bands: bands.filter(isShown), lines: lines.filter(isShown) };
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

// The range of the values in sight, with a margin.
function heightOf({ bands, lines }, [from, to]) {
  const inSight = (x, values) => values.filter((_, place) => x[place] !== null && x[place] >= from && x[place] <= to);
  return withMargin(endsOf([
    ...lines.map(({ x, y }) => inSight(x, y)), ...bands.flatMap(({ x, low, high }) => [inSight(x, low), inSight(x, high)]),
  ]));
}

// What a chart of a series shows in a range of the axis.
function pictureOf(series, range) {
  const shown = layers(series), { resolution, stamps } = report, height = heightOf(shown, range);
  const before = (at) => (stamps[at] + stamps[Math.max(at - 1, 0)]) / 2;
  const shifts = view.hidden.has("shifts") ? [] : series.shifts ?? [];
  if (series.y.includes(null) && !view.hidden.has("missing")) shown.bands.unshift(missingBands(series, height));
  return {
    ...shown,
    x: { range, kind: resolution ? "time" : "index", resolution },
    y: { range: height },
    markers: series.backtest.map(({ at }) => before(at)),
    starts: [
      ...shifts.map((step) => ({ x: before(series.at + step), text: "new level" })),
      ...series.forecasts.map(({ at }) => ({ x: before(at), text: "forecast" })),
    ],
  };
}

function drawSeries() {
  charts.chart.draw(pictureOf(view.series, view.range));
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
  const [from, to] = view.range, middle = charts.chart.cursor ?? (from + to) / 2;
  showRange([middle - (middle - from) * factor, middle + (to - middle) * factor]);
}
