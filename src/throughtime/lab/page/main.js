// The page: settings go to the server, frames come back, and all pictures show the same step and the same unit.
import { Losses } from "../shared/charts.js";
import { setText } from "../shared/lane.js";
import { runningPlace } from "../shared/light.js";
import { Connection, unpacked } from "./connection.js";
import { check, forgive, refuse, showChoices, tellAt } from "./fields.js";
import { showForecaster } from "./forecaster.js";
import { Measuring } from "./gradient.js";
import { chosenSide, draw, drawGradient, followChart, showUnit } from "./pictures.js";
import { addPresets, FIRST, presetOf, presetSettings, showPreset } from "./presets.js";
import { Overview } from "./series.js";
import { addressSettings, courseOf, fieldOf, fillForm, form, formSettings, known, learnersOf, writeAddress } from "./settings.js";
import { announce, find, focus, isOver, lanes, pictures, placeOf, run, tell } from "./state.js";
import { bestNaive, networkNames } from "./words.js";

const TYPED = 400;  // milliseconds after a key until what is typed counts
const PACE = "200", STILL = 60;  // milliseconds between pictures of the light while nothing trains

const overview = new Overview(document.querySelector(".overview"), (start) => lookAt({ start }));
const measuring = new Measuring(() => connection.send("reach"));

// ---- settings

/** Begins anew with the form's settings; while the server prepares, only the latest of more is kept. */
function apply() {
  const settings = formSettings();
  run.sent = JSON.stringify(settings);
  setState("preparing");
  setText(find("verdict"), "Preparing the network");
  announce("Preparing");
  if (run.preparing) {
    run.again = true;
    return;
  }
  Object.assign(run, { preparing: true, number: run.number + 1 });
  connection.send("apply", {
    number: run.number, course: courseOf(settings), learners: learnersOf(settings), running: run.going, start: run.start, unit: focus.place.unit,
  });
}

function applied() {
  run.preparing = false;
  if (run.again) {
    run.again = false;
    apply();
  }
}

/** The form has changed: wrong settings are told at their fields at once, right ones begin a run. */
function changed() {
  const settings = formSettings();
  showChoices(settings);
  if (!check() || JSON.stringify(settings) === run.sent) return;
  remember();
  showPreset(presetOf(settings));
  run.start = -1;
  apply();
}

function remember() {
  const { ready, start } = run, pace = find("pace").value;
  const moved = ready && start >= 0 && start !== ready.cut - ready.window;
  writeAddress(formSettings(), { pace: pace === PACE ? undefined : pace, start: moved ? start : undefined, paused: run.going ? undefined : 1 });
}

function choosePreset(name) {
  fillForm(presetSettings(name));
  forgive();
  run.going = true;
  changed();
}

/** Of two networks the second differs in the cell alone, to begin with. */
function copyToOther() {
  for (const name of Object.keys(known.learner)) fieldOf(`${name}2`).value = fieldOf(name).value;
  fieldOf("cell2").value = fieldOf("cell").value === "lstm" ? "gru" : "lstm";
}

// ---- running

function setState(state) {
  document.body.dataset.state = state;
  const over = state !== "preparing" && isOver(), words = over ? "Ended" : run.going ? "Pause" : "Start";
  setText(find("go"), words);
  find("go").disabled = over;
  find("step").disabled = over || run.going || state !== "ready";
  find("save").disabled = state !== "ready";
}

function go(going) {
  run.going = going;
  tell("");
  remember();
  setState(document.body.dataset.state);
  announce(going ? "Training" : "Paused");
  if (!run.preparing) connection.send("go", { running: going });
}

function lookAt({ start = run.start, unit = focus.place.unit }) {
  run.start = start;
  remember();
  connection.send("look", { start, unit });
}

// ---- pictures

function show(frames) {
  for (const frame of frames) {
    run.frames[frame.side] = frame;
    const { step, losses, held_out: heldOut } = frame, count = losses.length;
    const train = count ? losses.reduce((sum, [, loss]) => sum + loss, 0) / count : NaN;
    run.losses.add(placeOf(frame.side), { step, train, heldOut });
  }
  if (run.frames.filter(Boolean).length < run.ready.sides.length) return;
  if (run.going && isOver()) {
    run.going = false;
    announce("Done");
  }
  setState("ready");
  draw();
  measuring.renew();
}

/** Moves the cursor of all charts to the step in focus; asks for another unit's gates. */
function showStep({ t, unit }) {
  if (!run.ready || !run.frames.length) return;
  const { window } = run.ready, [frame] = run.frames;
  pictures.gradient.read(t === null ? null : window - 1 - t);
  pictures.gates.read(t === null ? null : t + 1);
  if (t !== null || !pictures.window.plot.matches(":hover")) pictures.window.read(t === null ? null : frame.stamps[t]);
  const { hidden } = run.ready.sides[chosenSide()];
  if (Math.min(unit, hidden - 1) !== frame.unit && unit < hidden) lookAt({ unit });
  showUnit();
  if (document.activeElement.classList.contains("lane")) announce(`${find("unit-title").textContent}: ${find("equation").textContent}`);
}

/** The light runs on while nothing trains; while something does, each frame moves it. */
function animate() {
  setTimeout(animate, STILL);
  if (run.going || document.hidden || !run.reach) return;
  for (const lane of lanes.filter(({ element }) => element.clientWidth)) lane.run(runningPlace(performance.now()));
}

