// The turns of the conversation: kept in the browser, and as elements of the page.

const turns = {
  list: [],
  region: element('turns'),

  start(actions) {
    this.actions = actions;
    this.load();
    // Who reads the end goes on to see it, whatever becomes of the room for it.
    let atEnd = true;
    this.region.addEventListener('scroll', () => { atEnd = this.atEnd(); });
    new ResizeObserver(() => atEnd && this.toEnd()).observe(this.region);
    // Another tab's conversation is the same one.
    addEventListener('storage', ({ key }) => {
      if (key === 'ppsim.turns' && !this.running) this.load();
    });
  },

  load() {
    this.list = kept.read('ppsim.turns', []);
    for (const turn of this.list) if (!turn.finish && !turn.error) turn.finish = 'interrupted';
    this.showAll();
  },

  save() {
    const done = kept.write('ppsim.turns', this.list);
    element('not-kept').hidden = done;
  },

  /** What was said before a turn, as a chat goes on from it. */
  before(turn) {
    return this.list.slice(0, this.list.indexOf(turn))
      .filter(({ mode, reply }) => mode === 'chat' && reply);
  },

  replaceFrom(index, turn) {
    this.list.splice(index, Infinity, turn);
    this.showAll();
  },

  clear() {
    this.list = [];
    this.save();
    this.showAll();
  },

  showAll() {
    this.elements = new Map(this.list.map((turn) => [turn, this.made(turn)]));
    this.region.replaceChildren(...this.elements.values());
    if (!this.list.length) {
      this.region.append(make('p', { name: 'empty', text: 'Nothing said yet. What you write '
        + 'and what the model answers stays in this browser.' }));
    }
    element('clear').disabled = element('export').disabled = !this.list.length;
    this.toEnd();
  },

  /** Shows one turn anew, as it is now. */
  show(turn) {
    const made = this.made(turn);
    const stay = this.atEnd();
    this.elements.get(turn).replaceWith(made);
    this.elements.set(turn, made);
    if (stay) this.toEnd();
  },

  made(turn) {
    const running = turn === this.running;
    const part = (name, who, text) => make('div', { name }, make('h3', { text: who }),
      make('div', { name: 'text' }, document.createTextNode(text)));
    const chat = turn.mode === 'chat';
    const under = make('div', { name: 'under' });
    const figures = running ? 'Waits for its first token.' : figuresOf(turn);
    if (figures) under.append(make('span', { name: 'note', text: figures }));
    if (!running) under.append(make('span', { name: 'actions' }, ...this.buttons(turn)));
    const made = make('article', { name: `turn ${turn.mode}${running ? ' running' : ''}` },
      part('prompt', chat ? 'You' : 'Your text, and how it goes on', turn.prompt));
    if (running || turn.reply || !turn.error) {
      made.append(part('reply', chat ? 'Model' : 'The model goes on', turn.reply));
    }
    if (running) made.setAttribute('aria-busy', 'true');
    if (turn.error) made.append(make('p', { name: 'error', text: turn.error }));
    made.append(under);
    return made;
  },

  buttons(turn) {
    const { again, edit, goOn } = this.actions;
    const made = [button('Edit', () => edit(turn))];
    if (turn !== this.list.at(-1)) return made;
    made.push(button(turn.error ? 'Try again' : 'Again', () => again(turn)));
    if (turn.mode === 'continue' && turn.reply) made.push(button('Go on', () => goOn(turn)));
    return made;
  },

  /** A piece of the running turn's reply has come. */
  append(text) {
    const stay = this.atEnd();
    const shown = this.elements.get(this.running);
    shown.querySelector('.under').replaceChildren();
    shown.querySelector('.reply .text').firstChild.appendData(text);
    if (stay) this.toEnd();
  },

  atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.region;
    return scrollHeight - scrollTop - clientHeight < 40;
  },

  toEnd() {
    this.region.scrollTop = this.region.scrollHeight;
  },

  exportAll() {
    const text = JSON.stringify({ model: element('model').textContent, turns: this.list }, null, 2);
    const address = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    make('a', { href: address, download: 'ppsim-conversation.json' }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  },
};
