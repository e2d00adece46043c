// What the page says of networks: in words that follow from the numbers on held-out values.
const NAIVE = { last: "repeating the last value", season: "repeating the last season", mean: "predicting the mean" };
const CLEAR = 3, MUCH = 0.98;  // to be called better: by so many standard errors, and an error of at most this share
const WORSE = 1.2;  // times its lowest held-out loss: a network that has overfitted

export const capital = (words) => words[0].toUpperCase() + words.slice(1);
export const whole = (number) => Math.round(number).toLocaleString("en");

/** The best naive forecast: {name, loss}. */
export function bestNaive(losses) {
  const [kind, loss] = Object.entries(losses).filter(([, each]) => each !== null).sort(([, one], [, other]) => one - other)[0];
  return { name: NAIVE[kind], loss };
}

/** What tells two learners of the same cell apart. */
function differences(learner, other) {
  const told = {
    activation: (name) => name, hidden: (count) => `${count} units`, init: (name) => (name === "own" ? "own weights" : name), rate: (rate) => `rate ${rate}`,
    clip: (norm) => (Number(norm) ? `clipping at ${norm}` : "no clipping"),
    examples: (count) => (Number(count) ? `${count} examples` : "ever new windows"),
  };
  return Object.entries(told).filter(([name]) => learner[name] !== other[name]).map(([name, words]) => words(learner[name])).join(", ");
}

/** Names of networks: full, short, and in a sentence. @returns {{full: string, short: string, subject: string}[]} */
export function networkNames(sides, learners) {
  const titles = sides.map(({ title }) => title.replace(/^Elman/, "Plain RNN")), cells = titles.map((title) => title.split(",")[0]);
  return titles.map((full, side) => {
    const cell = cells[side];
    if (sides.length < 2 || cells[0] !== cells[1]) return { full, short: cell, subject: `the ${cell.replace("Plain", "plain")}` };
    const differs = differences(learners[side], learners[1 - side]) || `network ${side + 1}`;
    return { full: `${cell}, ${differs}`, short: differs, subject: `the ${cell.replace("Plain", "plain")} (${differs})` };
  });
}

/** An error in percent of the naive one. */
export function errorText({ held_out: loss }, naive) {
  if (!Number.isFinite(loss)) return "not finite";
  const percent = (100 * loss) / naive.loss;
  return percent < 1e6 ? `${Number(percent.toPrecision(2)).toLocaleString("en")} %` : "beyond a million %";
}

/** "better", "equal" or "worse" than naive on held-out values; better only if chance is no explanation. */
export function standing({ held_out: loss, lead }, naive) {
  if (!(loss < naive.loss)) return "worse";
  return lead > CLEAR && loss < MUCH * naive.loss ? "better" : "equal";
}

const STANDINGS = { better: "is better than", equal: "is not clearly better than", worse: "is not better than" };
const SHORT = { better: "is", equal: "is not clearly", worse: "is not" };
const ORDER = Object.keys(STANDINGS);

/** "the LSTM is better than repeating the last value (error 60 % of it), the GRU is not (110 %)". */
function standingText(lanes, naive) {
  const standings = lanes.map(({ name, frame }) => ({ name, stands: standing(frame, naive), error: errorText(frame, naive) }));
  const [first, second] = standings.sort((one, other) => ORDER.indexOf(one.stands) - ORDER.indexOf(other.stands));
  const said = `${first.name} ${STANDINGS[first.stands]} ${naive.name} (error ${first.error}${first.error.endsWith("%") ? " of it" : ""})`;
  if (!second) return said;
  if (first.stands !== second.stands) return `${said}, ${second.name} ${SHORT[second.stands]} (${second.error})`;
  return `${said}, ${first.stands === "better" ? "so is" : "nor is"} ${second.name} (${second.error})`;
}

/** The step at which the held-out loss was lowest, if it has risen since; else null. */
export function overfitSince(points) {
  const best = points.reduce((least, point) => (point.heldOut < least.heldOut ? point : least), points[0]), last = points.at(-1);
  return last && last.heldOut > WORSE * best.heldOut && last.train < last.heldOut / WORSE ? best.step : null;
}

function overfitText(lanes) {
  const past = lanes.map(({ name, points }) => ({ name, since: overfitSince(points) })).filter(({ since }) => since !== null);
  if (past.length === 2) return ` Both overfit: their held-out losses were lowest at steps ${past.map(({ since }) => whole(since)).join(" and ")}.`;
  return past.map(({ name, since }) => ` ${capital(name)} overfits: its held-out loss was lowest at step ${whole(since)}.`).join("");
}

/** The first sentence of the page. @param lanes {{name, frame, points}[]}; end: what is said of a run that is over, else false */
export function verdict(lanes, naive, steps, end) {
  const step = Math.min(...lanes.map(({ frame }) => frame.step)), place = `Step ${whole(step)} of ${whole(steps)}${end || ""}.`;
  if (step === 0) return `New networks, not trained yet. To beat on held-out values: ${naive.name}.`;
  return `On held-out values ${standingText(lanes, naive)}.${overfitText(lanes)} ${place}`;
}
