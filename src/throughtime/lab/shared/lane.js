// One network on the page: its name, what it answers, its states, and the light that runs back through it.
import { lightPainter } from "./light.js";
import { statesPainter } from "./states.js";
import { Strip } from "./strip.js";

export const LANE_COLORS = ["baseline-1", "model"];

/** A share as text: "12 %", "0.02 %", "3.4 times". */
export function shareText(share) {
  if (!Number.isFinite(share)) return "more than can be counted";
  if (share > 2) return share < 1e6 ? `${Number(share.toPrecision(2)).toLocaleString("en")} times` : `${share.toExponential(0)} times`;
  const percent = 100 * share;
  if (percent === 0) return "0 %";
  return percent < 0.01 ? "less than 0.01 %" : `${Number(percent.toPrecision(2))} %`;
}

export class Lane {
  constructor(element, number, focus) {
    this.view = { hs: null, most: 1, share: null, needed: null, running: null };
    this.number = number;
    this.element = element;
    element.innerHTML = `<div class="bar"><h2></h2><span class="state soft"></span><span class="right"></span></div>
      <div class="strip units" role="img" aria-label="Outputs of the units: a row a unit, a column a step"></div>
      <div class="strip light" role="img" aria-label="What is left of a gradient, running back"></div>
      <p class="left"></p>`;
    const find = (name) => element.querySelector(name);
    this.texts = { name: find("h2"), said: find(".state"), right: find(".right"), left: find(".left") };
    this.states = new Strip(find(".units"), statesPainter(this.view, number), focus, { lane: number, rows: true });
    this.light = new Strip(find(".light"), lightPainter(this.view, LANE_COLORS[number]), focus, { lane: number });
    this.followKeys(focus);
  }

  /** Left and right change the step, up and down the unit. */
  followKeys(focus) {
    this.element.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }, move = moves[event.key];
      if (!move || event.target !== this.element) return;
      event.preventDefault();
      const { t, unit } = focus.place, { steps, units } = this.states;
      const within = (value, count) => Math.min(Math.max(value, 0), count - 1);
      focus.set({ lane: this.number, t: within((t ?? steps) + move[0], steps), unit: within(unit + move[1], units) });
    });
  }

  /**
   * @param report {hs, share, steps, units}: outputs (T, H), and by step the share of the gradient that is left there, or
   *   null as long as it is not known; `most`: the largest output in size, 1 if there is none
   * @param needed the step where the answer's reason lies, null if it is the first one
   * @param words {name, said, right, note}
   */
  show({ hs, share, steps, units, most = 1 }, needed, words) {
    Object.assign(this.view, { hs, most, share, needed });
    for (const strip of [this.states, this.light]) Object.assign(strip, { steps, units });
    this.states.paint();
    this.light.paint();
    const { name, said, right, left } = this.texts, back = steps - 1 - (needed ?? 0);
    setText(name, words.name);
    setText(said, words.said);
    setText(right, words.right);
    const told = share ? `After ${back} steps back, <b>${shareText(share[needed ?? 0])}</b> of the gradient is left.` : "The gradient is being measured.";
    const text = `${told} <small>${words.note}</small>`;
    if (left.dataset.text !== text) left.innerHTML = left.dataset.text = text;
  }

  /** Moves the running light. */
  run(place) {
    this.view.running = place;
    this.light.paint();
  }
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
