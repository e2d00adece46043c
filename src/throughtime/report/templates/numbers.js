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

// A time stamp as the data's own files write it: by the pattern's parts, from the ISO form.
function time(stamp) {
  if (!report.pattern) return String(stamp);
  const iso = new Date(stamp).toISOString();
  const length = { "%Y": 4, "%Y-%m": 7, "%Y-%m-%d": 10, "%Y-%m-%d %H:%M": 16 }[report.pattern] ?? 23;
  return iso.slice(0, length).replace("T", " ");
}

function label(name) {
  return name.replaceAll("_", " ");
}

function element(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
