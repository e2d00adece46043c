// The controls: the gap, the task, presets, buttons, and the settings behind them.
import { LIMITS, PRESETS } from "./presets.js";

const find = (id) => document.getElementById(id);
const CELL_CHOICES = { rnn: "plain RNN, tanh", relu: "plain RNN, ReLU", gru: "GRU", lstm: "LSTM" };
const SHARED = { units: ["Units", 4], rate: ["Learning rate", "any"], batch: ["Sequences in a batch", 4], seed: ["Seed", 1] };
const OF_LANE = { gain: ["Recurrent weights ×", "any"], forget: ["Forget bias", "any"], clip: ["Clip gradients at (0: never)", "any"], examples: ["Examples (0: ever new)", 1] };

function field(name, [words, step], place = "") {
  const [least, most] = LIMITS[name];
  return `<label>${words}<input type="number" name="${name}${place}" min="${least}" max="${most}" step="${step}" required></label>`;
}

function laneFields(place) {
  const cells = Object.entries(CELL_CHOICES).map(([name, words]) => `<option value="${name}">${words}</option>`).join("");
  const fields = Object.entries(OF_LANE).map(([name, given]) => field(name, given, place)).join("");
  return `<h3>${place ? "Second" : "First"} network</h3><label>Cell<select name="cell${place}">${cells}</select></label>${fields}`;
}

/** The form's settings; null while a field is not valid. */
function formSettings(form, current) {
  if (!form.checkValidity()) return null;
  const number = (name) => Number(form.elements[name].value);
  const shared = Object.fromEntries(Object.keys(SHARED).map((name) => [name, number(name)]));
  const lanes = current.lanes.map((_, place) => ({
    cell: form.elements[`cell${place}`].value,
    ...Object.fromEntries(Object.keys(OF_LANE).map((name) => [name, number(`${name}${place}`)])),
  }));
  return { ...shared, lanes };
}

/** Makes the controls work; `page` has change(settings), again(), toggle(), another() and current(). */
export function addControls({ change, again, toggle, another, current }) {
  find("gap").addEventListener("input", ({ target }) => change({ gap: Number(target.value) }));
  find("task").addEventListener("change", ({ target }) => change({ task: target.value }));
  find("go").addEventListener("click", toggle);
  find("again").addEventListener("click", again);
  find("another").addEventListener("click", another);
  find("presets").innerHTML = Object.entries(PRESETS).map(([name, { title }]) => `<a href="#${name}">${title}</a>`).join("");
  const form = find("settings").querySelector("form");
  form.innerHTML = Object.entries(SHARED).map(([name, given]) => field(name, given)).join("") + laneFields(0) + laneFields(1);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => {
    const changed = formSettings(form, current());
    if (changed) change(changed);
    else form.reportValidity();
  });
}

/** Shows some settings in the controls. */
export function showControls(settings) {
  const isCurve = settings.task === "curve", gap = find("gap");
  gap.value = settings.gap;
  gap.disabled = isCurve;
  find("gap-control").classList.toggle("off", isCurve);
  find("gap-said").textContent = isCurve ? "" : `${settings.gap} steps`;
  find("task").value = settings.task;
  for (const link of find("presets").children) {
    if (link.getAttribute("href") === `#${settings.preset}`) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  const { elements } = find("settings").querySelector("form");
  for (const name of Object.keys(SHARED)) elements[name].value = settings[name];
  settings.lanes.forEach((lane, place) => {
    for (const name of ["cell", ...Object.keys(OF_LANE)]) elements[`${name}${place}`].value = lane[name];
  });
}
