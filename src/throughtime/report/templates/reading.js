// The values at one step, shown where the pointer or the keyboard's cursor is.

// What stands at a place on the axis: names and words. Where windows overlap, the last counts.
function valuesAt(series, place) {
  const lines = [];
  const shown = (key) => !view.hidden.has(key);
  const observed = series.y[place - series.at];
  if (shown("observed") && observed !== undefined && observed !== null) lines.push(["observed", number(observed)]);
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

function plotArea() {
  return document.querySelector("#chart .nsewdrag").getBoundingClientRect();
}

function showReading() {
  const box = document.getElementById("values-here"), line = document.getElementById("cursor");
  const stamp = view.cursor === null ? null : report.stamps[view.cursor];
  const seen = stamp !== null && stamp >= view.range[0] && stamp <= view.range[1];
  box.hidden = line.hidden = !seen;
  if (!seen) return;
  const area = plotArea(), frame = document.getElementById("frame").getBoundingClientRect();
  const share = (stamp - view.range[0]) / (view.range[1] - view.range[0]);
  const x = area.left - frame.left + share * area.width;
  line.style.cssText = `left: ${x}px; top: ${area.top - frame.top}px; height: ${area.height}px`;
  const lines = valuesAt(view.series, view.cursor);
  box.replaceChildren(element("strong", time(stamp)), ...lines.flatMap(([name, words]) => [
    element("span", name), element("span", words, { class: "number" }),
  ]));
  box.style.left = share < 0.5 ? `${x + 10}px` : "";
  box.style.right = share < 0.5 ? "" : `${frame.width - x + 10}px`;
}

// Move the cursor and say what stands there.
function read(by) {
  const { series } = view;
  const start = series.at + series.y.length - 1;
  view.cursor = Math.min(Math.max((view.cursor ?? start - by) + by, series.at), endOf(series) - 1);
  const stamp = report.stamps[view.cursor];
  const half = (view.range[1] - view.range[0]) / 2;
  if (stamp < view.range[0] || stamp > view.range[1]) showRange([stamp - half, stamp + half]);
  else showReading();
  const words = valuesAt(series, view.cursor).map(([name, value]) => `${name}: ${value}`).join(", ");
  document.getElementById("reading").textContent = `${time(stamp)}. ${words || "no value"}`;
}

// The step that is nearest to the pointer.
function point(event) {
  const area = plotArea(), [from, to] = view.range;
  const stamp = from + ((event.clientX - area.left) / area.width) * (to - from);
  let low = view.series.at, high = endOf(view.series) - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((report.stamps[middle] + report.stamps[middle + 1]) / 2 < stamp) low = middle + 1;
    else high = middle;
  }
  view.cursor = low;
  showReading();
}

function leave() {
  view.cursor = null;
  showReading();
}
