"""A server that says what a test has it say, when the test has it say so: for what a real
one cannot be brought to do at will. It serves the page that the build has made."""
import http.server
import json
import pathlib
import queue
import threading


class Scripted(http.server.ThreadingHTTPServer):
    """The server; a test changes what it is and sees what it was asked."""
    daemon_threads = True

    def __init__(self, page):
        super().__init__(('127.0.0.1', 0), Handler)
        self.page = pathlib.Path(page)
        self.health = (200, {'status': 'ok'})
        self.key = None
        self.refusals = []  # (status, body, headers) of the next requests for text
        self.asked = []  # (path, body) of all that was posted
        self.said = queue.Queue()  # what the stream under way says: see stream()
        self.batches = queue.Queue()  # what /events says
        self.left = threading.Event()  # a client has left its stream
        self.ranks = [{'rank': r, 'first_layer': 4 * r, 'layers': 4, 'parameter_bytes': 1 << 20,
                       'kv_cache_bytes': 1 << 19, 'cpuset': str(r)} for r in range(2)]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    @property
    def address(self):
        return f'http://127.0.0.1:{self.server_port}/'

    def say(self, text):
        """The stream under way goes on by this text."""
        choice = {'index': 0, 'finish_reason': None, 'text': text, 'delta': {'content': text}}
        self.said.put({'choices': [choice]})

    def end(self, finish='length', prompt=5, tokens=7):
        choice = {'index': 0, 'finish_reason': finish, 'text': '', 'delta': {}}
        self.said.put({'choices': [choice]})
        self.said.put({'choices': [],
                       'usage': {'prompt_tokens': prompt, 'completion_tokens': tokens}})
        self.said.put('[DONE]')

    def fail(self, words):
        self.said.put({'error': {'message': words}})
        self.said.put(None)

    def cut(self):
        """The stream under way ends in its middle."""
        self.said.put(None)


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {'Content-Type': 'application/json', **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def stream(self, events):
        """Each of the queue's items as an event, until None or '[DONE]'."""
        self.send_response(200)
        self.send_header('Content-Type', 'text/event-stream')
        self.end_headers()
        item = ''
        try:
            while item not in (None, '[DONE]'):
                try:
                    item = events.get(timeout=.05)
                except queue.Empty:
                    self.wfile.write(b': ping\n\n')  # tells whether somebody still listens
                    continue
                text = item if isinstance(item, str) else json.dumps(item)
                if item is not None:
                    self.wfile.write(f'data: {text}\n\n'.encode())
        except OSError:
            return False
        return True

    def allowed(self):
        key = self.server.key
        if key is None or self.headers.get('Authorization') == f'Bearer {key}':
            return True
        self.answer(401, {'error': {'message': 'an API key is needed'}})
        return False

    def do_GET(self):
        server = self.server
        if self.path == '/':
            policy = server.page.with_suffix('.csp').read_text()
            self.answer(200, server.page.read_bytes(),
                        {'Content-Type': 'text/html; charset=utf-8',
                         'Content-Security-Policy': policy})
        elif self.path == '/health':
            self.answer(*server.health)
        elif self.allowed() and self.path == '/config':
            self.answer(200, {'model': 'scripted', 'layers': 8, 'd_model': 16,
                              'context': 64, 'groups': 2, 'slots': 8, 'ranks': server.ranks})
        elif self.path == '/events':
            self.stream(server.batches)

    def do_POST(self):
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        if not self.allowed():
            return
        server.asked.append((self.path, body))
        if self.path == '/reconnect':
            server.health = (200, {'status': 'ok'})
            self.answer(202, {})
        elif server.refusals:
            self.answer(*server.refusals.pop(0))
        elif not self.stream(server.said):
            server.left.set()
