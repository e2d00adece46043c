// The look of charts on every page of throughtime: colors by the names of the page's variables, lines, dashes, samples.
const SVG = "http://www.w3.org/2000/svg";  // the name of a language, not an address that is asked
const DOTTED = [2, 3];
const DASHES = [[6, 3], [2, 3], [10, 3, 2, 3], [12, 4], [4, 2]];
const pageColors = new Map();

// A color of the page as it is now, light or dark. Kept, since to ask the style sheet takes longer than to draw a line.
function color(name) {
  if (!pageColors.has(name)) {
    pageColors.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  }
  return pageColors.get(name);
}

// Charts keep the colors that they were drawn with: draw again when the system turns light or dark.
function whenColorsChange(redraw) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}
whenColorsChange(() => pageColors.clear());

// throughtime's line.
function modelLine() {
  return { color: "model", width: 2, dash: [] };
}

// A baseline's line by its place among them: a color and a dash each, as color never stands alone.
function baselineLine(place) {
  return { color: `baseline-${(place % 5) + 1}`, width: 1.6, dash: DASHES[place % DASHES.length] };
}

// The opacity of each of `count` intervals that lie upon each other, the widest drawn first.
function bandOpacity(count) {
  return Math.max(0.5 / (count + 1), 0.06);
}

function svgShape(kind, attributes) {
  const shape = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
  return shape;
}

function sample(shape) {
  const picture = svgShape("svg", { viewBox: "0 0 22 12", "aria-hidden": "true", class: "sample" });
  picture.append(shape);
  return picture;
}

// A line as a legend shows it; a dot where only points are drawn. The color follows the page by itself.
function lineSample({ color: name, width, dash, points }) {
  if (!width) return sample(svgShape("circle", { cx: 11, cy: 6, r: points + 1, fill: `var(--${name})` }));
  const stroke = { stroke: `var(--${name})`, "stroke-width": Math.max(width, 1.6), "stroke-dasharray": dash.join(" ") || "none" };
  return sample(svgShape("line", { x1: 0, y1: 6, x2: 22, y2: 6, ...stroke }));
}

function bandSample(opacity, name = "model") {
  return sample(svgShape("rect", { x: 0, y: 1, width: 22, height: 10, fill: `var(--${name})`, opacity }));
}
