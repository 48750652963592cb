"""Clients that leave, that wait, and that are too many; and the server's own end."""
import contextlib
import json
import os
import random
import signal
import socket

from server import LONG, Memory, Server, in_threads, run_tests, stream, texts, wait_until


def running(server):
    config = server.config()
    return config['running'], config['waiting']


def leave(connection):
    connection.sock.close()
    connection.close()


def test_who_leaves_frees_a_slot(tmp):
    """Queued or not, heard or not, streaming or not; and nobody else notices."""
    for streams in False, True:
        with Server(tmp, slots=2) as server:
            body = {'prompt': '!mute', 'max_tokens': 5, 'stream': streams}
            clients = [server.send('/v1/completions', body) for _ in range(5)]
            wait_until(lambda: running(server) == (2, 3), 'two run and three wait')
            leave(clients.pop())  # waits
            wait_until(lambda: running(server) == (2, 2), 'it has left the queue')
            leave(clients.pop(0))  # runs
            wait_until(lambda: running(server) == (2, 1), 'the next has its slot')
            for client in clients:
                leave(client)
            server.idle()
            assert server.complete('ab', max_tokens=3) == 'aba'


def test_who_leaves_in_the_middle_of_a_stream(tmp):
    with Server(tmp, slots=2) as server:
        body = {'prompt': 'x', 'max_tokens': 500, 'stream': True}
        client, other = (server.send('/v1/completions', body) for _ in range(2))
        answer = client.getresponse()
        assert answer.readline().startswith(b'data: ')
        answer.close()
        leave(client)
        assert texts(stream(other)[1]) == {0: 'x' * 500}
        server.idle()


def test_one_sequence_at_a_stop_leaves_the_others(tmp):
    with Server(tmp) as server:
        answer = server.post('/v1/completions', {
            'prompt': ['ab!', 'cd'], 'max_tokens': 20, 'stop': '!'})
        assert [(c['text'], c['finish_reason']) for c in answer['choices']] == [
            ('ab', 'stop'), ('cd' * 10, 'length')]
        server.idle()


def test_a_client_that_does_not_read_delays_nobody(tmp):
    with Server(tmp, slots=4, PAUSE='0') as server:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect((server.host, server.port))
        body = json.dumps({'prompt': ['x'] * 40, 'max_tokens': 500, 'stream': True})
        client.sendall(f'POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: '
                       f'application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}'.encode())
        wait_until(lambda: running(server) != (0, 0), 'it has begun')
        assert server.complete('ab', max_tokens=200) == 'ab' * 100
        server.idle()  # it was cut off, or all of it waits for the client
        client.close()


def test_a_full_queue(tmp):
    with Server(tmp, slots=2, queue=3) as server:
        body = {'prompt': '!mute', 'max_tokens': 5}
        clients = [server.send('/v1/completions', body) for _ in range(5)]
        wait_until(lambda: running(server) == (2, 3), 'all places are taken')
        for asked in {'prompt': 'x'}, {'prompt': 'x', 'stream': True}:
            status, headers, answer = server.ask('/v1/completions', asked)
            assert status == 429 and int(headers['Retry-After']) > 0, status
            assert 'queue is full' in answer['error']['message']
        error = server.post('/v1/completions', {'prompt': 'x', 'n': 6}, 400)['error']
        assert '6 sequences' in error['message'], error
        leave(clients.pop())
        wait_until(lambda: running(server) == (2, 2), 'there is a place')
        late = server.send('/v1/completions', {'prompt': 'ab', 'max_tokens': 2})
        for client in clients:
            leave(client)
        answer = json.loads(late.getresponse().read())
        assert answer['choices'][0]['text'] == 'ab'


def test_silence_is_broken(tmp):
    """A stream that waits says so again and again."""
    with Server(tmp, slots=1) as server:
        body = {'prompt': '!mute', 'max_tokens': 5, 'stream': True}
        for client in server.send('/v1/completions', body), server.send('/v1/completions', body):
            answer = client.getresponse()
            for _ in range(2):
                assert answer.readline() == b': ping\n' and answer.readline() == b'\n'
        listener = server.send('/events').getresponse()
        assert b'ready' in listener.readline() and listener.readline() == b'\n'
        assert listener.readline() == b': ping\n'