// ---- answers of the server

const answers = {
  open: () => {
    tell("");
    connection.send("pace", { pace: find("pace").value });
    run.preparing = false;
    apply();
  },

  ready: (ready) => {
    const settings = formSettings(), names = networkNames(ready.sides, learnersOf(settings));
    Object.assign(run, { ready, names, naive: bestNaive(ready.naive), frames: [], reach: null, start: run.again ? run.start : ready.start });
    const inLanes = ready.sides.length > 1 ? names : [null, names[0]];
    run.losses = new Losses(inLanes.map((name) => name?.short), [run.naive]);
    measuring.forget();
    document.body.classList.toggle("one", ready.sides.length < 2);
    overview.show(ready);
    setText(find("task-title"), ready.unit || "The series");
    find("about").hidden = !ready.notes.length;
    find("notes").replaceChildren(...ready.notes.map((note) => Object.assign(document.createElement("li"), { textContent: note })));
    find("saved").hidden = true;
    tell("");
    if (focus.place.lane >= ready.sides.length) focus.set({ lane: 1 });
    if (known.forecaster && !run.forecaster) connection.send("forecaster");
    run.forecaster = true;
    connection.send("go", { running: run.going });
    announce(run.going ? "Training" : "Ready");
    applied();
  },

  frames: ({ number, frames }) => requestAnimationFrame(() => {
    connection.send("shown");
    if (number === run.number && run.ready && !run.preparing) show(frames.map(unpacked));
  }),

  reach: ({ number, sides }) => {
    measuring.came();
    if (number !== run.number || !run.ready || run.preparing || run.frames.filter(Boolean).length < sides.length) return;
    run.reach = sides;
    drawGradient();
    if (!run.going) draw();
  },

  forecaster: showForecaster,

  saved: ({ folder, files }) => {
    find("saved").hidden = false;
    setText(find("saved"), `Saved to ${folder}: ${files.join(", ")}`);
    find("save").disabled = false;
  },

  refused: ({ asked, message, code, field }) => {
    if (asked === "reach") {
      measuring.came();
      if (code === "busy") measuring.renew();  // with the measurement of an earlier network
    }
    if (asked === "save") find("save").disabled = false;
    if (asked === "forecaster") setText(find("forecaster-verdict"), message);
    else if (asked !== "reach" && !(asked === "apply" && field && refuse(field, message))) tell(message);
    if (asked !== "apply") return;
    setText(find("verdict"), run.ready ? "These settings do not fit; the pictures are of the last ones that did." : "These settings do not fit.");
    setState(run.ready ? "ready" : "preparing");
    applied();
  },

  closed: () => {
    setState("closed");
    run.preparing = true;
    setText(find("verdict"), "The laboratory has stopped. The page goes on when it runs again.");
  },
};

// ---- begin

function listen() {
  let typing = 0;
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const field of [...form.elements].filter(({ name }) => name)) {
    field.addEventListener("input", () => {
      forgive();
      check();
      clearTimeout(typing);
      if (field.type === "number") typing = setTimeout(changed, TYPED);
    });
    field.addEventListener("change", () => {
      clearTimeout(typing);
      if (field.name === "compare" && field.checked) copyToOther();
      for (const place of ["", "2"]) {
        const fits = known.inits[fieldOf(`cell${place}`).value];
        if (field.name === `cell${place}` && !fits.includes(fieldOf(`init${place}`).value)) fieldOf(`init${place}`).value = "own";
      }
      changed();
    });
  }
  find("go").addEventListener("click", () => go(!run.going));
  find("step").addEventListener("click", () => connection.send("step"));
  find("again").addEventListener("click", apply);
  find("save").addEventListener("click", () => {
    find("save").disabled = true;
    connection.send("save");
  });
  find("bound").addEventListener("change", () => run.reach && drawGradient());
  find("pace").addEventListener("change", () => {
    remember();
    connection.send("pace", { pace: find("pace").value });
  });
  document.addEventListener("pointerdown", ({ target }) => {
    for (const details of document.querySelectorAll("#settings, #about")) if (!details.contains(target)) details.open = false;
  });
  focus.watch(showStep);
  followChart(pictures.window, (stamp) => nearestPlace(run.frames[0]?.stamps ?? [0], stamp));
  followChart(pictures.gradient, (k) => run.ready.window - 1 - k);
  followChart(pictures.gates, (t) => t - 1);
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) animate();
}

const asked = addressSettings(), { pace = PACE, start = "-1", paused, ...told } = asked;
const strange = fillForm(Object.keys(told).length ? told : presetSettings(FIRST));
find("pace").value = pace;
if (find("pace").selectedIndex < 0) find("pace").value = PACE;
run.going = (paused ?? (known.forecaster ? "1" : "")) !== "1";  // who looks into a forecaster may not want to train
run.start = Number.isSafeInteger(Number(start)) ? Number(start) : -1;
addPresets(choosePreset);
showPreset(presetOf(formSettings()));
showChoices(formSettings());
listen();
for (const [name, text] of strange) tellAt(fieldOf(name), `The address says ${text}: not a number, so this is used.`, { wrong: false });
const connection = new Connection(answers);
setState("preparing");
