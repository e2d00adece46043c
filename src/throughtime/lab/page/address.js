// The settings in the form and in the address, so that a link leads to the same settings.
const known = JSON.parse(document.body.dataset.known);
const form = document.getElementById("settings");
const PACE = "50";

// Each setting of the page with its default, by the name that it has in the form and in the address.
const defaults = {
  ...known.course, ...known.learner,
  ...Object.fromEntries(Object.entries(known.learner).map(([name, value]) => [`${name}2`, value])),
  curve: known.file ? "file" : known.course.curve, cell2: "gru",
  compare: "", start: "0", view: known.forecaster ? "time" : "watch", pace: PACE,
};

function fieldOf(name) {
  return form.elements.namedItem(name);
}

// Return the words of the address that are not numbers; defaults replace them.
function fillForm() {
  const strange = [];
  const said = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(defaults)) {
    const field = fieldOf(name), text = said.get(name) ?? String(value);
    if (!field) continue;
    if (field.type === "checkbox") field.checked = text === "1";
    else if (field.type !== "number" || (text.trim() && Number.isFinite(Number(text)))) field.value = text;
    else {
      field.value = String(defaults[name]);
      strange.push(`${name}=${text}`);
    }
    // A choice that is not on the list: the server says what is.
    if (field.tagName === "SELECT" && field.value !== text) field.append(new Option(text, text, true, true));
  }
  return strange;
}

function textOf(name) {
  const field = fieldOf(name);
  if (!field) return String(defaults[name]);
  return field.type === "checkbox" ? (field.checked ? "1" : "") : field.value;
}

function fromAddress(name) {
  return new URLSearchParams(location.search).get(name) ?? defaults[name];
}

// Keep what differs from the defaults in the address; `more` are settings that are not in the form.
function writeAddress(more) {
  const texts = { ...Object.fromEntries(Object.keys(defaults).map((name) => [name, textOf(name)])), ...more };
  if (!texts.compare) for (const name of Object.keys(known.learner)) texts[`${name}2`] = String(defaults[`${name}2`]);
  const kept = Object.entries(texts).filter(([name, text]) => text !== String(defaults[name]));
  const query = new URLSearchParams(kept).toString();
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
}

function courseOf() {
  return Object.fromEntries(Object.keys(known.course).map((name) => [name, textOf(name)]));
}

function learnerOf(place) {
  return Object.fromEntries(Object.keys(known.learner).map((name) => [name, textOf(name + place)]));
}

function learners() {
  return textOf("compare") ? [learnerOf(""), learnerOf("2")] : [learnerOf("")];
}

// What cannot be chosen is not shown: an activation is an Elman cell's alone.
function showFields() {
  for (const place of ["", "2"]) {
    fieldOf(`activation${place}`).closest("label").hidden = textOf(`cell${place}`) !== "elman";
  }
  const other = document.getElementById("learner2");
  other.hidden = other.disabled = !textOf("compare");
  const series = fieldOf("series");
  if (series) series.closest("label").hidden = textOf("curve") !== "file";
}
