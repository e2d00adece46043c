// Errors where they are made: a sentence beside the field, at once.
import { fieldOf, form, known } from "./settings.js";

function bounds({ min, max }) {
  return `from ${Number(min).toLocaleString("en")} to ${Number(max).toLocaleString("en")}`;
}

/** What is wrong with what a field holds; empty if nothing is. */
function faultOf(field) {
  const { validity } = field;
  if (validity.customError) return field.validationMessage;
  if (validity.valueMissing || validity.badInput) return `Expected a number ${bounds(field)}.`;
  if (validity.rangeUnderflow || validity.rangeOverflow) return `Expected ${bounds(field)}.`;
  return validity.stepMismatch ? `Expected a whole number ${bounds(field)}.` : "";
}

/** Shows a sentence at a field; an empty one takes it away. */
export function tellAt(field, words, { wrong = Boolean(words) } = {}) {
  const label = field.closest("label");
  let told = label.querySelector(".fault");
  field.toggleAttribute("aria-invalid", wrong);
  if (wrong) field.setAttribute("aria-invalid", "true");
  if (!words) told?.remove();
  else {
    told ??= label.appendChild(Object.assign(document.createElement("span"), { className: "fault", role: "alert" }));
    if (told.textContent !== words) told.textContent = words;
    if (form.contains(field)) document.getElementById("settings").open = true;
  }
}

/** Refuses what a field holds, until it changes. */
export function refuse(name, words) {
  const field = fieldOf(name);
  if (!field) return false;
  field.setCustomValidity(words);
  tellAt(field, words);
  return true;
}

/** Checks all fields. @returns {boolean} whether all settings can be sent */
export function check() {
  const fields = [...form.elements].filter((field) => field.name && !field.closest("[hidden]"));
  for (const field of fields) tellAt(field, faultOf(field));
  return fields.every((field) => !faultOf(field));
}

/** Takes a refusal back: of one field, or of all, as they may be right together. */
export function forgive() {
  for (const field of form.elements) if (field.name) field.setCustomValidity("");
}

/** Shows what can be chosen: an activation is an Elman cell's alone, and not every cell has every initializer. */
export function showChoices(settings) {
  for (const place of ["", "2"]) {
    const cell = settings[`cell${place}`];
    fieldOf(`activation${place}`).closest("label").hidden = cell !== "elman";
    for (const option of fieldOf(`init${place}`).options) option.hidden = option.disabled = !(known.inits[cell]?.includes(option.value) ?? true);
  }
  document.getElementById("learner2").hidden = !settings.compare;
  fieldOf("noise").closest("label").hidden = ["file", "noise"].includes(settings.curve);
  const series = fieldOf("series");
  if (series) series.closest("label").hidden = settings.curve !== "file";
}
