// Line charts on a canvas, which take a fraction of a millisecond: a page may draw them many times a second.
//
// A picture is what a chart shows:
//   x, y     axes: {range, title, kind, log}; kind is "number", "count" (whole), "index" (whole, without commas) or
//            "time" (milliseconds since 1970, labeled no finer than its `resolution`); a logarithmic range is positive
//   lines    {name, x, y, color, width, dash, points, opacity}; null in y is a gap; points is their radius, and they are
//            drawn as long as they keep clear of each other, or alone if width is 0; a `quiet` line has no name below
//            the chart and no value in the reading
//   bands    {x, low, high, color, opacity}, with the same gaps
//   markers  places in x of dotted vertical lines
//   starts   {x, text}: solid vertical lines, each with its text on the right, or on the left if there is no room
// Colors are names of the page's variables. Optional: `heading(x)` and `value(y)` as text for the reading.
const ROW_ROOM = 32, COLUMN_ROOMS = [48, 96, 160];  // pixels from one label to the next
const LOW = 160, LOW_ROW_ROOM = 22;  // labels of a low chart are closer, or there would be one alone
const FONT = "12px system-ui, sans-serif";
const charts = {};  // each chart of the page, by the id of its element

class Chart {
  // A chart in the element with this id. `legend` names the lines below it; `onZoom(from, to)` makes ranges in x
  // selectable; `readingAt(x)` tells what is read there: {x, heading, rows} or null.
  constructor(id, { legend = false, onZoom = null, readingAt = null } = {}) {
    this.element = document.getElementById(id);
    this.plot = part("div", "plot", this.element);
    this.canvas = part("canvas", "", this.plot);
    this.context = this.canvas.getContext("2d");
    this.legend = legend ? part("p", "names", this.element) : null;
    this.readingAt = readingAt ?? ((x) => nearestReading(this.picture, x));
    this.picture = this.area = this.cursor = null;
    this.width = this.plot.clientWidth;
    this.height = this.plot.clientHeight;
    const { label } = this.element.dataset;
    this.canvas.setAttribute("role", label ? "img" : "presentation");
    if (label) this.canvas.setAttribute("aria-label", label);
    addPointer(this, onZoom);
    new ResizeObserver(([{ contentRect }]) => this.resize(contentRect)).observe(this.plot);
    whenColorsChange(() => this.paint());
    charts[id] = this;
  }

  draw(picture) {
    this.picture = picture;
    if (this.legend) showNames(this.legend, picture.lines);
    this.paint();
  }

  resize({ width, height }) {
    this.width = width;
    this.height = height;
    this.paint();
  }

  paint() {
    const { width, height } = this, sharpness = devicePixelRatio || 1;
    if (!this.picture || !width || !height) return;
    this.fitCanvas(Math.floor(width * sharpness), Math.floor(height * sharpness), sharpness);
    this.context.setTransform(sharpness, 0, 0, sharpness, 0, 0);
    this.context.clearRect(0, 0, width, height);
    this.context.font = FONT;
    paintPicture(this);
    this.read(this.cursor);
  }

  // Give the canvas whole pixels of the screen: stretched over a part of one it would be blurred.
  fitCanvas(across, down, sharpness) {
    const { canvas } = this;
    if (canvas.width === across && canvas.height === down) return;
    canvas.width = across;
    canvas.height = down;
    canvas.style.width = `${across / sharpness}px`;
    canvas.style.height = `${down / sharpness}px`;
  }

  // The value on the x axis that is drawn at a distance from the left edge, and the reverse.
  valueAt(left) {
    const { range } = this.picture.x, { area } = this;
    return range[0] + ((left - area.left) / (area.right - area.left)) * (range[1] - range[0]);
  }

  leftOf(value) {
    const { range } = this.picture.x, { area } = this;
    return area.left + ((value - range[0]) / (range[1] - range[0] || 1)) * (area.right - area.left);
  }

  topOf(value) {
    const { range, log } = this.picture.y, { area } = this;
    const share = log ? Math.log(value / range[0]) / Math.log(range[1] / range[0])
      : (value - range[0]) / (range[1] - range[0] || 1);
    return area.bottom - share * (area.bottom - area.top);
  }

