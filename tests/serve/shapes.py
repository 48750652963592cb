"""What each endpoint of serve takes and answers."""
import json

from server import Server, run_tests, stream, texts

OPENAI = '/v1/completions', '/v1/chat/completions'


def test_completions(tmp):
    with Server(tmp) as server:
        answer = server.post('/v1/completions', {'prompt': 'ab', 'max_tokens': 5})
        assert answer['object'] == 'text_completion' and answer['id'].startswith('cmpl-')
        assert answer['model'] == 'made "up"' and answer['created'] > 1e9
        assert answer['choices'] == [
            {'index': 0, 'text': 'ababa', 'logprobs': None, 'finish_reason': 'length'}]
        assert answer['usage'] == {
            'prompt_tokens': 2, 'completion_tokens': 5, 'total_tokens': 7}
        # Tokens, several prompts, several choices of each: prompt by prompt.
        assert server.complete([104, 105], max_tokens=3) == 'hih'
        for prompts in ['ab', 'cd'], [[97, 98], [99, 100]]:
            answer = server.post('/v1/completions',
                                 {'prompt': prompts, 'max_tokens': 3, 'n': 2})
            found = [(c['index'], c['text']) for c in answer['choices']]
            assert found == [(0, 'aba'), (1, 'aba'), (2, 'cdc'), (3, 'cdc')], found
            assert answer['usage']['prompt_tokens'] == 4
        # 16 tokens where nobody says; as many as the context holds where that is less.
        assert len(server.complete('x')) == 16
        assert len(server.complete('x' * 500, max_tokens=100)) == 13
        assert len(server.complete('x' * 512, max_tokens=100)) == 1
        assert server.complete('xyz', max_tokens=9, stop='yz') == 'x'
        assert server.complete('abcd', max_tokens=9, stop=['zz', 'da']) == 'abc'
        answer = server.post('/v1/completions', {'prompt': '!end', 'max_tokens': 9})
        assert answer['choices'][0]['finish_reason'] == 'stop'
        # What other clients send that asks for nothing.
        server.post('/v1/completions', {
            'prompt': 'x', 'model': 'whatever', 'best_of': 1, 'echo': False, 'logprobs': None,
            'presence_penalty': 0.0, 'frequency_penalty': 0, 'logit_bias': {}, 'user': 'me',
            'temperature': 0, 'top_p': 1, 'top_k': -1, 'seed': 5, 'suffix': None})


def test_chat(tmp):
    with Server(tmp) as server:
        answer = server.post('/v1/chat/completions', {
            'messages': [{'role': 'user', 'content': 'ab'}], 'max_completion_tokens': 3})
        assert answer['object'] == 'chat.completion' and answer['id'].startswith('chatcmpl-')
        assert answer['choices'] == [
            {'index': 0, 'message': {'role': 'assistant', 'content': 'aba'},
             'finish_reason': 'length'}]
        # Bytes have no end token: turns are lines. Parts of a turn are one text.
        answer = server.post('/v1/chat/completions', {
            'messages': [
                {'role': 'system', 'content': 'a'}, {'role': 'user', 'content': 'b'},
                {'role': 'assistant', 'content': 'c'},
                {'role': 'user', 'content': [{'type': 'text', 'text': 'd'},
                                             {'type': 'text', 'text': 'e'}]}],
            'max_tokens': 8})
        assert answer['choices'][0]['message']['content'] == 'a\nb\nc\nde'
        # Without a number: to the end of the context.
        answer = server.post('/v1/chat/completions',
                             {'messages': [{'role': 'user', 'content': 'a' * 510}]})
        assert answer['usage']['completion_tokens'] == 3


def test_turns_of_a_tokenizer_with_an_end(tmp):
    # The bytes' tokens begin at '!' in the order of GPT-2's alphabet; 256 ends a text,
    # and the made-up ranks' model has no such token: they are asked for it by name.
    (tmp / 'merges.txt').write_text('#version: 0.2\n')
    with Server(tmp, TOKENIZER=str(tmp)) as server:
        turns = [{'role': 'user', 'content': 'a'}, {'role': 'user', 'content': 'b'}]
        answer = server.post('/v1/chat/completions', {'messages': turns}, 400)
        assert 'token 256 is none of the model' in answer['error']['message'], answer
        server.post('/v1/chat/completions', {'messages': turns[:1], 'max_tokens': 1})


def test_plain_chat(tmp):
    with Server(tmp) as server:
        answer = server.post('/chat', {'text': 'ab', 'max_tokens': 3})
        assert answer['text'] == 'aba' and answer['finish_reason'] == 'length'
        for strategy in 'greedy', 'sample', 'top_k', 'top_p':
            server.post('/chat', {'text': 'a', 'max_tokens': 1, 'temperature': 0.5, 'top_k': 5,
                                  'top_p': 0.9, 'decoding_strategy': strategy})
        status, data, _ = stream(server.send('/chat', {'text': 'ab', 'max_tokens': 3,
                                                       'stream': True}))
        *pieces, last, done = data
        assert status == 200 and done == '[DONE]'
        assert ''.join(json.loads(piece)['text'] for piece in pieces) == 'aba'
        assert json.loads(last)['finish_reason'] == 'length'
        assert json.loads(last)['usage']['completion_tokens'] == 3


