// Whether the server is ready, in words; and how to start the ranks again.

const health = {
  state: element('state'),
  button: element('reconnect'),
  listeners: [],

  start() {
    this.button.addEventListener('click', () => this.reconnect());
    document.addEventListener('visibilitychange', () => this.look());
    this.look();
  },

  /** Asks now, and from then on every two seconds, as long as the page is seen. */
  async look() {
    clearTimeout(this.timer);
    if (document.hidden) return;
    const round = this.round = {};
    const [state, words] = await this.ask();
    if (round !== this.round) return;
    this.show(state, words);
    this.timer = setTimeout(() => this.look(), 2000);
  },

  async ask() {
    try {
      await ask('/health');
      return ['ready', 'Ready'];
    } catch (problem) {
      if (problem.status === 0) return ['silent', problem.message];
      const state = problem.body?.status ?? 'dead';
      const title = { loading: 'Loading', draining: 'Ending' }[state] ?? 'Stopped';
      return [state, `${title}: ${problem.message}`];
    }
  },

  show(state, words) {
    const changed = this.state.dataset.state !== state;
    this.state.dataset.state = state;
    setText(this.state, words);
    const held = document.activeElement === this.button;
    this.button.hidden = state !== 'dead';
    if (held && this.button.hidden) element('prompt').focus();
    if (changed) for (const listener of this.listeners) listener(state);
  },

  async reconnect() {
    this.button.disabled = true;
    try {
      await ask('/reconnect', { body: {} });
    } catch (problem) {
      this.show('dead', problem.message);
    }
    this.button.disabled = false;
    this.look();
  },
};
