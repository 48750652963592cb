"""The page at "/" in a real browser, driven by keys, against a server that says what each
test has it say (scripted.py).

usage: page.py PAGE [NAME ...]     PAGE: the page as the build has joined it. Runs every
                                   test, or those named; exits 77, saying why, where
                                   there is no browser to drive
"""
import json
import pathlib
import sys
import tempfile
import traceback

from browser import Keys, Page, browser, until
from scripted import Scripted

PAGE = sys.argv[1]
FULL = (429, {'error': {'message': 'the queue is full'}}, {'Retry-After': '3'})


def opened(server):
    return Page(server.driver, server.address).ready()


def silent(page):
    """Nothing was logged: no error of a script, nothing that the policy forbids."""
    log = page.log()
    assert not log, log


def batch(kind, ids, start, end):
    """Two ranks, one after the other."""
    middle = (start + end) / 2
    return {'batch': {'n': 0, 'class': kind, 'ids': ids,
                      'spans': [[start, middle], [middle, end]]}}


def test_a_chat_by_keyboard(server):
    with opened(server) as page:
        page.send('Who is\N{HORIZONTAL ELLIPSIS}')
        until('the request', lambda: server.asked)
        server.say('the mil')
        until('the first piece', lambda: page.texts('reply') == ['the mil'])
        assert page.running()  # it is shown while more is to come
        server.say('ler. <b>水</b> &amp;')
        until('the second', lambda: page.texts('reply') == ['the miller. <b>水</b> &amp;'])
        assert not page.all('#turns b')  # text is text
        server.end(prompt=5, tokens=64)
        page.ended()
        figures = page.text('#turns')[0]
        for words in 'most tokens reached', '64 tokens in', 'tokens/s', '5 prompt tokens':
            assert words in figures, (words, figures)
        path, body = server.asked[0]
        assert path == '/v1/chat/completions'
        assert body['messages'] == [{'role': 'user', 'content': 'Who is…'}] and body['stream']
        page.keys('And', Keys.SHIFT + Keys.ENTER, Keys.NULL, 'then?', Keys.ENTER)
        server.say('Nothing.')
        server.end()
        until('the second turn', lambda: len(page.texts('reply')) == 2 and not page.running())
        assert [m['content'] for m in server.asked[1][1]['messages']] == \
            ['Who is…', 'the miller. <b>水</b> &amp;', 'And\nthen?']
        silent(page)


def test_parameters_are_those_that_are_set(server):
    with opened(server) as page:
        for name, value in {'max_tokens': 9, 'temperature': 0.5, 'top_k': 4, 'top_p': 0.75,
                            'seed': 12, 'stop_at': 'End'}.items():
            page.set(name, value)
        page.by_id('stop_at').send_keys(Keys.ENTER, '\\n\\n')
        server.end()
        page.send('x')
        page.ended()
        body = server.asked[0][1]
        given = {'max_tokens': 9, 'temperature': 0.5, 'top_k': 4, 'top_p': 0.75, 'seed': 12,
                 'stop': ['End', '\n\n']}
        assert {name: body.get(name) for name in given} == given, body
        page.driver.refresh()
        page.ready()
        page.by_id('decode').send_keys('the likeliest')
        server.end()
        page.send('x')
        page.ended()
        body = server.asked[1][1]
        assert body['temperature'] == 0 and body['max_tokens'] == 9 and 'top_k' not in body, body
        page.set('max_tokens', 0)
        page.send('this is not sent')
        assert len(server.asked) == 2 and not page.running()
        silent(page)


def test_escape_stops_and_a_reload_keeps(server):
    with opened(server) as page:
        page.send('Go on')
        server.say('for ever')
        until('a piece', lambda: page.texts('reply') == ['for ever'])
        page.keys(Keys.ESCAPE)
        page.ended()
        assert server.left.wait(60), 'the client has not left'
        assert 'stopped by you' in page.text('#turns')[0]
        page.driver.refresh()
        page.ready()
        assert (page.texts('prompt'), page.texts('reply')) == (['Go on'], ['for ever'])
        server.said.queue.clear()
        page.send('More')
        server.say('cut by a reload')
        until('a piece', lambda: page.texts('reply')[1:] == ['cut by a reload'])
        until('it to be kept', lambda: page.run('return localStorage["ppsim.turns"]'
                                                '.includes("cut by a reload")'))
        page.driver.refresh()
        page.ready()
        assert page.texts('reply')[1:] == ['cut by a reload']
        assert 'interrupted' in page.text('#turns')[0], page.text('#turns')[0]
        silent(page)


