// The page: its buttons, and the parts that are shown.
const lab = { ready: null, frames: new Map(), running: false, reach: null, forecaster: null, askedForecaster: false, toldAt: 0 };
const button = Object.fromEntries(["go", "step", "reset", "save", "measure"].map((id) => [id, document.getElementById(id)]));
const pace = document.getElementById("pace");
let typing = 0;

function say(words) {
  document.getElementById("status").textContent = words;
}

// For readers of the page who do not see it: events, and not every number.
function announce(words) {
  const said = document.getElementById("said");
  if (said.textContent !== words) said.textContent = words;
}

function tell(words) {
  const told = document.getElementById("told");
  told.hidden = !words;
  told.textContent = words;
}

function view() {
  return document.getElementById("tab-time").ariaSelected === "true" ? "time" : "watch";
}

function enable(on) {
  for (const each of Object.values(button)) each.disabled = !on;
}

function showButtons() {
  if (!lab.ready) return;
  const over = isOver();
  const words = lab.running ? "Pause" : "Start";
  if (button.go.textContent !== words) button.go.textContent = words;
  button.go.disabled = button.step.disabled = over;
  button.step.disabled ||= lab.running;
}

function isOver() {
  return lab.frames.size > 0 && [...lab.frames.values()].every((frame) => frame.problem || frame.step >= lab.ready.steps);
}

// The latest of each network, the first one's first.
function framesBySide() {
  return [...lab.frames.values()].sort((one, other) => one.side - other.side);
}

const whole = (number) => Math.round(number).toLocaleString("en");

function showStatus() {
  if (!lab.frames.size) return;
  const frames = framesBySide();
  const parts = frames.map((frame) => {
    const loss = lossCurves[frame.side].y.at(-1), steps = `step ${whole(frame.step)} of ${whole(lab.ready.steps)}`;
    const told = loss === undefined ? "not trained yet" : `loss ${loss.toPrecision(3)}`;
    const speed = frame.running && frame.speed > 0 ? ` · ${whole(frame.speed)} steps a second` : "";
    return `${frames.length > 1 ? `${nameOfSide(frame.side)}: ` : ""}${steps} · ${told}${speed}`;
  });
  say(parts.join("   |   ") + (isOver() && !frames.some((frame) => frame.problem) ? " · done" : ""));
  document.getElementById("progress").value = Math.min(...frames.map((frame) => frame.step)) / lab.ready.steps;
  const problems = frames.filter((frame) => frame.problem).map((frame) => frame.problem);
  if (problems.length) tell(problems.join(" "));
}

function draw() {
  const frames = framesBySide();
  if (!frames.length) return;
  if (view() === "watch") drawWatch(frames);
  else drawTime(frames);
}

function drawAll() {
  readPalette();
  draw();
  if (lab.reach && view() === "time") showReach(lab.reach);
  if (lab.forecaster && view() === "time") showForecaster(lab.forecaster);
}

function showView(name) {
  for (const each of ["watch", "time"]) {
    const tab = document.getElementById(`tab-${each}`);
    tab.ariaSelected = String(each === name);
    tab.tabIndex = each === name ? 0 : -1;
    document.getElementById(each).hidden = each !== name;
  }
}

function chooseView(name) {
  showView(name);
  remember();
  if (!lab.ready) return;
  if (name === "watch") lookAt(Number(document.getElementById("start").value), lab.window - 1);
  drawAll();
  if (name === "time" && !lab.running && !lab.reach) measure();
}

function remember() {
  writeAddress({ view: view(), pace: pace.value, start: document.getElementById("start").value });
}

function lookAt(start, at) {
  setPlace(start, at, document.getElementById("start").max, lab.window);
  send("look", { start, at });
}

// What was measured is of other weights, or of another window, now.
function forgetReach() {
  lab.reach = null;
  document.getElementById("reach").hidden = true;
  document.getElementById("verdict").textContent = "Measured when training pauses or ends, and by the button.";
}

function measure() {
  if (button.measure.disabled) return;
  document.getElementById("verdict").textContent = "Measuring …";
  send("reach");
}

