// Text that was compressed with gzip and written as base64.
async function unpack(id) {
  const letters = atob(document.getElementById(id).textContent.trim());
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const text = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(text).text();
}

// The difference of each stamp from the one before, added up.
function stampsOf(differences) {
  let stamp = 0;
  return differences.map((difference) => (stamp += difference));
}
