// The conversation as its user drives it: send, stop, edit, again, go on.

const talk = {
  prompt: element('prompt'),
  editing: null, // the turn that the next one replaces
  abort: null, // of the request under way

  start() {
    turns.start({
      again: (turn) => this.again(turn),
      edit: (turn) => this.edit(turn),
      goOn: (turn) => this.run(turn),
    });
    element('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.send();
    });
    this.prompt.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.send();
    });
    document.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') this.abort ? this.stop() : this.leaveEdit();
    });
    element('stop').addEventListener('click', () => this.stop());
    // Who leaves the page breaks its connections off: no error.
    addEventListener('beforeunload', () => { this.leaving = true; });
    element('no-edit').addEventListener('click', () => this.leaveEdit());
    element('export').addEventListener('click', () => turns.exportAll());
    element('clear').addEventListener('click', () => this.clear());
    for (const radio of document.getElementsByName('mode')) {
      radio.addEventListener('change', () => this.showMode());
    }
    this.setMode(kept.read('ppsim.mode', 'chat'));
  },

  mode: () => document.querySelector('[name=mode]:checked').value,

  setMode(mode) {
    document.querySelector(`[name=mode][value=${mode}]`).checked = true;
    this.showMode();
  },

  showMode() {
    const chat = this.mode() === 'chat';
    kept.write('ppsim.mode', this.mode());
    setText(element('prompt-label'), chat ? 'Message' : 'Text to continue');
    setText(element('mode-note'), chat
      ? 'A base model, such as GPT-2 or what ppsim trains, was not taught to answer. It gets '
        + 'the turns so far, joined by its end token or as lines, and writes on.'
      : 'The model gets this text alone, and writes on.');
  },

  send() {
    const prompt = this.prompt.value;
    if (this.abort || (!prompt && this.mode() === 'chat')) return;
    const turn = { mode: this.mode(), prompt };
    const index = this.editing ? turns.list.indexOf(this.editing) : turns.list.length;
    const leftOut = turns.list[index - 1]?.leftOut ?? 0;
    if (!this.run(turn, { index, leftOut })) return;
    this.prompt.value = '';
    this.leaveEdit();
  },

  again(turn) {
    this.run(turn, { index: turns.list.indexOf(turn), leftOut: turn.leftOut });
  },

  /**
   * Begins a turn's request; with a place, from its beginning and in place of what stood
   * there and after; without, its reply goes on. False where the settings are wrong.
   */
  run(turn, place) {
    const parameters = this.abort ? null : settings.read();
    if (!parameters) return false;
    this.abort = new AbortController();
    turns.running = turn;
    if (place) Object.assign(turn, { reply: '', leftOut: place.leftOut ?? 0 });
    Object.assign(turn, { finish: undefined, error: undefined });
    turns.replaceFrom(place?.index ?? turns.list.indexOf(turn), turn);
    this.showRunning(true);
    this.follow(turn, parameters);
    return true;
  },

  async follow(turn, parameters) {
    spoken.begin();
    const saving = setInterval(() => turns.save(), 1000);
    try {
      await runTurn(turn, turns.before(turn), parameters, this.abort.signal, (text) => {
        turns.append(text);
        spoken.hear(text);
      });
    } catch (problem) {
      if (problem.name === 'AbortError') turn.finish = 'stopped';
      else if (this.leaving) turn.finish = 'interrupted';
      else turn.error = problem.message;
      health.look();
    }
    clearInterval(saving);
    this.abort = null;
    turns.running = null;
    turns.save();
    turns.show(turn);
    spoken.end(turn.error ?? (turn.finish === 'stopped' ? 'Stopped.' : ''));
    this.showRunning(false);
  },

  stop() {
    this.abort?.abort();
  },

  showRunning(running) {
    const held = element(running ? 'send' : 'stop') === document.activeElement;
    element('send').hidden = running;
    element('stop').hidden = !running;
    element('clear').disabled = running || !turns.list.length;
    // Focus never falls on nothing: what had it may be gone.
    if (held || document.activeElement === document.body) this.prompt.focus();
  },

  edit(turn) {
    if (this.abort) return;
    this.editing = turn;
    this.setMode(turn.mode);
    this.prompt.value = turn.prompt;
    element('editing').hidden = false;
    this.prompt.focus();
  },

  leaveEdit() {
    if (!this.editing) return;
    this.editing = null;
    element('editing').hidden = true;
    this.prompt.value = '';
    this.prompt.focus();
  },

  clear() {
    if (!confirm('Forget the whole conversation?')) return;
    turns.clear();
    this.leaveEdit();
    this.prompt.focus();
  },
};
