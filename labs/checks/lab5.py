"""Lab 5: microbatches that the ranks do not divide, and groups."""
from types import SimpleNamespace

TITLE = 'ragged steps'
# By the ranks: what m leaves over where groups of p run at all.
RESTS = {3: [1, 2], 5: [1, 3, 4], 6: [1, 4, 5]}


def shape(lab):
    p = lab.pick('p', sorted(RESTS))
    return SimpleNamespace(p=p, m=p * lab.draw('groups', 2, 4) + lab.pick('rest', RESTS[p]),
                           f=lab.draw('f', 11, 29) / 10, b=lab.draw('b', 31, 59) / 10)


def options(s):
    return [f'--ranks {s.p} --microbatches {s.m} --cost f={s.f},b={s.b}, and --chunks 2 for '
            'interleaved-1f1b']


def questions(s):
    return {
        'time_1f1b': 'the makespan of 1f1b, in ms',
        'bubble_divided': 'the idle time of rank 0, in ms, that interleaved-1f1b has where p '
                          'divides m',
        'bubble_p': f'the same for your m with --group-size {s.p}, the default of Megatron-LM',
        'best_group': 'the smallest --group-size with the shortest step',
        'torch_group': "PyTorch's group size, m over the larger of 1 and m/p rounded down; "
                       '0 if it is not whole, where PyTorch refuses',
    }


def files(s):
    return {'ragged.csv': 'an interleaved schedule, 2 chunks per rank, as fast as that of your '
            'best_group, that holds no more on any rank'}


def idle(lab, m, group):
    """ms on rank 0, or None where the groups cannot run."""
    s = lab.s
    status = lab.ppsim(f'schedules check interleaved --ranks {s.p} --chunks 2 --microbatches {m} '
                       f'--group-size {group}')[0]
    if status != 0:
        return None
    return 1e3 * interleaved(lab, m, group)['ranks'][0]['idle_s']


def interleaved(lab, m, group):
    s = lab.s
    return lab.simulate(f'--schedule interleaved --ranks {s.p} --chunks 2 --microbatches {m} '
                        f'--group-size {group} --cost f={s.f},b={s.b}')


def check(lab):
    s = lab.s
    work = s.f + s.b
    up = (s.m // s.p + 1) * s.p
    lab.number('time_1f1b', lab.milliseconds(options(s)[0].split(',  ')[0].split(', and')[0]), 3,
               '1f1b takes microbatches one by one: nothing changes', mistakes=[
                   ((up + s.p - 1) * work, 'that is with m rounded up: 1f1b has no groups'),
                   (s.m * work, 'add the ramps')])
    lab.number('bubble_divided', idle(lab, up, s.p), 3, '1f1b has (p-1)(f+b); here the ramps are '
               'of half stages', mistakes=[
                   ((s.p - 1) * work, 'that is 1f1b: divide by the chunks')])
    groups = {n: idle(lab, s.m, n) for n in range(1, s.m + 1)}
    best = min(x for x in groups.values() if x is not None)
    smallest = min(n for n, x in groups.items() if x is not None and x <= best + 1e-6)
    lab.number('bubble_p', groups[s.p], 3, 'the last group is short, and the next chunk waits '
               'for it: simulate it', mistakes=[((s.p - 1) * work / 2, 'that is where p divides m')])
    lab.number('best_group', smallest, 4, 'try all group sizes: sweep --group-size '
               f'{s.p}:{s.m}', within=0, mistakes=[
                   (s.p, 'with groups of p the last one is short, and ranks wait'),
                   (s.m, 'one group of all works, and holds the most: find a smaller one')])
    rounds = max(1, s.m // s.p)
    lab.number('torch_group', 0 if s.m % rounds else s.m // rounds, 3, 'divide m by the number of '
               'whole groups of p', within=0, mistakes=[
                   (s.m // rounds, 'it does not divide evenly: PyTorch refuses, answer 0'),
                   (s.p, "that is Megatron's default")])
    ragged(lab, smallest)


def ragged(lab, smallest):
    s = lab.s
    lab.part(4)
    if not lab.has('ragged.csv'):
        return
    refusal = lab.refusal('ragged.csv')
    if refusal:
        lab.lost('ragged.csv is valid', refusal)
        return
    found, par = lab.simulate(f'--schedule ragged.csv --cost f={s.f},b={s.b}'), \
        interleaved(lab, s.m, smallest)
    has = tuple(found['config'][key] for key in ('ranks', 'chunks', 'microbatches'))
    if has != (s.p, 2, s.m):
        lab.lost('ragged.csv has your shape',
                 'it has {} ranks, {} chunks per rank and {} microbatches'.format(*has))
        return
    lab.test('ragged.csv is as fast', found['makespan_s'] <= par['makespan_s'] + 1e-9, 2,
             f'{1e3 * found["makespan_s"]:.2f} ms against {1e3 * par["makespan_s"]:.2f} ms: '
             'schedules convert interleaved with your best_group')
    over = [r for r, (a, b) in enumerate(zip(found['ranks'], par['ranks']))
            if a['peak_in_flight'] > b['peak_in_flight']]
    lab.test('ragged.csv holds no more', not over, 2, f'ranks {over} hold more than with the '
             'smallest of the best groups: larger groups cost memory')