  // Show what is read at a value of the x axis, as long as it is in range; null shows nothing.
  read(x) {
    this.cursor = x;
    const reading = x === null || !this.area ? null : this.readingAt(x);
    const { range } = this.picture?.x ?? {};
    showReading(this, reading && reading.x >= range[0] && reading.x <= range[1] ? reading : null);
  }
}

function part(tag, name, parent) {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made);
  return made;
}

// The lines' names, each with a sample; made again only when they change.
function showNames(legend, lines) {
  const named = lines.filter((line) => !line.quiet), key = named.map(({ name, color: of }) => `${name} ${of}`).join("\n");
  if (legend.dataset.key === key) return;
  legend.dataset.key = key;
  legend.replaceChildren(...named.map((line) => {
    const entry = document.createElement("span");
    entry.append(lineSample(line), line.name);
    return entry;
  }));
}

// The plot inside its axes. The left margin fits the labels in coarse steps, so that it keeps still while they change.
function areaOf({ width, height, context }, { x, y }, texts) {
  const widest = texts.reduce((most, text) => Math.max(most, context.measureText(text).width), 0);
  return {
    left: Math.max(Math.ceil((widest + 12) / 12) * 12, 36), right: width - 12,
    top: y.title ? 24 : 10, bottom: height - 24 - (x.title ? 18 : 0) - (x.kind === "time" ? 15 : 0),
  };
}

// The ticks of the x axis, as many as leave room for their labels.
function columnsOf(chart) {
  const { context, area, picture } = chart;
  let ticks = [];
  for (const room of COLUMN_ROOMS) {
    ticks = ticksOf(picture.x, area.right - area.left, room);
    const widest = ticks.reduce((most, { text }) => Math.max(most, context.measureText(text).width), 0);
    if (ticks.length < 2 || chart.leftOf(ticks[1].value) - chart.leftOf(ticks[0].value) >= widest + 12) break;
  }
  return ticks;
}

function paintPicture(chart) {
  const { context, picture, height } = chart;
  const rows = ticksOf(picture.y, height - 40, height < LOW ? LOW_ROW_ROOM : ROW_ROOM);
  const area = chart.area = areaOf(chart, picture, rows.map(({ text }) => text));
  paintRows(chart, rows);
  paintColumns(chart, columnsOf(chart));
  context.save();
  context.beginPath();
  context.rect(area.left, area.top - 2, area.right - area.left + 1, area.bottom - area.top + 4);
  context.clip();
  context.lineJoin = "round";
  for (const band of picture.bands ?? []) paintBand(chart, band);
  paintMarkers(chart);
  for (const start of picture.starts ?? []) paintStart(chart, start);
  for (const line of picture.lines) paintLine(chart, line);
  context.restore();
  for (const line of picture.lines) paintPoints(chart, line);
}

// The y axis: its labels, faint lines across, and the frame on the left and below.
function paintRows(chart, ticks) {
  const { context, area, picture } = chart;
  context.strokeStyle = color("line");
  context.fillStyle = color("soft");
  context.lineWidth = 1;
  context.textBaseline = "middle";
  context.textAlign = "right";
  context.beginPath();
  for (const { value, text } of ticks) {
    const top = Math.round(chart.topOf(value)) + 0.5;
    context.moveTo(area.left, top);
    context.lineTo(area.right, top);
    context.fillText(text, area.left - 7, top);
  }
  context.moveTo(area.left + 0.5, area.top);
  context.lineTo(area.left + 0.5, area.bottom + 0.5);
  context.lineTo(area.right, area.bottom + 0.5);
  context.stroke();
  context.textAlign = "left";
  if (picture.y.title) context.fillText(picture.y.title, 0, 9);
}

// The x axis: labels that keep clear of the edges, below them what these are part of, and its title.
function paintColumns(chart, ticks) {
  const { context, area, picture, width } = chart;
  context.textAlign = "center";
  const centered = (text, left, top) => {
    const half = context.measureText(text).width / 2;
    context.fillText(text, Math.min(Math.max(left, half), width - half), top);
  };
  context.beginPath();
  let free = Infinity;
  for (const { value, text, within } of ticks.toReversed()) {
    const left = Math.round(chart.leftOf(value)) + 0.5;
    context.moveTo(left, area.bottom);
    context.lineTo(left, area.bottom + 5);
    centered(text, left, area.bottom + 14);
    const half = within ? context.measureText(within).width / 2 + 5 : 0;
    if (!within || left + half > free) continue;
    centered(within, left, area.bottom + 29);
    free = left - half;
  }
  context.stroke();
  if (picture.x.title) centered(picture.x.title, (area.left + area.right) / 2, chart.height - 8);
}

