// What the page knows and shows: the run, the place in focus, and the parts that are drawn.
import { Focus } from "../shared/focus.js";
import { Lane, setText } from "../shared/lane.js";

export const find = (id) => document.getElementById(id);
export const focus = new Focus();
export const lanes = Array.from(document.querySelectorAll(".lane"), (element, number) => new Lane(element, number, focus));
export const pictures = Object.fromEntries(["window", "loss", "gradient", "gates"].map((id) => [id, new Chart(id, { legend: true })]));
export const run = {
  number: 0, preparing: false, again: false, going: true, sent: "", ready: null, names: [], naive: null, losses: null,
  frames: [], reach: null, start: -1, forecaster: false, told: 0,
};

/** The place of a network among the two: a single one is the second, which is blue. */
export const placeOf = (side) => (run.ready.sides.length > 1 ? side : 1);
export const isOver = () => run.frames.length > 0 && run.frames.every((frame) => frame?.problem || frame?.step >= run.ready.steps);

export function tell(words) {
  find("told").hidden = !words;
  setText(find("told"), words);
}

/** For readers of the page who do not see it: events, and not every number. */
export function announce(words) {
  setText(find("said"), words);
}
