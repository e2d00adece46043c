// The page: the unpacked data, the chosen series, and the controls.
let report = null;

function choose(row, scroll = true) {
  list.chosen = row;
  const series = report.drawn.get(row);
  document.getElementById("chosen").textContent = report.ids[row] || "(no name)";
  showScores();
  follow();
  const stage = document.getElementById("stage");
  for (const part of stage.querySelectorAll(".chart, .legend, details")) part.hidden = !series;
  for (const button of stage.querySelectorAll("[id^=zoom]")) button.disabled = !series;
  view.series = series ?? null;
  charts.chart.read(null);
  if (series) {
    document.getElementById("chart").setAttribute("aria-label", `Chart of ${report.ids[row]}`);
    view.range = rangeOf(series, report.recent);
    showLegend();
    drawSeries();
    showNumbers();
  }
  document.getElementById("truncated").textContent = truncation(series);
  if (scroll && stage.getBoundingClientRect().top < 0) stage.scrollIntoView({ block: "start" });
}

function truncation(series) {
  if (!series) return "This series has no chart here, to keep the page small; the files beside this page have its numbers.";
  const left = series.steps - series.y.length;
  return left > 0 ? `The chart has the last ${series.y.length.toLocaleString("en")} of ${series.steps.toLocaleString("en")} steps.` : "";
}

function showScores() {
  const values = list.metric === null ? [] : report.models.map((model) => [model, scoresOf(model)[list.chosen]]);
  const words = values.map(([model, value]) => `${label(model)} ${score(value)}`).join(" · ");
  document.getElementById("chosen-scores").textContent = words && `${report.metric_names[list.metric]}: ${words}`;
}

function showLegend() {
  const { levels, models } = parts(view.series);
  const entries = [
    ["observed", "observed", lineSample(OBSERVED)],
    ...report.models.filter((model) => models.includes(model)).map((model) => [model, label(model), lineSample(lineOfModel(model))]),
    ...levels.toReversed().map((level, place) => [
      `level ${level}`, `${level} %`, bandSample(0.65 - (0.5 * place) / Math.max(levels.length - 1, 1)),
    ]),
    ...marksOf(view.series),
  ];
  document.getElementById("legend").replaceChildren(...entries.map(([key, text, picture]) => {
    const button = element("button", "", { type: "button", "aria-pressed": String(!view.hidden.has(key)) });
    button.append(picture, text);
    button.addEventListener("click", () => {
      if (!view.hidden.delete(key)) view.hidden.add(key);
      button.setAttribute("aria-pressed", String(!view.hidden.has(key)));
      drawSeries();
      drawOthers();
    });
    return button;
  }));
}

// The marks of a series for the legend.
function marksOf({ y, outliers, shifts }) {
  return [
    ...(y.includes(null) ? [["missing", "missing", bandSample(MISSING.opacity, MISSING.color)]] : []),
    ...(outliers ? [["outliers", "far from its neighbors", lineSample(OUTLIER)]] : []),
    ...(shifts ? [["shifts", "new level", lineSample({ color: "soft", width: 1, dash: [] })]] : []),
  ];
}

// The forecasts as a table, made when it is opened; those of the backtest where there are no others.
function showNumbers() {
  if (!document.getElementById("numbers").open || !view.series) return;
  const { forecasts, backtest } = view.series;
  const windows = forecasts.length ? forecasts : backtest;
  const columns = windows.length ? Object.keys(windows[0]).filter((name) => name !== "at") : [];
  const head = element("tr");
  head.append(element("th", "time", { scope: "col" }));
  head.append(...columns.map((name) => element("th", label(name), { scope: "col", class: "number" })));
  const lines = windows.flatMap((each) => each[MODEL].map((_, step) => {
    const line = element("tr");
    line.append(element("th", time(report.stamps[each.at + step]), { scope: "row" }));
    line.append(...columns.map((name) => element("td", number(each[name][step]), { class: "number" })));
    return line;
  }));
  document.getElementById("values").replaceChildren(head, ...lines);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const actions = {
    ArrowLeft: () => read(-1), ArrowRight: () => read(1), "+": () => zoom(0.6), "=": () => zoom(0.6),
    "-": () => zoom(1 / 0.6), 0: () => showRange(extent(view.series)),
  };
  const action = actions[event.key];
  if (!action || !view.series) return;
  event.preventDefault();
  action();
}

function listen() {
  const chart = document.getElementById("chart");
  const to = { ahead: () => rangeOf(view.series, ahead()), recent: () => rangeOf(view.series, report.recent),
               all: () => extent(view.series) };
  for (const [name, range] of Object.entries(to)) {
    document.getElementById(`zoom-${name}`).addEventListener("click", () => showRange(range()));
  }
  document.getElementById("zoom-in").addEventListener("click", () => zoom(0.6));
  document.getElementById("zoom-out").addEventListener("click", () => zoom(1 / 0.6));
  document.getElementById("numbers").addEventListener("toggle", showNumbers);
  chart.addEventListener("keydown", onKey);
  chart.addEventListener("blur", () => charts.chart.read(null));
  chart.addEventListener("dblclick", () => showRange(extent(view.series)));
}

// The history before a forecast in the closest view.
function ahead() {
  const lengths = windowsOf(view.series).map((each) => each[MODEL].length);
  return 2 * Math.max(...lengths, 4);
}

async function start() {
  report = JSON.parse(await unpack("data"));
  report.stamps = stampsOf(report.axis, report.resolution);
  report.drawn = new Map(report.series.map((series) => [series.row, series]));
  for (const model of baselines().slice(1)) view.hidden.add(model);  // one to compare with is enough at first
  startList();
  new Chart("chart", { onZoom: (from, to) => showRange([from, to]), readingAt: (stamp) => stepReading(view.series, stamp) });
  listen();
  choose(list.rows[0] ?? 0, false);
  startOthers();
  drawSmallCharts();
  drawErrors();
  offerFiles();
  document.documentElement.dataset.ready = "";
}

start().catch((error) => {
  const told = document.getElementById("failed");
  told.hidden = false;
  told.textContent = `The charts could not be drawn (${error.message}). A browser of 2023 or later is needed.`;
  throw error;
});
