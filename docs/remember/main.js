// The page: settings from its address, a worker that trains, and pictures of what it sends.
import { addControls, showControls } from "./controls.js";
import { Drawing } from "./draw.js";
import { hashOf, laneNames, presetOf, settingsOf, standardized } from "./presets.js";
import { sequencePainter } from "./sequence.js";
import { gradientPicture, Losses } from "./shared/charts.js";
import { Focus } from "./shared/focus.js";
import { equation, gatesPicture } from "./shared/inside.js";
import { Lane, setText } from "./shared/lane.js";
import { runningPlace } from "./shared/light.js";
import { Strip } from "./shared/strip.js";
import { HELD_OUT, taskOf } from "./tasks.js";
import { Tour } from "./tour.js";
import { unitOf } from "./unit.js";
import { ASKED, normText, rightAnswer, saidAnswer, scoreText, verdict } from "./words.js";

const find = (id) => document.getElementById(id);
const focus = new Focus();
const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
const tell = (kind, value) => worker.postMessage({ kind, value });

const lanes = Array.from(document.querySelectorAll(".lane"), (element, number) => new Lane(element, number, focus));
const read = { task: null, sequence: null };
const sequence = new Strip(find("sequence"), sequencePainter(read), focus);
const pictures = {
  loss: new Chart("loss", { legend: true }), gradient: new Chart("gradient", { legend: true }), gates: new Chart("gates", { legend: true }),
};
const drawing = new Drawing(new Chart("curve", { legend: true }), (points) => change({ points, task: "curve" }));

let settings, task, scale, names, short, losses, frame = null, going = true, chosen = 0, runs = 0, said = "";

/** Starts a run of new settings. */
function start(next) {
  settings = next;
  scale = settings.points ? standardized(settings.points, 1 - HELD_OUT) : null;
  const given = { ...settings, points: scale?.points };
  task = taskOf(given);
  names = laneNames(settings.lanes);
  short = names.map((name) => name.short);
  losses = new Losses(short, [{ name: "guessing", loss: task.baseline }]);
  frame = null;
  chosen = 0;
  const isCurve = settings.task === "curve";
  document.body.classList.toggle("draws", isCurve);
  find("curve").hidden = !isCurve;
  find("sequence").hidden = find("another").hidden = isCurve;
  setText(find("asked"), ASKED[settings.task]);
  setText(find("task-title"), isCurve ? "Your curve" : "What both read");
  setText(find("verdict"), `${isCurve ? "Your curve" : `Gap ${settings.gap}`}: two new networks.`);
  showControls(settings);
  if (isCurve) drawing.show(settings.points, scale, null, short);
  tell("start", { ...given, run: runs += 1 });
  go(true);
}

/** Changes some settings: a new run, and a new address. */
function change(some) {
  const next = { ...settings, ...some };
  history.replaceState(null, "", hashOf(next));
  start(settingsOf(location.hash));
  tour.visit("own");
}

function go(on) {
  going = on;
  setText(find("go"), going ? "Pause" : "Continue");
  tell(going && !document.hidden ? "go" : "pause");
}

/** Shows a frame of the worker. */
function show(data) {
  frame = data;
  const needed = task.needed(data.sequence.xs), { units } = settings;
  Object.assign(read, { task, sequence: data.sequence });
  sequence.steps = task.steps;
  sequence.paint();
  data.lanes.forEach((report, place) => losses.add(place, report));
  const right = rightAnswer(task, data.sequence);
  data.lanes.forEach((report, place) => {
    const said = right && `says ${saidAnswer(task, report, data.sequence)} – right is ${right}`;
    const words = { name: names[place].full, said, right: scoreText(task, report), note: normText(report, settings.lanes[place].clip) };
    lanes[place].show({ ...report, steps: task.steps, units }, needed, words);
  });
  if (data.ended) setText(find("go"), "Ended");
  find("go").disabled = data.ended;
  const sentence = verdict(task, settings, data.lanes, names, data.ended);
  setText(find("verdict"), sentence);
  say(sentence.split(".")[0]);
  pictures.loss.draw(losses.picture());
  pictures.gradient.draw(gradientPicture(short, data.lanes, needed));
  if (task.points && !drawing.drawn) drawing.show(settings.points, scale, data.lanes, short);
  showUnit();
}

/** Tells a screen reader what has changed, once. */
function say(words) {
  if (words === said) return;
  said = words;
  setText(find("said"), words);
}

/** The unit in focus: its gates and its equation, and the step in focus in all charts. */
function showUnit() {
  if (!frame) return;
  const { lane, unit: wanted, t } = focus.place, report = frame.lanes[lane], { cell } = settings.lanes[lane];
  const unit = Math.min(wanted, settings.units - 1), inside = unitOf(cell, report, settings.units, unit);
  const step = Math.min(t ?? task.steps - 1, task.steps - 1);
  setText(find("unit-title"), `Inside unit ${unit + 1}, step ${step + 1}`);
  setText(find("unit-of"), names[lane].full);
  setText(find("equation"), equation(inside, step));
  pictures.gates.draw(gatesPicture(inside));
}

/** Moves the cursor of the charts to the step in focus. */
function showStep({ t }) {
  if (!frame) return;
  pictures.gradient.read(t === null ? null : task.steps - 1 - t);
  pictures.gates.read(t === null ? null : t + 1);
  showUnit();
  if (document.activeElement.classList.contains("lane")) setText(find("said"), `${find("unit-title").textContent}: ${find("equation").textContent}`);
}

/** A chart whose places are time steps moves the focus too. */
function followChart(chart, stepOf) {
  const set = (event) => chart.area && task && focus.set({
    t: Math.min(Math.max(Math.round(stepOf(chart.valueAt(event.clientX - chart.plot.getBoundingClientRect().left))), 0), task.steps - 1),
  });
  chart.plot.addEventListener("pointermove", set);
  chart.plot.addEventListener("pointerdown", (event) => {
    event.stopPropagation();  // else the other charts would hide what they are told to show
    set(event);
  });
  chart.plot.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && focus.set({ t: null }));
}

/** The light runs as long as the page is seen, unless the reader wants no motion. */
function animate(now) {
  requestAnimationFrame(animate);
  if (!frame) return;
  for (const lane of lanes) lane.run(runningPlace(now));
}

worker.onmessage = ({ data }) => {
  tell("drawn");
  if (data.run === runs) show(data);
};
worker.onerror = ({ message }) => {
  find("problem").hidden = false;
  find("problem").textContent = `The networks cannot run here: ${message || "a module did not load"}.`;
};

focus.watch(showStep);
followChart(pictures.gradient, (k) => task.steps - 1 - k);
followChart(pictures.gates, (t) => t - 1);
addControls({ change, again: () => start(settings), toggle: () => go(!going), another: () => tell("choose", chosen += 1), current: () => settings });
document.addEventListener("visibilitychange", () => tell(going && !document.hidden ? "go" : "pause"));
const tour = new Tour((hash) => {
  history.replaceState(null, "", hash);
  const next = settingsOf(hash);
  if (hashOf(next) !== hashOf(settings)) start(next);  // else the run goes on
});
addEventListener("hashchange", () => {
  start(settingsOf(location.hash));
  tour.visit(presetOf(location.hash));
});
if (!matchMedia("(prefers-reduced-motion: reduce)").matches) requestAnimationFrame(animate);
start(settingsOf(location.hash));
tour.visit(presetOf(location.hash));
