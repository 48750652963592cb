"""The page at "/" as serve gives it, in a real browser: what page and server agree on.

usage: page_served.py SERVE-PARENT [NAME ...]     runs every test, or those named; exits 77,
                                                  saying why, where there is no browser
"""
import functools
import os
import signal

from browser import Keys, Page, browser, until
from server import Server, run_tests


def children(process):
    with open(f'/proc/{process}/task/{process}/children', encoding='ascii') as file:
        return [int(word) for word in file.read().split()]


def opened(driver, server):
    return Page(driver, f'http://127.0.0.1:{server.port}/').ready()


def test_a_chat_its_lanes_and_its_end(tmp, driver):
    with Server(tmp, PAUSE='0.2') as server, opened(driver, server) as page:
        page.hears()
        page.set('max_tokens', 12)
        page.send('é<b>ü')
        until('the reply to grow', lambda: page.texts('reply')[0])
        page.ended()
        # The made-up ranks say the prompt again and again; a letter is never cut.
        assert page.texts('reply') == ['é<b>üé<b>'], page.texts('reply')
        figures = page.text('.turn')[0]
        for words in '12 tokens in', 'tokens/s', 'most tokens reached', '7 prompt tokens':
            assert words in figures, (words, figures)
        page.set('max_tokens', 400)
        page.send('once more')
        until('the lanes', lambda: page.run('return activity.batches.length') > 3)
        until('the table', lambda: page.text('#ranks tbody td:last-child') == ['2', '2'])
        assert page.text('#ranks tbody td:nth-of-type(1)') == ['0–1', '2–3']
        page.keys(Keys.ESCAPE)
        page.ended()
        server.idle()  # its slot is free
        assert 'stopped by you' in page.text('.turn')[1]
        said = page.texts('reply')
        page.driver.refresh()
        assert page.ready().texts('reply') == said
        assert not page.log()


def test_a_text_that_is_too_long_for_the_context(tmp, driver):
    with Server(tmp) as server, opened(driver, server) as page:
        page.set('max_tokens', 100)
        for letter in 'abc':
            page.send(letter * 150)
            page.ended()
        # 512 tokens hold two turns of 250 and their line ends, not three.
        assert '1 earlier turn left out' in page.text('.turn')[2]
        assert page.texts('reply')[2] == 'b' * 100
        page.send('d' * 600)
        until('the refusal', lambda: page.text('.error'))
        assert '512' in page.text('.error')[0]


def test_ranks_that_die_and_come_again(tmp, driver):
    with Server(tmp, PAUSE='0.2') as server, opened(driver, server) as page:
        page.set('max_tokens', 400)
        page.send('hello')
        until('the reply', lambda: page.texts('reply')[0])
        for process in children(server.run.pid):
            os.kill(process, signal.SIGKILL)
        until('the error', lambda: page.text('.error'))
        until('the state', lambda: page.state() == 'dead')
        assert page.by_id('state').text.startswith('Stopped: '), page.by_id('state').text
        page.send('anyone?')
        until('the refusal', lambda: len(page.text('.error')) == 2)
        page.by_id('reconnect').send_keys(Keys.ENTER)
        page.ready().hears()
        page.set('max_tokens', 6)
        page.send('back')
        until('the reply', lambda: page.texts('reply')[-1] == 'hello\n')
        until('the lanes', lambda: page.run('return activity.batches.length'))


def test_a_full_queue_and_a_key(tmp, driver):
    with Server(tmp, slots=1, queue=1, key='sesame-sesame-sesame') as server:
        with Page(driver, f'http://127.0.0.1:{server.port}/') as page:
            until('the question', lambda: page.by_id('key-form').is_displayed())
            page.keys('sesame-sesame-sesame', Keys.ENTER)
            page.ready()
            waiting = [server.send('/v1/completions', {'prompt': '!mute', 'stream': True})
                       for _ in range(2)]
            until('both', lambda: server.config()['waiting'] == 1)
            page.send('x')
            until('the refusal', lambda: page.text('.error'))
            assert 'The queue is full: try again in' in page.text('.error')[0]
            for connection in waiting:
                connection.close()
            server.idle()


if __name__ == '__main__':
    with browser() as the_browser:
        run_tests({name: functools.partial(test, driver=the_browser)
                   for name, test in list(globals().items()) if name.startswith('test_')})
