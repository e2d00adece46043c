// The page: what was unpacked, the chosen series, and what the controls do.
let report = null;

function choose(row, scroll = true) {
  list.chosen = row;
  view.cursor = null;
  const series = report.drawn.get(row);
  document.getElementById("chosen").textContent = report.ids[row] || "(no name)";
  showScores();
  follow();
  const stage = document.getElementById("stage");
  for (const part of stage.querySelectorAll(".frame, .legend, details")) part.hidden = !series;
  for (const button of stage.querySelectorAll("[id^=zoom]")) button.disabled = !series;
  view.series = series ?? null;
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

const PICTURES = "http://www.w3.org/2000/svg";  // the name of a language, not a place that is asked

function swatch(kind, model) {
  const picture = document.createElementNS(PICTURES, "svg");
  picture.setAttribute("viewBox", "0 0 22 12");
  picture.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(PICTURES, kind === "band" ? "rect" : "line");
  const line = kind === "observed" ? { color: colour("ink"), dash: "solid" } : lineOfModel(model);
  const attributes = kind === "band"
    ? { width: 22, height: 12, rx: 2, fill: faded(colour("model"), model) }
    : { x1: 0, x2: 22, y1: 6, y2: 6, stroke: line.color, "stroke-width": 2.2,
        "stroke-dasharray": line.dash === "solid" ? "none" : line.dash.replaceAll("px", "") };
  for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
  picture.append(shape);
  return picture;
}

function showLegend() {
  const { levels, models } = parts(view.series);
  const entries = [
    ["observed", "observed", () => swatch("observed")],
    ...report.models.filter((model) => models.includes(model)).map((model) => [model, label(model), () => swatch("line", model)]),
    ...levels.toReversed().map((level, place) => [
      `level ${level}`, `${level} %`, () => swatch("band", 0.65 - (0.5 * place) / Math.max(levels.length - 1, 1)),
    ]),
  ];
  document.getElementById("legend").replaceChildren(...entries.map(([key, text, picture]) => {
    const button = element("button", "", { type: "button", "aria-pressed": String(!view.hidden.has(key)) });
    button.append(picture(), text);
    button.addEventListener("click", () => {
      if (!view.hidden.delete(key)) view.hidden.add(key);
      button.setAttribute("aria-pressed", String(!view.hidden.has(key)));
      drawSeries();
    });
    return button;
  }));
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
  document.getElementById("frame").addEventListener("pointermove", point);
  document.getElementById("frame").addEventListener("pointerdown", point);
  document.getElementById("frame").addEventListener("pointerleave", (event) => event.pointerType === "mouse" && leave());
  chart.addEventListener("blur", leave);
  addEventListener("resize", showReading);
  chart.on("plotly_relayout", (change) => {
    const from = change["xaxis.range[0]"], to = change["xaxis.range[1]"];
    if (from !== undefined) showRange([from, to].map((end) => (report.pattern ? Date.parse(`${end}Z`.replace(" ", "T")) : end)));
  });
  // Not Plotly's own double click, which takes a finger's tap for two.
  document.getElementById("frame").addEventListener("dblclick", () => showRange(extent(view.series)));
  whenColoursChange(() => {
    if (view.series) { showLegend(); drawSeries(); }
    drawSmallCharts();
  });
}

// How much history stands before a forecast that is looked at closely.
function ahead() {
  const lengths = windowsOf(view.series).map((each) => each[MODEL].length);
  return 2 * Math.max(...lengths, 4);
}

async function start() {
  const [data, library] = await Promise.all([unpack("data"), unpack("library")]);
  report = JSON.parse(data);
  report.stamps = stampsOf(report.axis);
  report.drawn = new Map(report.series.map((series) => [series.row, series]));
  document.head.append(element("script", library));
  for (const model of baselines().slice(1)) view.hidden.add(model);  // one to compare with is enough at first
  startList();
  Plotly.newPlot("chart", [], {}, CONFIG);
  listen();
  choose(list.rows[0] ?? 0, false);
  drawSmallCharts();
  document.documentElement.dataset.ready = "";
}

start().catch((error) => {
  const told = document.getElementById("failed");
  told.hidden = false;
  told.textContent = `The charts could not be drawn (${error.message}). A browser of 2023 or later is needed.`;
  throw error;
});
