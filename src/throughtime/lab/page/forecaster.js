// A trained forecaster: its verdict, its gradient, and which value moves which step of its forecast.
import { parts } from "../shared/states.js";
import { gradientPicture } from "./gradient.js";

const find = (id) => document.getElementById(id);
const DECADES = 4;
let chart = null, shown = null;

function paint({ horizon_by_lag: map }) {
  const canvas = find("forecaster-map"), context = canvas.getContext("2d");
  canvas.height = map.length;
  canvas.width = map[0].length;
  const image = context.createImageData(canvas.width, canvas.height), of = parts("model"), largest = Math.max(...map.flat());
  map.flat().forEach((size, k) => {
    const share = size > 0 && largest > 0 ? Math.max(1 + Math.log10(size / largest) / DECADES, 0) : 0;
    image.data.set([...of, 255 * share], 4 * k);
  });
  context.putImageData(image, 0, 0);
}

function readMap({ offsetX, offsetY, target }) {
  if (!shown) return;
  const place = (offset, size, count) => Math.min(Math.max(Math.floor((offset / size) * count), 0), count - 1);
  const row = place(offsetY, target.clientHeight, target.height), column = place(offsetX, target.clientWidth, target.width);
  const value = shown.horizon_by_lag[row][column]?.toPrecision(2) ?? "not finite";
  find("forecaster-cell").textContent = `step ${row + 1} ahead, value ${column + 1} from the end: ${value}`;
}

export function showForecaster(reach) {
  if (!shown) {
    find("forecaster-map").addEventListener("pointermove", readMap);
    whenColorsChange(() => paint(shown));
  }
  shown = reach;
  find("forecaster-verdict").textContent = reach.verdict;
  find("forecaster-reach").hidden = false;
  chart ??= new Chart("forecaster-reach", { legend: true });
  chart.draw(gradientPicture([{ reach, place: 1, name: "what is left of a gradient, by steps back" }], false));
  paint(reach);
}
