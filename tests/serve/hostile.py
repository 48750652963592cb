"""Requests that nobody who means well sends, and keys."""
import socket
import subprocess

from server import JSON, LONG, Server, run_tests, wait_until

KEY = 'a-key-of-some-length'
BODY = '{"prompt":"ab","max_tokens":2}'


def request(host, path='/health', more='', method='GET'):
    return f'{method} {path} HTTP/1.1\r\n{host}{more}Connection: close\r\n\r\n'.encode()


def status_of(answer):
    return int(answer.split(b' ', 2)[1])


def test_another_sites_name_is_refused(tmp):
    with Server(tmp) as server:
        for name in 'localhost', '127.0.0.1', '[::1]', 'LocalHost':
            for port in '', f':{server.port}', ':80':
                assert status_of(server.raw(request(f'Host: {name}{port}\r\n'))) == 200, name
        for name in ('', 'evil.example', '127.0.0.1.evil.example', 'localhost.evil', 'xlocalhost',
                     'localhost:x', 'localhost:', '127.0.0.1:80:80', '127.0.0.2', '::1', '0'):
            answer = server.raw(request(f'Host: {name}\r\n'))
            assert status_of(answer) in (400, 403), (name, answer)
        for header in '', 'Host: localhost\r\nHost: evil.example\r\n':
            assert status_of(server.raw(request(header))) in (400, 403), header
        old = b'GET /health HTTP/1.0\r\n\r\n'
        assert status_of(server.raw(old)) == 403


def test_only_json_is_taken(tmp):
    with Server(tmp) as server:
        for kind, expected in [('application/json', 200), ('Application/JSON; charset=utf-8', 200),
                               ('text/plain', 415), ('application/jsonx', 415), ('', 415),
                               ('application/x-www-form-urlencoded', 415),
                               ('multipart/form-data; boundary=x', 415)]:
            for path in '/v1/completions', '/reconnect':
                if (path, expected) == ('/reconnect', 200):
                    continue
                status = server.ask(path, BODY, headers={'Content-Type': kind})[0]
                assert status == expected, (kind, path, status)
        assert server.ask('/reconnect', '', headers={})[0] == 415
        assert server.health() == (200, 'ready')


def test_routes_are_these_alone(tmp):
    with Server(tmp) as server:
        for path in '/nothing', '/../etc/passwd', '/v1', '/health/', '//', '/%00', '/page.html':
            assert server.ask(path)[0] == 404, path
        for path, method, allowed in [('/health', 'POST', 'GET'), ('/chat', 'GET', 'POST'),
                                      ('/v1/completions', 'OPTIONS', 'POST'),
                                      ('/', 'DELETE', 'GET'), ('/config', 'PUT', 'GET')]:
            status, headers, _ = server.ask(path, method=method)
            assert status == 405 and headers['Allow'] == allowed, (path, status)
        status, headers, body = server.ask('/health', method='HEAD')
        assert status == 200 and body == b'' and headers['Content-Length'] != '0'
        assert server.ask('/health?x=1#y')[0] == 200


def test_a_body_too_long_is_refused(tmp):
    with Server(tmp) as server:
        def padded(size):
            return BODY[:-1] + ' ' * (size - len(BODY)) + '}'

        assert server.ask('/v1/completions', padded(1 << 20))[0] == 200
        assert server.ask('/v1/completions', padded((1 << 20) + 1))[0] == 413
        # In pieces, without saying how much.
        piece = b'10000\r\n' + b' ' * 0x10000 + b'\r\n'
        head = request('Host: localhost\r\n', '/v1/completions', method='POST', more=(
            'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n'))
        assert status_of(server.raw(head + 17 * piece + b'0\r\n\r\n')) == 413
        # Who asks first need not send it.
        head = request('Host: localhost\r\n', '/v1/completions', method='POST', more=(
            'Content-Type: application/json\r\nContent-Length: 99999999\r\n'
            'Expect: 100-continue\r\n'))
        assert status_of(server.raw(head)) == 413
        server.idle()


def test_nonsense_does_no_harm(tmp):
    with Server(tmp) as server:
        deep = '{"prompt":' + '[' * 100000 + ']' * 100000 + '}'
        for body in (deep, '{"prompt":"' + '\\u0000' * 10 + '"}', '{"prompt":"\\ud800"}',
                     b'{"prompt":"\xff"}', '{"prompt":1e999}', '{"n":99999999999999999999}',
                     '[' * 1000, '\x00', b'\xef\xbb\xbf{}'):
            status, _, answer = server.ask('/v1/completions', body)
            assert status == 400 or (status == 200 and answer['choices'][0]['text']), body
        for data in (b'\r\n' * 100, b'\x16\x03\x01' + bytes(200), b'GET\r\n\r\n',
                     b'GET / HTTP/9.9\r\n\r\n', b'x' * 100000, b'POST / HTTP/1.1\r\nHost: localhost'
                     b'\r\nContent-Length: -5\r\n\r\n', b'GET ' + b'/x' * 40000 + b' HTTP/1.1\r\n\r\n'):
            with socket.create_connection((server.host, server.port), LONG) as client:
                try:
                    client.sendall(data)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(1 << 16):
                        pass
                except OSError:  # it has closed the connection
                    pass
        assert server.complete('ab', max_tokens=4) == 'abab'


