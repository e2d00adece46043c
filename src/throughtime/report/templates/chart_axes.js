// Axes: the ranges of values, round places in them, and the text of numbers and times.
const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR, MONTH = 30.4 * DAY, YEAR = 365.25 * DAY;
const FIRST_MONDAY = 4 * DAY;  // after 1970 began
// The steps of a time axis from fine to coarse: the unit that its labels end with, how many of it, the length in
// milliseconds, and the pixels that a label needs.
const TIME_STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((count) => ["millisecond", count, count, 84]),
  ...[1, 5, 15, 30].map((count) => ["second", count, count * SECOND, 64]),
  ...[1, 5, 15, 30].map((count) => ["minute", count, count * MINUTE, 48]),
  ...[1, 3, 6, 12].map((count) => ["minute", count * 60, count * HOUR, 48]),
  ...[1, 2, 7, 14].map((count) => ["day", count, count * DAY, 54]),
  ...[1, 2, 3, 6].map((count) => ["month", count, count * MONTH, 40]),
];
const RESOLUTIONS = ["millisecond", "second", "minute", "day", "month", "year"];
const formats = new Map();

// The ends of some lists of numbers, those that are not known left out: above zero only on a logarithmic axis.
function endsOf(lists, log = false) {
  let least = Infinity, most = -Infinity;
  for (const values of lists) {
    for (const value of values) {
      if (!Number.isFinite(value) || (log && value <= 0)) continue;
      if (value < least) least = value;
      if (value > most) most = value;
    }
  }
  return least <= most ? [least, most] : null;
}

// A range with a margin on both sides.
function withMargin(ends, share = 0.06) {
  if (!ends) return [0, 1];
  const [least, most] = ends;
  const margin = share * (most - least) || share * Math.abs(most) || 1;
  return [least - margin, most + margin];
}

// Whole powers of ten around the positive numbers, so that an axis does not tremble while they change.
function decades(lists) {
  const [least, most] = endsOf(lists, true) ?? [1, 10];
  const low = Math.floor(Math.log10(least)), high = Math.ceil(Math.log10(most));
  return [10 ** low, 10 ** Math.max(high, low + 1)];
}

// If a logarithmic axis tells more: all is positive, over more than a factor of ten.
function isWide(lists) {
  const ends = endsOf(lists);
  return ends !== null && ends[0] > 0 && ends[1] > 10 * ends[0];
}

// A number with a fixed count of decimals.
function fixed(value, decimals, useGrouping = true) {
  const key = useGrouping ? decimals : -1;
  if (!formats.has(key)) {
    const ends = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    formats.set(key, new Intl.NumberFormat("en", { ...ends, useGrouping }));
  }
  return formats.get(key).format(value);
}

function powerOfTen(exponent) {
  return `10${Array.from(String(exponent), (letter) => SUPERSCRIPTS[letter]).join("")}`;
}

// The decimals that tell numbers a step apart.
function decimalsOf(step) {
  return Math.min(Math.max(-Math.floor(Math.log10(step) + 1e-9), 0), 20);
}

// Numbers a step apart below a largest one: as they are, or by a power of ten where they would be long.
function numberText(value, step, largest) {
  const exponent = Math.floor(Math.log10(largest) + 1e-9);
  if (value === 0) return "0";
  if (exponent > -4 && (exponent < 7 || step < 1e4)) return fixed(value, decimalsOf(step));
  return `${fixed(value / 10 ** exponent, decimalsOf(step / 10 ** exponent))}×${powerOfTen(exponent)}`;
}

function roundStep(rough) {
  const size = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((factor) => factor * size >= rough * (1 - 1e-9)) * size;
}

// Multiples of a step, each with its text.
function multiples([from, to], step, textOf) {
  const ticks = [];
  if (!(step > 0 && step < Infinity)) return ticks;
  const last = Math.floor(to / step + 1e-9);
  for (let place = Math.ceil(from / step - 1e-9); place <= last; place += 1) {
    const value = Number((place * step).toPrecision(15));
    ticks.push({ value, text: textOf(value) });
  }
  return ticks;
}

// Round numbers, `most` of them or fewer. A "count" has whole numbers alone, an "index" no commas in them either.
function numberTicks(range, most, kind) {
  const rough = roundStep((range[1] - range[0]) / Math.max(most, 1));
  if (kind === "index") return multiples(range, Math.max(rough, 1), (value) => fixed(value, 0, false));
  const step = kind === "count" ? Math.max(rough, 1) : rough;
  const largest = Math.max(Math.abs(range[0]), Math.abs(range[1]));
  return multiples(range, step, (value) => numberText(value, step, largest));
}

