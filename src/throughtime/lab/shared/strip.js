// A canvas with a column for each time step. All strips have the same columns, so that a step stands above itself.
export const MARGIN = 14;  // pixels on both sides

export class Strip {
  /**
   * @param {HTMLElement} element that holds the canvas
   * @param paint `paint(context, strip)`, in pixels of the page
   * @param focus see focus.js
   * @param {{lane?: number, rows?: boolean}} options rows: a row is a unit
   */
  constructor(element, paint, focus, { lane = null, rows = false } = {}) {
    Object.assign(this, { element, painting: paint, steps: 1, units: 1, lane, rows });
    this.canvas = element.querySelector("canvas") ?? element.appendChild(document.createElement("canvas"));
    this.context = this.canvas.getContext("2d");
    new ResizeObserver(() => this.paint()).observe(element);
    whenColorsChange(() => this.paint());
    this.follow(focus);
  }

  get width() { return this.element.clientWidth; }
  get height() { return this.element.clientHeight; }
  get column() { return (this.width - 2 * MARGIN) / this.steps; }

  /** The left edge of a column. */
  left(t) {
    return MARGIN + t * this.column;
  }

  center(t) {
    return this.left(t + 0.5);
  }

  follow(focus) {
    const { element } = this;
    const place = ({ clientX, clientY }) => {
      const { left, top } = element.getBoundingClientRect();
      const t = Math.min(Math.max(Math.floor((clientX - left - MARGIN) / this.column), 0), this.steps - 1);
      const unit = Math.min(Math.max(Math.floor((clientY - top) / this.height * this.units), 0), this.units - 1);
      return { t, ...(this.lane === null ? {} : { lane: this.lane }), ...(this.rows ? { unit } : {}) };
    };
    element.addEventListener("pointerdown", (event) => {
      event.stopPropagation();  // else the charts would hide what they are told to show
      focus.set(place(event));
    });
    element.addEventListener("pointermove", (event) => {
      const { t, ...rest } = place(event);  // only a click chooses another unit
      focus.set(this.rows && !event.buttons ? { t, over: { lane: this.lane, unit: rest.unit } } : { t });
    });
    element.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && focus.set({ t: null, over: null }));
    focus.watch(() => this.paint());
    this.focus = focus;
  }

  paint() {
    const { canvas, context, width, height } = this, sharpness = devicePixelRatio || 1;
    if (!width || !height) return;
    if (canvas.width !== Math.round(width * sharpness)) canvas.width = Math.round(width * sharpness);
    if (canvas.height !== Math.round(height * sharpness)) canvas.height = Math.round(height * sharpness);
    context.setTransform(sharpness, 0, 0, sharpness, 0, 0);
    context.clearRect(0, 0, width, height);
    this.painting(context, this);
    this.paintFocus();
  }

  /** A frame around the column in focus. */
  paintFocus() {
    const { context, focus: { place: { t } }, height } = this;
    if (t === null || t >= this.steps) return;
    context.strokeStyle = color("ink");
    context.lineWidth = 1;
    context.strokeRect(this.left(t) - 0.5, 0.5, this.column + 1, height - 1);
  }
}
