"""Lab 3: 1F1B by hand; a deadlock made and mended; the bits."""
from types import SimpleNamespace

import rows
from lab import say, take

TITLE = '1F1B by hand'
RANKS = 3


def shape(lab):
    s = SimpleNamespace(p=RANKS, m=lab.draw('m', 5, 8), f=lab.draw('f', 11, 29) / 10,
                        b=lab.draw('b', 31, 59) / 10, r=lab.draw('r', 0, 1))
    # Of another shape than mine.csv, or it would give most of it away.
    other = 5 + (s.m - 5 + lab.draw('mend', 1, 3)) % 4
    s.mend = SimpleNamespace(p=RANKS + 1, m=other, f=s.f, b=s.b)
    s.broken = broken(s.mend, lab.draw('where', 0, s.mend.m - s.mend.p - 1))
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
            'mended.csv': 'the schedule that --show prints, with one row put right: valid, as fast '
                          'as 1F1B, and as small',
            'proof.json': "what 'build/ppsim run --schedule DIR/mine.csv --layers 3 --verify "
                          "--json DIR/proof.json' writes"}


def give(lab):
    mend = lab.s.mend
    say(f'the schedule to mend, of {mend.p} ranks and {mend.m} microbatches:\n')
    say(rows.text(lab.s.broken))


def valid(lab, name, s):
    """The rows of a file that ppsim accepts and that has the shape s, and their simulation;
    or None."""
    if not lab.has(name):
        return None
    order = rows.read(lab.directory / name)
    refusal = lab.refusal(name)
    if refusal or not order:
        said = f'ppsim schedules check {name} says:\n{refusal}'
        lab.lost(f'{name} is valid',
                 said if refusal else f'{name} has cells that are no op, such as 0F0')
        return None
    found = lab.simulate(f'--schedule {name} --cost f={s.f},b={s.b}')
    config = found['config']
    has = config['ranks'], config['stages'], config['microbatches']
    wanted = s.p, s.p, s.m
    hint = (f'{name} has {has[0]} ranks, {has[1]} stages and {has[2]} microbatches; wanted are '
            f'{wanted[0]}, {wanted[1]} and {wanted[2]}')
    if has == wanted and any(stage != r for r, row in enumerate(order) for stage, _, _ in row):
        has, hint = None, f'{name}: stage 0 belongs on rank 0 (the first row), 1 on 1, and so on'
    if has != wanted:
        lab.lost(f'{name} has the shape asked for', hint)
        return None
    return order, found


def judge(lab, name, found, s, memory_hint):
    best = lab.milliseconds(f'--ranks {s.p} --microbatches {s.m} --cost f={s.f},b={s.b}')
    lab.test(f'{name} is as fast as 1F1B', 1e3 * found['makespan_s'] <= best + 1e-6, 2,
             'some rank waits longer than it must: simulate it with --timeline, and look for the '
             'first gap that 1F1B has not')
    peaks = [rank['peak_in_flight'] for rank in found['ranks']]
    over = [r for r, peak in enumerate(peaks) if peak > s.p - r]
    rank = (over or [0])[0]
    lab.test(f'{name} holds no more than 1F1B', not over, 2,
             f'rank {rank} holds {peaks[rank]:g} microbatches: {memory_hint}')


def check(lab):
    s = lab.s
    found = lab.simulate(f'--ranks {s.p} --microbatches {s.m} --cost f={s.f},b={s.b}')
    lab.number('makespan', 1e3 * found['makespan_s'], 2, 'count on the last rank: how long does it '
               'wait for its first F, and how long do the others go on after its last B?',
               mistakes=[(s.m * (s.f + s.b), 'that is what a rank computes: add the ramps'),
                         ((s.m + s.p - 2) * (s.f + s.b), 'one F and one B are missing: how many '
                          'does the first microbatch wait for the last rank?')])
    lab.number('held', found['ranks'][s.r]['peak_in_flight'], 1, 'count along its row: each F is '
               'one more, each B one less', within=0,
               mistakes=[(s.p - 1 - s.r, 'that is its warm-up: does an F or a B come next?')])
    lab.part(5)
    mine = valid(lab, 'mine.csv', s)
    if mine:
        judge(lab, 'mine.csv', mine[1], s, 'is its warm-up too long, or does it do two forwards in '
              'a row later?')
        status, _, err = lab.ppsim(
            'run --schedule mine.csv --verify --steps 2 --warmup-steps 1 --layers 3 --d-model 16 '
            '--heads 2 --seq-len 8 --microbatch-size 1 --quiet')
        lab.test('mine.csv trains with the bits of the sequential run', status == 0, 1,
                 'ppsim run --schedule mine.csv --verify says:\n' + err)
    deadlock(lab, mine)
    mended(lab)
    lab.part(2)
    proof = lab.saved('proof.json', ranks=s.p, stages=s.p, microbatches=s.m,
                      schedule='mine.csv')
    if proof:
        proves(lab, proof, mine)


def proves(lab, proof, mine):
    """proof.json is of this very mine.csv, and verified."""
    ran, verified = take('proof.json', lambda: (
        [[op[0] for op in rank] for rank in proof['timeline']['ops']],
        proof['training']['verified'] is True))
    hint = "proof.json is of a run without '--verify': nothing was compared"
    same = bool(mine) and ran == rows.cells(mine[0])
    if not mine:
        hint = 'there is no valid mine.csv: mend it first, and run it again'
    elif not same:
        hint = 'proof.json is of another mine.csv: run it again'
    lab.test('proof.json proves mine.csv', same and verified, 2, hint)


def deadlock(lab, mine):
    lab.part(5)
    if not lab.has('stuck.csv'):
        return
    if not mine:
        lab.lost('stuck.csv is mine.csv with one row in another order',
                 'mend mine.csv first: stuck.csv is compared with it')
        return
    order = rows.read(lab.directory / 'stuck.csv')
    hint = other_row(order, mine[0])
    if hint:
        lab.lost('stuck.csv is mine.csv with one row in another order', hint)
        return
    changed = [r for r in range(len(order)) if order[r] != mine[0][r]]
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


def other_row(order, mine):
    """Why the order is not mine with one row in another order; empty if it is."""
    if not order or len(order) != len(mine):
        return f'it has not {len(mine)} rows of ops, such as 0F0'
    changed = [r for r in range(len(order)) if order[r] != mine[r]]
    if not changed:
        return 'it is mine.csv: change the order in one row'
    if len(changed) > 1:
        return (f'rows {named(changed)} differ from mine.csv: only one may. Did you change '
                'mine.csv since?')
    if sorted(order[changed[0]]) != sorted(mine[changed[0]]):
        return f'row {changed[0]} has not the ops of mine.csv: change their order alone'
    return ''


def named(numbers):
    return ', '.join(map(str, numbers[:-1])) + f' and {numbers[-1]}'


def mended(lab):
    lab.part(5)
    found = valid(lab, 'mended.csv', lab.s.mend)
    if not found:
        return
    changed = [r for r, row in enumerate(lab.s.broken) if found[0][r] != row]
    lab.test('mended.csv changes one row', len(changed) == 1, 1,
             f'rows {named(changed)} differ from the schedule that --show prints: only one may')
    judge(lab, 'mended.csv', found[1], lab.s.mend, 'it runs, but is an op still later than it '
          'could be?')
