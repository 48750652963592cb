// What a screen reader hears of a text that streams: whole sentences, as they end.

const spoken = {
  log: element('spoken'),
  rest: '',

  begin() {
    this.log.replaceChildren();
    this.rest = '';
  },

  hear(text) {
    this.rest += text;
    // A sentence, a line, or as many words as one can bear at once.
    const ended = /^[^]*(?:[.!?…:;]\s|\n|[^]{200}\s)/.exec(this.rest);
    if (!ended) return;
    this.say(ended[0]);
    this.rest = this.rest.slice(ended[0].length);
  },

  end(last = '') {
    this.say(this.rest);
    this.say(last);
    this.rest = '';
  },

  say(text) {
    if (text.trim()) this.log.append(make('p', { text: text.trim() }));
  },
};
