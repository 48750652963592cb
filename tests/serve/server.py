"""What the tests of serve share: a server with ranks that a test makes, and how to ask.

usage of each: TESTS.py SERVE-PARENT [NAME ...]     runs every test, or those named
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

LONG = 120  # seconds: longer than anything takes, on any machine
HERE = pathlib.Path(__file__).parent
JSON = {'Content-Type': 'application/json'}
# The address sanitizer keeps what is freed, and finds itself what is not.
SANITIZED = b'__asan_init' in pathlib.Path(sys.argv[1]).read_bytes()


def wait_until(condition, what):
    """Waits for what no event tells of; returns what the condition did."""
    end = time.monotonic() + LONG
    while not (result := condition()):
        assert time.monotonic() < end, f'waited in vain until {what}'
        time.sleep(0.02)
    return result


class Server:
    """serve's parent, and its made-up ranks, in a folder of their own."""

    def __init__(self, tmp, slots=8, queue=64, key=None, host='127.0.0.1', port=0, wait=True,
                 **environment):
        self.tmp, self.key = tmp, key
        self.command = [os.path.abspath(sys.argv[1]), host, str(port), str(slots), str(queue),
                        '-', sys.executable, str(HERE / 'made_ranks.py')]
        if key:
            path = tmp / 'key'
            path.write_text(key + '\n')
            path.chmod(0o600)
            self.command[5] = str(path)
        self.errors = open(tmp / 'errors', 'w+')
        self.run = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            env={**os.environ, 'TMPDIR': str(tmp), **environment})
        self.host, self.port = host, port
        if wait:
            self.serving()

    def serving(self):
        """Waits for the line that says where it serves."""
        line = self.run.stdout.readline()
        found = re.match(r'serving http://(\S+):(\d+) \(', line)
        assert found, (line, self.said())
        self.host, self.port = found[1].strip('[]'), int(found[2])
        return self

    def said(self):
        return (self.tmp / 'errors').read_text()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.run.poll() is None:
            self.run.kill()
        self.run.wait()
        self.run.stdout.close()
        self.errors.close()

    def stop(self, number=signal.SIGTERM):
        self.run.send_signal(number)
        return self.run.wait(LONG)

    def open(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=LONG)

    def headers(self, more=None):
        own = {'Authorization': f'Bearer {self.key}'} if self.key else {}
        return {**own, **(JSON if more is None else more)}

    def send(self, path, body=None, method=None, headers=None):
        """Sends a request; returns the connection, whose answer is not yet read."""
        connection = self.open()
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        connection.request(method or ('GET' if body is None else 'POST'), path, body,
                           self.headers(headers))
        return connection

    def ask(self, path, body=None, method=None, headers=None):
        """(status, headers, body: JSON where it is that)"""
        with contextlib.closing(self.send(path, body, method, headers)) as connection:
            answer = connection.getresponse()
            text = answer.read()
            if answer.headers['Content-Type'] == 'application/json' and text:
                text = json.loads(text)
            return answer.status, answer.headers, text

    def get(self, path):
        status, _, body = self.ask(path)
        assert status == 200, (path, status, body)
        return body

    def post(self, path, body, expected=200):
        status, _, answer = self.ask(path, body)
        assert status == expected, (path, body, status, answer)
        return answer

    def complete(self, prompt, **more):
        answer = self.post('/v1/completions', {'prompt': prompt, **more})
        return answer['choices'][0]['text']

    def raw(self, data):
        """Sends bytes, returns all that comes until the server closes."""
        with socket.create_connection((self.host, self.port), LONG) as client:
            client.sendall(data)
            return b''.join(iter(lambda: client.recv(1 << 16), b''))

    def config(self):
        return self.get('/config')

    def idle(self):
        """Waits until nobody has a slot and nobody waits."""
        wait_until(lambda: (lambda c: c['running'] + c['waiting'] == 0)(self.config()),
                   'all slots are free')

    def health(self):
        status, _, body = self.ask('/health')
        return status, body['status']


def stream(connection):
    """(status, the data of each event, what it all was)"""
    answer = connection.getresponse()
    text = answer.read().decode()  # bytes that are no UTF-8 would raise
    data = [event[6:] for event in text.split('\n\n') if event.startswith('data: ')]
    return answer.status, data, text


def texts(data):
    """The text of each choice of a stream's data."""
    found = {}
    for event in data:
        for choice in [] if event == '[DONE]' else json.loads(event).get('choices', []):
            piece = choice.get('text', choice.get('delta', {}).get('content', ''))
            found[choice['index']] = found.get(choice['index'], '') + piece
    return found


class Memory:
    """Bytes of a process's own: what a few hundred requests leak would hardly be seen, but
    bodies or answers that are kept would."""

    def __init__(self, pid):
        self.pid, self.before = pid, self.now(pid)

    @staticmethod
    def now(pid):
        words = pathlib.Path(f'/proc/{pid}/statm').read_text().split()
        return int(words[5]) * os.sysconf('SC_PAGESIZE')

    def check(self):
        now = self.now(self.pid)
        assert SANITIZED or now < self.before + (8 << 20), (self.before, now)


def in_threads(work, count):
    """work(i) for each i below count, at once; raises what one of them raised."""
    problems = []

    def one(i):
        try:
            work(i)
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


def run_tests(tests):
    """Runs the functions called test_ of a module's globals(), and exits."""
    names = sys.argv[2:] or [name for name in tests if name.startswith('test_')]
    failures = 0
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            try:
                tests[name](pathlib.Path(folder))
                print('ok  ', name, flush=True)
            except Exception as problem:
                failures += 1
                print('FAIL', name, f'{type(problem).__name__}: {problem}', flush=True)
                errors = pathlib.Path(folder) / 'errors'
                print(errors.read_text() if errors.exists() else '', flush=True)
    sys.exit(1 if failures or not names else 0)
