// What each rank did of late: the batches of /events, which say for each rank when it
// computed. In seconds of the ranks' clock.

const activity = {
  most: 10, // seconds that are kept: the widest picture
  batches: [], // { kind, ids, spans: [[start, end] of each rank], start, end }
  offset: Infinity, // from the ranks' clock to this page's, at most

  /** Ranks that have just started have a clock that begins anew. */
  reset() {
    this.batches = [];
    this.offset = Infinity;
  },

  /** A batch has returned from the last rank. */
  add({ class: kind, ids, spans }) {
    const start = Math.min(...spans.map((span) => span[0]));
    const end = Math.max(...spans.map((span) => span[1]));
    // What comes late says nothing of the clocks; the quickest says the most.
    this.offset = Math.min(this.offset, performance.now() / 1000 - end);
    this.batches.push({ kind, ids, spans, start, end });
    const old = this.batches.findIndex((batch) => batch.end >= end - this.most);
    if (old > 1000) this.batches.splice(0, old);
  },

  now() {
    return performance.now() / 1000 - this.offset;
  },

  since(from) {
    let first = this.batches.length;
    while (first > 0 && this.batches[first - 1].end >= from) first--;
    return this.batches.slice(first);
  },

  /**
   * Of each rank within [from, to]: seconds busy; seconds that it waited, while something
   * was under way on any rank; and of which sequences it computed something.
   */
  summary(ranks, from, to) {
    const within = ([start, end]) => Math.max(0, Math.min(end, to) - Math.max(start, from));
    const found = Array.from({ length: ranks }, () => ({ busy: 0, ids: new Set() }));
    let underWay = 0;
    let covered = from;
    for (const { spans, ids, start, end } of this.since(from).sort((a, b) => a.start - b.start)) {
      underWay += within([Math.max(start, covered), end]);
      covered = Math.max(covered, end);
      found.forEach((rank, r) => {
        const share = spans[r] ? within(spans[r]) : 0;
        rank.busy += share;
        if (share) ids.forEach((id) => rank.ids.add(id));
      });
    }
    for (const rank of found) rank.waits = Math.max(0, underWay - rank.busy);
    return found;
  },
};