def press(page, words):
    """A button, by its words: the last of those so called."""
    found = [each for each in page.all('button') if each.text == words]
    found[-1].send_keys(Keys.ENTER)


def test_again_edit_export_and_clear(server):
    with opened(server) as page, tempfile.TemporaryDirectory() as folder:
        for prompt, reply in ('one', 'uno'), ('two', 'due'):
            server.say(reply)
            server.end()
            page.send(prompt)
            page.ended()
        press(page, 'Again')
        server.say('dos')
        server.end()
        until('another reply', lambda: page.texts('reply') == ['uno', 'dos'])
        page.ended()
        page.all('.turn button')[0].send_keys(Keys.ENTER)  # edit the first
        assert page.by_id('prompt').get_attribute('value') == 'one'
        page.keys('!')
        server.say('un')
        server.end()
        page.keys(Keys.ENTER)
        until('a turn in its place', lambda: page.texts('reply') == ['un'])
        assert page.texts('prompt') == ['one!']
        page.ended()
        page.driver.execute_cdp_cmd('Browser.setDownloadBehavior',
                                    {'behavior': 'allow', 'downloadPath': folder})
        press(page, 'Export')
        export = pathlib.Path(folder) / 'ppsim-conversation.json'
        until('the file', export.exists)
        assert [(t['prompt'], t['reply']) for t in json.loads(export.read_text())['turns']] == \
            [('one!', 'un')]
        press(page, 'Clear')
        page.driver.switch_to.alert.accept()
        until('nothing', lambda: not page.texts('prompt'))
        page.driver.refresh()
        assert not page.ready().texts('prompt')
        silent(page)


def test_a_text_is_continued(server):
    with opened(server) as page:
        page.all('[name=mode]')[0].send_keys(Keys.ARROW_RIGHT)
        assert 'text alone' in page.by_id('mode-note').text
        server.say(' upon')
        server.end()
        page.send('Once')
        page.ended()
        press(page, 'Go on')
        server.say(' a time')
        server.end()
        until('more', lambda: page.texts('reply') == [' upon a time'])
        page.ended()
        assert [(path, body['prompt']) for path, body in server.asked] == \
            [('/v1/completions', 'Once'), ('/v1/completions', 'Once upon')]
        silent(page)


def test_what_the_context_cannot_hold_is_left_out(server):
    too_long = (400, {'error': {'message': 'too long', 'code': 'context_length_exceeded'}})
    with opened(server) as page:
        for prompt in 'one', 'two':
            server.say('yes')
            server.end()
            page.send(prompt)
            page.ended()
        server.refusals = [too_long]
        server.say('yes')
        server.end()
        page.send('three')
        page.ended()
        assert '1 earlier turn left out' in page.text('#turns')[0]
        assert [m['content'] for m in server.asked[-1][1]['messages']] == ['two', 'yes', 'three']
        server.refusals = [too_long] * 3
        page.send('four')
        page.ended()
        assert page.text('.error') == ['too long']


def test_refusals_are_said_in_words(server):
    with opened(server) as page:
        def error():
            page.ended()
            return page.text('.turn .error')[-1]

        server.refusals = [FULL]
        page.send('x')
        assert 'The queue is full: try again in 3 s.' in error()
        server.say('un')
        server.fail('rank 1 was killed by signal 9')
        press(page, 'Try again')
        until('the error', lambda: 'rank 1 was killed by signal 9' in error())
        assert page.texts('reply') == ['un']  # what had come stays
        server.cut()
        press(page, 'Try again')
        until('the error', lambda: 'The stream broke off before its end.' in error())
        server.refusals = [(400, {'error': {'message': "'stop' has 5 texts: at most 4"}})]
        press(page, 'Try again')
        until('the error', lambda: "'stop' has 5 texts: at most 4" in error())
        heard = page.by_id('spoken').get_attribute('textContent')
        assert 'at most 4' in heard, heard


