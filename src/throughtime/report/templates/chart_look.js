// How charts look on every page of throughtime: colours, lines, axes and fonts. It asks for Plotly only when it draws.
// Colours are the page's variables, so that light and dark are one thing.
const DASHES = ["6px,3px", "2px,3px", "10px,3px,2px,3px", "12px,4px", "4px,2px"];
const CONFIG = { displayModeBar: false, responsive: true, showTips: false, doubleClick: false, scrollZoom: false };

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function faded(hex, opacity) {
  const [red, green, blue] = [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16));
  return `rgba(${red},${green},${blue},${opacity})`;
}

// What throughtime says.
function lineOfOurs() {
  return { color: colour("model"), width: 2, dash: "solid" };
}

// What others say, by their place among them: a colour and a dash each, as colour never stands alone.
function lineOfOther(place) {
  return { color: colour(`baseline-${(place % 5) + 1}`), width: 1.6, dash: DASHES[place % DASHES.length] };
}

// One of so many intervals that lie upon each other, the widest drawn first.
function bandStyle(count) {
  return { mode: "lines", fill: "toself", line: { width: 0 },
           fillcolor: faded(colour("model"), Math.max(0.5 / (count + 1), 0.06)) };
}

// A border in x, such as an origin or a season: a shape.
function dottedLine(at) {
  return { type: "line", x0: at, x1: at, y0: 0, y1: 1, yref: "paper", layer: "below",
           line: { color: colour("soft"), width: 1, dash: "dot" } };
}

function axisStyle() {
  return { gridcolor: colour("line"), linecolor: colour("line"), zeroline: false, automargin: true };
}

function title(text) {
  return { title: { text, font: { size: 12, color: colour("soft") }, standoff: 6 } };
}

function baseLayout() {
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
    font: { family: "system-ui, sans-serif", size: 12, color: colour("ink") },
    margin: { l: 48, r: 12, t: 8, b: 36 },
    hoverlabel: { bgcolor: colour("page"), bordercolor: colour("line"), font: { color: colour("ink") } },
  };
}

// A chart that says its values under the pointer and does not zoom.
function drawChart(id, drawn, xaxis, yaxis, more = {}) {
  Plotly.react(document.getElementById(id), drawn.map((trace) => ({ type: "scatter", mode: "lines", ...trace })), {
    ...baseLayout(),
    margin: { l: 52, r: 12, t: 8, b: 42 },
    dragmode: false,
    hovermode: "closest",
    xaxis: { ...axisStyle(), showgrid: false, fixedrange: true, ...xaxis },
    yaxis: { ...axisStyle(), fixedrange: true, ...yaxis },
    ...more,
  }, CONFIG);
}

// Whether a logarithmic axis tells more: all positive, over more than a factor of ten.
function wide(curves) {
  const values = curves.flatMap((curve) => curve.y).filter((value) => value !== null);
  return values.length && values.every((value) => value > 0) && Math.max(...values) > 10 * Math.min(...values);
}

// Charts keep the colours that they were drawn with: draw anew when the system turns light or dark.
function whenColoursChange(redraw) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}
