const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });

function number(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  return size !== 0 && (size >= 1e9 || size < 1e-4) ? value.toExponential(3) : digits.format(value);
}

function score(value) {
  if (value === null || value === undefined) return "–";
  return Math.abs(value) >= 1000 ? number(value) : value.toFixed(3);
}

// A time stamp as the data's own files write it: the ISO form down to the data's resolution.
function time(stamp) {
  if (!report.resolution) return String(stamp);
  const length = { year: 4, month: 7, day: 10, minute: 16 }[report.resolution] ?? 23;
  return new Date(stamp).toISOString().slice(0, length).replace("T", " ");
}

function label(name) {
  return report.labels[name] ?? name.replaceAll("_", " ");
}

function element(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
