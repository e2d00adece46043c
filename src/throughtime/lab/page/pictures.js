// The pictures of the latest frames, and the sentences beside them.
import { equation, gatesPicture } from "../shared/inside.js";
import { setText } from "../shared/lane.js";
import { runningPlace } from "../shared/light.js";
import { gradientPicture, rateText, sharesOf } from "./gradient.js";
import { windowPicture } from "./series.js";
import { fieldOf, known } from "./settings.js";
import { find, focus, isOver, lanes, pictures, placeOf, run, tell } from "./state.js";
import { errorText, verdict, whole } from "./words.js";

/** Draws all that a frame can change. */
export function draw() {
  const { ready, frames, names, losses } = run;
  const shown = frames.map((frame, side) => ({ frame, place: placeOf(side), name: names[side].short, points: losses.lanes[placeOf(side)] }));
  pictures.window.draw(windowPicture(ready, shown));
  pictures.loss.draw(losses.picture());
  shown.forEach(showLane);
  showUnit();
  showWords(shown);
  const { dataset } = document.body;
  dataset.step = String(Math.min(...frames.map(({ step }) => step)));
  dataset.drawn = String(1 + Number(dataset.drawn ?? 0));
}

/** The gradient is drawn when it was measured, and not with each frame. */
export function drawGradient() {
  const measured = run.reach.map((reach, side) => ({ reach, place: placeOf(side), name: run.names[side].short }));
  pictures.gradient.draw(gradientPicture(measured, find("bound").checked));
}

function showLane({ frame, place }, side) {
  const { ready, names, naive, reach } = run, { hidden, parameters } = ready.sides[side];
  const most = frame.activity.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  const words = {
    name: names[side].full, said: `${whole(parameters)} weights`, right: `held-out error ${Number.isFinite(frame.held_out) ? `${errorText(frame, naive)} of ${naive.name}` : "not finite"}`,
    note: reach ? rateText(reach[side]) : "",
  };
  const share = reach && reach[side].memory.length === ready.window + 1 ? sharesOf(reach[side]) : null;
  if (run.going) lanes[place].view.running = runningPlace(performance.now());
  lanes[place].show({ hs: frame.activity, most, share, steps: ready.window, units: hidden }, null, words);
}

/** The sentences. To change them makes the browser lay the page out anew: four times a second is enough. */
function showWords(shown) {
  if (run.going && performance.now() - run.told < 250) return;
  run.told = performance.now();
  const { ready, frames } = run, problems = frames.map(({ problem }) => problem).filter(Boolean);
  const named = shown.map(({ frame, points }, side) => ({ name: run.names[side].subject, frame, points }));
  setText(find("verdict"), verdict(named, run.naive, ready.steps, isOver() && (problems.length ? ", ended" : ", done")));
  const speed = Math.min(...frames.map((frame) => frame.speed));
  setText(find("speed"), run.going && speed > 0 ? `${whole(speed)} steps a second` : "");
  find("progress").value = Math.min(...frames.map(({ step }) => step)) / ready.steps;
  if (problems.length) tell(problems.join(" "));
}

/** The kind of a cell, as shared/inside.js knows their equations. */
function kindOf(side) {
  const { cell } = run.ready.sides[side];
  if (cell === "Elman") {
    const activation = known.network ? "" : fieldOf(side ? "activation2" : "activation").value;
    return { tanh: "rnn", relu: "relu" }[activation] ?? "plain";
  }
  return { LSTM: "lstm", GRU: "gru" }[cell];
}

/** The side whose unit is in focus. */
export const chosenSide = () => (run.ready.sides.length > 1 ? focus.place.lane : 0);

export function showUnit() {
  const side = chosenSide(), frame = run.frames[side], { hidden, gates } = run.ready.sides[side], { window } = run.ready;
  const unit = Math.min(frame.unit, hidden - 1), step = Math.min(focus.place.t ?? window - 1, window - 1);
  const h = Array.from({ length: window }, (_, t) => frame.activity[t * hidden + unit]);
  const shown = frame.gates.length ? gates.map((name, k) => [name, frame.gates.subarray(k * window, (k + 1) * window)]) : [];
  const cell = kindOf(side), inside = { cell, h, gates: Object.fromEntries(shown), c: cell === "lstm" ? frame.memory : null };
  setText(find("unit-title"), `Inside unit ${unit + 1}, step ${step + 1}`);
  setText(find("unit-of"), run.names[side].full);
  setText(find("equation"), equation(inside, step));
  pictures.gates.draw(gatesPicture(inside));
}

/** A chart whose places are time steps moves the focus too; beyond the window there is no step. */
export function followChart(chart, stepOf) {
  const set = (event) => {
    if (!chart.area || !run.ready) return;
    const t = Math.round(stepOf(chart.valueAt(event.clientX - chart.plot.getBoundingClientRect().left)));
    focus.set({ t: t >= 0 && t < run.ready.window ? t : null });
  };
  chart.plot.addEventListener("pointermove", set);
  chart.plot.addEventListener("pointerdown", (event) => {
    event.stopPropagation();  // else the other charts would hide what they are told to show
    set(event);
  });
  chart.plot.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && focus.set({ t: null }));
}
