"""Lab 3: 1F1B by hand; a deadlock made and mended; the bits."""
from types import SimpleNamespace

import rows
from lab import say, take

TITLE = '1F1B by hand'
RANKS = 3


def shape(lab):
    s = SimpleNamespace(p=RANKS, m=lab.draw('m', 5, 8), f=lab.draw('f', 11, 29) / 10,
                        b=lab.draw('b', 31, 59) / 10, r=lab.draw('r', 0, 1))
    s.broken = broken(s, lab.draw('where', 0, s.m - 4))
    return s


def broken(s, where):
    """1F1B whose last rank wants a forward too many before a backward, later or earlier."""
    order = []
    for r in range(s.p):
        warm = min(s.p - 1 - r, s.m)
        row = [(r, 'F', i) for i in range(warm)]
        for i in range(warm, s.m):
            row += [(r, 'F', i), (r, 'B', i - warm)]
        order.append(row + [(r, 'B', i) for i in range(s.m - warm, s.m)])
    last = order[-1]
    late = last.index((s.p - 1, 'B', where))
    last.insert(last.index((s.p - 1, 'F', where + s.p)) + 1, last[late])
    del last[late]
    return order


def options(s):
    return [f'{s.p} ranks, a stage each, --cost f={s.f},b={s.b}, {s.m} microbatches']


def questions(s):
    return {
        'makespan': 'the makespan of 1F1B, in ms',
        'held': f'the most microbatches that rank {s.r} holds at once',
        'stopped': 'how many ops of your stuck.csv, on all ranks, run before it blocks',
    }


def files(s):
    return {'mine.csv': '1F1B, written by hand',
            'stuck.csv': 'mine.csv with one row in another order, so that it blocks',
            'mended.csv': 'the schedule below, with one row put right: valid, as fast as 1F1B, and '
                          'as small',
            'proof.json': "the report of 'ppsim run --schedule mine.csv --verify'"}


def give(lab):
    say('the schedule to mend:\n')
    say(rows.text(lab.s.broken))


def valid(lab, name):
    """The rows of a file that ppsim accepts and that has the lab's shape; or None."""
    if not lab.has(name):
        return None
    order = rows.read(lab.directory / name)
    refusal = lab.refusal(name)
    if refusal or not order:
        lab.lost(f'{name} is valid', f'ppsim schedules check {name} says: {refusal}' if refusal else
                 f'{name} has cells that are no op, such as 0F0')
        return None
    found = lab.simulate(f'--schedule {name} --cost f={lab.s.f},b={lab.s.b}')
    config = found['config']
    has = config['ranks'], config['stages'], config['microbatches']
    wanted = lab.s.p, lab.s.p, lab.s.m
    hint = (f'{name} has {has[0]} ranks, {has[1]} stages and {has[2]} microbatches; wanted are '
            f'{wanted[0]}, {wanted[1]} and {wanted[2]}')
    if has == wanted and any(stage != r for r, row in enumerate(order) for stage, _, _ in row):
        has, hint = None, f'{name}: stage 0 belongs on rank 0 (the first row), 1 on 1, 2 on 2'
    if has != wanted:
        lab.lost(f'{name} has your shape', hint)
        return None
    return order, found


def judge(lab, name, found):
    best = lab.milliseconds(f'--ranks {lab.s.p} --microbatches {lab.s.m} '
                            f'--cost f={lab.s.f},b={lab.s.b}')
    lab.test(f'{name} is as fast as 1F1B', 1e3 * found['makespan_s'] <= best + 1e-6, 2,
             'some rank waits longer than it must: simulate it with --timeline, and look for the '
             'first gap that 1F1B has not')
    peaks = [rank['peak_in_flight'] for rank in found['ranks']]
    over = [r for r, peak in enumerate(peaks) if peak > lab.s.p - r]
    lab.test(f'{name} holds no more than 1F1B', not over, 2, f'rank {(over or [0])[0]} holds '
             f'{peaks[(over or [0])[0]]:g} microbatches: it may begin with as many forwards as '
             'ranks follow it, and then does one forward and one backward in turn')


def check(lab):
    s = lab.s
    found = lab.simulate(f'--ranks {s.p} --microbatches {s.m} --cost f={s.f},b={s.b}')
    lab.number('makespan', 1e3 * found['makespan_s'], 2, '(m + p - 1) times F and B of one '
               'microbatch', mistakes=[(s.m * (s.f + s.b), 'that is what a rank computes: add the '
                                        'ramps')])
    lab.number('held', found['ranks'][s.r]['peak_in_flight'], 1, 'its warm-up forwards, and one',
               within=0, mistakes=[(s.p - 1 - s.r, 'one more: the F of the steady state comes '
                                    'before its B')])
    lab.part(5)
    mine = valid(lab, 'mine.csv')
    if mine:
        judge(lab, 'mine.csv', mine[1])
        status, _, err = lab.ppsim(
            'run --schedule mine.csv --verify --steps 2 --warmup-steps 1 --layers 3 --d-model 16 '
            '--heads 2 --seq-len 8 --microbatch-size 1 --quiet')
        lab.test('mine.csv trains with the bits of the sequential run', status == 0, 1,
                 'ppsim run --schedule mine.csv --verify says: ' + ' '.join(err.split()))
    deadlock(lab, mine)
    mended(lab)
    lab.part(2)
    proof = lab.saved('proof.json', ranks=s.p, stages=s.p, microbatches=s.m,
                      schedule='mine.csv')
    if proof:
        verified = take('proof.json', lambda: proof['training']['verified'])
        lab.test('proof.json is verified', verified is True, 2,
                 "proof.json is of a run without '--verify': nothing was compared")


def deadlock(lab, mine):
    lab.part(5)
    if not lab.has('stuck.csv'):
        return
    order = rows.read(lab.directory / 'stuck.csv')
    changed = []
    if mine and order and len(order) == len(mine[0]):
        changed = [r for r in range(len(order)) if order[r] != mine[0][r]]
    same_ops = bool(changed) and all(sorted(order[r]) == sorted(mine[0][r]) for r in changed)
    one_row = len(changed) == 1 and same_ops
    if not one_row:
        lab.lost('stuck.csv is mine.csv with one row in another order',
                 'it needs a valid mine.csv, and the same ops in every row, of which one row '
                 'alone has them in another order')
        return
    blocked = lab.ppsim('schedules check stuck.csv')[0] == 2
    hint = ('it runs: find an op whose input comes from a rank that itself waits for something '
            'further down in your row')
    if not rows.alone(order[changed[0]]):
        hint = ('that row cannot run even alone: a B before its own F is an error, not a deadlock. '
                'Two ranks have to wait for each other')
    lab.test('stuck.csv blocks', blocked and rows.alone(order[changed[0]]), 3, hint)
    lab.number('stopped', rows.runs(order), 2, 'go through the rows with a finger on each: which '
               'ops have their input? The first that lacks it stops its row', within=0,
               mistakes=[(sum(map(len, order)) - rows.runs(order), 'those are the ops that never '
                          'run')])


def mended(lab):
    lab.part(5)
    found = valid(lab, 'mended.csv')
    if not found:
        return
    changed = [r for r in range(RANKS) if found[0][r] != lab.s.broken[r]]
    lab.test('mended.csv changes one row', len(changed) == 1, 1,
             f'rows {changed} differ from the schedule of labs/check --show: one is enough')
    judge(lab, 'mended.csv', found[1])
