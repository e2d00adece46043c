// The page's own numbers as CSV files; a page that leaves series out says so, and the files beside it have all.
function csv(rows) {
  const quoted = (cell) => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return rows.map((row) => row.map((cell) => quoted(String(cell ?? ""))).join(",")).join("\n") + "\n";
}

function save(name, rows) {
  const address = URL.createObjectURL(new Blob([csv(rows)], { type: "text/csv" }));
  element("a", "", { href: address, download: name }).click();
  URL.revokeObjectURL(address);
}

function forecastRows() {
  const windows = report.series.flatMap((series) => series.forecasts.map((each) => [report.ids[series.row], each]));
  const columns = windows.length ? Object.keys(windows[0][1]).filter((name) => name !== "at") : [];
  const lines = windows.flatMap(([id, each]) => each[MODEL].map((_, step) => [
    id, time(report.stamps[each.at + step]), ...columns.map((name) => each[name][step]),
  ]));
  return [["unique_id", "ds", ...columns], ...lines];
}

function scoreRows() {
  const lines = Object.entries(report.scores).flatMap(([metric, byModel]) => report.ids.map((id, row) => [
    id, metric, ...report.models.map((model) => byModel[model][row]),
  ]));
  return [["unique_id", "metric", ...report.models], ...lines];
}

// The rows are made when they are saved; a page without any has no button.
function offerFiles() {
  const offers = {
    forecasts: [report.series.some(({ forecasts }) => forecasts.length), forecastRows],
    scores: [Object.keys(report.scores).length, scoreRows],
  };
  for (const [name, [some, rows]] of Object.entries(offers)) {
    const button = document.getElementById(`save-${name}`);
    button.hidden = !some;
    button.addEventListener("click", () => save(`${name}.csv`, rows()));
  }
}
