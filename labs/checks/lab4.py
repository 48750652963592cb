"""Lab 4: interleaving, and the latency at which it loses."""
import json
from types import SimpleNamespace

TITLE = 'interleaving'
SLOWER = 1.1  # the link of winner.csv, times the latency at which interleaving loses


def shape(lab):
    p, v = lab.pick('p', [3, 5, 6]), lab.pick('v', [2, 3])
    return SimpleNamespace(p=p, v=v, m=3 * p, f=lab.draw('f', 11, 29) / 10,
                           b=lab.draw('b', 31, 59) / 10, us=lab.draw('us', 5, 20), most=2 * p)


def options(s):
    return [f'--ranks {s.p} --microbatches {s.m} --chunks {s.v} --cost f={s.f},b={s.b}']


def questions(s):
    return {
        'bubble': 'the bubble fraction of interleaved-1f1b',
        'messages': 'how many messages a step of it sends',
        'latency_cost': f'how many ms longer its step is if every message takes {s.us} us',
        'loses_at': 'from which latency on, in us, it is slower than 1f1b',
    }


def files(s):
    return {'winner.csv': f'an interleaved schedule, {s.v} chunks per rank, that beats 1f1b on a '
            f'link of {SLOWER} times your loses_at, and holds at most {s.most} microbatches on '
            'every rank'}


def crossing(lab):
    s = lab.s
    status, out, err = lab.ppsim(f'sweep --schedule 1f1b,interleaved {options(s)[0]} '
                                 '--link latency=1us..100ms --crossover --quiet --json -')
    assert status == 0, err
    segments = json.loads(out)['crossovers'][0]['segments']
    return next(float(x['from'][:-2]) for x in segments if x['faster'] == '1f1b')


def check(lab):
    s, base = lab.s, options(lab.s)[0]
    found = lab.simulate(f'--schedule interleaved {base}')
    plain = (s.p - 1) / (s.m + s.p - 1)
    lab.number('bubble', found['bubble']['fraction'], 4, 'the ramps are of stages that take 1/v '
               'of the time: put (p-1)/v where 1F1B has p-1', mistakes=[
                   (plain, 'that is 1f1b'),
                   (plain / s.v, 'the ramps are v times shorter, the work is not: the fraction '
                    'falls by less than v')])
    ops = [op for rank in found['timeline']['ops'] for op in rank]
    messages = 2 * len({op[0].split('F')[0] for op in ops if 'F' in op[0]}) * s.m - 2 * s.m
    lab.number('messages', messages, 4, 'count the borders that a microbatch crosses, forward and '
               'back', within=0, mistakes=[
                   (2 * (s.p - 1) * s.m, 'that is 1f1b'),
                   (2 * (s.p - 1) * s.v * s.m, 'from the last rank back to the first is a message '
                    'too: count the borders between stages'),
                   (messages / 2, 'that is one way'), (messages / s.m, 'that is one microbatch')])
    before = 1e3 * found['makespan_s']
    after = lab.milliseconds(f'--schedule interleaved {base} --link latency={s.us}us')
    lab.number('latency_cost', after - before, 4, 'small messages hide behind other ops: what '
               'remains is one microbatch on its way down and back through all stages',
               mistakes=[(2 * (s.p - 1) * s.us / 1e3, 'a microbatch goes through p v stages'),
                         (messages * s.us / 1e3, 'most messages travel while the rank computes')])
    loses = crossing(lab)
    lab.number('loses_at', loses, 3, 'sweep --link latency=1us..10ms --crossover narrows it down; '
               'the answer is in us', mistakes=[(loses / 1e3, 'that is in ms')])
    winner(lab, loses)


def winner(lab, loses):
    s = lab.s
    lab.part(5)
    if not lab.has('winner.csv'):
        return
    refusal = lab.refusal('winner.csv')
    if refusal:
        lab.lost('winner.csv is valid', refusal)
        return
    link = f'--cost f={s.f},b={s.b} --link latency={round(SLOWER * 1e3 * loses)}ns'
    found = lab.simulate(f'--schedule winner.csv {link}')
    config = found['config']
    has = tuple(config[key] for key in ('ranks', 'chunks', 'microbatches'))
    if has != (s.p, s.v, s.m):
        lab.lost('winner.csv has your shape',
                 'it has {} ranks, {} chunks per rank and {} microbatches'.format(*has))
        return
    other = lab.milliseconds(f'--ranks {s.p} --microbatches {s.m} {link}')
    lab.test('winner.csv beats 1f1b there', 1e3 * found['makespan_s'] < other, 2,
             f'{1e3 * found["makespan_s"]:.3f} ms against {other:.3f} ms: a microbatch comes back '
             'to a rank for its next chunk too soon. Larger groups (--group-size) give the '
             'message more time')
    peak = max(rank['peak_in_flight'] for rank in found['ranks'])
    lab.test('winner.csv fits', peak <= s.most, 3, f'it holds {peak:g} microbatches on one rank, '
             f'at most {s.most} are allowed: a group as large as the step is GPipe again. '
             'Take a smaller one')