def test_a_length_given_twice_hides_no_request(tmp):
    """Of what may be its body or the next request nothing is answered."""
    with Server(tmp) as server:
        head = ('POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n'
                'Content-Type: application/json\r\n')
        for lengths in ('Content-Length: 0\r\nContent-Length: 500\r\n',
                        'Transfer-Encoding: chunked\r\nContent-Length: 500\r\n'):
            answer = b''
            with socket.create_connection((server.host, server.port), LONG) as client:
                client.sendall(f'{head}{lengths}\r\n0\r\n\r\n'.encode()
                               + request('Host: localhost\r\n'))
                try:
                    while piece := client.recv(1 << 16):
                        answer += piece
                except ConnectionError:  # it closes, and has not read all
                    pass
            assert answer.count(b'HTTP/1.1') <= 1 and b'ready' not in answer, (lengths, answer)
            assert not answer or status_of(answer) == 400, (lengths, answer)


def test_a_header_that_never_ends_is_cut_off(tmp):
    """However slowly its bytes come; and a body that does."""
    with Server(tmp) as server:
        starts = [b'GET /health HTTP/1.1\r\nHost: localhost\r\nX: ', b'',
                  b'POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
                  b'Content-Length: 1000\r\n\r\n']
        clients = [socket.create_connection((server.host, server.port), LONG) for _ in starts]
        for client, start in zip(clients, starts):
            client.sendall(start)
            client.settimeout(0.05)

        def cut(client):
            try:
                client.sendall(b'x')
                return client.recv(100) == b''
            except TimeoutError:
                return False
            except ConnectionError:
                return True

        for client in clients:
            wait_until(lambda client=client: cut(client), 'the server has cut it off')
        server.idle()


def test_a_key(tmp):
    with Server(tmp, key=KEY) as server:
        assert server.complete('ab', max_tokens=2) == 'ab'
        for path in '/', '/health':
            assert server.ask(path, headers={'Authorization': ''})[0] == 200, path
        # With a key, who asks knows it: the name does not matter.
        assert status_of(server.raw(request(
            'Host: elsewhere.example\r\n', '/config', f'Authorization: Bearer {KEY}\r\n'))) == 200
        server.key = None
        for given in (None, 'Bearer', 'Bearer ', 'Bearer x', f'Basic {KEY}', f'Bearer {KEY}x',
                      f'Bearer {KEY[:-1]}', KEY):
            headers = {**JSON, **({'Authorization': given} if given is not None else {})}
            for path, body in [('/config', None), ('/metrics', None), ('/events', None),
                               ('/nothing', None), ('/v1/models', None), ('/chat', '{}'),
                               ('/v1/completions', BODY), ('/reconnect', '{}')]:
                status, answered, _ = server.ask(path, body, headers=headers)
                assert status == 401 and answered['WWW-Authenticate'] == 'Bearer', (given, path)


def refused_to_start(tmp, host, key, *words):
    server = Server(tmp, host=host, wait=False)
    server.stop()
    command = [*server.command[:1], host, '0', '8', '8', key, *server.command[6:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 2 and done.stderr.count('\n') == 1, done
    for word in words:
        assert word in done.stderr, done.stderr


def test_others_are_let_in_with_a_key_alone(tmp):
    key = tmp / 'a-key'
    key.write_text(KEY)
    key.chmod(0o644)
    for host in '0.0.0.0', '::', '192.0.2.1':
        refused_to_start(tmp, host, '-', '--api-key-file', host)
    refused_to_start(tmp, '127.0.0.1', str(key), 'others may read', 'chmod 600')
    key.chmod(0o600)
    for text in 'short', '', 'with a space in the middle', 'né' * 20:
        key.write_text(text or '\n')
        refused_to_start(tmp, '127.0.0.1', str(key), 'should be a key')
    refused_to_start(tmp, '127.0.0.1', str(tmp / 'none'), 'none')
    with Server(tmp, host='0.0.0.0', key=KEY) as server:
        server.host = '127.0.0.1'
        assert server.complete('ab', max_tokens=2) == 'ab'


def test_a_port_in_use(tmp):
    with Server(tmp) as server:
        command = [*server.command[:2], str(server.port), *server.command[3:]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONG)
        assert done.returncode == 4 and done.stdout == '', done
        assert done.stderr.count('\n') == 1 and str(server.port) in done.stderr, done.stderr


if __name__ == '__main__':
    run_tests(globals())
