// Numbers and counts as words.

const element = (id) => document.getElementById(id);

function plural(count, noun) {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function inUnits(value, step, units) {
  let unit = 0;
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

const bytes = (count) => inUnits(count, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
const duration = (seconds) => (seconds < 1 ? inUnits(seconds * 1e6, 1000, ['µs', 'ms'])
  : `${Number(seconds.toFixed(1))} s`);
const perSecond = (rate) => `${rate < 100 ? Number(rate.toPrecision(2)) : Math.round(rate)} tokens/s`;
const percent = (share) => `${Math.round(100 * share)} %`;

/** An element with a class, a text and children. Text is only ever set as text. */
function make(tag, { name, text, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function button(text, action) {
  const made = make('button', { name: 'quiet', text, type: 'button' });
  made.addEventListener('click', action);
  return made;
}

/** A screen reader hears a text when it no longer changes: setting the same again is silent. */
function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** What a browser keeps for this page; where it refuses to, the page works without. */
const kept = {
  read(key, fallback) {
    try {
      return JSON.parse(localStorage.getItem(key)) ?? fallback;
    } catch {
      return fallback;
    }
  },
  write(key, value) {
    try {
      localStorage.setItem(key, JSON.stringify(value));
      return true;
    } catch {
      return false;
    }
  },
};
