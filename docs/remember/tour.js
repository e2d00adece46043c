// The guided tour: six captions, each with its settings and the part of the page that it speaks of.

export const TOUR = [
  { hash: "#two-networks", light: ".task", text: "Two networks read the letters from left to right. At the end each must tell which of X and Y came first, and which second. With a gap of 20 steps both learn it within seconds." },
  { hash: "#vanishing", light: "#gap-control", text: "The same networks, the same settings, a gap of 60. The LSTM still learns it. The plain RNN guesses: one answer in four is right. It ends like this with six of eight seeds; see for yourself in Settings." },
  { hash: "#vanishing&task=adding&gap=40", light: ".strip.light", text: "Why? To learn, the gradient must run back from the answer to the first of two numbers, at the dotted line. The beam is as wide as what is left of it: in the plain RNN it dies within a few steps, in the LSTM it soon gets through." },
  { hash: "#vanishing&task=adding&gap=40", light: ".inside", text: "An LSTM has a memory c that it adds to, where a plain RNN makes its whole state anew. The forget gate f says how much is kept: near 1, the gradient passes. Click on a row of its picture to look into that unit." },
  { hash: "#forget-bias", light: ".lane", text: "That gate must be open to begin with. Both are LSTMs, but the first starts with a forget bias of 0: it keeps half at each step, nothing arrives over 60 steps, and it learns nothing." },
  { hash: "#your-curve", light: ".task", text: "Your turn: draw a curve. Both learn its first four fifths and then go on alone. Or choose a task, drag the gap, and find where even the LSTM gives up." },
];

/** Captions of presets that the tour does not visit, and of the reader's own settings. */
const ASIDE = {
  own: "Both networks begin anew with your settings. The address of this page holds them, so a link shows everybody the same run. Next goes on with the tour.",
  exploding: "The same plain RNN twice, started with large weights: the gradient grows on its way back, and the norm of the first one is 21,000. Clipped to 1, the second network learns it. The first is thrown off. Of eight seeds, seven learn with clipping, three without.",
  overfitting: "The same LSTM twice. The first sees the same 16 sequences again and again: its training loss falls (thin line), its held-out loss rises. The second sees ever new sequences, and both of its losses fall.",
};

/** Shows captions one after the other; `go(hash)` applies settings. */
export class Tour {
  constructor(go) {
    this.go = go;
    this.place = 0;
    const find = (id) => document.getElementById(id);
    Object.assign(this, { back: find("back"), next: find("next"), caption: find("caption"), placeText: find("tour-place") });
    this.back.addEventListener("click", () => this.move(this.place - 1));
    this.next.addEventListener("click", () => this.move((this.place + 1) % TOUR.length));
    this.show();
  }

  /** Shows the caption of a preset that the reader has chosen; "own" for other settings. */
  visit(preset) {
    const place = TOUR.findIndex(({ hash }) => hash === `#${preset}`);
    if (place < 0 || TOUR[this.place].hash === `#${preset}`) this.show(ASIDE[preset]);
    else this.show(undefined, place);
  }

  move(place) {
    this.place = Math.min(Math.max(place, 0), TOUR.length - 1);
    this.show();
    this.go(TOUR[this.place].hash);
    this.light(TOUR[this.place].light);
  }

  /** Shows the caption of a place, or another text. */
  show(aside, place = this.place) {
    this.place = place;
    this.placeText.textContent = aside ? "" : `${this.place + 1}/${TOUR.length}`;
    this.caption.textContent = aside ?? TOUR[this.place].text;
    this.back.disabled = this.place === 0;
    this.next.textContent = this.place === TOUR.length - 1 ? "Again" : "Next";
  }

  /** Frames the part that a caption speaks of, for a while. */
  light(selector) {
    clearTimeout(this.timer);
    for (const element of document.querySelectorAll(".lit")) element.classList.remove("lit");
    for (const element of document.querySelectorAll(selector)) element.classList.add("lit");
    this.timer = setTimeout(() => {
      for (const element of document.querySelectorAll(".lit")) element.classList.remove("lit");
    }, 5000);
  }
}
