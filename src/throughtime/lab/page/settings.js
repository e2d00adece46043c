// The settings in the form and in the page's address, so that a link leads to the same settings.
export const known = JSON.parse(document.body.dataset.known);
export const form = document.getElementById("form");
const LEARNER = Object.keys(known.learner);

/** Each setting with its default, by its name in the form and in the address; texts, as an address has them. */
export const DEFAULTS = Object.fromEntries(Object.entries({
  ...known.course, ...known.learner, ...Object.fromEntries(LEARNER.map((name) => [`${name}2`, known.learner[name]])),
  curve: known.file ? "file" : known.course.curve, cell2: "lstm", compare: "",
}).map(([name, value]) => [name, String(value)]));

export function fieldOf(name) {
  return form.elements.namedItem(name);
}

/** Writes settings into the form. @returns {[string, string][]} those that no field can hold */
export function fillForm(settings) {
  const strange = [];
  for (const [name, text] of Object.entries({ ...DEFAULTS, ...settings })) {
    const field = fieldOf(name);
    if (!field) continue;
    if (field.type === "checkbox") field.checked = text === "1";
    else if (field.type !== "number" || (text.trim() && Number.isFinite(Number(text)))) field.value = text;
    else {
      field.value = DEFAULTS[name];
      strange.push([name, text]);
    }
    // A choice that is not on the list: the server says what is.
    if (field.tagName === "SELECT" && field.value !== text) field.append(new Option(text, text, true, true));
  }
  return strange;
}

/** The settings of the form. */
export function formSettings() {
  return Object.fromEntries(Object.keys(DEFAULTS).map((name) => {
    const field = fieldOf(name);
    if (!field) return [name, DEFAULTS[name]];
    return [name, field.type === "checkbox" ? (field.checked ? "1" : "") : field.value];
  }));
}

/** What differs from the defaults; the second network's settings only if there is one. */
export function changesOf(settings) {
  const counts = ([name, text]) => text !== DEFAULTS[name] && (settings.compare || !LEARNER.includes(name.replace(/2$/, "")) || !name.endsWith("2"));
  return Object.fromEntries(Object.entries(settings).filter(counts));
}

export function addressSettings() {
  return Object.fromEntries(new URLSearchParams(location.search));
}

/** Keeps settings in the address; `more` are others of the page, undefined where they are the default. */
export function writeAddress(settings, more) {
  const kept = Object.entries({ ...changesOf(settings), ...more }).filter(([, text]) => text !== undefined);
  history.replaceState(null, "", kept.length ? `?${new URLSearchParams(kept)}` : location.pathname);
}

export function courseOf(settings) {
  return Object.fromEntries(Object.keys(known.course).map((name) => [name, settings[name]]));
}

/** The settings of one network, or of two. */
export function learnersOf(settings) {
  return (settings.compare ? ["", "2"] : [""]).map((place) => Object.fromEntries(LEARNER.map((name) => [name, settings[name + place]])));
}
