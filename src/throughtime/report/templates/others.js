// The sum of series, and small charts of all series in the order of the list, a page at a time.
const CHARTS_A_PAGE = 12;
const smallCharts = {
  page: 0,
  // The page with the chosen series, as the list moves.
  follow() {
    this.page = Math.max(Math.floor(drawnRows().indexOf(list.chosen) / CHARTS_A_PAGE), 0);
    this.draw();
  },
  draw() {
    const rows = drawnRows(), pages = Math.max(Math.ceil(rows.length / CHARTS_A_PAGE), 1);
    this.page = Math.min(Math.max(this.page, 0), pages - 1);
    const shown = rows.slice(this.page * CHARTS_A_PAGE, (this.page + 1) * CHARTS_A_PAGE);
    for (let place = 0; place < CHARTS_A_PAGE; place += 1) {
      const button = document.getElementById(`multiple-${place}`).parentElement;
      button.hidden = place >= shown.length;
      if (!button.hidden) drawMultiple(button, shown[place], charts[`multiple-${place}`]);
    }
    document.getElementById("multiples-counted").textContent = pages > 1 ? `page ${this.page + 1} of ${pages}` : "";
    document.getElementById("multiples-back").disabled = this.page === 0;
    document.getElementById("multiples-on").disabled = this.page === pages - 1;
  },
};

function drawnRows() {
  return list.rows.filter((row) => report.drawn.has(row));
}

function drawMultiple(button, row, chart) {
  const series = report.drawn.get(row), name = report.ids[row] || "(no name)";
  const own = list.metric === null ? null : scoresOf(report.models[0])[row];
  button.firstElementChild.textContent = own === null ? name : `${name} · ${report.metric_names[list.metric]} ${score(own)}`;
  button.setAttribute("aria-current", String(row === list.chosen));
  button.dataset.row = row;
  const { starts, ...picture } = pictureOf(series, rangeOf(series, report.recent));
  chart.draw({ ...picture, starts: starts.map(({ x }) => ({ x, text: "" })) });
}

function drawTotal() {
  const { total } = report, range = rangeOf(total, report.recent), picture = pictureOf(total, range);
  charts.total.draw({ ...picture, lines: picture.lines.map((line) => ({ ...line, name: label(line.key) })) });
}

function drawOthers() {
  if (report.total) drawTotal();
  if (charts["multiple-0"]) smallCharts.draw();
}

function startOthers() {
  if (report.total) new Chart("total", { legend: true, readingAt: (stamp) => stepReading(report.total, stamp) });
  if (report.series.length > 1) {
    document.getElementById("multiples").append(...Array.from({ length: CHARTS_A_PAGE }, (_, place) => {
      const button = element("button", "", { type: "button" });
      button.append(element("span"), element("span", "", { id: `multiple-${place}`, class: "chart" }));
      button.addEventListener("click", () => choose(Number(button.dataset.row)));
      return button;
    }));
    for (let place = 0; place < CHARTS_A_PAGE; place += 1) new Chart(`multiple-${place}`, { readingAt: () => null });
    document.getElementById("multiples-back").addEventListener("click", () => { smallCharts.page -= 1; smallCharts.draw(); });
    document.getElementById("multiples-on").addEventListener("click", () => { smallCharts.page += 1; smallCharts.draw(); });
  }
  drawOthers();
}