def test_streams(tmp):
    text = 'é€😀 "\\\n\x00'
    with Server(tmp) as server:
        whole = {'prompt': text, 'max_tokens': 3 * len(text.encode()), 'stream': True}
        status, data, raw = stream(server.send('/v1/completions', whole))
        *chunks, done = data
        assert status == 200 and done == '[DONE]' and raw.endswith('data: [DONE]\n\n')
        assert texts(data) == {0: 3 * text}
        # No piece holds a part of a character: the text does not stand in one either.
        chunks = [json.loads(chunk) for chunk in chunks]
        assert len(chunks) > len(text) and '�' not in raw
        assert len({chunk['id'] for chunk in chunks}) == 1
        assert chunks[-1]['choices'][0]['finish_reason'] == 'length'
        assert chunks[-1]['usage']['prompt_tokens'] == len(text.encode())
        assert all(c['choices'][0]['finish_reason'] is None for c in chunks[:-1])
        # A character that the answer ends within is not one.
        cut = {'prompt': '€', 'max_tokens': 4, 'stream': True}
        assert texts(stream(server.send('/v1/completions', cut))[1]) == {0: '€�'}
        chat = {'messages': [{'role': 'user', 'content': 'ab'}], 'max_tokens': 2, 'n': 2,
                'stream': True}
        for options, apart in ({}, 0), ({'include_usage': True}, 1), ({'include_usage': False}, 2):
            *chunks, done = stream(server.send(
                '/v1/chat/completions', {**chat, 'stream_options': options}))[1]
            chunks = [json.loads(chunk) for chunk in chunks]
            assert texts(map(json.dumps, chunks)) == {0: 'ab', 1: 'ab'}
            roles = [c['choices'][0]['delta'].get('role') for c in chunks if c['choices']]
            assert roles.count('assistant') == 2 and roles[0] == 'assistant'
            figures = [chunk.get('usage') for chunk in chunks]
            assert [f for f in figures if f] == ([figures[-1]] if apart < 2 else []), figures
            assert (chunks[-1]['choices'] == []) == (apart == 1)
            assert all(c['object'] == 'chat.completion.chunk' for c in chunks)


def test_what_is_refused(tmp):
    with Server(tmp) as server:
        def refused(path, body, *words, param=None, code=None):
            error = server.post(path, body, 400)['error']
            assert error['type'] == 'invalid_request_error', error
            assert error['param'] == param and error['code'] == code, error
            for word in words:
                assert word in error['message'], (word, error)

        text = {'prompt': 'x'}
        refused('/v1/completions', 'not json', 'not JSON', 'line 1')
        refused('/v1/completions', '[]', 'object')
        refused('/v1/completions', '', 'not JSON')
        refused('/v1/completions', '{"prompt":"x","prompt":"y"}', 'prompt')
        refused('/v1/completions', {}, "'prompt' is missing", param='prompt')
        refused('/v1/chat/completions', {}, "'messages' is missing", param='messages')
        refused('/chat', {}, "'text' is missing", param='text')
        for name, value, words in [
                ('logprobs', 3, 'not supported'), ('echo', True, 'not supported'),
                ('best_of', 2, 'not supported'), ('suffix', 'x', 'not supported'),
                ('logit_bias', {'5': 1}, 'not supported'), ('wishes', 1, 'not supported'),
                ('presence_penalty', 0.5, 'not supported'), ('messages', [], 'not supported'),
                ('temperature', -1, '0 to'), ('temperature', 'hot', '0 to'),
                ('top_p', 1.5, '0 to 1'), ('top_k', 1.5, 'whole'), ('n', 0, '1 to 128'),
                ('n', 1000000, '1 to 128'), ('max_tokens', 0, '1 to'), ('max_tokens', '3', '1 to'),
                ('seed', 0.5, 'whole'), ('stop', '', 'empty'), ('stop', ['x'] * 17, 'at most 16'),
                ('stop', ['a\x00b'], 'zero byte'),
                ('stream', 1, 'true or false'), ('stream_options', [], 'object'),
                ('stream_options', {'x': 1}, 'stream_options.x'), ('model', 5, 'text')]:
            refused('/v1/completions', {**text, name: value}, f"'{name}", words, param=name)
        for prompt in 5, {}, [], [''] * 129, ['a', 5], [[1], 'a'], [5, 'a'], [-1], [0.5], [{}]:
            refused('/v1/completions', {'prompt': prompt}, "'prompt'", param='prompt')
        refused('/v1/completions', {'prompt': ['a', 'b'], 'n': 100}, 'sequences', param='n')
        refused('/v1/completions', {'prompt': [256]}, 'token 256', param='prompt')
        refused('/v1/completions', {'prompt': ''}, 'empty', param='prompt')
        long = dict(param='prompt', code='context_length_exceeded')
        refused('/v1/completions', {'prompt': 'x' * 513}, '513 tokens', 'context', **long)
        for message, words in [
                ('hi', 'role'), ({'content': 'x'}, 'role'), ({'role': 'user'}, 'content'),
                ({'role': 'tool', 'content': 'x'}, "'tool'"),
                ({'role': 'user', 'content': 'x', 'tool_calls': [1]}, 'tool_calls'),
                ({'role': 'user', 'content': [{'type': 'image_url'}]}, 'image_url'),
                ({'role': 'user', 'content': [{'type': 'text'}]}, "'text'")]:
            refused('/v1/chat/completions', {'messages': [message]}, words, param='messages')
        refused('/v1/chat/completions', {'messages': [{'role': 'user', 'content': 'x'}],
                                         'tools': [{}]}, "'tools'", param='tools')
        refused('/chat', {'text': 'x', 'decoding_strategy': 'beam'}, 'greedy',
                param='decoding_strategy')
        refused('/chat', {'text': 'x', 'decoding_strategy': 'top_k'}, "'top_k'",
                param='decoding_strategy')
        refused('/chat', {'text': 'x', 'n': 2}, "'n'", param='n')
        assert server.complete('fine', max_tokens=4) == 'fine'


