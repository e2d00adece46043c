// The conversation with the server. It survives a restart of the server at the same address.
const AGAIN = 1500;  // milliseconds until the next try

function numbers(text, Kind) {
  return new Kind(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

const FLOATS = ["predictions", "alone", "activity", "gates", "memory", "values"];

/** A frame with its arrays. */
export function unpacked(frame) {
  const arrays = Object.fromEntries(FLOATS.map((name) => [name, numbers(frame[name], Float32Array)]));
  return { ...frame, ...arrays, stamps: numbers(frame.stamps, Float64Array), held_out: frame.held_out ?? NaN };
}

export class Connection {
  /** @param answers a function for each type of message, and for `open` and `closed` */
  constructor(answers) {
    this.answers = answers;
    this.connect();
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(`${scheme}//${location.host}${location.pathname}live`);
    this.socket.addEventListener("open", this.answers.open);
    this.socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      this.answers[message.type](message);
    });
    this.socket.addEventListener("close", () => {
      this.answers.closed();
      setTimeout(() => this.connect(), AGAIN);
    });
  }

  send(type, content = {}) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type, ...content }));
  }
}
