// Numbers as colors that people with any color vision tell apart, in light and in dark.
let palette = {};

function channels(hex) {
  return [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16));
}

function readPalette() {
  palette = { nothing: channels(color("card")), negative: channels(color("warn")), positive: channels(color("model")) };
}

function largestOf(values) {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function between(from, to, share) {
  return from.map((channel, place) => Math.round(channel + (to[place] - channel) * share));
}

// Of a number in [-1, 1]: zero is the background.
function signed(share) {
  if (Number.isNaN(share)) return channels(color("line"));
  return between(palette.nothing, share < 0 ? palette.negative : palette.positive, Math.min(Math.abs(share), 1));
}

const DECADES = 4;

// Of a size, by powers of ten below the largest.
function magnitude(size, largest) {
  const share = size > 0 && largest > 0 ? 1 + Math.log10(size / largest) / DECADES : 0;
  return between(palette.nothing, palette.positive, Math.max(share, 0));
}

function css([red, green, blue]) {
  return `rgb(${red},${green},${blue})`;
}

// A matrix as a picture: `colorAt(row, column)` of each of its cells, `words(row, column)` where the pointer is.
function gridPicture(name, at) {
  const figure = document.createElement("figure"), canvas = document.createElement("canvas");
  const caption = document.createElement("figcaption");
  figure.className = "grid";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", name);
  caption.textContent = name;
  figure.append(canvas, caption);
  at.append(figure);
  let drawn = null;
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const place = (offset, size, count) => Math.min(Math.max(Math.floor((offset / size) * count), 0), count - 1);
    if (drawn) {
      caption.textContent = drawn.words(
        place(event.clientY - box.top, box.height, canvas.height), place(event.clientX - box.left, box.width, canvas.width));
    }
  });
  canvas.addEventListener("pointerleave", () => { caption.textContent = name; });
  return function draw(rows, columns, colorAt, words) {
    drawn = { words };
    if (canvas.width !== columns) canvas.width = columns;
    if (canvas.height !== rows) canvas.height = rows;
    const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
    for (let row = 0, place = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1, place += 4) {
        const [red, green, blue] = colorAt(row, column);
        image.data[place] = red;
        image.data[place + 1] = green;
        image.data[place + 2] = blue;
        image.data[place + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
  };
}
