// The network drawn once for each time step: forwards above, backwards below.
const COLUMN = 100, BOX = 62, MOST_UNITS = 144;
const ROWS = { output: 26, forward: 62, input: 160, label: 196, backward: 222 };
let sheet = null;

function shape(kind, attributes, parent, text) {
  const made = svgShape(kind, attributes);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

function arrow(parent, x1, y1, x2, y2) {
  return shape("line", { x1, y1, x2, y2, stroke: "var(--soft)", "stroke-width": 1.5, "marker-end": "url(#head)" }, parent);
}

// A box of units, in rows of equal length.
function unitBox(parent, left, top, units) {
  const across = Math.ceil(Math.sqrt(units)), size = BOX / across;
  shape("rect", { x: left - 1, y: top - 1, width: BOX + 2, height: BOX + 2, fill: "none", stroke: "var(--line)" }, parent);
  return Array.from({ length: units }, (_, unit) => shape("rect", {
    x: left + (unit % across) * size, y: top + Math.floor(unit / across) * size, width: size, height: size,
  }, parent));
}

// The parts that stay while numbers change: made anew when the count of columns or units does.
function drawSheet(columns, units) {
  const width = columns * COLUMN + 40;
  const picture = svgShape("svg", { viewBox: `0 0 ${width} 300`, role: "img" });
  const head = shape("marker", { id: "head", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto" },
    shape("defs", {}, picture));
  shape("path", { d: "M0 0 8 4 0 8z", fill: "var(--soft)" }, head);
  const made = Array.from({ length: columns }, (_, column) => {
    const left = 40 + column * COLUMN, middle = left + BOX / 2;
    arrow(picture, middle, ROWS.input - 12, middle, ROWS.forward + BOX + 3);
    arrow(picture, middle, ROWS.forward - 3, middle, ROWS.output + 6);
    return {
      in: arrow(picture, left - COLUMN + BOX + 3, ROWS.forward + BOX / 2, left - 3, ROWS.forward + BOX / 2),
      output: shape("text", { x: middle, y: ROWS.output, "text-anchor": "middle" }, picture),
      forward: unitBox(picture, left, ROWS.forward, units),
      input: shape("text", { x: middle, y: ROWS.input, "text-anchor": "middle" }, picture),
      label: shape("text", { x: middle, y: ROWS.label, "text-anchor": "middle", class: "quiet" }, picture),
      backward: unitBox(picture, left, ROWS.backward, units),
      back: arrow(picture, left - 3, ROWS.backward + BOX / 2, left - COLUMN + BOX + 3, ROWS.backward + BOX / 2),
    };
  });
  document.getElementById("unrolled").replaceChildren(picture);
  sheet = { columns, units, picture, made };
}

function drawUnrolled(frame) {
  const { hidden, at } = frame, room = document.getElementById("unrolled").clientWidth;
  const columns = Math.min(Math.max(Math.floor((room - 40) / COLUMN), 3), 9, frame.targets.length);
  const units = Math.min(hidden, MOST_UNITS);
  if (!sheet || sheet.columns !== columns || sheet.units !== units) drawSheet(columns, units);
  const first = Math.max(at - columns + 1, 0);
  const largestUnit = largestOf(frame.activity) || 1;
  const largestGradient = largestOf(frame.gradients);
  const norms = byLag(frame);
  sheet.made.forEach((column, place) => {
    const step = first + place, seen = step * hidden;
    const short = (value) => (Math.abs(value) < 1e4 ? value.toFixed(2) : value.toExponential(0));
    column.output.textContent = `says ${short(frame.predictions[step])}`;
    column.input.textContent = `reads ${short(frame.inputs[step])}`;
    column.label.textContent = `step ${step}`;
    for (let unit = 0; unit < units; unit += 1) {
      column.forward[unit].setAttribute("fill", css(signed(frame.activity[seen + unit] / largestUnit)));
      column.backward[unit].setAttribute("fill", css(step > at ? palette.nothing : magnitude(frame.gradients[seen + unit], largestGradient)));
    }
    const norm = step <= at ? norms[at - step] : null;
    const share = norm && norms[0] ? Math.max(1 + Math.log10(norm / norms[0]) / DECADES, 0) : 0;
    column.back.setAttribute("stroke-width", (1 + 4 * Math.min(share, 1)).toFixed(1));
    column.back.setAttribute("opacity", step <= at && share > 0 ? "1" : "0.15");
    column.in.setAttribute("visibility", step > 0 ? "visible" : "hidden");
    column.back.setAttribute("visibility", step > 0 ? "visible" : "hidden");
  });
  const left = norms[0] ? (norms.at(-1) ?? 0) / norms[0] : 0;
  const error = ((frame.predictions[at] - frame.targets[at]) ** 2).toPrecision(2);
  const words = `The squared error at step ${at} is ${error}. Of its gradient, the state after step 0, ${at} steps back, gets ${left.toPrecision(2)} of what the last output gets.`;
  sheet.picture.setAttribute("aria-label", words);
  document.getElementById("unrolled-said").textContent =
    words + (hidden > MOST_UNITS ? ` The first ${MOST_UNITS} of ${hidden} units are drawn.` : "");
}
