"""Ranks that a test makes: rank 0's end of the link (src/serve/link_source.h), without a
model. A sequence's tokens are those of its prompt, again and again. A prompt that begins
with '!' says what is to happen:

    !die     the process kills itself        !hang    nothing more is ever said
    !mute    the sequence gets no token      !end     the end comes with the first token

Environment: PAUSE, seconds between batches (0.01); LOADING, a file: while it is there, the
ranks load.
"""
import json
import os
import pathlib
import select
import signal
import socket
import sys
import time

CONTEXT, SLOTS = 512, 8


class Ranks:
    def __init__(self):
        self.link = socket.socket(socket.AF_UNIX)
        self.link.connect(os.environ['PPSIM_SERVE_SOCKET'])
        self.pause = float(os.environ.get('PAUSE', '0.01'))
        self.running, self.joins, self.drained, self.rest, self.batches = {}, [], False, b'', 0

    def say(self, *messages):
        self.link.sendall(b''.join(json.dumps(m).encode() + b'\n' for m in messages))

    def ready(self):
        other = pathlib.Path(os.environ.get('VOCAB', '/none'))
        vocab = int(other.read_text()) if other.exists() else 256
        self.say({'ready': {
            'layers': 4, 'd_model': 16, 'heads': 2, 'vocab': vocab, 'context': CONTEXT,
            'groups': 2, 'slots': SLOTS, 'prefill_chunk': 64, 'clock': 'wall',
            'ranks': [{'rank': r, 'first_layer': 2 * r, 'layers': 2, 'parameter_bytes': 1000,
                       'kv_cache_bytes': 500, 'cpuset': str(r), 'host': 'here'}
                      for r in range(2)]}})

    def listen(self, seconds):
        if not select.select([self.link], [], [], seconds)[0]:
            return
        piece = self.link.recv(1 << 16)
        if not piece:
            sys.exit(0)
        *lines, self.rest = (self.rest + piece).split(b'\n')
        for line in lines:
            message = json.loads(line)
            if 'join' in message:
                self.join(message)
            elif 'cancel' in message and self.running.pop(message['cancel'], None):
                self.say({'gone': message['cancel']})
            self.drained = self.drained or 'drain' in message

    def join(self, message):
        prompt = bytes(message['prompt'])
        assert len(self.running) < SLOTS, 'more sequences than slots'
        if prompt.startswith(b'!die'):
            print('ppsim: rank 0 was killed by SIGKILL', file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        if prompt.startswith(b'!hang'):
            time.sleep(1000)
        self.running[message['join']] = dict(message, given=0, prompt=prompt)

    def batch(self):
        ids, said, now = [], [], time.monotonic()
        for number, sequence in list(self.running.items()):
            prompt, given = sequence['prompt'], sequence['given']
            if prompt.startswith(b'!mute'):
                continue
            ids.append(number)
            sequence['given'] += 1
            last = sequence['given'] == sequence['max_tokens']
            ends = prompt.startswith(b'!end')
            finish = {'finish': 'end' if ends else 'length'} if last or ends else {}
            said.append({'token': number, 'value': prompt[given % len(prompt)],
                         'last': last or ends, **finish})
            if last or ends:
                del self.running[number]
        if ids:
            spans = [[now, now + 0.001], [now + 0.001, now + 0.002]]
            self.say(*said, {'batch': {'n': self.batches, 'class': 'decode', 'group': 0,
                                       'rows': len(ids), 'ids': ids, 'spans': spans}})
            self.batches += 1


def main():
    ranks = Ranks()
    loading = os.environ.get('LOADING')
    while loading and pathlib.Path(loading).exists():
        time.sleep(0.02)
    ranks.ready()
    while not ranks.drained or ranks.running:
        ranks.listen(ranks.pause if ranks.running else 0.1)
        ranks.batch()


if __name__ == '__main__':
    main()
