// The list of series: searched, sorted and paged, so that ten thousand are as quick as ten.
const ROWS_A_PAGE = 50;
const list = { metric: null, column: null, descending: true, query: "", page: 0, rows: [], chosen: null };

function scoresOf(model) {
  return list.metric === null ? null : report.scores[list.metric][model];
}

// What the list shows, in its order; series without a score come last.
function arrange() {
  const query = list.query.trim().toLowerCase();
  list.rows = [...report.ids.keys()].filter((row) => report.ids[row].toLowerCase().includes(query));
  const values = list.column === null ? null : scoresOf(list.column);
  const sign = list.descending ? -1 : 1;
  if (values === null) {
    list.rows.sort((a, b) => sign * collator.compare(report.ids[a], report.ids[b]));
  } else {
    list.rows.sort((a, b) => (values[a] === null) - (values[b] === null) || sign * (values[a] - values[b]) || a - b);
  }
}
const collator = new Intl.Collator("en", { numeric: true });

function showList() {
  const pages = Math.max(Math.ceil(list.rows.length / ROWS_A_PAGE), 1);
  list.page = Math.min(Math.max(list.page, 0), pages - 1);
  const first = list.page * ROWS_A_PAGE;
  const shown = list.rows.slice(first, first + ROWS_A_PAGE);
  document.querySelector("#list thead").replaceChildren(headings());
  document.querySelector("#list tbody").replaceChildren(...shown.map(lineOf));
  const all = report.ids.length.toLocaleString("en");
  const found = list.rows.length.toLocaleString("en");
  document.getElementById("counted").textContent = list.rows.length
    ? `${first + 1}–${first + shown.length} of ${found}${found === all ? "" : ` found in ${all}`}`
    : `none of ${all} found`;
  document.getElementById("page-back").disabled = list.page === 0;
  document.getElementById("page-on").disabled = list.page === pages - 1;
  if (charts["multiple-0"]) smallCharts.follow();
}

function headings() {
  const row = element("tr");
  const columns = list.metric === null ? [null] : [null, ...report.models];
  for (const column of columns) {
    const head = element("th", "", { scope: "col", class: column === null ? "" : "number" });
    const sorted = list.column === column;
    const mark = sorted ? (list.descending ? " ▼" : " ▲") : "";
    const button = element("button", (column === null ? "series" : label(column)) + mark, { type: "button" });
    button.addEventListener("click", () => sortBy(column));
    if (sorted) head.setAttribute("aria-sort", list.descending ? "descending" : "ascending");
    head.append(button);
    row.append(head);
  }
  return row;
}

function sortBy(column) {
  list.descending = list.column === column ? !list.descending : column !== null;
  list.column = column;
  list.page = 0;
  arrange();
  showList();
  const place = column === null ? 0 : report.models.indexOf(column) + 1;
  document.querySelectorAll("#list thead button")[place].focus();
}

function lineOf(row) {
  const line = element("tr", "", row === list.chosen ? { "aria-current": "true" } : {});
  const first = element("td");
  first.append(element("button", report.ids[row] || "(no name)", { type: "button", title: report.ids[row] }));
  line.append(first);
  if (list.metric !== null) {
    const values = report.models.map((model) => scoresOf(model)[row]);
    const known = values.filter((value) => value !== null);
    const best = known.length > 1 && !list.metric.startsWith("coverage") ? Math.min(...known) : null;
    for (const value of values) {
      const bold = best !== null && value === best ? "number best" : "number";
      line.append(element("td", score(value), { class: bold }));
    }
  }
  line.addEventListener("click", () => choose(row));
  return line;
}

// The series `by` lines further in the list; the first if none of the list is chosen.
function neighbor(by) {
  const place = list.rows.indexOf(list.chosen);
  return list.rows[place < 0 ? 0 : Math.min(Math.max(place + by, 0), list.rows.length - 1)];
}

// The worst or the best of all, by throughtime's score; without scores the first or the last. Coverage is no order.
function extreme(worst) {
  const metric = [list.metric, ...Object.keys(report.scores)].find((name) => name !== null && !name.startsWith("coverage"));
  if (metric === undefined) return worst ? 0 : report.ids.length - 1;
  const values = report.scores[metric][report.models[0]];
  const rows = [...report.ids.keys()].filter((row) => values[row] !== null);
  const sign = worst ? 1 : -1;
  return rows.reduce((kept, row) => (sign * (values[row] - values[kept]) > 0 ? row : kept), rows[0] ?? 0);
}

function follow() {
  const place = list.rows.indexOf(list.chosen);
  if (place >= 0) list.page = Math.floor(place / ROWS_A_PAGE);
  showList();
  const line = document.querySelector("#list tr[aria-current]");
  const box = document.querySelector(".list .scroll");
  if (line) box.scrollTop = Math.max(line.offsetTop - box.clientHeight / 2, 0);
}

function startList() {
  const metrics = Object.keys(report.scores);
  const choice = document.getElementById("metric");
  choice.append(...metrics.map((metric) => element("option", report.metric_names[metric], { value: metric })));
  document.getElementById("metric-label").hidden = !metrics.length;
  list.metric = metrics[0] ?? null;
  list.column = list.metric === null ? null : report.models[0];
  list.descending = list.metric !== null;
  choice.addEventListener("change", () => { list.metric = choice.value; arrange(); follow(); showScores(); });
  document.getElementById("search").addEventListener("input", (event) => {
    list.query = event.target.value;
    list.page = 0;
    arrange();
    showList();
  });
  document.getElementById("page-back").addEventListener("click", () => { list.page -= 1; showList(); });
  document.getElementById("page-on").addEventListener("click", () => { list.page += 1; showList(); });
  document.getElementById("previous").addEventListener("click", () => choose(neighbor(-1)));
  document.getElementById("next").addEventListener("click", () => choose(neighbor(1)));
  document.getElementById("worst").addEventListener("click", () => choose(extreme(true)));
  document.getElementById("best").addEventListener("click", () => choose(extreme(false)));
  arrange();
}
