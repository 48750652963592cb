"""Lab 0: what travels, what is held, how much time is lost."""
import re
from types import SimpleNamespace

from lab import take

TITLE = 'a tour'


def shape(lab):
    p = lab.pick('p', [3, 5, 6])
    return SimpleNamespace(
        p=p, m=lab.pick('m', [5, 6, 7, 9, 10, 11]), b=lab.draw('b', 1, 3),
        T=lab.pick('T', [8, 12, 24]), C=lab.pick('C', [16, 24, 48]), r=lab.draw('r', 0, p - 2))


def options(s):
    return [f'--ranks {s.p} --microbatches {s.m} --microbatch-size {s.b} --seq-len {s.T} '
            f'--d-model {s.C} --heads 2']


def questions(s):
    return {
        'messages': 'how many messages a step of 1f1b sends',
        'bytes': 'how many bytes each of them has',
        'held': f'the most microbatches that rank {s.r} holds at once under 1f1b',
        'efficiency': 'the share of all time in which ranks compute, at F 1 ms and B 2 ms',
    }


def files(s):
    return {'tour.json': "the report of a run of 1f1b with these options, and '--verify'"}


def check(lab):
    s, base = lab.s, options(lab.s)[0]
    _, out, _ = lab.ppsim(f'simulate {base} --verbose')
    lines = re.findall(r'^ *[\d.]+ +[\d.]+ +\d+ +\d+ +(\d+)  \w+ of microbatch', out, re.M)
    messages, size = len(lines), int(lines[0])
    found = lab.simulate(base)
    lab.number('messages', messages, 4, 'count the lines of --verbose for a small m: how does '
               'their number grow with m, and with the ranks?', within=0, mistakes=[
                   (messages / 2, 'that is one way: gradients travel back as well'),
                   (2 * s.p * s.m, 'the first rank receives no activations, and the last sends '
                    'none on: count the borders between ranks, not the ranks'),
                   (2 * (s.p - 1), 'that is what one microbatch sends')])
    lab.number('bytes', size, 4, 'a message holds one number per sequence, token and channel; '
               'each has 4 bytes', within=0, mistakes=[
                   (size / 4, 'that is how many numbers: each has 4 bytes'),
                   (size / s.b, 'that is one sequence: a microbatch has several')])
    lab.number('held', found['ranks'][s.r]['peak_in_flight'], 4, 'a rank holds a microbatch from '
               'its F to its B: look at peak in flight, rank by rank', within=0, mistakes=[
                   (s.m, 'that is GPipe: 1f1b begins with backwards before all forwards are done'),
                   (s.p, 'that is rank 0: how far is yours from the last rank?')])
    lab.number('efficiency', 1 - found['bubble']['fraction'], 4, 'efficiency and bubble add up '
               'to 1', mistakes=[(found['bubble']['fraction'], 'that is the bubble: the time in '
                                  'which ranks do not compute')])
    lab.part(4)
    report = lab.saved('tour.json', ranks=s.p, microbatches=s.m, microbatch_size=s.b,
                       seq_len=s.T, d_model=s.C, schedule='1f1b')
    if report:
        verified = take('tour.json', lambda: report['training']['verified'])
        lab.test('tour.json: the run is verified', verified is True, 4,
                 "tour.json does not say that its bits were verified: run with '--verify'")
