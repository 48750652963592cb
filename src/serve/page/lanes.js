// The lanes: a picture of the activity, one lane for each rank, now at the right edge.

/** One of the style sheet's colours, as it is now. */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

const lanes = {
  canvas: element('lanes'),
  laneHeight: 34,
  left: 52, // room for the ranks' names
  ranks: 0,
  held: null, // the moment at which the picture stands still

  start() {
    this.calm = matchMedia('(prefers-reduced-motion: reduce)');
    this.window = () => Number(element('window').value);
    const hold = element('hold');
    hold.addEventListener('click', () => {
      this.held = this.held === null ? this.edge() : null;
      hold.setAttribute('aria-pressed', String(this.held !== null));
      setText(hold, this.held === null ? 'Hold' : 'Go on');
      this.wake();
    });
    element('window').addEventListener('change', () => this.wake());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.wake());
    new ResizeObserver(() => this.wake()).observe(this.canvas);
    document.addEventListener('visibilitychange', () => this.wake());
  },

  setRanks(count) {
    this.ranks = count;
    this.canvas.style.height = `${count * this.laneHeight + 22}px`;
    this.wake();
  },

  /** The moment at the right edge: now; or a little after the last work, which so stays. */
  edge() {
    return this.held ?? activity.now() - Math.max(0, activity.idle() - this.window() / 10);
  },

  /** There may be something new to see: draws, and goes on while the picture moves. */
  wake() {
    this.wanted = true;
    if (!this.pending) this.pending = requestAnimationFrame(() => this.frame());
  },

  frame() {
    const began = performance.now();
    this.wanted = false;
    const moving = this.draw();
    const took = performance.now() - began;
    // The ranks may share this machine's cores: a tenth of the time is for drawing.
    const rest = this.calm.matches ? 1000 : Math.max(40, 10 * took);
    setTimeout(() => {
      this.pending = null;
      if ((moving || this.wanted) && !document.hidden) this.wake();
    }, moving ? rest : 0);
  },

  /** Draws the window; returns whether the next picture will be another. */
  draw() {
    const { canvas, ranks } = this;
    const scale = devicePixelRatio;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!ranks || !width) return false;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const pen = canvas.getContext('2d');
    pen.scale(scale, scale);
    const to = this.edge();
    const from = to - this.window();
    const x = (time) => this.left + ((time - from) / (to - from)) * (width - this.left);
    const batches = Number.isFinite(to) ? activity.since(from) : [];
    this.drawBars(pen, batches, x, width);
    this.drawFrame(pen, width);
    return batches.length > 0 && this.held === null && activity.idle() < this.window() / 10;
  },

  /** What ranks did, within the lanes: first that they waited, over which they computed. */
  drawBars(pen, batches, x, width) {
    pen.save();
    pen.beginPath();
    pen.rect(this.left, 0, width - this.left, this.canvas.clientHeight);
    pen.clip();
    pen.fillStyle = colour('--wait');
    for (const [start, end] of activity.underWay(batches)) {
      for (let rank = 0; rank < this.ranks; rank++) {
        pen.fillRect(x(start), this.bottom(rank), x(end) - x(start), 1);
      }
    }
    this.drawBusy(pen, batches, x);
    pen.restore();
  },

  bottom(rank) {
    return (rank + 1) * this.laneHeight - 4;
  },

  /**
   * Bars add up where many share a pixel ('lighter' sums what they cover): where they are
   * narrower than that, how strong the colour is says how busy the rank was.
   */
  drawBusy(pen, batches, x) {
    const colours = Array.from({ length: 8 }, (_, i) => colour(`--s${i}`));
    const wide = [];
    pen.globalCompositeOperation = 'lighter';
    for (const { kind, ids, spans } of batches) {
      const height = (this.laneHeight - 8) / (kind === 'prefill' ? 1 : 2);
      const part = height / ids.length;
      ids.forEach((id, i) => {
        pen.fillStyle = colours[id % colours.length];
        spans.forEach(([start, end], rank) => {
          pen.fillRect(x(start), this.bottom(rank) - part * (i + 1), x(end) - x(start), part);
        });
      });
      spans.forEach(([start, end], rank) => {
        const name = ids.length === 1 ? ids[0] : `${ids.length} seq`;
        const middle = this.bottom(rank) - height / 2;
        if (x(end) - x(start) > 26) wide.push([name, x((start + end) / 2), middle]);
      });
    }
    this.nameBars(pen, wide);
  },

  /** The sequence's number in its bar, where there is room. */
  nameBars(pen, wide) {
    pen.globalCompositeOperation = 'source-over';
    pen.fillStyle = '#000';
    pen.font = '11px system-ui, sans-serif';
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    for (const [name, middle, y] of wide) pen.fillText(name, middle, y);
  },

  /** The ranks' names on the left, and the time below. */
  drawFrame(pen, width) {
    pen.fillStyle = colour('--soft');
    pen.font = '12px system-ui, sans-serif';
    pen.textBaseline = 'middle';
    pen.textAlign = 'left';
    for (let rank = 0; rank < this.ranks; rank++) {
      pen.fillText(`rank ${rank}`, 6, (rank + 0.5) * this.laneHeight);
    }
    const y = this.ranks * this.laneHeight + 10;
    pen.textAlign = 'right';
    const idle = activity.idle() > this.window() / 10;
    pen.fillText(this.held !== null ? 'held' : idle ? 'last work' : 'now', width - 6, y);
    pen.textAlign = 'left';
    pen.fillText(`−${duration(this.window())}`, this.left, y);
  },
};
