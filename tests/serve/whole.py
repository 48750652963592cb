"""The whole: ppsim serve with ranks that compute.

usage: whole.py PPSIM [NAME ...]     runs every test, or those named
"""
import contextlib
import functools
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile

import server
from server import LONG, Memory, in_threads, run_tests, stream, texts, wait_until

PPSIM = os.path.abspath(sys.argv[1])
PROMPTS = ['The ', 'ranks', 'a', 'Once upon a time there was', '\n\n', '42 is', 'pipeline p', 'é']
CONTEXT = 64


def run(*arguments, **options):
    done = subprocess.run([PPSIM, *arguments], capture_output=True, timeout=LONG, **options)
    assert done.returncode == 0, done
    return done.stdout


class Server(server.Server):
    """`ppsim serve`, of the model."""

    def __init__(self, tmp, *options, **environment):
        self.tmp, self.key, self.host = tmp, None, '127.0.0.1'
        self.command = [PPSIM, 'serve', '--port', '0', '--load', model(), *options]
        self.errors = open(tmp / 'errors', 'w+')
        self.run = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            env={**os.environ, 'TMPDIR': str(tmp), **environment})
        self.serving()

    def ranks(self):
        """The processes of the ranks, by rank."""
        return [rank['pid'] for rank in self.config()['ranks']]


FOLDER = tempfile.TemporaryDirectory()


@functools.cache
def model():
    """The path of a model that has learnt enough not to say one letter again and again."""
    folder = pathlib.Path(FOLDER.name)
    (folder / 'data').write_text('pipeline ranks work on the sequences of a batch in turn; ' * 40)
    run('--layers', '3', '--d-model', '32', '--heads', '2', '--seq-len', str(CONTEXT),
        '--ranks', '1', '--microbatches', '2', '--steps', '200', '--warmup-steps', '1',
        '--lr', '0.01', '--quiet', '--data', str(folder / 'data'),
        '--save', str(folder / 'model.safetensors'))
    return str(folder / 'model.safetensors')


def generated(prompt, count, *options):
    """What `ppsim generate` makes of it, in characters."""
    made = run('generate', '--load', model(), '--quiet', '--ranks', '1',
               '--prompt', prompt, '--max-tokens', str(count), *options)
    return made.decode(errors='replace')


def test_the_same_tokens_as_generate(tmp):
    """Streamed or not, alone or beside others, greedy or drawn, on any number of ranks."""
    count = 20
    greedy = {prompt: generated(prompt, count) for prompt in PROMPTS}
    drawn = {prompt: generated(prompt, count, '--temperature', '0.8', '--top-k', '40',
                               '--top-p', '0.9', '--seed', '7') for prompt in PROMPTS}
    assert greedy != drawn and max(len(set(text)) for text in greedy.values()) > 5, greedy
    longest = {length: generated('x' * length, 60) for length in (60, CONTEXT)}
    sampling = {'temperature': 0.8, 'top_k': 40, 'top_p': 0.9, 'seed': 7}
    for options in ['--ranks', '1'], ['--ranks', '3', '--groups', '2', '--prefill-chunk', '3']:
        with Server(tmp, *options, '--slots', '3') as served:
            def ask(i):
                prompt = PROMPTS[i % len(PROMPTS)]
                body = {'prompt': prompt, 'max_tokens': count}
                assert served.complete(prompt, max_tokens=count, temperature=0) == greedy[prompt]
                assert served.complete(prompt, max_tokens=count, **sampling) == drawn[prompt]
                found = stream(served.send('/v1/completions',
                                           {**body, **sampling, 'stream': True}))
                assert texts(found[1]) == {0: drawn[prompt]}, prompt
            in_threads(ask, 8)
            # The sequences of a request are drawn apart, and each the same every time.
            several = [served.post('/v1/completions', {
                'prompt': 'The ', 'n': 3, 'max_tokens': count, **sampling}) for _ in range(2)]
            several = [[c['text'] for c in answer['choices']] for answer in several]
            assert several[0] == several[1] and several[0][0] == drawn['The ']
            assert len(set(several[0])) == 3
            config = served.config()
            assert sum(rank['layers'] for rank in config['ranks']) == config['layers'] == 3
            assert all(rank['kv_cache_bytes'] > 0 for rank in config['ranks'])
            # Where the context ends, so do both.
            for length in longest:
                answer = served.post('/v1/completions', {
                    'prompt': 'x' * length, 'max_tokens': 60, 'temperature': 0})
                assert answer['choices'][0]['text'] == longest[length], length
                assert answer['choices'][0]['finish_reason'] == 'length'
                assert answer['usage']['total_tokens'] == CONTEXT + 1
            assert served.stop() == 0, served.said()
        assert not list(tmp.glob('ppsim-*')), 'a folder was left behind'


