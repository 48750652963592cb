"""Lab 6: stragglers and splits."""
import json
from types import SimpleNamespace

from lab import BadInput, say

TITLE = 'stragglers and splits'
LISTS = 'split',
PER_HOST = 2
# Each op is off by 2 %; a median of 48 or more is off by less than a hundredth.
JITTER = 0.02
# The last rank is never the slow one: from one report nothing tells that from its head.


def shape(lab):
    p = lab.pick('p', [4, 5, 6])
    return SimpleNamespace(
        p=p, m=lab.draw('m', 8, 12), L=4 * p, culprit=lab.draw('culprit', 0, p - 2),
        factor=lab.draw('factor', 16, 26) / 10, hosts=lab.pick('hosts', [2, 3]),
        slow_link=lab.draw('kind', 0, 2) == 0, host=lab.draw('host', 0, 1),
        host_factor=lab.draw('host_factor', 14, 20) / 10, jitter=lab.draw('jitter', 1, 10 ** 6))


def model(s):
    return '--d-model 256 --heads 4 --seq-len 64 --device flops=50GFLOPS,bandwidth=20GB/s'


def options(s):
    return [f'mystery.json: 1f1b, {s.p} ranks, {s.m} microbatches, {s.L} layers; one rank is slow',
            f'hosts.json: 1f1b, {s.hosts * PER_HOST} ranks, two on each host: 0 and 1 on host 0, '
            '2 and 3 on host 1, ..']


def questions(s):
    return {
        'culprit': 'of mystery.json: the rank that is slow',
        'factor': 'of mystery.json: how many times as long its ops take',
        'split': f'a list: the layers of each stage, {s.L} in all, that mend mystery.json',
        'step_after': 'the makespan of mystery.json with your split, in ms',
        'host': 'of hosts.json: the number of the host that is slow; -1 if all are alike and the '
                'link between hosts is slow',
    }


def files(s):
    return {}


def truth(s, split='even'):
    return f'{model(s)} --ranks {s.p} --microbatches {s.m} --layers {s.L} ' \
           f'--slow {s.culprit}:{s.factor} --layer-split {split}'


def hosts(s):
    ranks = s.hosts * PER_HOST
    base = f'{model(s)} --ranks {ranks} --microbatches 12 --layers {2 * ranks}'
    if s.slow_link:
        return f'{base} --link latency=20us --far-link latency=25ms --ranks-per-node {PER_HOST}'
    first = s.host * PER_HOST
    slow = ','.join(f'{first + i}:{s.host_factor}' for i in range(PER_HOST))
    return f'{base} --link latency=20us --slow {slow}'


def give(lab):
    """Writes the two reports, without the options that would give them away."""
    for name, arguments in ('mystery.json', truth(lab.s)), ('hosts.json', hosts(lab.s)):
        found = lab.simulate(f'{arguments} --jitter lognormal:{JITTER} --steps 6 '
                             f'--seed {lab.s.jitter}')
        for option in 'slow', 'jitter', 'far_link', 'ranks_per_node', 'link', 'seed':
            found['config'][option] = 0 if option == 'ranks_per_node' else None
        found['config']['seed'] = 1
        try:
            (lab.directory / name).write_text(json.dumps(found))
        except OSError as problem:
            raise BadInput(f"'{lab.directory / name}' cannot be written: "
                           f'{problem.strerror}') from None
        say(f"wrote {lab.directory / name}")


def check(lab):
    s = lab.s
    busy = [rank['busy_s'] for rank in lab.simulate(truth(s))['ranks']]
    lab.number('culprit', busy.index(max(busy)), 3, "'ppsim explain mystery.json' says which rank "
               'is the slowest; ranks count from 0', within=0, mistakes=[
                   (s.culprit + 1, 'ranks count from 0')])
    mean = s.p * s.factor / (s.factor + s.p - 1)
    lab.number('factor', s.factor, 3, 'divide the median time of an op of that rank by that of '
               'another with as many layers (costs, median_s)', within=JITTER, mistakes=[
                   (mean, "'above the mean' counts the slow rank in the mean: compare it with "
                    'one of the others'),
                   (s.factor - 1, 'that is how much longer: as long as itself, and so much more')])
    split(lab)
    found = lab.simulate(hosts(s))
    waits = sum(rank['communication_s'] for rank in found['ranks'])
    busy = [rank['busy_s'] for rank in found['ranks']]
    slow_link = waits > 0.05 * sum(busy)
    slowest = -1 if slow_link else busy.index(max(busy)) // PER_HOST
    lab.number('host', slowest, 4, 'look at busy and at comm., rank by rank, in explain or plot '
               '--picture causes: do the ranks of one host compute longer, or do ranks wait for '
               'messages?', within=0, mistakes=[
                   (s.host * PER_HOST, 'that is a rank: two ranks make a host')])


def split(lab):
    s = lab.s
    lab.part(10)
    answer = lab.answers.get('split')
    layers = ','.join(map(str, answer)) if isinstance(answer, list) else ''
    if not isinstance(answer, list) or len(answer) != s.p or sum(answer) != s.L or \
            any(not isinstance(n, int) or n < 1 for n in answer):
        lab.lost(f'split: {lab.questions["split"]}',
                 f'write a list of {s.p} whole numbers, 1 at least, that add up to {s.L}')
        return
    after, even, auto = (lab.milliseconds(truth(s, how)) for how in (layers, 'even', 'auto'))
    hint = f'{after:.0f} ms, {even:.0f} ms without it: the slow rank needs fewer layers'
    if answer[s.culprit] >= s.L // s.p:
        hint = f'the slow rank has {answer[s.culprit]} layers, and had {s.L // s.p}: take some away'
    lab.test('split: the step is shorter than with the even one', after < even, 3, hint)
    lab.test('split: it is as short as ranks of equal work make it', after <= 1.02 * auto, 3,
             f'{after:.0f} ms: give each rank layers in proportion to its speed, or take the '
             "split that 'ppsim explain' proposes")
    lab.number('step_after', after, 4, 'simulate --costs mystery.json --layer-split with your '
               'split', within=JITTER, mistakes=[(even, 'that is the step as it was')])