def test_a_key_is_asked_for(server):
    server.key = 'sesame'
    with opened(server) as page:
        until('the question', lambda: page.by_id('key-form').is_displayed())
        page.keys('wrong', Keys.ENTER)
        until('the question again', lambda: page.by_id('key-form').is_displayed())
        page.set('key', 'sesame')
        page.keys(Keys.ENTER)
        until('the ranks', lambda: page.by_id('model').text == 'scripted: 8 layers, 16 wide')
        server.batches.put(batch('decode', [1], 0, 1))
        server.say('yes')
        server.end()
        page.send('x')
        until('the reply', lambda: page.texts('reply') == ['yes'])


def test_ranks_that_died_are_started_again(server):
    with opened(server) as page:
        server.health = (503, {'status': 'dead', 'reason': 'rank 1 was killed by signal 9'})
        until('the reason', lambda: 'rank 1 was killed by signal 9' in page.by_id('state').text)
        assert page.state() == 'dead'
        page.by_id('reconnect').send_keys(Keys.ENTER)
        page.ready()
        assert ('/reconnect', {}) in server.asked and not page.by_id('reconnect').is_displayed()
        server.health = (503, {'status': 'draining', 'reason': 'the server is ending'})
        until('the reason', lambda: 'the server is ending' in page.by_id('state').text)
        assert not page.by_id('reconnect').is_displayed()


def test_the_lanes_and_the_table_say_what_ranks_do(server):
    with opened(server) as page:
        def cells():
            return page.run('return [...document.querySelectorAll("#ranks tbody tr")]'
                            '.map((row) => [...row.cells].map((cell) => cell.textContent))')

        def coloured():
            """Pixels of the lanes that are neither grey nor nearly clear."""
            return page.run('''const {width, height} = lanes.canvas;
                const copy = document.createElement('canvas');
                Object.assign(copy, {width, height});
                const pen = copy.getContext('2d', {willReadFrequently: true});
                pen.drawImage(lanes.canvas, 0, 0);
                const {data} = pen.getImageData(0, 0, width, height);
                let count = 0;
                for (let i = 0; i < data.length; i += 4) {
                    const [r, g, b, a] = data.slice(i, i + 4);
                    count += a > 128 && Math.max(r, g, b) - Math.min(r, g, b) > 40;
                }
                return count;''')

        until('the ranks', lambda: len(cells()) == 2)
        assert [row[:3] for row in cells()] == [['0', '0–3', '1.5 MiB'], ['1', '4–7', '1.5 MiB']]
        assert [row[3:] for row in cells()] == [['0 %', '0 %', '–']] * 2
        assert coloured() == 0, coloured()
        began = 0

        def shown(what):
            """What is seen while batches come: each two later than what was seen before."""
            nonlocal began
            began += 100
            server.batches.put(batch('prefill', [3], began, began + 1))
            server.batches.put(batch('decode', [3, 4], began + 1, began + 1.5))
            return what()

        until('the lanes', lambda: shown(coloured))
        until('the table', lambda: shown(lambda: [row[5] for row in cells()] == ['3, 4'] * 2))
        until('shares', lambda: shown(lambda: all('0 %' not in row[3:5] for row in cells())))
        # Each of two is busy half of the time, and of what lies within.
        assert page.run('return activity.summary(2, 100, 101.5).map(({busy, waits, ids}) => '
                        '[busy, waits, [...ids]])') == [[.75, .75, [3, 4]]] * 2
        assert page.run('return activity.summary(2, 100.25, 100.75).map(({busy, waits}) => '
                        '[busy, waits])') == [[.25, .25]] * 2
        # A sequence is under way, and both ranks wait, until its next batch begins.
        assert page.run('return activity.summary(2, 101.5, 200).map(({busy, waits}) => '
                        '[busy, waits])') == [[0, 98.5]] * 2
        page.by_id('hold').send_keys(Keys.ENTER)  # now nothing moves
        before = page.run('return lanes.edge()')
        shown(list)
        until('the batches', lambda: page.run('return activity.now()') > before + 90)
        assert page.run('return lanes.edge()') == before
        page.by_id('hold').send_keys(Keys.ENTER)
        assert page.run('return lanes.edge()') > before + 90
        silent(page)


