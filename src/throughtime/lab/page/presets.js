// Presets: settings to begin with, each with a caption that says what to look for.
import { DEFAULTS, changesOf, known } from "./settings.js";

const TWO = { compare: "1", cell: "elman", cell2: "lstm" };
const FILE = { title: "Your file", ...TWO, cell: "gru", curve: "file",
  caption: "The last fifth of the series is held out: no network is trained on it. Compare the thick lines, the loss there, with the dotted one, the best naive forecast." };

/** Presets by name; the first one opens with the page. */
export const PRESETS = {
  ...(known.file ? { file: FILE } : {}),
  two: { title: "RNN and LSTM", ...TWO, curve: "sines", noise: "0.1",
    caption: "Both learn the same sum of sines from the same batches, whose noise is drawn anew each time. Thick lines: the loss on the last fifth of the series, which neither is trained on. After the line in the chart above, they go on alone." },
  vanishing: { title: "Vanishing", ...TWO, curve: "sines", window: "60", activation: "sigmoid", init2: "chrono",
    caption: "A sigmoid’s slope is at most ¼, so the first network’s gradient dies within a few steps back. The LSTM’s gates begin open (chrono): far more of it is left. The curve is straight only if the gradient halves evenly; only then a half-life is told." },
  exploding: { title: "Exploding", ...TWO, cell2: "elman", curve: "sines", noise: "0.1", window: "100", activation: "identity", activation2: "identity", init: "identity", init2: "identity", hidden: "64", hidden2: "64", clip2: "1",
    caption: "The same linear network twice, which begins with the identity. At its second step the gradient’s norm is 64,000. Adam divides by the sizes of past gradients, so the first network then takes tiny steps for long. Clipped to a norm of 1, the second learns within some hundred steps." },
  overfitting: { title: "Watch it overfit", ...TWO, cell: "lstm", curve: "sines", noise: "0.3", hidden: "64", hidden2: "64", examples: "16", rate: "0.005", rate2: "0.005", steps: "3000",
    caption: "The same LSTM twice. The first sees the same 16 windows again and again: its training loss (thin) falls far below its held-out loss (thick), which rises. The second sees ever new noise, and both of its losses stay together." },
  noise: { title: "Noise", ...TWO, cell: "gru", curve: "noise",
    caption: "White noise cannot be predicted. The best forecast is its mean: on held-out values no network is clearly better, however long it learns." },
};
export const FIRST = Object.keys(PRESETS)[0];
export const OWN = "Your settings. The address of this page holds them, and survives a restart of the laboratory: a bookmark brings the same run again.";

/** The settings of a preset, all of them. */
export function presetSettings(name) {
  const { title, caption, ...settings } = PRESETS[name];
  return { ...DEFAULTS, ...settings };
}

/** The name of the preset that some settings are; null for none. */
export function presetOf(settings) {
  const key = (of) => JSON.stringify(Object.entries(changesOf(of)).sort());
  return Object.keys(PRESETS).find((name) => key(presetSettings(name)) === key(settings)) ?? null;
}

/** Shows the presets as links; `choose(name)` when one is clicked. */
export function addPresets(choose) {
  const nav = document.getElementById("presets");
  for (const [name, { title }] of Object.entries(PRESETS)) {
    const link = Object.assign(document.createElement("a"), { href: `?${new URLSearchParams(changesOf(presetSettings(name)))}`, textContent: title });
    link.dataset.preset = name;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      choose(name);
    });
    nav.append(link);
  }
}

export function showPreset(name) {
  for (const link of document.getElementById("presets").children) {
    if (link.dataset.preset === name) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  document.getElementById("caption").textContent = name ? PRESETS[name].caption : OWN;
}
