"""Lab 10: inference. Groups, chunks, and what one user gets."""
from types import SimpleNamespace

from lab import take

TITLE = 'inference'
TURNS = 24  # enough for the ramps to be a small part


def shape(lab):
    p = lab.pick('p', [3, 5, 6])
    c = lab.draw('c', 11, 29) / 10
    return SimpleNamespace(
        p=p, c=c, hop=round(c * lab.draw('hop', 15, 45) / 100, 2), n=lab.draw('n', 3, 6),
        prompt=lab.draw('prompt', 20, 60), ranks=lab.pick('ranks', [2, 3]))


def options(s):
    return [f'--schedule decode --ranks {s.p} --cost decode={s.c}; idle_alone: free links; '
            f'all others: --link latency={s.hop}ms',
            f'for first_ms: a prompt takes {s.prompt} ms on each rank, in {s.n} equal chunks: '
            f'--prompt-chunks {s.n} --cost prefill={s.prompt}/{s.n},decode={s.c} --groups 1',
            f'for one.json and many.json: ppsim generate --ranks {s.ranks} --max-tokens 32, '
            f'with {2 * s.ranks} prompts']


def questions(s):
    return {
        'idle_alone': 'the bubble fraction of one group, over many tokens',
        'round_ms': "the time from one of a user's tokens to the next if they are alone, in ms",
        'groups': 'the fewest groups with which no rank ever waits, once all have begun',
        'token_ms': "the time from one of a user's tokens to the next with twice as many groups",
        'first_ms': 'the time to the first token of the prompt',
        'faster': 'in your two runs: tokens per second of many.json over those of one.json',
    }


def files(s):
    return {'one.json': "the report of 'ppsim generate' with --groups 1",
            'many.json': f'the same prompts with --groups {2 * s.ranks}'}


def decode(lab, groups, turns, link=True):
    s = lab.s
    hop = f' --link latency={s.hop}ms' if link else ''
    return lab.simulate(f'--schedule decode --ranks {s.p} --groups {groups} '
                        f'--microbatches {groups * turns} --cost decode={s.c}{hop}')


def period(lab, groups):
    """ms between two turns of a group on rank 0, the last ones."""
    first = decode(lab, groups, 6)['timeline']['ops'][0]
    return 1e3 * (first[-1][1] - first[-1 - groups][1])


def first_token(lab):
    s = lab.s
    found = lab.simulate(f'--schedule decode --ranks {s.p} --groups 1 --prompt-chunks {s.n} '
                         f'--microbatches 1 --link latency={s.hop}ms '
                         f'--cost prefill={round(1e6 * s.prompt / s.n)}ns,decode={s.c}')
    return 1e3 * found['timeline']['ops'][-1][s.n - 1][2]


def check(lab):
    s = lab.s
    lab.number('idle_alone', decode(lab, 1, TURNS, link=False)['bubble']['fraction'], 3,
               'the next token needs this one: how many ranks work at a time?',
               mistakes=[(1 / s.p, 'that is the share that works')])
    alone = period(lab, 1)
    lab.number('round_ms', alone, 3, 'through all the stages, and back to the first with the token',
               mistakes=[(s.p * s.c, 'the messages take time too'),
                         (s.p * s.c + (s.p - 1) * s.hop, 'the token has to go back to rank 0: one '
                          'message more')])
    fewest = next(g for g in range(1, 100) if period(lab, g) <= g * s.c + 1e-6)
    lab.number('groups', fewest, 3, 'while one group goes round, the others have to fill rank 0: '
               'how many turns of c fit into a round?', within=0, mistakes=[
                   (s.p, 'that fills the ranks where messages are free'),
                   (fewest - 1, 'not quite: round up')])
    lab.number('token_ms', period(lab, 2 * fewest), 3, 'each group waits for the turns of all '
               'others', mistakes=[(alone, 'that is alone: the ranks are full now'),
                                   (fewest * s.c, 'twice as many groups')])
    lab.number('first_ms', first_token(lab), 3, 'the chunks follow each other through the stages '
               'like microbatches: n + p - 1 of them, and p - 1 messages', mistakes=[
                   (s.p * s.prompt + (s.p - 1) * s.hop, 'that is one chunk: with several, ranks '
                    'work at the same time'),
                   ((s.n + s.p - 1) * s.prompt / s.n, 'the messages take time too'),
                   (s.prompt, 'every stage has to see the prompt')])
    generated(lab)


def generated(lab):
    s = lab.s
    lab.part(5)
    shared = dict(command='generate', ranks=s.ranks, max_tokens=32)
    one = lab.saved('one.json', groups=1, **shared)
    many = one and lab.saved('many.json', groups=2 * s.ranks, **shared)
    if not many:
        return
    reports = ('one.json', one), ('many.json', many)
    tokens = [take(name, lambda: [x['tokens'] for x in found['generation']['sequences']])
              for name, found in reports]
    right = len(tokens[0]) == 2 * s.ranks
    if not right or tokens[0] != tokens[1]:
        lab.lost('both runs generate the same tokens',
                 f'give both the same {2 * s.ranks} prompts, the same model and the same seed: '
                 'groups change no token')
        return
    lab.test('both runs generate the same tokens', True, 3, '')
    rates = [take(name, lambda: found['generation']['tokens_per_s'] + 0.0)
             for name, found in reports]
    ratio = take('one.json', lambda: rates[1] / rates[0])
    lab.number('faster', ratio, 2, 'divide tokens_per_s (generation) of the two reports',
               within=0.01, mistakes=[(1 / (ratio or 1), 'the other way round')])
