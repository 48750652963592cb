// How to ask the server, and what its refusals mean.

/** An answer that is no success: its status (0: none came), in words. */
class Refusal extends Error {
  constructor(status, words, body) {
    super(words);
    this.status = status;
    this.body = body;
  }
}

const apiKey = {
  get() {
    try {
      return sessionStorage.getItem('ppsim.key');
    } catch {
      return this.typed;
    }
  },
  set(key) {
    this.typed = key;
    try {
      sessionStorage.setItem('ppsim.key', key);
    } catch { /* typed is what is left */ }
  },
};

function wordsOf(status, retryAfter, body) {
  const reason = body?.error?.message ?? body?.reason;
  if (status === 429) {
    return retryAfter ? `The queue is full: try again in ${retryAfter} s.`
      : 'The queue is full: try again in a moment.';
  }
  if (status === 401) return 'The server asks for an API key.';
  return reason ?? `The server answered with status ${status}.`;
}

async function refusalOf(response) {
  let body = null;
  try {
    body = await response.json();
  } catch { /* a proxy's page, say: its status is all there is */ }
  const { status } = response;
  if (status === 401) document.dispatchEvent(new Event('key-needed'));
  return new Refusal(status, wordsOf(status, response.headers.get('Retry-After'), body), body);
}

/** GET, or POST where there is a body; throws a Refusal, or an AbortError. */
async function ask(path, { body, signal } = {}) {
  const headers = {};
  if (apiKey.get()) headers.Authorization = `Bearer ${apiKey.get()}`;
  if (body) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(path, {
      method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body), signal,
      cache: 'no-store',
    });
  } catch (problem) {
    if (problem.name === 'AbortError') throw problem;
    throw new Refusal(0, 'The server does not answer. Does ‘ppsim serve’ still run?');
  }
  if (!response.ok) throw await refusalOf(response);
  return response;
}

/**
 * The events of a stream (text/event-stream), each as the text of its data. EventSource
 * cannot POST, nor send an API key, so all streams are read here.
 */
async function* eventsOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const events = (rest + value).split(/\r?\n\r?\n/);
      rest = events.pop();
      for (const event of events) {
        const data = event.split(/\r?\n/).filter((line) => line.startsWith('data:'))
          .map((line) => line.slice(5).trimStart());
        if (data.length) yield data.join('\n');
      }
    }
  } catch (problem) {
    if (problem.name === 'AbortError') throw problem;
    throw new Refusal(0, 'The connection broke off.');
  } finally {
    reader.cancel().catch(() => {});
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