const answers = {
  open: () => {
    send("pace", { pace: pace.value });
    applySettings(false);
  },

  ready: (message) => {
    lab.ready = message;
    lab.window = message.at + 1;
    lab.frames.clear();
    forgetReach();
    tell(strange.splice(0).map((each) => `The address says ${each}, which is not a number: the default is used.`).join(" "));
    document.getElementById("saved").hidden = true;
    document.getElementById("sides").hidden = message.sides.length < 2;
    document.getElementById("notes").replaceChildren(...message.notes.map((note) => {
      const line = document.createElement("li");
      line.textContent = note;
      return line;
    }));
    startCurves();
    setPlace(message.start, message.at, message.last, lab.window);
    enable(true);
    showButtons();
    if (known.forecaster && !lab.askedForecaster) send("forecaster");
    lab.askedForecaster = true;
    announce(lab.running ? "Training" : "Ready");
    applied();
  },

  frames: (message) => {
    requestAnimationFrame(() => {
      try {
        if (message.number === lab.ready?.number) show(message.frames.map(unpacked));
      } finally {
        send("shown");  // whatever became of it: without a word the server would wait for ever
      }
    });
  },

  reach: (message) => {
    if (message.number === lab.ready?.number && !lab.running) showReach(message.sides);
  },

  forecaster: showForecaster,

  saved: (message) => {
    const saved = document.getElementById("saved");
    saved.hidden = false;
    saved.textContent = `Saved to ${message.folder}: ${message.files.join(", ")}`;
    button.save.disabled = false;
  },

  refused: (message) => {
    tell(`${message.message}.`);
    button.save.disabled = !lab.ready;
    if (message.asked === "apply") {
      say(lab.ready ? "Nothing has changed; training is where it was." : "Change the settings to begin.");
      if (lab.ready && !apply.again) lab.running = [...lab.frames.values()].some((frame) => frame.running);
      if (lab.ready) showButtons();
      applied();
    }
    if (message.asked === "reach") forgetReach();
    if (message.asked === "forecaster") document.getElementById("model-verdict").textContent = `${message.message}.`;
  },

  close: () => {
    enable(false);
    for (const field of form.elements) field.disabled = true;
    say("The connection to the laboratory is closed.");
    tell("If throughtime lab still runs, load this page again; else start it again first.");
  },
};

// Words that change make the browser lay the page out anew, which costs more than to draw the charts: four times a
// second is enough to read them, but for the last.
function showStatusSoon() {
  if (!lab.running || performance.now() - lab.toldAt > 250) {
    showStatus();
    lab.toldAt = performance.now();
  }
}

function show(frames) {
  for (const frame of frames) {
    lab.frames.set(frame.side, frame);
    addLosses(frame.side, frame.losses);
  }
  const ran = lab.running;
  if (lab.running && isOver()) {
    lab.running = false;
    announce("Done");
  }
  showButtons();
  showStatusSoon();
  draw();
  document.documentElement.dataset.drawn = String(1 + Number(document.documentElement.dataset.drawn ?? 0));
  if (ran && !lab.running && view() === "time") measure();
}

function go(running) {
  lab.running = running;
  tell("");
  send("go", { running });
  showButtons();
  showStatus();
  announce(running ? "Training" : "Paused");
  if (running) forgetReach();
  else if (view() === "time") measure();
}

// Who is looked at side by side differs in the cell alone, to begin with.
function copyToOther() {
  for (const name of Object.keys(known.learner)) fieldOf(`${name}2`).value = textOf(name);
  fieldOf("cell2").value = textOf("cell") === "gru" ? "lstm" : "gru";
}

// A field that is left tells of a change that was heard while it was typed: the same settings begin nothing anew.
function changed() {
  clearTimeout(typing);
  showFields();
  const wrong = [...form.elements].find((field) => !field.disabled && field.required && field.value === "");
  if (wrong) tell(`Expected a number for: ${wrong.closest("label").firstChild.textContent.trim()}.`);
  else {
    remember();
    if (wantedNow() !== apply.wanted) applySettings(lab.running);
  }
}

function listen() {
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => {
    if (event.target.name === "compare" && event.target.checked) copyToOther();
    changed();
  });
  form.addEventListener("input", (event) => {
    if (event.target.type !== "number") return;
    clearTimeout(typing);
    typing = setTimeout(changed, 600);
  });
  button.go.addEventListener("click", () => go(!lab.running));
  button.step.addEventListener("click", () => { send("step"); forgetReach(); });
  button.reset.addEventListener("click", () => applySettings(false));
  button.save.addEventListener("click", () => { button.save.disabled = true; send("save"); });
  button.measure.addEventListener("click", measure);
  pace.addEventListener("change", () => { remember(); send("pace", { pace: pace.value }); });
  for (const id of ["start", "at"]) {
    document.getElementById(id).addEventListener("input", () => {
      const place = ["start", "at"].map((each) => Number(document.getElementById(each).value));
      if (id === "start") forgetReach();
      lookAt(...place);
      remember();
    });
  }
  for (const radio of document.querySelectorAll("[name=side]")) radio.addEventListener("change", drawAll);
  const tabs = ["watch", "time"];
  for (const name of tabs) {
    const tab = document.getElementById(`tab-${name}`);
    tab.addEventListener("click", () => chooseView(name));
    tab.addEventListener("keydown", (event) => {
      if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
      const other = tabs[1 - tabs.indexOf(name)];
      chooseView(other);
      document.getElementById(`tab-${other}`).focus();
    });
  }
  whenColorsChange(drawAll);
  addEventListener("resize", () => { sheet = null; drawAll(); });
}

readPalette();
startCharts();
const strange = fillForm();
showFields();
showView(fromAddress("view") === "time" ? "time" : "watch");
pace.value = fromAddress("pace");
if (pace.selectedIndex < 0) pace.value = PACE;
listen();
connect(answers);
