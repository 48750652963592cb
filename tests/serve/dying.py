"""Ranks that die or hang, and a parent that is killed."""
import json
import os
import signal
import socket

from server import LONG, Server, run_tests, stream, wait_until


def free_port():
    with socket.socket() as held:
        held.bind(('127.0.0.1', 0))
        return held.getsockname()[1]


def ranks_of(server):
    """The process that stands for the ranks."""
    with open(f'/proc/{server.run.pid}/task/{server.run.pid}/children') as file:
        return int(file.read())


def has_ranks(server):
    with open(f'/proc/{server.run.pid}/task/{server.run.pid}/children') as file:
        return bool(file.read())


def test_ranks_that_die(tmp):
    """Whoever has an answer under way, or waits, is told; the server lives on."""
    with Server(tmp) as server:
        for _ in range(3):
            asked = [server.send('/v1/completions', {'prompt': '!mute', 'max_tokens': 5,
                                                     'stream': i % 2 > 0}) for i in range(12)]
            wait_until(lambda: (lambda c: (c['running'], c['waiting']) == (8, 4))(server.config()),
                       'eight run and four wait')
            os.kill(ranks_of(server), signal.SIGKILL)
            for i, client in enumerate(asked):
                if i % 2:
                    status, data, text = stream(client)
                    assert status == 200 and '[DONE]' not in text
                    assert json.loads(data[-1])['error']['type'] == 'server_error', data
                else:
                    answer = client.getresponse()
                    assert answer.status == 503, answer.status
                    assert json.loads(answer.read())['error']['code'] == 'unavailable'
            assert server.health() == (503, 'dead')
            assert server.ask('/v1/completions', {'prompt': 'x'})[0] == 503
            assert server.ask('/config')[0] == server.ask('/')[0] == 200
            reconnect(server)
        assert server.stop() == 0


def reconnect(server):
    status, _, answer = server.ask('/reconnect', '{}')
    assert status == 202 and answer['status'] == 'loading'
    server.serving()
    assert server.health() == (200, 'ready')
    assert server.complete('ab', max_tokens=4) == 'abab'


def test_it_says_why_they_died(tmp):
    with Server(tmp) as server:
        assert server.ask('/v1/completions', {'prompt': '!die'})[0] == 503
        wait_until(lambda: server.ask('/health')[2]['reason'] == 'rank 0 was killed by SIGKILL',
                   'it says why')
        status, _, answer = server.ask('/v1/completions', {'prompt': 'x'})
        assert status == 503 and 'SIGKILL' in answer['error']['message'], answer
        assert 'ppsim: rank 0 was killed by SIGKILL\n' in server.said()
        reconnect(server)


def test_reconnect_of_ranks_that_live(tmp):
    """Also of ranks that hang: whoever waits is told, and the new ones answer."""
    with Server(tmp) as server:
        asked = server.send('/v1/completions', {'prompt': '!hang'})
        wait_until(lambda: server.config()['running'] == 1, 'it runs')
        assert server.ask('/reconnect', '{}')[0] == 202
        answer = asked.getresponse()
        assert answer.status == 503 and b'started again' in answer.read()
        server.serving()
        assert server.complete('ab', max_tokens=4) == 'abab'


def test_another_model_when_they_come_again(tmp):
    """The server's tokenizer would make nonsense of its tokens."""
    other = tmp / 'vocab'
    with Server(tmp, VOCAB=str(other)) as server:
        assert server.complete('ab', max_tokens=4) == 'abab'
        other.write_text('300')
        assert server.ask('/reconnect', '{}')[0] == 202
        wait_until(lambda: server.health() == (503, 'dead'), 'it is refused')
        words = 'another vocabulary'
        assert words in server.ask('/health')[2]['reason']
        assert server.ask('/v1/completions', {'prompt': 'x'})[0] == 503
        wait_until(lambda: not has_ranks(server), 'the ranks have ended')
        assert words in server.ask('/health')[2]['reason']
        other.unlink()
        reconnect(server)
        assert server.stop() == 0


def test_health_while_they_load(tmp):
    gate = tmp / 'gate'
    gate.touch()
    with Server(tmp, port=free_port(), LOADING=str(gate), wait=False) as server:
        def loading():
            try:
                return server.health() == (503, 'loading')
            except ConnectionError:
                return False

        wait_until(loading, 'it answers')
        status, headers, _ = server.ask('/v1/completions', {'prompt': 'x'})
        assert status == 503 and int(headers['Retry-After']) > 0
        assert server.ask('/reconnect', '{}')[0] == 202
        gate.unlink()
        server.serving()
        assert server.health() == (200, 'ready')


def test_ranks_that_cannot_start(tmp):
    with Server(tmp, wait=False, PAUSE='no number') as server:
        assert server.run.wait(LONG) == 1, 'the status of what started them'
        assert 'ValueError' in server.said()
        assert not list(tmp.glob('ppsim-*'))


def test_a_parent_that_is_killed(tmp):
    """Its ranks end, and the next start removes what it left."""
    with Server(tmp) as server:
        ranks = ranks_of(server)
        server.stop(signal.SIGKILL)
        wait_until(lambda: not os.path.exists(f'/proc/{ranks}'), 'the ranks have ended')
    with Server(tmp) as server:
        assert len(list(tmp.glob('ppsim-*'))) == 1
        assert server.stop() == 0
    assert not list(tmp.glob('ppsim-*'))


if __name__ == '__main__':
    run_tests(globals())
