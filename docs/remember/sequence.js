// The sequence that both networks read, over their columns.
import { MARGIN } from "./shared/strip.js";

/** @returns the painting of `view.task` and `view.sequence` for a Strip */
export function sequencePainter(view) {
  return (context, strip) => {
    if (!view.sequence) return;
    const { task, sequence } = view;
    if (task.letters) paintLetters(context, strip, task, sequence.xs);
    else paintBars(context, strip, task, sequence.xs);
  };
}

function paintLetters(context, strip, { letters, inputs }, xs) {
  const { steps, height, column } = strip, y = height / 2, shown = [];
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = color("soft");
  context.font = `${Math.min(13, Math.max(column, 7))}px system-ui, sans-serif`;
  for (let t = 0; t < steps; t += 1) {
    const letter = letters[xs.subarray(t * inputs, (t + 1) * inputs).indexOf(1)];
    if ("abc·".includes(letter)) context.fillText(letter, strip.center(t), y);
    else shown.push([letter, strip.center(t)]);
  }
  for (const [letter, x] of shown) paintBadge(context, x, y, letter);
}

/** A letter that counts in a dark circle, the question in a light one. */
function paintBadge(context, x, y, letter) {
  const isQuestion = letter === "?";
  context.beginPath();
  context.arc(x, y, 11, 0, 2 * Math.PI);
  context.fillStyle = color(isQuestion ? "card" : "ink");
  context.fill();
  context.strokeStyle = color("ink");
  context.lineWidth = 1.3;
  context.stroke();
  context.fillStyle = color(isQuestion ? "ink" : "page");
  context.font = "600 13px system-ui, sans-serif";
  context.fillText(letter, x, y + 0.5);
}

/** Numbers as bars; those that are marked are dark and bear their value. */
function paintBars(context, strip, { inputs }, xs) {
  const { steps, height, column } = strip, room = height - 14;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  for (let t = 0; t < steps; t += 1) {
    const value = xs[t * inputs], marked = inputs > 1 && xs[t * inputs + 1] === 1, tall = Math.max(value * room, 1);
    context.fillStyle = color(marked ? "ink" : "line");
    context.fillRect(strip.left(t) + 0.12 * column, height - tall, 0.76 * column, tall);
    if (!marked) continue;
    context.font = "600 12px system-ui, sans-serif";
    const x = Math.min(Math.max(strip.center(t), MARGIN + 4), strip.width - MARGIN - 8);
    context.fillText(value.toFixed(2), x, height - tall - 3);
  }
}
