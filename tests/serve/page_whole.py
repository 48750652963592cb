"""The whole: the page of `ppsim serve`, in a real browser, with ranks that compute.

usage: page_whole.py PPSIM [NAME ...]     runs every test, or those named; exits 77, saying
                                          why, where there is no browser to drive
"""
import os
import signal

from browser import Keys, Page, browser, until
from server import run_tests
from whole import Server, generated


def test_text_lanes_and_a_rank_that_is_killed(tmp):
    right = generated('pipeline', 20)
    with Server(tmp, '--ranks', '3') as served, browser() as driver:
        with Page(driver, f'http://127.0.0.1:{served.port}/').ready() as page:
            page.hears()
            assert page.text('#ranks tbody td:first-of-type') == ['0', '1', '2']
            page.all('[name=mode]')[1].send_keys(Keys.SPACE)
            page.by_id('decode').send_keys('the likeliest')
            page.set('max_tokens', 20)
            page.send('pipeline')
            until('the text', lambda: page.texts('reply') == [right])
            page.ended()
            # The lanes have all of it: each token has been through all ranks.
            until('the batches', lambda: page.run('return activity.batches.length') >= 20)
            until('the table', lambda: set(page.text('#ranks tbody td:last-child')) == {'1'})
            assert page.run('return activity.batches.every(({spans}) => spans.length === 3)')
            os.kill(served.ranks()[1], signal.SIGKILL)
            until('the reason', lambda: 'SIGKILL' in page.by_id('state').text)
            page.by_id('reconnect').send_keys(Keys.ENTER)
            page.ready()
            page.send('pipeline')
            until('the text again', lambda: page.texts('reply') == [right, right])
            page.ended()
        assert served.stop() == 0, served.said()


if __name__ == '__main__':
    run_tests(globals())
