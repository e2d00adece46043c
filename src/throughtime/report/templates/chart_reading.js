// Reading a chart: the values at a place, a line through it, and ranges that are selected by dragging.
const LEAST_DRAG = 8;  // pixels; less is a click

function nearestPlace(x, value) {
  let nearest = 0;
  for (let place = 1; place < x.length; place += 1) {
    if (Math.abs(x[place] - value) < Math.abs(x[nearest] - value)) nearest = place;
  }
  return nearest;
}

// Each line's value at the place that is nearest among those of all lines, and at no other.
function nearestReading({ lines, x: axis, heading, value }, x) {
  const read = lines.filter((line) => !line.quiet && line.x.length);
  const places = read.map((line) => nearestPlace(line.x, x));
  const distances = read.map((line, k) => Math.abs(line.x[places[k]] - x));
  const nearest = distances.indexOf(Math.min(...distances));
  if (nearest < 0) return null;
  const at = read[nearest].x[places[nearest]];
  const rows = read.map((line, k) => [line, places[k]]).filter(([line, place]) => line.x[place] === at).map(
    ([line, place]) => [line.name, valueText(line.y[place], value)]);
  return { x: at, heading: heading ? heading(at) : `${axis.title ?? ""} ${valueText(at)}`.trim(), rows };
}

function valueText(value, format) {
  if (!Number.isFinite(value)) return "–";
  if (format) return format(value);
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-4)) return value.toExponential(3);
  return Number(value.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 8 });
}

// Show a reading beside a line through its place, on the side with more room, within the plot; null hides both.
function showReading(chart, reading) {
  const { readingBox: box, cursorLine: line } = chart;
  box.hidden = line.hidden = !reading;
  if (!reading) return;
  const left = chart.leftOf(reading.x), { area } = chart;
  line.style.cssText = `left: ${left}px; top: ${area.top}px; height: ${area.bottom - area.top}px`;
  const text = (tag, words) => Object.assign(document.createElement(tag), { textContent: words });
  box.replaceChildren(text("strong", reading.heading),
    ...reading.rows.flatMap(([name, words]) => [text("span", name), text("span", words)]));
  const width = box.offsetWidth, beside = left > chart.width / 2 ? left - 10 - width : left + 10;
  box.style.left = `${Math.max(Math.min(beside, chart.width - width), 0)}px`;
}

// A mouse reads where it is and selects by dragging; a finger reads where it taps, and scrolls the page.
function addPointer(chart, onZoom) {
  const { plot } = chart;
  chart.cursorLine = part("div", "cursor", plot);
  chart.readingBox = part("div", "reading", plot);
  chart.readingBox.setAttribute("aria-hidden", "true");
  chart.cursorLine.hidden = chart.readingBox.hidden = true;
  const read = (event) => chart.area && chart.read(chart.valueAt(event.clientX - plot.getBoundingClientRect().left));
  plot.addEventListener("pointerdown", read);
  plot.addEventListener("pointermove", read);
  plot.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && chart.read(null));
  document.addEventListener("pointerdown", (event) => plot.contains(event.target) || chart.read(null));
  if (onZoom) addSelection(chart, onZoom);
}

function addSelection(chart, onZoom) {
  const { plot } = chart, selection = part("div", "selection", plot);
  let from = null, to = null;
  selection.hidden = true;
  plot.classList.add("zooms");
  const leftOf = (event) => {
    const left = event.clientX - plot.getBoundingClientRect().left;
    return Math.min(Math.max(left, chart.area.left), chart.area.right);
  };
  const end = () => {
    from = null;
    selection.hidden = true;
  };
  plot.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" || event.button !== 0 || !chart.area) return;
    from = to = leftOf(event);
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", (event) => {
    if (from === null) return;
    to = leftOf(event);
    selection.hidden = Math.abs(to - from) < LEAST_DRAG;
    const { top, bottom } = chart.area;
    selection.style.cssText =
      `left: ${Math.min(from, to)}px; width: ${Math.abs(to - from)}px; top: ${top}px; height: ${bottom - top}px`;
  });
  plot.addEventListener("pointerup", () => {
    if (from !== null && Math.abs(to - from) >= LEAST_DRAG) {
      onZoom(...[Math.min(from, to), Math.max(from, to)].map((left) => chart.valueAt(left)));
    }
    end();
  });
  plot.addEventListener("pointercancel", end);
}
