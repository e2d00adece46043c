// The guided tour: six captions, each with its settings and the part of the page that it speaks of.

export const TOUR = [
  { hash: "#two-networks", light: ".task", text: "Two networks read the letters from left to right and must say at the end which of X and Y came first. With 20 steps between, both learn it within seconds." },
  { hash: "#vanishing", light: "#gap-control", text: "Now the gap is 60: the same networks, the same settings. The LSTM still learns it. The plain RNN keeps guessing, for as long as you watch this run." },
  { hash: "#vanishing", light: ".light", text: "Why? To learn, the error must run back to the letter that mattered (dotted line). Watch the light: in the plain RNN every step multiplies it by the same weights, and it dies on the way." },
  { hash: "#vanishing", light: ".inside", text: "An LSTM has a memory c that is added to, not made anew. Its forget gate f says how much is kept: near 1, the light passes. Click on any row to look into that unit." },
  { hash: "#forget-bias", light: ".gradient", text: "The gate must be open before it can learn to be. Both are LSTMs; the first starts with a forget bias of −2, so it forgets at once and learns nothing. The library starts at 1." },
  { hash: "#your-curve", light: ".task", text: "Your turn: draw a curve. Both networks learn the first four fifths, then continue alone. Or drag the gap and see where even the LSTM gives up." },
];

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

  move(place) {
    this.place = Math.min(Math.max(place, 0), TOUR.length - 1);
    this.show();
    this.go(TOUR[this.place].hash);
    this.light(TOUR[this.place].light);
  }

  show() {
    this.placeText.textContent = `${this.place + 1}/${TOUR.length}`;
    this.caption.textContent = TOUR[this.place].text;
    this.back.disabled = this.place === 0;
    this.next.textContent = this.place === TOUR.length - 1 ? "From the start" : "Next";
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
