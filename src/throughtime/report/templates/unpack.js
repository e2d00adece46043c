// Text that was compressed with gzip and written as base64.
async function unpack(id) {
  const letters = atob(document.getElementById(id).textContent.trim());
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const text = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(text).text();
}

// The stamps of the axis, from the difference of each from the one before. Months and years are drawn where they begin:
// a month's end would be read as the next month.
function stampsOf(differences, resolution) {
  let stamp = 0;
  const stamps = differences.map((difference) => (stamp += difference));
  if (resolution !== "month" && resolution !== "year") return stamps;
  const months = { month: 1, year: 12 }[resolution];
  return stamps.map((each) => monthStamp(Math.floor(monthCount(each) / months) * months));
}
