// What each rank did of late: the batches of /events, which say for each rank when it
// computed. In seconds of the ranks' clock.

const activity = {
  most: 10, // seconds that are kept: the widest picture
  batches: [], // { kind, ids, spans: [[start, end] of each rank], start, end }: see add()
  ends: new Map(), // of each sequence: when its last batch ended
  offset: Infinity, // from the ranks' clock to this page's, at most

  /** Ranks that have just started have a clock that begins anew. */
  reset() {
    this.batches = [];
    this.ends.clear();
    this.offset = Infinity;
  },

  /**
   * A batch has returned from the last rank. It is under way since its sequences' last one
   * ended: its tokens were then on their way to the first rank, or waited for their turn.
   */
  add({ class: kind, ids, spans }) {
    const end = Math.max(...spans.map((span) => span[1]));
    const start = Math.min(...spans.map((span) => span[0]),
      ...ids.map((id) => this.ends.get(id) ?? Infinity));
    for (const id of ids) this.ends.set(id, end);
    if (this.ends.size > 1000) this.ends.delete(this.ends.keys().next().value);
    // What comes late says nothing of the clocks; the quickest says the most.
    this.offset = Math.min(this.offset, performance.now() / 1000 - end);
    this.batches.push({ kind, ids, spans, start, end });
    const old = this.batches.findIndex((batch) => batch.end >= end - this.most);
    if (old > 1000) this.batches.splice(0, old);
  },

  now() {
    return performance.now() / 1000 - this.offset;
  },

  /** Seconds since anything was under way; -Infinity where nothing ever was. */
  idle() {
    return this.batches.length ? this.now() - this.batches.at(-1).end : -Infinity;
  },

  since(from) {
    let first = this.batches.length;
    while (first > 0 && this.batches[first - 1].end >= from) first--;
    return this.batches.slice(first);
  },

  /** When something was under way on any rank: [start, end] of each time, in order. */
  underWay(batches) {
    const found = [];
    for (const { start, end } of [...batches].sort((a, b) => a.start - b.start)) {
      const last = found.at(-1);
      if (last && start <= last[1]) last[1] = Math.max(last[1], end);
      else found.push([start, end]);
    }
    return found;
  },

  /**
   * Of each rank within [from, to]: seconds busy; seconds that it waited, while something
   * was under way; and of which sequences it computed something.
   */
  summary(ranks, from, to) {
    const within = ([start, end]) => Math.max(0, Math.min(end, to) - Math.max(start, from));
    const batches = this.since(from);
    const underWay = this.underWay(batches).reduce((sum, time) => sum + within(time), 0);
    return Array.from({ length: ranks }, (_, rank) => {
      const ids = new Set();
      let busy = 0;
      for (const batch of batches) {
        const share = batch.spans[rank] ? within(batch.spans[rank]) : 0;
        busy += share;
        if (share) batch.ids.forEach((id) => ids.add(id));
      }
      return { busy, waits: Math.max(0, underWay - busy), ids };
    });
  },
};
