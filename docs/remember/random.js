// Random numbers that come from a seed, so that a link shows everybody the same run.

/** A source of random numbers: mulberry32, whose 32 bits of state suffice for a picture. */
export class Random {
  /** @param {number} seed a whole number */
  constructor(seed) {
    this.state = seed >>> 0;
  }

  /** @returns {number} from 0 to 1, without 1 */
  uniform() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** @returns {number} a whole number from `first` to `last`, both included */
  whole(first, last) {
    return first + Math.floor(this.uniform() * (last - first + 1));
  }

  /** @returns {number} from the normal distribution with mean 0 and variance 1 (Box & Muller 1958) */
  normal() {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }
}