// Powers of ten, `most` of them or fewer.
function powerTicks(ends, most) {
  const exponents = multiples(ends, Math.max(Math.ceil((ends[1] - ends[0]) / most), 1), powerOfTen);
  return exponents.map(({ value, text }) => ({ value: 10 ** value, text }));
}

// Powers of ten and what is between them; plain numbers if these are short.
function decadeTicks([from, to], ends, factors) {
  const ticks = [], isShort = from > 0.9e-4 && to < 1.1e6;
  for (let exponent = Math.floor(ends[0]); exponent <= Math.ceil(ends[1]); exponent += 1) {
    for (const factor of factors) {
      const value = Number(`${factor}e${exponent}`);
      if (value < from * (1 - 1e-9) || value > to * (1 + 1e-9)) continue;
      const power = factor === 1 ? powerOfTen(exponent) : `${factor}×${powerOfTen(exponent)}`;
      ticks.push({ value, text: isShort ? fixed(value, decimalsOf(value)) : power });
    }
  }
  return ticks;
}

function logTicks(range, most) {
  const ends = range.map(Math.log10), span = ends[1] - ends[0];
  if (span > 3) return powerTicks(ends, most);
  const ticks = decadeTicks(range, ends, 3 * span <= 1.5 * most ? [1, 2, 5] : [1]);
  return ticks.length > 1 ? ticks : numberTicks(range, most, "number");
}

// The stamp at which a month begins, counted from the year 0.
function monthStamp(count) {
  const year = Math.floor(count / 12);
  return new Date(0).setUTCFullYear(year, count - 12 * year, 1);
}

function monthCount(stamp) {
  const date = new Date(stamp);
  return 12 * date.getUTCFullYear() + date.getUTCMonth();
}

// The stamps of a range that are multiples of so many months, or of a fixed length.
function timesIn([from, to], unit, count, length) {
  const stamps = [];
  if (unit === "month") {
    for (let month = Math.ceil(monthCount(from) / count) * count; monthStamp(month) <= to; month += count) {
      if (monthStamp(month) >= from) stamps.push(monthStamp(month));
    }
    return stamps;
  }
  const origin = length >= 7 * DAY ? FIRST_MONDAY : 0;
  for (let stamp = Math.ceil((from - origin) / length) * length + origin; stamp <= to; stamp += length) stamps.push(stamp);
  return stamps;
}

// The two lines of a time's label: its own part, and what it is part of.
function timeText(stamp, unit) {
  const date = new Date(stamp), iso = date.toISOString(), year = String(date.getUTCFullYear());
  const month = date.toLocaleString("en", { month: "short", timeZone: "UTC" }), day = `${month} ${date.getUTCDate()}`;
  if (unit === "year") return [year, ""];
  if (unit === "month") return [month, year];
  if (unit === "day") return [day, year];
  return [iso.slice(11, { minute: 16, second: 19, millisecond: 23 }[unit]), `${day}, ${year}`];
}

// Round times that are not finer than the data's, with a second line where that changes.
function timeTicks(range, pixels, resolution) {
  const coarseEnough = ([unit]) => RESOLUTIONS.indexOf(unit) >= RESOLUTIONS.indexOf(resolution);
  const fits = ([, , length, room]) => ((range[1] - range[0]) / length) * room <= pixels;
  let step = TIME_STEPS.find((each) => coarseEnough(each) && fits(each));
  if (!step) {
    const years = Math.max(roundStep((48 * (range[1] - range[0])) / YEAR / pixels), 1);
    step = ["month", 12 * years, years * YEAR];
  }
  const unit = step[0] === "month" && step[1] >= 12 ? "year" : step[0];
  let before = null;
  return timesIn(range, ...step).map((value) => {
    const [text, whole] = timeText(value, unit), within = whole === before ? "" : whole;
    before = whole;
    return { value, text, within };
  });
}

// The ticks of an axis `pixels` long, at least `room` apart.
function ticksOf({ range, kind, resolution, log }, pixels, room) {
  if (!(range[1] > range[0]) || !Number.isFinite(range[1] - range[0])) return [];
  if (kind === "time") return timeTicks(range, pixels, resolution);
  const most = Math.max(pixels / room, 2);
  return log ? logTicks(range, most) : numberTicks(range, most, kind ?? "number");
}
