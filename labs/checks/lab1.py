"""Lab 1: why microbatches, and where they stop paying."""
import math
from types import SimpleNamespace

from lab import take

TITLE = 'why microbatches'
MOST = 96  # microbatches that are tried
# An answer is as good as the best where its step is at most this much longer.
NEAR_BEST = 1.01


def shape(lab):
    p = lab.pick('p', [3, 5, 6, 7])
    best = lab.draw('best', 9, 30)  # about where the overhead's optimum will be
    work = lab.draw('work', 40, 90)
    return SimpleNamespace(
        p=p, m=lab.draw('m', 9, 23), f=lab.draw('f', 11, 29) / 10, b=lab.draw('b', 31, 59) / 10,
        aim=lab.draw('aim', 4, 13) / 100, work=work,
        overhead=round(1.5 * work * (p - 1) / best ** 2, 2),
        latency=round(1.5 * work * p / (p * lab.draw('groups', 2, 6)) ** 2, 2),
        N=lab.pick('N', [16, 32]), ranks=lab.pick('ranks', [2, 3]))


def options(s):
    return [f'for bubble_one, bubble_many, m_for_bubble: --ranks {s.p} --cost f={s.f},b={s.b}; '
            f'bubble_one has --microbatches 1, bubble_many --microbatches {s.m}',
            f'for m_overhead: --ranks {s.p}; with m microbatches F takes {s.work}/m + {s.overhead} '
            f'ms, B {2 * s.work}/m + {s.overhead} ms',
            '    (formulas, no options: type the numbers for each m, as on the page)',
            f'for m_latency: --ranks {s.p} --link latency={s.latency}ms; with m microbatches F '
            f'takes {s.work}/m ms, B {2 * s.work}/m ms (likewise)',
            f'for few.json: --ranks {s.ranks} --microbatches 2 --microbatch-size {s.N // 2}',
            f'for many.json: --ranks {s.ranks} --microbatches {s.N} --microbatch-size 1']


def questions(s):
    return {
        'bubble_one': 'the bubble fraction with one microbatch',
        'bubble_many': f'the bubble fraction with {s.m}',
        'm_for_bubble': f'the fewest microbatches for a bubble of at most {s.aim}',
        'm_overhead': f'how many microbatches (up to {MOST}) make the step shortest, if each op '
                      f'takes {s.overhead} ms more, however small it is',
        'm_latency': f'how many microbatches (a multiple of {s.p}, up to {MOST}) make it shortest '
                     f'if instead a message takes {s.latency} ms',
        'small_ratio': 'in your two runs: what F of stage 0 takes per sequence with 1 sequence in '
                       f'a microbatch, over what it takes with {s.N // 2}',
    }


def files(s):
    return {'few.json': 'the report of a run of 1f1b with few large microbatches (above)',
            'many.json': 'the same with many small ones'}


def step(lab, m, extra, link=''):
    s = lab.s
    return lab.milliseconds(f'{link} --ranks {s.p} --microbatches {m} --cost '
                            f'f={s.work / m + extra:.6f},b={2 * s.work / m + extra:.6f}')


def optimum(lab, name, counts, extra, link, points, hint):
    """Judges the m of counts whose step is the shortest, or nearly."""
    times = {}

    def time(m):
        if m not in times:
            times[m] = step(lab, m, extra, link)
        return times[m]

    # The step falls, and then rises: look at distances that grow, then between the two
    # neighbours of the best.
    coarse = sorted({min(int(1.4 ** k), len(counts)) - 1 for k in range(16)})
    k = coarse.index(min(coarse, key=lambda k: time(counts[k])))
    around = range(coarse[max(k - 1, 0)], coarse[min(k + 1, len(coarse) - 1)] + 1)
    best = counts[min(around, key=lambda k: time(counts[k]))]
    answer = lab.answers.get(name)
    if answer is not None and answer not in counts:
        what = 'a whole number' if counts.step == 1 else f'a multiple of {counts.step}'
        lab.test(f'{name}: {lab.questions[name]}', False, points,
                 f'{answer} will not do: it must be {what}, up to {counts[-1]}')
        return
    right = answer is not None and time(int(answer)) <= NEAR_BEST * time(best)
    if answer is not None and answer > best:
        hint = 'too many: there the cost of each op or message has eaten up the bubble. ' + hint
    elif answer is not None:
        hint = 'too few: there the bubble costs more than small ops do. ' + hint
    # One that is nearly as good is as right as the best.
    lab.number(name, answer if right else best, points, hint, within=0)


