// One request for text, from what is sent to what it took.

/**
 * A turn is what the user wrote and what the model made of it:
 * { mode: 'chat' | 'continue', prompt, reply, finish, error, figures, leftOut }.
 */
function bodyOf(turn, earlier, parameters) {
  const common = { stream: true, stream_options: { include_usage: true }, ...parameters };
  if (turn.mode === 'continue') return { prompt: turn.prompt + turn.reply, ...common };
  const messages = earlier.slice(turn.leftOut).flatMap(({ prompt, reply }) => [
    { role: 'user', content: prompt }, { role: 'assistant', content: reply },
  ]);
  return { messages: [...messages, { role: 'user', content: turn.prompt }], ...common };
}

/**
 * Opens the stream. Where the context cannot hold all earlier turns, the oldest are left
 * out until the rest fits: turn.leftOut counts them, for the user to see.
 */
async function openStream(turn, earlier, parameters, signal) {
  const path = turn.mode === 'chat' ? '/v1/chat/completions' : '/v1/completions';
  for (;;) {
    try {
      return await ask(path, { body: bodyOf(turn, earlier, parameters), signal });
    } catch (problem) {
      const tooLong = problem.body?.error?.code === 'context_length_exceeded';
      if (!tooLong || turn.mode !== 'chat' || turn.leftOut >= earlier.length) throw problem;
      turn.leftOut++;
    }
  }
}

/** Runs a turn to its end: hear(text) gets each piece. Throws a Refusal or an AbortError. */
async function runTurn(turn, earlier, parameters, signal, hear) {
  const started = performance.now();
  const since = () => (performance.now() - started) / 1000;
  turn.figures = { most: parameters.max_tokens };
  const response = await openStream(turn, earlier, parameters, signal);
  for await (const data of eventsOf(response)) {
    signal.throwIfAborted();
    if (data === '[DONE]') return;
    const { choices, usage, error } = JSON.parse(data);
    if (error) throw new Refusal(503, error.message, { error });
    const choice = choices?.[0];
    const text = choice?.delta?.content ?? choice?.text ?? '';
    if (text) {
      turn.figures.first ??= since();
      turn.figures.seconds = since();
      turn.reply += text;
      hear(text);
    }
    if (choice?.finish_reason) turn.finish = choice.finish_reason;
    if (usage) {
      turn.figures.prompt = usage.prompt_tokens;
      turn.figures.tokens = usage.completion_tokens;
    }
  }
  throw new Refusal(0, 'The stream broke off before its end.');
}

/** How a turn ended and what it took, in words. */
function figuresOf({ finish, figures = {}, leftOut }) {
  const { most, first, seconds, prompt, tokens } = figures;
  const ends = {
    length: tokens < most ? 'the context is full' : 'most tokens reached',
    stop: 'ended by itself', stopped: 'stopped by you', interrupted: 'interrupted',
  };
  const said = [];
  if (ends[finish]) said.push(ends[finish]);
  if (tokens) {
    said.push(`${plural(tokens, 'token')} in ${duration(seconds ?? 0)}`
      + (seconds > 0 ? `, ${perSecond(tokens / seconds)}` : ''));
  }
  if (first) said.push(`first after ${duration(first)}`);
  if (prompt !== undefined) said.push(`${plural(prompt, 'prompt token')}`);
  if (leftOut) said.push(`${plural(leftOut, 'earlier turn')} left out: the context holds no more`);
  return said.join(' · ');
}
