"""The labs' checks: right solutions pass, wrong ones fail with the hint that helps.

usage: labs.py PPSIM ROOT [N ...]     every lab, or those numbered; 'usage': bad input
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
PPSIM, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
sys.path[:0] = [str(ROOT / 'labs/checks'), str(ROOT / 'tests/labs')]
import importlib  # noqa: E402

import replay  # noqa: E402
import rows  # noqa: E402
from lab import ALL, Lab  # noqa: E402

SEEDS = 'ada', 'Grace Hopper'
# A module that the sanitizers do not know of is what lab 9 loads.
SANITIZED = b'__asan_init' in pathlib.Path(PPSIM).read_bytes()


def check(*arguments):
    program = [] if '--ppsim' in arguments else ['--ppsim', PPSIM]
    done = subprocess.run([ROOT / 'labs/check', *map(str, arguments), *program], text=True,
                          capture_output=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def solve(number, directory, seed):
    done = subprocess.run([ROOT / 'tests/labs/solve', str(number), directory, '--seed', seed,
                           '--ppsim', PPSIM], text=True, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr


def tests_of(out):
    """{name: (passed, points, hint)} of a TAP text whose plan and points hold."""
    assert out.startswith('TAP version 13\n'), out
    found = {}
    for match in re.finditer(r'^(not ok|ok) (\d+) - (.*) \((\d+) points?\)\n((?:# (?!lab |[-+]|  ).*\n)*)',
                             out, re.M):
        assert int(match[2]) == len(found) + 1, out
        assert match[3] not in found, match[3]
        hint = ' '.join(line[2:] for line in match[5].splitlines())
        assert (match[1] == 'ok') == (not hint), match[0]
        found[match[3]] = match[1] == 'ok', int(match[4]), hint
    assert f'\n1..{len(found)}\n' in out, out
    points = sum(p for passed, p, _ in found.values() if passed)
    assert sum(p for _, p, _ in found.values()) == ALL, out
    assert f': {points} of {ALL} points\n' in out, out
    return found


# --- typical wrong solutions: (what, how it is made, which tests fail, words of the hint) ----


def claims(**changes):
    """Another number in answers.json, from the right ones and the shape."""
    def make(folder, s):
        path = folder / 'answers.json'
        answers = json.loads(path.read_text())
        answers.update({name: change(answers, s) for name, change in changes.items()})
        path.write_text(json.dumps(answers))
    return make


def edits(name, change):
    """Other rows in a schedule's file."""
    def make(folder, s):
        order = rows.read(folder / name)
        replay.write(folder / name, change(order, s))
    return make


def writes(name, order):
    return lambda folder, s: replay.write(folder / name, order(s))


def lacks(name):
    return lambda folder, s: (folder / name).unlink()


def converts(name, arguments):
    def make(folder, s):
        subprocess.run(f'{PPSIM} schedules convert {arguments(s)} > {name}', shell=True,
                       cwd=folder, check=True)
    return make


def text(name, old, new):
    def make(folder, s):
        path = folder / name
        before = path.read_text()
        assert old in before, (name, old)
        path.write_text(before.replace(old, new))
    return make


def report(name, change):
    def make(folder, s):
        found = json.loads((folder / name).read_text())
        change(found)
        (folder / name).write_text(json.dumps(found))
    return make


def moved(row, op, behind):
    row = [x for x in row if x != op]
    row.insert(row.index(behind) + 1, op)
    return row


def late_by_one(row):
    """The row with its first two backwards after both their forwards."""
    last = row[0][0]
    return moved(row, (last, 'B', 0), (last, 'F', 1))


def another(ratio):
    """A ratio that runs again might have, and that is no other mistake's: not 1/ratio."""
    return next(x * ratio for x in (1.05, 1.1) if abs(x * ratio ** 2 - 1) > 0.02)


