// The sampling parameters: kept in the browser, and as a request has them.

const settings = {
  form: element('settings'),
  fields: ['max_tokens', 'decode', 'temperature', 'top_k', 'top_p', 'seed', 'stop_at'],

  start() {
    const saved = kept.read('ppsim.settings', {});
    for (const name of this.fields) if (name in saved) element(name).value = saved[name];
    this.form.addEventListener('input', () => this.changed());
    this.form.addEventListener('reset', () => setTimeout(() => this.changed()));
    this.form.addEventListener('submit', (event) => event.preventDefault());
    this.changed();
  },

  changed() {
    const greedy = element('decode').value === 'greedy';
    for (const name of ['temperature', 'top_k', 'top_p', 'seed']) element(name).disabled = greedy;
    kept.write('ppsim.settings',
      Object.fromEntries(this.fields.map((name) => [name, element(name).value])));
  },

  /** The parameters of a request, or null where a field is wrong: the browser says which. */
  read() {
    if (!this.form.checkValidity()) {
      this.form.closest('details').open = true;
      this.form.reportValidity();
      return null;
    }
    const number = (name) => element(name).valueAsNumber;
    const parameters = { max_tokens: number('max_tokens') };
    if (element('decode').value === 'greedy') {
      parameters.temperature = 0;
    } else {
      parameters.temperature = number('temperature');
      parameters.top_p = number('top_p');
      if (element('top_k').value) parameters.top_k = number('top_k');
      if (element('seed').value) parameters.seed = number('seed');
    }
    const stop = element('stop_at').value.split('\n').filter((line) => line)
      .map((line) => line.replaceAll('\\n', '\n'));
    if (stop.length) parameters.stop = stop;
    return parameters;
  },
};