def check(lab):
    s = lab.s
    base = f'--ranks {s.p} --cost f={s.f},b={s.b} --microbatches'
    ideal = (s.p - 1) / s.m
    one = lab.simulate(f'{base} 1')['bubble']['fraction']
    many = lab.simulate(f'{base} {s.m}')['bubble']['fraction']
    over_ideal = ('that is idle over busy time (over_ideal, which papers also call bubble): this '
                  'asks for idle over all time (fraction)')
    percent = 'a fraction is asked for, not percent'
    lab.number('bubble_one', one, 2,
               'with one microbatch one rank works at a time: what share of the ranks is idle?',
               mistakes=[(1 / s.p, 'that is the share which works: the bubble is the rest'),
                         (s.p - 1, over_ideal), (100 * one, percent)])
    lab.number('bubble_many', many, 3,
               'how many units (F + B of one microbatch) does a rank compute, how many does it '
               'wait?', mistakes=[(ideal, over_ideal), (100 * many, percent)])
    points = lab.sweep(f'--ranks {s.p} --cost f={s.f},b={s.b} --microbatches 1:400')
    fewest = min(x['microbatches'] for x in points if x['bubble']['fraction'] <= s.aim)
    wrong = math.ceil((s.p - 1) / s.aim - 1e-9)
    lab.number('m_for_bubble', fewest, 3, 'solve (p-1)/(m+p-1) <= bubble for m, and round up',
               within=0, mistakes=[(wrong, 'that solves (p-1)/m, which is over_ideal: the '
                                    'fraction has m + p - 1 below'),
                                   (fewest - 1, 'just above: round up')])
    optimum(lab, 'm_overhead', range(1, MOST + 1), s.overhead, '', 4,
            'write the step as (m + p - 1) times one microbatch, and find its minimum; '
            'or simulate some m, as the loop on the page does')
    optimum(lab, 'm_latency', range(s.p, MOST + 1, s.p), 0, f'--link latency={s.latency}ms', 3,
            'each microbatch more brings messages that ranks wait for: simulate some m')
    shared = dict(schedule='1f1b', ranks=s.ranks)
    lab.part(5)
    few = lab.saved('few.json', microbatches=2, microbatch_size=s.N // 2, **shared)
    many = few and lab.saved('many.json', microbatches=s.N, microbatch_size=1, **shared)
    if many:
        same = all(few['config'].get(key) == many['config'].get(key)
                   for key in ('layers', 'd_model', 'heads', 'seq_len', 'vocab'))
        lab.test('both runs are of one model', same, 2,
                 'few.json and many.json differ in the model: change the microbatches alone')
        small, large = forward('many.json', many), forward('few.json', few)
        ratio = take('few.json', lambda: small / (large / (s.N // 2)))
        lab.number('small_ratio', ratio, 3, 'divide the F of stage 0 (costs, median_s) by the '
                   'sequences of a microbatch, in both reports; and if you ran again, '
                   'compute it anew', within=0.01, mistakes=[
                       (1 / ratio, 'the other way round: small over large'),
                       (ratio / (s.N // 2), 'per sequence: the large microbatch has '
                        f'{s.N // 2} of them')])


def forward(name, report):
    return take(name, lambda: next(cost['median_s'] + 0.0 for cost in report['costs']
                                   if cost['stage'] == 0 and cost['kind'] == 'F'))