WRONG = {
    0: [('one way alone', claims(messages=lambda a, s: a['messages'] / 2), 'messages', 'one way'),
        ('numbers for bytes', claims(bytes=lambda a, s: a['bytes'] / 4), 'bytes', '4 bytes'),
        ('the bubble', claims(efficiency=lambda a, s: 1 - a['efficiency']), 'efficiency',
         'that is the bubble'),
        ('gpipe', claims(held=lambda a, s: s.m), 'held', 'GPipe'),
        ('not verified', report('tour.json', lambda r: r['training'].update(verified=None)),
         'tour.json: the run', '--verify'),
        ('another shape', report('tour.json', lambda r: r['config'].update(microbatches=8)),
         'tour.json is of your shape', 'microbatches 8')],
    1: [('over_ideal', claims(bubble_many=lambda a, s: (s.p - 1) / s.m), 'bubble_many',
         'over_ideal'),
        ('the share that works', claims(bubble_one=lambda a, s: 1 / s.p), 'bubble_one',
         'share which works'),
        ('over_ideal of one', claims(bubble_one=lambda a, s: s.p - 1), 'bubble_one', 'over_ideal'),
        ('percent', claims(bubble_one=lambda a, s: 100 * a['bubble_one']), 'bubble_one',
         'not percent'),
        ('one too few', claims(m_for_bubble=lambda a, s: a['m_for_bubble'] - 1), 'm_for_bubble',
         'round up'),
        ('the more the better', claims(m_overhead=lambda a, s: 96), 'm_overhead', 'too many'),
        ('no multiple', claims(m_latency=lambda a, s: s.p + 1), 'm_latency', 'must be a multiple'),
        ('few for the link', claims(m_latency=lambda a, s: s.p), 'm_latency', 'too few'),
        ('not per sequence', claims(small_ratio=lambda a, s: a['small_ratio'] / (s.N // 2)),
         'small_ratio', 'per sequence'),
        ('of another run', claims(small_ratio=lambda a, s: another(a['small_ratio'])),
         'small_ratio', 'ran again'),
        ('another model', report('many.json', lambda r: r['config'].update(d_model=64)),
         'both runs are of one model', 'microbatches alone')],
    2: [('1F1B is faster', claims(time_1f1b=lambda a, s: s.m * (s.f + s.b)), 'time_1f1b',
         'no bubble at all'),
        ('rank 0 for all', claims(bytes_1f1b=lambda a, s: a['bytes_1f1b'] * s.p / (s.p - s.r)),
         'bytes_1f1b', 'that is rank 0'),
        ('the last that fits', claims(m_too_many=lambda a, s: a['m_too_many'] - 1), 'm_too_many',
         'last that fits'),
        ('grows with m', claims(m_1f1b=lambda a, s: 10 * s.m), 'm_1f1b', 'gpipe'),
        ('other data', report('1f1b.json', lambda r: r['training'].update(digest='0' * 16)),
         'both runs end', 'digests differ')],
    3: [('no ramps', claims(makespan=lambda a, s: s.m * (s.f + s.b)), 'makespan', 'ramps'),
        ('GPipe', writes('mine.csv', lambda s: replay.one_f_one_b(s.p, s.m, lambda p, r: s.m)),
         'mine.csv holds no more', 'holds'),
        ('one at a time', writes('mine.csv', lambda s: replay.one_f_one_b(s.p, s.m,
                                                                         lambda p, r: 0)),
         'mine.csv is as fast', 'waits longer'),
        ('a B before its F', edits('stuck.csv', lambda o, s: [
            *replay.one_f_one_b(s.p, s.m)[:2],
            moved(replay.one_f_one_b(s.p, s.m)[2], (2, 'F', 0), (2, 'B', 0))]),
         'stuck.csv blocks', 'not a deadlock'),
        ('it runs', edits('stuck.csv', lambda o, s: [
            *replay.one_f_one_b(s.p, s.m)[:2],
            moved(replay.one_f_one_b(s.p, s.m)[2], (2, 'B', 0), (2, 'F', 1))]),
         'stuck.csv blocks', 'it runs'),
        ('compared with nothing', lacks('mine.csv'), 'stuck.csv is mine.csv', 'mend mine.csv first'),
        ('mine.csv changed since', writes('mine.csv', lambda s: replay.one_f_one_b(
            s.p, s.m, lambda p, r: 0)), 'stuck.csv is mine.csv', 'Did you change mine.csv'),
        ('one F and one B too few', claims(makespan=lambda a, s: (s.m + s.p - 2) * (s.f + s.b)),
         'makespan', 'one B are missing'),
        ('the warm-up alone', claims(held=lambda a, s: s.p - 1 - s.r), 'held', 'warm-up'),
        ('another number', claims(stopped=lambda a, s: 6 * s.m - a['stopped']), 'stopped',
         'never run'),
        ('not mended', writes('mended.csv', lambda s: s.broken), 'mended.csv is valid',
         'wait in a cycle'),
        ('an op lacks', edits('mine.csv', lambda o, s: [o[0][:-1], *o[1:]]), 'mine.csv is valid',
         'missing'),
        ('mine.csv is no mended one', writes('mended.csv', lambda s: replay.one_f_one_b(s.p, s.m)),
         'mended.csv has the shape', 'wanted are 4, 4'),
        ('mended too little', writes('mended.csv', lambda s: [
            *s.broken[:-1], late_by_one(replay.one_f_one_b(s.mend.p, s.mend.m)[-1])]),
         'mended.csv holds no more', 'still later'),
        ('more than one row', writes('mended.csv', lambda s: replay.one_f_one_b(
            s.mend.p, s.mend.m, lambda p, r: p - 1 - r + (r == 0))), 'mended.csv changes', 'only one'),
        ('not verified', report('proof.json', lambda r: r['training'].update(verified=None)),
         'proof.json proves', '--verify'),
        ('the proof of another', writes('mine.csv', lambda s: replay.one_f_one_b(
            s.p, s.m, lambda p, r: 0)), 'proof.json proves', 'another mine.csv'),
        ('a proof of nothing', lacks('mine.csv'), 'proof.json proves', 'no valid mine.csv')],
    4: [('1F1B', claims(bubble=lambda a, s: (s.p - 1) / (s.m + s.p - 1)), 'bubble', '1f1b'),
        ('a v-th', claims(bubble=lambda a, s: (s.p - 1) / (s.m + s.p - 1) / s.v), 'bubble',
         'the work is not'),
        ('no wrap-around', claims(messages=lambda a, s: 2 * (s.p - 1) * s.v * s.m), 'messages',
         'from the last rank back'),
        ('every message counts', claims(latency_cost=lambda a, s: a['messages'] * s.us / 1e3),
         'latency_cost', 'while the rank computes'),
        ('in ms', claims(loses_at=lambda a, s: a['loses_at'] / 1e3), 'loses_at', 'in ms'),
        ('the default', converts('winner.csv', lambda s: f'interleaved --ranks {s.p} --chunks {s.v} '
                                 f'--microbatches {s.m} --group-size {s.p}'),
         'winner.csv beats', 'Larger groups'),
        ('one group', converts('winner.csv', lambda s: f'interleaved --ranks {s.p} --chunks {s.v} '
                               f'--microbatches {s.m} --group-size {s.m}'),
         'winner.csv fits', 'smaller')],
    5: [('rounded up', claims(time_1f1b=lambda a, s: ((s.m // s.p + 1) * s.p + s.p - 1)
                              * (s.f + s.b)), 'time_1f1b', 'no groups'),
        ('as if divided', claims(bubble_p=lambda a, s: a['bubble_divided']), 'bubble_p',
         'p divides m'),
        ('groups of p', claims(best_group=lambda a, s: s.p), 'best_group', 'last one is short'),
        ('all in one', claims(best_group=lambda a, s: s.m), 'best_group', 'the most'),
        ('unrounded', claims(torch_group=lambda a, s: s.m // (s.m // s.p) + (a['torch_group'] > 0)),
         'torch_group', 'refuses|whole groups|Megatron'),
        ('groups of p in the file', converts(
            'ragged.csv', lambda s: f'interleaved --ranks {s.p} --chunks 2 --microbatches {s.m} '
            f'--group-size {s.p}'), 'ragged.csv is as fast', 'best_group'),
        ('one group in the file', converts(
            'ragged.csv', lambda s: f'interleaved --ranks {s.p} --chunks 2 --microbatches {s.m} '
            f'--group-size {s.m}'), 'ragged.csv holds no more', 'cost memory')],
    6: [('from 1', claims(culprit=lambda a, s: a['culprit'] + 1), 'culprit', 'count from 0'),
        ('above the mean', claims(factor=lambda a, s: s.p * s.factor / (s.factor + s.p - 1)),
         'factor', 'in the mean'),
        ('the even split', claims(split=lambda a, s: [s.L // s.p] * s.p), 'split: the step is',
         'take some away'),
        ('more for the slow one', claims(split=lambda a, s: [
            s.L // s.p + (3 if r == s.culprit else -3 if r == s.p - 1 else 0)
            for r in range(s.p)]), 'split: it is as short', 'in proportion'),
        ('as it was', claims(split=lambda a, s: a['split'][:-1]), 'split: a list', 'add up'),
        ('a rank for a host', claims(host=lambda a, s: 2 if a['host'] != 2 else 1), 'host', 'host')],
    7: [('I alone', claims(bubble_h1=lambda a, s: (s.p - 1) * (s.f + s.i)), 'bubble_h1',
         'a W fills'),
        ('zero', claims(bubble_h2=lambda a, s: 0), 'bubble_h2', 'not with yours'),
        ('half a backward', claims(bubble_1f1b=lambda a, s: (s.p - 1) * (s.f + s.i)),
         'bubble_1f1b', 'I and W'),
        ('W at the end', writes('h1.csv', lambda s: replay.two_halves(s.p, s.m, 2 * s.m, 0)),
         'h1.csv fits', 'until its W'),
        ('W at once', writes('h1.csv', lambda s: [
            [x for op in row for x in ([(op[0], 'I', op[2]), (op[0], 'W', op[2])]
                                       if op[1] == 'B' else [op])]
            for row in replay.one_f_one_b(s.p, s.m)]), 'h1.csv is short enough', 'wait'),
        ('1F1B', writes('h1.csv', lambda s: replay.one_f_one_b(s.p, s.m)), 'h1.csv has the shape',
         'whole backward'),
        ('another number', writes('h1.csv', lambda s: replay.two_halves(s.p, s.m - 1, s.p, 0)),
         'h1.csv has the shape', 'wanted: 3, 3 and'),
        ('H1 again', writes('between.csv', lambda s: replay.two_halves(s.p, s.m, s.p, 0)),
         'between.csv is short', 'one more F'),
        ('H2', writes('between.csv', lambda s: replay.two_halves(s.p, s.m, 2 * s.p - 1, s.p)),
         'between.csv fits', 'at most 4')],
    8: [('no W', claims(work=lambda a, s: s.m * (s.f + s.i)), 'work', 'W is work'),
        ('above the limit', claims(forwards=lambda a, s: a['forwards'] + 1), 'forwards', 'limit'),
        ('too much', converts('best.csv', lambda s: f'zb-h1 --ranks {s.p} --microbatches {s.m}'),
         'best.csv fits', 'a rank holds'),
        ('as it comes', converts('best.csv', lambda s: f'v-half --ranks {s.p} '
                                 f'--microbatches {s.m}'), 'best.csv beats', 'optimize'),
        ('one by one', converts('best.csv', lambda s: f'sequential --ranks {s.p} '
                                f'--microbatches {s.m}'), 'best.csv is not far', 'at most 40 %'),
        ('two copies', converts('best.csv', lambda s: f'dualpipe --ranks {s.p} '
                                f'--microbatches {s.m + s.m % 2}'), 'best.csv', '')],
    10: [('the share that works', claims(idle_alone=lambda a, s: 1 / s.p), 'idle_alone',
          'share that works'),
         ('no way back', claims(round_ms=lambda a, s: s.p * s.c + (s.p - 1) * s.hop), 'round_ms',
          'one message more'),
         ('as many as ranks', claims(groups=lambda a, s: s.p), 'groups', 'messages are free'),
         ('one chunk', claims(first_ms=lambda a, s: s.p * s.prompt + (s.p - 1) * s.hop),
          'first_ms', 'one chunk'),
         ('no hops', claims(first_ms=lambda a, s: (s.n + s.p - 1) * s.prompt / s.n), 'first_ms',
          'messages take time'),
         ('alone', claims(token_ms=lambda a, s: a['round_ms']), 'token_ms', 'that is alone'),
         ('other tokens', report('many.json', lambda r: r['generation']['sequences'][0].update(
             tokens=[0])), 'both runs generate', 'same model'),
         ('other groups', report('many.json', lambda r: r['config'].update(groups=1)),
          'many.json is of your shape', 'groups')],
    9: [('1F1B held', claims(held=lambda a, s: a['held'] - 1), 'held', 'one more'),
        ('1F1B', text('mine.c', 'int warmup = ', 'int warmup = schedule->ranks - 1 - rank; '
                      'int other = '), 'the warm-up is as long', 'the warm-up has'),
        ('no constraint', text('mine.c', 'shape->microbatches < shape->ranks ?', 'false ?'),
         '.needs refuses', 'must be refused'),
        ('a bubble too small', text('mine.c', '(shape->ranks - 1) * work', 'shape->ranks * work'),
         'the closed form', 'simulated bubble'),
        ('the first lacks its end', text('mine.c', 'for (int i = m - warmup; i < m; i++)',
                                         'for (int i = m - warmup; i < m - 1; i++)'),
         'every other shape', 'missing'),
        ('no C', text('mine.c', 'static void', 'static vod'), 'mine.c compiles', 'error'),
        ('no such name', text('mine.c', 'pp_mine', 'pp_yours'), 'mine.c defines', 'pp_mine'),
        ('it crashes', text('mine.c', 'int m = schedule->microbatches;',
                            'int m = schedule->microbatches; *(volatile int *)0 = m;'),
         'every other shape', 'crashed')],
}


def test_lab(number):
    module = importlib.import_module(f'lab{number}')
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            right = folder / 'right'
            solve(number, right, seed)
            code, out, err = check(number, right, '--seed', seed)
            assert code == 0, (seed, out, err)
            assert all(passed for passed, _, _ in tests_of(out).values()), out
            every_question(number, module, right, seed)
            s = Lab(number, seed, right, PPSIM, module).s
            for k, (what, make, name, words) in enumerate(WRONG[number]):
                wrong = folder / f'wrong{k}'
                shutil.copytree(right, wrong)
                make(wrong, s)
                code, out, err = check(number, wrong, '--seed', seed)
                assert code == 1, (what, seed, code, out, err)
                failed = [(test, hint) for test, (passed, _, hint) in tests_of(out).items()
                          if not passed]
                assert any(test.startswith(name) and re.search(words, hint) for test, hint in failed), \
                    (what, seed, failed)
        # Another's solution is none.
    with tempfile.TemporaryDirectory() as folder:
        solve(number, folder, 'ada')
        assert check(number, folder, '--seed', 'eve')[0] == 1


def every_question(number, module, right, seed):
    """A wrong claim typed into answers.json, each in turn; and one that is not there."""
    answers = json.loads((right / 'answers.json').read_text())
    for name, value in answers.items():
        if isinstance(value, list):
            continue
        with tempfile.TemporaryDirectory() as folder:
            wrong = pathlib.Path(folder, 'wrong')
            shutil.copytree(right, wrong)
            for other in 1.37 * value + 11, None:
                (wrong / 'answers.json').write_text(json.dumps({**answers, name: other}))
                code, out, err = check(number, wrong, '--seed', seed)
                assert code == 1 and f'- {name}: ' in out, (name, out, err)
                failed = [test for test, (passed, _, _) in tests_of(out).items() if not passed]
                assert len(failed) == 1 and failed[0].startswith(f'{name}: '), (name, failed)


def test_usage():
    def refused(*arguments, words):
        code, out, err = check(*arguments)
        assert code == 2 and err.count('\n') == 1 and err.startswith('labs/check: '), (code, err)
        assert words in err and 'ok 1' not in out, (words, out, err)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        answers = folder / 'answers.json'
        refused(0, folder, words='--seed')
        refused(99, folder, '--seed', 'ada', words='there is no lab')
        refused('x', folder, '--seed', 'ada', words='there is no lab')
        refused(0, folder / 'none', '--seed', 'ada', words='there is no folder')
        refused(0, folder, '--seed', 'ada', '--nonsense', words='--nonsense')
        refused(1, folder, '--seed', 'ada', '--board', 'b', words='of lab 8')
        refused(0, folder, '--seed', 'ada', '--ppsim', folder / 'none', words='no program')
        for content, words in (('{"held": ', 'no JSON'), ('[1]', 'no JSON object'),
                               ('{"held": "3"}', 'write a number'), ('{"held": true}', 'a number'),
                               ('{"held": NaN}', 'a number'), ('{"hold": 3}', 'not asked for'),
                               ('{"held": [3]}', 'write a number'), ('\xff', 'no JSON')):
            answers.write_text(content, encoding='latin-1')
            refused(0, folder, '--seed', 'ada', words=words)
        answers.unlink()
        solve(0, folder / 'half', 'ada')
        report('half/tour.json', lambda r: r.pop('training'))(folder, None)
        code, _, err = check(0, folder / 'half', '--seed', 'ada')
        assert code == 2 and err.count('\n') == 1 and 'no whole report' in err, err
        for number in WRONG:
            code, out, _ = check(number, folder, '--seed', 'ada', '--show')
            assert code == 0 and 'answers.json' in out, out
            again = check(number, folder, '--seed', 'ada', '--show')[1]
            other = check(number, folder, '--seed', 'bob', '--show')[1]
            assert again == out != other
            code, out, err = check(number, folder, '--seed', 'ada')
            assert code == 1 and not any(p for p, _, _ in tests_of(out).values()), (out, err)


def test_board():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        board = folder / 'board.csv'
        for seed in 'ada', 'bob':
            solve(8, folder / seed, seed)
            code, out, err = check(8, folder / seed, '--seed', seed, '--board', board)
            assert code == 0 and f'. {seed} ' in out, (out, err)
        both = board.read_text()
        assert both.count('\n') == 3, both
        # A worse one later is not entered, nor is one that does not count.
        shape = Lab(8, 'ada', folder, PPSIM, importlib.import_module('lab8')).s
        converts('best.csv', lambda s: f'v-min --ranks {s.p} --microbatches {s.m}')(
            folder / 'ada', shape)
        assert check(8, folder / 'ada', '--seed', 'ada', '--board', board)[0] == 1
        (folder / 'bob/best.csv').write_text('nonsense\n')
        assert check(8, folder / 'bob', '--seed', 'bob', '--board', board)[0] == 1
        assert board.read_text() == both
        board.write_text('nonsense\n1\n')
        code, _, err = check(8, folder / 'ada', '--seed', 'ada', '--board', board)
        assert code == 2 and 'no leaderboard' in err, err


def main():
    names = sys.argv[3:] or [*map(str, WRONG), 'usage', 'board']
    for name in names:
        if name == '9' and SANITIZED:
            print('left out 9', flush=True)
        elif name.isdigit():
            test_lab(int(name))
        else:
            globals()[f'test_{name}']()
        print('ok  ', name, flush=True)


if __name__ == '__main__':
    main()