def test_what_can_be_read(tmp):
    with Server(tmp, slots=3, queue=5) as server:
        assert server.health() == (200, 'ready')
        config = server.config()
        assert config['model'] == 'made "up"' and config['context'] == 512
        assert config['slots'] == 3 and config['queue'] == 5 and config['groups'] == 2
        assert [(r['first_layer'], r['layers'], r['parameter_bytes'], r['kv_cache_bytes'])
                for r in config['ranks']] == [(0, 2, 1000, 500), (2, 2, 1000, 500)]
        models = server.get('/v1/models')
        assert models['object'] == 'list' and models['data'][0]['id'] == 'made "up"'
        status, headers, page = server.ask('/')
        assert status == 200 and page.startswith(b'<!doctype html>')
        assert headers['Content-Type'] == 'text/html; charset=utf-8'
        assert "default-src 'none'" in headers['Content-Security-Policy']
        for path in '/', '/health', '/config', '/nothing':
            headers = server.ask(path)[1]
            assert headers['X-Content-Type-Options'] == 'nosniff', path
            assert headers['X-Frame-Options'] == 'DENY', path
            assert headers['Cache-Control'] == 'no-store', path
            assert not [name for name in headers if name.startswith('Access-Control')]


def test_metrics(tmp):
    with Server(tmp) as server:
        server.complete('abc', max_tokens=5)
        server.complete('abc', max_tokens=9, stop='ca')
        found = {}
        for line in server.get('/metrics').decode().splitlines():
            if not line.startswith('#'):
                name, value = line.rsplit(' ', 1)
                found[name] = float(value)
        label = 'model_name="made \\"up\\""'
        assert 0 <= found[f'ppsim:slots_used{{{label}}}'] <= 1
        # A part of the cache's blocks, which the parent does not know.
        assert f'vllm:kv_cache_usage_perc{{{label}}}' not in found
        assert found[f'vllm:prompt_tokens_total{{{label}}}'] == 6
        assert found[f'vllm:generation_tokens_total{{{label}}}'] == 9
        for how, count in ('stop', 1), ('length', 1), ('abort', 0):
            assert found[f'vllm:request_success_total{{{label},finished_reason="{how}"}}'] == count
        for name in ('time_to_first_token', 'e2e_request_latency', 'request_queue_time',
                     'request_prefill_time', 'request_decode_time', 'inter_token_latency'):
            buckets = [value for key, value in found.items()
                       if key.startswith(f'vllm:{name}_seconds_bucket')]
            count = found[f'vllm:{name}_seconds_count{{{label}}}']
            assert buckets == sorted(buckets) and buckets[-1] == count, name
            assert count == (7 if name == 'inter_token_latency' else 2), (name, count)


def test_events(tmp):
    with Server(tmp) as server:
        listener = server.send('/events')
        answer = listener.getresponse()
        assert answer.headers['Content-Type'] == 'text/event-stream'
        server.complete('abc', max_tokens=3)
        events = []
        while len(events) < 4:
            line = answer.readline().decode()
            if line.startswith('data: '):
                events.append(json.loads(line[6:]))
        assert events[0] == {'state': {'status': 'ready'}}
        for event in events[1:]:
            assert event['batch']['ids'] == [1] and len(event['batch']['spans']) == 2
        listener.close()


if __name__ == '__main__':
    run_tests(globals())
