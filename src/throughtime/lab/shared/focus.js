// What the reader looks at: one time step, one unit, one network, for all pictures at once.

/** @typedef {{t: number|null, unit: number, lane: number}} Place */

export class Focus {
  constructor() {
    /** @type {Place} */
    this.place = { t: null, unit: 0, lane: 1 };
    this.watchers = [];
  }

  /** Calls `watcher` after each change. */
  watch(watcher) {
    this.watchers.push(watcher);
  }

  /** @param {Partial<Place>} change */
  set(change) {
    const changed = Object.entries(change).some(([name, value]) => this.place[name] !== value);
    Object.assign(this.place, change);
    if (changed) for (const watcher of this.watchers) watcher(this.place);
  }
}