def test_listeners_are_few(tmp):
    with Server(tmp) as server:
        listeners = [server.send('/events') for _ in range(32)]
        for listener in listeners:
            assert listener.getresponse().status == 200
        assert server.ask('/events')[0] == 429
        leave(listeners.pop())

        def another():
            connection = server.send('/events')
            if connection.getresponse().status == 200:
                return connection
            connection.close()
            return None

        wait_until(another, 'there is room for another')


def test_sixty_four_at_once(tmp):
    """A tenth of them leave in the middle; no answer is wrong, no slot stays taken, and
    nothing grows."""
    draw = random.Random(5)
    plans = [(draw.random() < 0.1, draw.random() < 0.5, draw.randint(1, 40), draw.randint(1, 30))
             for _ in range(640)]
    # A client that has left has its place until that is seen.
    with Server(tmp, queue=500, PAUSE='0.001') as server:
        def one(leaves, streams, length, count):
            prompt = ''.join(chr(97 + (length * i + count) % 26) for i in range(length))
            expected = (prompt * 30)[:count]
            connection = server.send('/v1/completions', {
                'prompt': prompt, 'max_tokens': count, 'stream': streams})
            with contextlib.closing(connection):
                if leaves:
                    leave(connection)
                elif streams:
                    assert texts(stream(connection)[1]) == {0: expected}
                else:
                    answer = json.loads(connection.getresponse().read())
                    assert answer['choices'][0]['text'] == expected, answer

        def many(share):
            def work(i):
                for plan in plans[share + i::64 * 2]:
                    one(*plan)
            in_threads(work, 64)
            server.idle()
            wait_until(lambda: open_files(server) <= before, 'connections are closed')

        def open_files(server):
            return len(os.listdir(f'/proc/{server.run.pid}/fd'))

        server.idle()
        before = open_files(server) + 1  # that of the last who asked may be open
        many(0)
        memory = Memory(server.run.pid)
        many(64)
        memory.check()


def test_it_drains(tmp):
    with Server(tmp, slots=1) as server:
        body = {'prompt': 'ab', 'max_tokens': 100}
        asked = [server.send('/v1/completions', {**body, 'stream': i > 0}) for i in range(3)]
        wait_until(lambda: running(server) == (1, 2), 'one runs and two wait')
        server.run.send_signal(signal.SIGTERM)
        wait_until(lambda: server.health() == (503, 'draining'), 'it drains')
        status, _, answer = server.ask('/v1/completions', {'prompt': 'x'})
        assert status == 503 and 'draining' in answer['error']['message'], answer
        assert server.ask('/reconnect', '{}')[0] == 503
        assert json.loads(asked[0].getresponse().read())['choices'][0]['text'] == 'ab' * 50
        for client in asked[1:]:
            assert texts(stream(client)[1]) == {0: 'ab' * 50}
        assert server.run.wait(LONG) == 0, server.said()
        assert not list(tmp.glob('ppsim-*')), 'a folder was left behind'


def test_it_ends_at_once(tmp):
    for first, second, expected in [(signal.SIGTERM, signal.SIGINT, 130),
                                    (signal.SIGINT, signal.SIGTERM, 143)]:
        with Server(tmp) as server:
            client = server.send('/v1/completions', {'prompt': '!mute', 'max_tokens': 5})
            wait_until(lambda: running(server) == (1, 0), 'it runs')
            server.run.send_signal(first)
            wait_until(lambda: server.health() == (503, 'draining'), 'it drains')
            assert server.stop(second) == expected, server.said()
            client.close()
            assert not list(tmp.glob('ppsim-*')), 'a folder was left behind'


def test_it_ends_while_it_loads(tmp):
    gate = tmp / 'gate'
    gate.touch()
    with Server(tmp, LOADING=str(gate), wait=False) as server:
        wait_until(lambda: list(tmp.glob('ppsim-*/link')), 'the ranks may connect')
        assert server.stop() == 0, server.said()
    with Server(tmp) as server:
        assert server.stop(signal.SIGINT) == 0


if __name__ == '__main__':
    run_tests(globals())
