// The conversation with the server.
let socket = null;
const apply = { number: 0, waiting: false, again: false, wanted: "" };

function send(type, content = {}) {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type, ...content }));
}

// Begin anew with the form's settings; while the server prepares one, only the latest of more is kept.
function applySettings(running) {
  lab.running = running;
  showButtons();
  apply.wanted = wantedNow();
  if (apply.waiting) {
    apply.again = true;
    return;
  }
  apply.waiting = true;
  apply.number += 1;
  say("Preparing the network …");
  announce("Preparing");
  const start = Math.min(Math.max(Number(fromAddress("start")) || 0, 0), Number.MAX_SAFE_INTEGER);
  send("apply", { number: apply.number, course: courseOf(), learners: learners(), running, start });
}

function wantedNow() {
  return JSON.stringify([courseOf(), learners()]);
}

function applied() {
  apply.waiting = false;
  const { again } = apply;
  apply.again = false;
  if (again) applySettings(lab.running);
}

function floats(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

function unpacked(frame) {
  const arrays = Object.fromEntries(["predictions", "activity", "gradients"].map((name) => [name, floats(frame[name])]));
  return { ...frame, ...arrays, hidden: arrays.activity.length / frame.targets.length };
}

function connect(answers) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}${location.pathname}live`);
  socket.addEventListener("open", answers.open);
  socket.addEventListener("message", (event) => {
    const message = JSON.parse(event.data);
    answers[message.type](message);
  });
  socket.addEventListener("close", answers.close);
}