def test_sentences_are_heard_as_they_end(server):
    with opened(server) as page:
        def heard():
            return page.text('#spoken p')

        page.send('x')
        server.say('One. Two')
        until('a sentence', lambda: heard() == ['One.'])
        server.say(' and three? Fo')
        until('another', lambda: heard() == ['One.', 'Two and three?'])
        server.end()
        until('the rest', lambda: heard() == ['One.', 'Two and three?', 'Fo'])


def test_all_that_can_be_used_has_a_name(server):
    server.key = 'sesame'
    with opened(server) as page:
        until('the question for a key', lambda: page.by_id('key-form').is_displayed())
        server.key = None
        server.end()
        page.send('x')
        page.ended()
        page.run('for (const each of document.querySelectorAll("[hidden]")) each.hidden = false')
        found = page.all('button, input, select, textarea, summary, canvas, table, [role], [tabindex]')
        nameless = [each.get_attribute('outerHTML') for each in found
                    if not each.accessible_name and each.aria_role != 'status']
        assert len(found) > 25 and not nameless, nameless


def test_keys_reach_all_and_the_focus_is_seen(server):
    with opened(server) as page:
        server.say('yes')
        server.end()
        page.send('x')
        page.ended()
        page.driver.refresh()
        page.ready()
        can = [each for each in page.all('button, input, select, textarea, summary')
               if each.is_displayed() and each.is_enabled()
               and each.get_attribute('value') != 'continue']  # arrow keys choose that one
        reached = []
        for _ in range(len(can) + 3):  # and a link, and two that scroll
            page.press_tab()
            reached.append(page.driver.switch_to.active_element)
            assert page.run('return getComputedStyle(document.activeElement).outlineStyle') == \
                'solid', reached[-1].get_attribute('outerHTML')
        assert len(can) > 18
        missed = [each.get_attribute('outerHTML') for each in can if each not in reached]
        assert not missed, missed


def test_it_fits_a_narrow_screen(server):
    with opened(server) as page:
        page.narrow(320, 640)
        server.say('w' * 500)
        server.end()
        page.send('x' * 100)
        page.ended()
        assert page.run('return document.documentElement.scrollWidth') == 320
        assert page.run('return turns.region.scrollWidth <= turns.region.clientWidth')


def test_no_other_script_runs(server):
    with opened(server) as page:
        silent(page)
        page.run('''window.forbidden = [];
            addEventListener('securitypolicyviolation',
                ({effectiveDirective}) => forbidden.push(effectiveDirective))''')
        for script in ('const made = document.createElement("script");'
                       'made.textContent = "window.ran = true"; document.body.append(made)',
                       'document.body.innerHTML = "<p>"',
                       'document.body.setAttribute("onclick", "window.ran = true");'
                       'document.body.click()'):
            page.run(f'try {{ {script} }} catch {{ }}')
        assert page.run('return [window.ran, document.querySelectorAll("main").length]') == [None, 1]
        until('it to be noticed', lambda: len(page.run('return forbidden')) == 3)
        page.run('console.error("seen")')
        assert any('seen' in each['message'] for each in page.log())  # so silence says something


def main():
    tests = {name: test for name, test in globals().items() if name.startswith('test_')}
    failures = 0
    with browser() as driver:
        for name in sys.argv[2:] or tests:
            try:
                with Scripted(PAGE) as server:
                    server.driver = driver
                    tests[name](server)
                print('ok  ', name, flush=True)
            except Exception:  # a failure of one is no reason to skip the rest
                failures += 1
                print('FAIL', name, traceback.format_exc(), flush=True)
    sys.exit(1 if failures else 0)


if __name__ == '__main__':
    main()
