// The lanes: a picture of the activity, one lane for each rank, now at the right edge.

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
      this.held = this.held === null ? activity.now() : null;
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

  /** The moment at the right edge. */
  edge() {
    return this.held ?? activity.now();
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
    const rest = this.calm.matches ? 1000 : Math.max(40, 10 * took);
    // The ranks may share this machine's cores: a tenth of the time is for drawing.
    setTimeout(() => {
      this.pending = null;
      if ((moving || this.wanted) && !document.hidden) this.wake();
    }, rest);
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
    return batches.length > 0 && this.held === null;
  },

  /**
   * Bars add up where many share a pixel ('lighter' sums what they cover): where they are
   * narrower than that, how strong the colour is says how busy the rank was.
   */
  drawBars(pen, batches, x, width) {
    const style = getComputedStyle(document.documentElement);
    const wait = style.getPropertyValue('--wait');
    const colours = Array.from({ length: 8 }, (_, i) => style.getPropertyValue(`--s${i}`));
    pen.save();
    pen.beginPath();
    pen.rect(this.left, 0, width - this.left, this.canvas.clientHeight);
    pen.clip();
    for (const { kind, ids, spans, start, end } of batches) {
      const tall = kind === 'prefill' ? this.laneHeight - 8 : (this.laneHeight - 8) / 2;
      for (let rank = 0; rank < this.ranks; rank++) {
        const bottom = (rank + 1) * this.laneHeight - 4;
        pen.globalCompositeOperation = 'source-over';
        pen.fillStyle = wait;
        pen.fillRect(x(start), bottom, x(end) - x(start), 1);
        if (!spans[rank]) continue;
        const [left, right] = spans[rank].map(x);
        pen.globalCompositeOperation = 'lighter';
        ids.forEach((id, i) => {
          pen.fillStyle = colours[id % colours.length];
          pen.fillRect(left, bottom - (tall * (i + 1)) / ids.length, right - left,
            tall / ids.length);
        });
        this.nameBar(pen, ids, left, right, bottom - tall / 2);
      }
    }
    pen.restore();
  },

  /** The sequence's number in its bar, where there is room. */
  nameBar(pen, ids, left, right, middle) {
    if (right - left < 26) return;
    pen.globalCompositeOperation = 'source-over';
    pen.fillStyle = '#000';
    pen.font = '11px system-ui, sans-serif';
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    pen.fillText(ids.length === 1 ? ids[0] : `${ids.length} seq`, (left + right) / 2, middle,
      right - left);
  },

  /** The ranks' names on the left, and the time below. */
  drawFrame(pen, width) {
    pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--soft');
    pen.font = '12px system-ui, sans-serif';
    pen.textBaseline = 'middle';
    pen.textAlign = 'left';
    for (let rank = 0; rank < this.ranks; rank++) {
      pen.fillText(`rank ${rank}`, 6, (rank + 0.5) * this.laneHeight);
    }
    const y = this.ranks * this.laneHeight + 10;
    pen.textAlign = 'right';
    pen.fillText(this.held === null ? 'now' : 'held', width - 6, y);
    pen.textAlign = 'left';
    pen.fillText(`−${duration(this.window())}`, this.left, y);
  },
};