function paintMarkers(chart) {
  const { context, area, picture } = chart;
  context.strokeStyle = color("soft");
  context.lineWidth = 1;
  context.setLineDash(DOTTED);
  context.beginPath();
  for (const value of picture.markers ?? []) {
    const left = Math.round(chart.leftOf(value)) + 0.5;
    context.moveTo(left, area.top);
    context.lineTo(left, area.bottom);
  }
  context.stroke();
  context.setLineDash([]);
}

function paintStart(chart, { x, text }) {
  const { context, area } = chart, left = Math.round(chart.leftOf(x)) + 0.5;
  if (left < area.left || left > area.right) return;
  context.strokeStyle = context.fillStyle = color("soft");
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(left, area.top);
  context.lineTo(left, area.bottom);
  context.stroke();
  const roomy = left + context.measureText(text).width + 8 < area.right;
  context.textAlign = roomy ? "left" : "right";
  context.textBaseline = "top";
  context.fillText(text, left + (roomy ? 5 : -5), area.top + 1);
}

// The runs of known values, as places from `first` to `last`.
function eachRun(knownAt, count, paintRun) {
  let first = -1;
  for (let place = 0; place <= count; place += 1) {
    const known = place < count && knownAt(place);
    if (known && first < 0) first = place;
    if (known || first < 0) continue;
    paintRun(first, place - 1);
    first = -1;
  }
}

function isKnown(value, log) {
  return Number.isFinite(value) && !(log && value <= 0);
}

function paintBand(chart, { x, low, high, color: name, opacity }) {
  const { context } = chart, { log } = chart.picture.y;
  context.fillStyle = color(name);
  context.globalAlpha = opacity;
  context.beginPath();
  eachRun((place) => isKnown(low[place], log) && isKnown(high[place], log), x.length, (first, last) => {
    context.moveTo(chart.leftOf(x[first]), chart.topOf(low[first]));
    for (let place = first; place <= last; place += 1) context.lineTo(chart.leftOf(x[place]), chart.topOf(high[place]));
    for (let place = last; place > first; place -= 1) context.lineTo(chart.leftOf(x[place]), chart.topOf(low[place]));
    context.closePath();
  });
  context.fill();
  context.globalAlpha = 1;
}

// A line through each run of known values.
function paintLine(chart, { x, y, color: name, width, dash, opacity = 1 }) {
  if (!width) return;
  const { context } = chart, { log } = chart.picture.y;
  context.strokeStyle = color(name);
  context.globalAlpha = opacity;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.beginPath();
  eachRun((place) => isKnown(y[place], log), x.length, (first, last) => {
    context.moveTo(chart.leftOf(x[first]), chart.topOf(y[first]));
    for (let place = first + 1; place <= last; place += 1) context.lineTo(chart.leftOf(x[place]), chart.topOf(y[place]));
  });
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}

// The points of a line, as long as they keep clear of each other; a value without neighbors is always one.
function paintPoints(chart, { x, y, color: name, width, points = 0, opacity = 1 }) {
  const { context } = chart, { log } = chart.picture.y;
  const apart = x.length > 1 ? chart.leftOf(x[1]) - chart.leftOf(x[0]) : Infinity;
  const shown = width > 0 && apart < 3 * points ? 0 : points;
  context.fillStyle = color(name);
  context.globalAlpha = opacity;
  context.beginPath();
  eachRun((place) => isKnown(y[place], log), x.length, (first, last) => {
    const radius = shown || (first === last ? Math.max(width, 2) : 0);
    for (let place = first; radius && place <= last; place += 1) addPoint(chart, x[place], y[place], radius);
  });
  context.fill();
  context.globalAlpha = 1;
}

// Add a point to the path: whole if it touches the frame, not at all outside.
function addPoint(chart, x, y, radius) {
  const left = chart.leftOf(x), top = chart.topOf(y), { area } = chart;
  if (left < area.left - 1 || left > area.right + 1 || top < area.top - 1 || top > area.bottom + 1) return;
  chart.context.moveTo(left + radius, top);
  chart.context.arc(left, top, radius, 0, 2 * Math.PI);
}
