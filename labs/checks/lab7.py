"""Lab 7: zero bubble. B in two halves; where W goes; what memory buys."""
from types import SimpleNamespace

TITLE = 'zero bubble'
RANKS = 3


def shape(lab):
    w = lab.draw('w', 10, 20) / 10
    return SimpleNamespace(p=RANKS, m=lab.draw('m', 6, 8), w=w,
                           f=round(w + lab.draw('f', 2, 12) / 10, 1),
                           i=round(w + lab.draw('i', 2, 12) / 10, 1))


def costs(s):
    return f'--cost f={s.f},i={s.i},w={s.w}'


def options(s):
    return [f'--ranks {s.p} --microbatches {s.m} {costs(s)}']


def questions(s):
    return {
        'bubble_1f1b': 'the idle ms of a rank within its own span (from its first op to its last, '
                       'on the rank where that is longest) under 1f1b',
        'bubble_h1': 'the same under zb-h1',
        'bubble_h2': 'the same under zb-h2',
        'held_h2': 'the most microbatches that a rank holds under zb-h2',
    }


def files(s):
    return {'h1.csv': 'your schedule with I and W, whose longest span is no longer than that of '
            f'zb-h1, and that holds at most {s.p} microbatches on every rank',
            'between.csv': f'your schedule that holds at most {s.p + 1}, and whose longest span is '
            'shorter than that of zb-h1 by the time of one W'}


def span(found):
    """ms: the longest, from a rank's first op to its last."""
    return 1e3 * max(rank[-1][2] - rank[0][1] for rank in found['timeline']['ops'])


def check(lab):
    s, base = lab.s, options(lab.s)[0]
    work = s.m * (s.f + s.i + s.w)
    found = {name: lab.simulate(f'--schedule {name} {base}') for name in ('1f1b', 'zb-h1', 'zb-h2')}
    idle = {name: span(report) - work for name, report in found.items()}
    lab.number('bubble_1f1b', idle['1f1b'], 3, 'each rank but one costs an F and a whole '
               'backward', mistakes=[
        ((s.p - 1) * (s.f + s.i), 'the whole backward is I and W')])
    lab.number('bubble_h1', idle['zb-h1'], 3, 'what is on the way back, for each rank but one, and '
               'how much of that does a W fill?',
               mistakes=[((s.p - 1) * (s.f + s.i), 'I alone is on the way back; but a W fills a '
                          'part of every gap'),
                         (idle['zb-h1'] / (s.p - 1), 'for each of p - 1 ranks')])
    lab.number('bubble_h2', idle['zb-h2'], 3, 'against H1 it saves one W more for each of the '
               'p - 1 other ranks',
               mistakes=[(0, 'it is 0 where f + i = 2w, as with equal times; not with yours')])
    lab.number('held_h2', max(rank['peak_in_flight'] for rank in found['zb-h2']['ranks']), 2,
               'the warm-up of rank 0 is twice as long as that of 1f1b, and one more', within=0,
               mistakes=[(s.p, 'that is zb-h1'), (2 * s.p, 'one less'),
                         (2 * (s.p - 1), 'those are the warm-up forwards: one more')])
    mine(lab, 'h1.csv', 4, s.p, span(found['zb-h1']), 'place each W where its rank would wait '
         'otherwise: simulate it with --timeline, and look at the dots before an I')
    mine(lab, 'between.csv', 5, s.p + 1, span(found['zb-h1']) - s.w, 'begin with h1.csv: let '
         'rank 0 do one more F before its first I; give a rank after it one more only where it has '
         'dots before its first I (the last has none)')


def mine(lab, name, points, most, limit, hint):
    s = lab.s
    lab.part(points)
    if not lab.has(name):
        return
    refusal = lab.refusal(name)
    if refusal:
        lab.lost(f'{name} is valid', refusal)
        return
    found = lab.simulate(f'--schedule {name} {costs(s)}')
    has = tuple(found['config'][key] for key in ('ranks', 'stages', 'microbatches'))
    split = all('B' not in op[0] for rank in found['timeline']['ops'] for op in rank)
    wrong = ('it has {} ranks, {} stages and {} microbatches; wanted: '.format(*has)
             + f'{s.p}, {s.p} and {s.m}')
    if has == (s.p, s.p, s.m) and not split:
        wrong = 'it has a whole backward, B: write I and W'
    if has != (s.p, s.p, s.m) or not split:
        lab.lost(f'{name} has the shape asked for', wrong)
        return
    peak = max(rank['peak_in_flight'] for rank in found['ranks'])
    lab.test(f'{name} fits', peak <= most, 2, f'a rank holds {peak:g} microbatches, at most {most} '
             'are allowed: a microbatch is held until its W, so do a W before the next F')
    lab.test(f'{name} is short enough', span(found) <= limit + 1e-6, points - 2,
             f'the longest span is {span(found):.2f} ms, at most {limit:.2f} is asked for: {hint}')
