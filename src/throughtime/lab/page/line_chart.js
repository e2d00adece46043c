// Line charts that are drawn ten times a second beside a network that trains. Plotly, which draws the report's, takes 9
// to 14 ms for one of them, half a core for all; these take a fraction of a millisecond.
const MARGIN = { left: 54, right: 12, top: 10, bottom: 38 };
const MOST_TICKS = 6;
const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const charts = {};

// Round places between two ends; on a logarithmic axis these are exponents, and steps are whole.
function ticks([from, to], kind) {
  const log = kind === "log", rough = (to - from) / MOST_TICKS, size = 10 ** Math.floor(Math.log10(rough));
  const round = [1, 2, 5, 10].find((each) => each * size >= rough) * size;
  const step = log ? Math.ceil(rough) : kind === "steps" ? Math.max(round, 1) : round;
  const text = (value) => (log
    ? `10${Array.from(String(value), (letter) => RAISED[letter]).join("")}`
    : Number(value.toPrecision(6)).toLocaleString("en", { maximumFractionDigits: 6 }));
  const count = Math.floor(to / step + 1e-9) - Math.ceil(from / step - 1e-9) + 1;
  return Array.from({ length: Math.max(count, 0) }, (_, k) => {
    const value = (Math.ceil(from / step - 1e-9) + k) * step;
    return { value, text: text(value) };
  });
}

function dashOf(dash) {
  return { solid: [], dot: [2, 3] }[dash] ?? dash.split(",").map(parseFloat);
}

// The names below a chart, each with its line or its mark; made anew only when they change.
function showNames(at, curves) {
  const key = JSON.stringify(curves.map(({ name, line, marks }) => [name, line, marks]));
  if (at.dataset.key === key) return;
  at.dataset.key = key;
  at.replaceChildren(...curves.map(({ name, line, marks }) => {
    const entry = document.createElement("span"), sample = document.createElement("i");
    sample.style.cssText = marks
      ? `width: 7px; height: 7px; border-radius: 50%; background: ${line.color}`
      : `width: 22px; border-top: 2px ${line.dash === "solid" ? "solid" : line.dash === "dot" ? "dotted" : "dashed"} ${line.color}`;
    entry.append(sample, name);
    return entry;
  }));
}

// A chart in the element `id`. Its `draw` takes the ends of both axes, whether y is logarithmic (its ends are exponents
// then), and curves with a name, x, y, a line, and whether its points are marked instead; null leaves a gap.
function lineChart(id, xTitle) {
  const box = document.getElementById(id), canvas = document.createElement("canvas");
  const names = document.createElement("p"), context = canvas.getContext("2d");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", box.dataset.says);
  names.className = "names";
  box.append(canvas, names);
  let drawn = null;

  function draw(what) {
    drawn = charts[id] = what;
    const width = box.clientWidth, height = canvas.clientHeight, sharp = devicePixelRatio || 1;
    if (!width || !height) return;
    if (canvas.width !== Math.round(width * sharp) || canvas.height !== Math.round(height * sharp)) {
      canvas.width = Math.round(width * sharp);
      canvas.height = Math.round(height * sharp);
    }
    const right = width - MARGIN.right, bottom = height - MARGIN.bottom;
    const across = (value) => MARGIN.left + ((value - what.x[0]) / (what.x[1] - what.x[0] || 1)) * (right - MARGIN.left);
    const up = (value) => bottom - ((value - what.y[0]) / (what.y[1] - what.y[0] || 1)) * (bottom - MARGIN.top);
    context.setTransform(sharp, 0, 0, sharp, 0, 0);
    context.clearRect(0, 0, width, height);
    drawAxes({ right, bottom, across, up }, what);
    context.save();
    context.beginPath();
    context.rect(MARGIN.left, MARGIN.top - 4, right - MARGIN.left + 4, bottom - MARGIN.top + 8);
    context.clip();
    for (const curve of what.curves) drawCurve(curve, across, (value) => up(what.log ? Math.log10(value) : value), what.log);
    context.restore();
    showNames(names, what.curves);
  }

  function drawAxes({ right, bottom, across, up }, { x, y, log }) {
    context.font = "12px system-ui, sans-serif";
    context.lineWidth = 1;
    context.strokeStyle = colour("line");
    context.fillStyle = colour("ink");
    context.textBaseline = "middle";
    context.textAlign = "right";
    context.beginPath();
    for (const { value, text } of ticks(y, log ? "log" : "numbers")) {
      const place = Math.round(up(value)) + 0.5;
      context.moveTo(MARGIN.left, place);
      context.lineTo(right, place);
      context.fillText(text, MARGIN.left - 7, place);
    }
    context.moveTo(MARGIN.left + 0.5, MARGIN.top);
    context.lineTo(MARGIN.left + 0.5, bottom + 0.5);
    context.lineTo(right, bottom + 0.5);
    context.stroke();
    context.textAlign = "center";
    for (const { value, text } of ticks(x, "steps")) context.fillText(text, across(value), bottom + 12);
    context.fillStyle = colour("soft");
    context.fillText(xTitle, (MARGIN.left + right) / 2, bottom + 29);
  }

  function drawCurve({ x, y, line, marks }, across, up, log) {
    context.strokeStyle = context.fillStyle = line.color;
    context.lineWidth = line.width;
    context.setLineDash(dashOf(line.dash));
    context.beginPath();
    let follows = false;
    for (let place = 0; place < x.length; place += 1) {
      const there = Number.isFinite(y[place]) && y[place] !== null && !(log && y[place] <= 0);
      if (there && (marks || x.length === 1)) {
        context.moveTo(across(x[place]) + 2.5, up(y[place]));
        context.arc(across(x[place]), up(y[place]), 2.5, 0, 7);
      } else if (there) context[follows ? "lineTo" : "moveTo"](across(x[place]), up(y[place]));
      follows = there;
    }
    if (marks || x.length === 1) context.fill();
    else context.stroke();
    context.setLineDash([]);
  }

  // Every curve's value nearest to the pointer, in the place of the names.
  canvas.addEventListener("pointermove", (event) => {
    if (!drawn) return;
    const area = canvas.getBoundingClientRect(), room = area.width - MARGIN.left - MARGIN.right;
    const at = drawn.x[0] + ((event.clientX - area.left - MARGIN.left) / room) * (drawn.x[1] - drawn.x[0]);
    canvas.title = drawn.curves.filter((curve) => curve.x.length).map(({ name, x, y }) => {
      const nearest = x.reduce((best, value, place) => (Math.abs(value - at) < Math.abs(x[best] - at) ? place : best), 0);
      return `${name}, at ${x[nearest]}: ${Number.isFinite(y[nearest]) ? Number(y[nearest]).toPrecision(4) : "nothing"}`;
    }).join("\n");
  });
  return draw;
}

// Whole powers of ten around the positive numbers, so that an axis does not tremble while they change.
function decades(curves) {
  const logs = curves.flat().filter((value) => value > 0 && value < Infinity).map(Math.log10);
  const low = logs.length ? Math.floor(Math.min(...logs)) : 0;
  return [low, Math.max(logs.length ? Math.ceil(Math.max(...logs)) : 0, low + 1)];
}
