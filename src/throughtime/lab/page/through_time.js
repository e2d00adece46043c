// The second view: one window through the unrolled network, and how far back it reaches.
function chosenSide() {
  const chosen = Number(document.querySelector("[name=side]:checked").value);
  return chosen < lab.ready.sides.length ? chosen : 0;
}

function drawTime(frames) {
  const frame = frames.find((each) => each.side === chosenSide()) ?? frames[0];
  drawUnrolled(frame);
}

function showPlace() {
  document.getElementById("start-said").textContent = document.getElementById("start").value;
  document.getElementById("at-said").textContent = document.getElementById("at").value;
}

function setPlace(start, at, last, window) {
  const [starts, ats] = [document.getElementById("start"), document.getElementById("at")];
  starts.max = last;
  ats.max = window - 1;
  starts.value = start;
  ats.value = at;
  showPlace();
}

function drawReach(id, reach) {
  document.getElementById(id).hidden = false;
  const x = reach.norms.map((_, lag) => lag);
  (charts[id] ?? new Chart(id, { legend: true })).draw({
    x: { range: [0, Math.max(x.length - 1, 1)], kind: "count", title: "steps back" },
    y: { range: decades([reach.memory, reach.bound]), log: true },
    lines: [
      { ...modelLine(), name: "what is left of it", x, y: reach.memory },
      { name: reach.bound_is, x, y: reach.bound, color: "soft", width: 1.5, dash: DOTTED },
    ],
  });
}

function showReach(sides) {
  lab.reach = sides;
  const reach = sides[chosenSide()];
  document.getElementById("verdict").textContent = reach.verdict;
  drawReach("reach", reach);
}

let mapPicture = null;

function showForecaster(reach) {
  lab.forecaster = reach;
  document.getElementById("model-verdict").textContent = reach.verdict;
  drawReach("model-reach", reach);
  const map = reach.horizon_by_lag, largest = Math.max(...map.flat());
  mapPicture ??= gridPicture("by how much a forecast moves with a past value", document.getElementById("model-map"));
  mapPicture(map.length, map[0].length, (row, column) => magnitude(map[row][column], largest),
    (row, column) => `step ${row + 1} ahead, value ${column + 1} from the end: ${map[row][column]?.toPrecision(2) ?? "not finite"}`);
}