def test_a_thousand_requests(tmp):
    """64 clients at once, a tenth of which leave in the middle, and a rank that is killed
    once: no answer is wrong, no slot stays taken."""
    most = 30
    right = {prompt: generated(prompt, most) for prompt in PROMPTS}
    draw = random.Random(11)
    plans = [(draw.choice(PROMPTS), draw.randint(1, most), draw.random() < 0.1,
              draw.random() < 0.5) for _ in range(1000)]
    lost = []
    with Server(tmp, '--ranks', '2', '--queue', '500') as served:
        def one(prompt, count, leaves, streams):
            connection = served.send('/v1/completions', {
                'prompt': prompt, 'max_tokens': count, 'temperature': 0, 'stream': streams})
            with contextlib.closing(connection):
                if leaves:
                    connection.sock.close()
                    return
                if streams:
                    status, data, _ = stream(connection)
                    failed = status != 200 or data[-1] != '[DONE]'
                    text = texts(data).get(0, '')
                else:
                    answer = connection.getresponse()
                    failed = answer.status != 200
                    body = json.loads(answer.read())
                    text = '' if failed else body['choices'][0]['text']
                if failed:
                    lost.append(prompt)
                # What ends within a character ends in its replacement.
                assert right[prompt].startswith(text.rstrip('�')), (prompt, text, right[prompt])
                assert failed or count < most or text == right[prompt], (prompt, text)

        def work(share, i):
            for plan in share[i::64]:
                one(*plan)

        in_threads(functools.partial(work, plans[:500]), 64)
        assert not lost
        served.idle()
        memory = Memory(served.run.pid)
        victim = served.ranks()[1]

        def with_a_death(i):
            """Until somebody notices."""
            while i < 64 and not lost:
                work(plans[500:750], i)
            if i == 64:
                wait_until(lambda: served.config()['running'] > 0, 'there is work')
                os.kill(victim, signal.SIGKILL)

        in_threads(with_a_death, 65)
        assert lost, 'nobody noticed'
        assert served.health() == (503, 'dead')
        wait_until(lambda: 'SIGKILL' in served.ask('/health')[2]['reason'], 'it says why')
        assert served.ask('/reconnect', '{}')[0] == 202
        served.serving()
        lost.clear()
        in_threads(functools.partial(work, plans[750:]), 64)
        assert not lost
        served.idle()
        memory.check()
        assert served.stop() == 0, served.said()


def test_who_leaves_frees_a_slot(tmp):
    """Whether it waits, its prompt is read, or it hears its answer."""
    with Server(tmp, '--ranks', '2', '--slots', '1', '--prefill-chunk', '1') as served:
        for streams in False, True:
            body = {'prompt': 'x' * 40, 'max_tokens': 20, 'temperature': 0, 'stream': streams}
            clients = [served.send('/v1/completions', body) for _ in range(6)]
            for client in clients[:-1]:
                client.sock.close()
                client.close()
            answer = clients[-1].getresponse()
            assert answer.status == 200 and b'length' in answer.read()
            served.idle()


def test_a_rank_that_is_stopped_is_seen(tmp):
    with Server(tmp, '--ranks', '2', '--timeout', '5') as served:
        asked = served.send('/v1/completions', {'prompt': 'x', 'max_tokens': 1})
        assert asked.getresponse().status == 200
        os.kill(served.ranks()[1], signal.SIGSTOP)
        status = served.ask('/v1/completions', {'prompt': 'x', 'max_tokens': 9})[0]
        assert status == 503
        wait_until(lambda: 'rank 1 was stopped' in served.ask('/health')[2]['reason'],
                   'it says why')


def test_a_parent_that_is_killed_leaves_nothing(tmp):
    for asked in False, True:
        with Server(tmp, '--ranks', '2') as served:
            ranks = served.ranks()
            if asked:
                client = served.send('/v1/completions', {'prompt': 'x', 'max_tokens': 63})
            served.stop(signal.SIGKILL)
            wait_until(lambda: not any(os.path.exists(f'/proc/{rank}') for rank in ranks),
                       'the ranks have ended')
            wait_until(lambda: not list(tmp.glob('ppsim-*')), 'their folders are removed')
            if asked:
                client.close()


def test_what_cannot_be_served(tmp):
    path = model()

    def refused(status, *arguments, words=()):
        done = subprocess.run([PPSIM, 'serve', '--port', '0', *arguments], capture_output=True,
                              text=True, timeout=LONG)
        assert done.returncode == status and done.stdout == '', done
        for word in words:
            assert word in done.stderr, done.stderr
        assert done.stderr.startswith('ppsim: ') and done.stderr.count('\n') == 1, done.stderr

    refused(2, words=['--load'])
    refused(2, '--load', str(tmp / 'none.safetensors'), words=['none.safetensors'])
    refused(2, '--load', path, '--host', '0.0.0.0', words=['--api-key-file'])
    refused(2, '--load', path, '--host', 'no such host', words=['--host'])
    refused(2, '--load', path, '--turns', 'joined', words=['--turns', 'end token'])
    refused(2, '--load', path, '--port', '70000', words=['--port'])
    refused(2, '--load', path, '--tokenizer', str(tmp), words=['tokenizer.json'])
    refused(2, '--load', path, '--ranks', '9', words=['--ranks', 'at most 3'])
    with Server(tmp, '--ranks', '1') as served:
        refused(4, '--load', path, '--port', str(served.port), words=[str(served.port), 'in use'])


if __name__ == '__main__':
    run_tests(globals())
