// The ranks: what the model is and which layers each holds (/config), and what each does
// (/events), as a table beside the lanes.

const ranks = {
  rows: [],

  start() {
    lanes.start();
    health.listeners.push((state) => {
      if (state === 'ready') this.follow();
    });
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.abort?.abort();
      else if (health.state.dataset.state === 'ready') this.follow();
    });
    setInterval(() => this.showActivity(), 1000);
  },

  /** Reads the configuration, then the events, until they end; and again if they broke off. */
  async follow() {
    this.abort?.abort();
    const { signal } = this.abort = new AbortController();
    while (!signal.aborted) {
      try {
        this.showConfig(await (await ask('/config', { signal })).json());
        activity.reset();
        const response = await ask('/events', { signal });
        setText(element('events-state'), '');
        for await (const data of eventsOf(response)) this.event(JSON.parse(data));
      } catch (problem) {
        if (problem.name === 'AbortError') return;
        if (problem.status === 401) return;
      }
      setText(element('events-state'), 'No events come.');
      await pause(2000);
      if (health.state.dataset.state !== 'ready') return;
    }
  },

  /** A batch has returned; or the ranks' state is another. */
  event({ batch, state }) {
    if (state) health.look();
    if (!batch) return;
    activity.add(batch);
    if (lanes.held === null) lanes.wake();
  },

  showConfig(config) {
    const { model, layers, d_model: wide, context, groups, slots } = config;
    setText(element('model'), `${model}: ${plural(layers, 'layer')}, ${wide} wide`);
    document.title = `${model} – ppsim`;
    setText(element('shape'), `${plural(groups, 'group')} in flight, ${plural(slots, 'sequence')} `
      + `at once, a context of ${plural(context, 'token')}.`);
    this.rows = config.ranks.map((rank) => this.row(rank));
    element('ranks').tBodies[0].replaceChildren(...this.rows);
    lanes.setRanks(this.rows.length);
    this.showActivity();
  },

  row({ rank, first_layer: first, layers, parameter_bytes: weights, kv_cache_bytes: cache }) {
    const held = layers === 1 ? `${first}` : `${first}–${first + layers - 1}`;
    const memory = make('td', { text: bytes(weights + cache) });
    memory.title = `weights ${bytes(weights)}, keys and values ${bytes(cache)}`;
    return make('tr', {}, make('th', { text: rank, scope: 'row' }),
      make('td', { text: layers ? held : 'none' }), memory, make('td'), make('td'), make('td'));
  },

  showActivity() {
    if (document.hidden || !this.rows.length) return;
    const idle = activity.idle();
    setText(element('idle'), idle > 1 ? `Idle for ${Math.round(idle)} s` : '');
    const to = lanes.edge();
    const known = Number.isFinite(to);
    const span = lanes.window();
    const found = known ? activity.summary(this.rows.length, to - span, to) : [];
    this.rows.forEach((row, i) => {
      const { busy, waits, ids } = found[i] ?? { busy: 0, waits: 0, ids: new Set() };
      const [busyCell, waitsCell, idsCell] = [...row.cells].slice(3);
      setText(busyCell, percent(busy / span));
      setText(waitsCell, percent(waits / span));
      const all = [...ids].sort((a, b) => a - b);
      setText(idsCell, all.length > 6 ? `${all.length} of them` : all.join(', ') || '–');
    });
  },
};
