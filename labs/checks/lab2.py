"""Lab 2: GPipe and 1F1B take the same time, not the same memory."""
from types import SimpleNamespace

from lab import take

TITLE = 'the same time, not the same memory'


def shape(lab):
    p = lab.pick('p', [3, 5, 6])
    return SimpleNamespace(
        p=p, m=lab.draw('m', 9, 15), f=lab.draw('f', 11, 29) / 10, b=lab.draw('b', 31, 59) / 10,
        r=lab.draw('r', 1, p - 2), C=lab.pick('C', [32, 48, 96]), T=lab.pick('T', [16, 24, 48]),
        room=lab.draw('fits', 20, 60) + lab.draw('part', 2, 8) / 10)


def model(s):
    return f'--layers {2 * s.p} --d-model {s.C} --heads 2 --seq-len {s.T} --microbatch-size 2'


def options(s):
    return [f'for the times: --ranks {s.p} --microbatches {s.m} --cost f={s.f},b={s.b}',
            f'for bytes and files: --ranks {s.p} --microbatches {s.m} {model(s)}',
            "(a simulation knows bytes with '--device flops=1TFLOPS' beside these)"]


def questions(s):
    return {
        'time_gpipe': 'the makespan of gpipe, in ms',
        'time_1f1b': 'the makespan of 1f1b, in ms',
        'bytes_gpipe': f'the most bytes of activations that rank {s.r} holds under gpipe',
        'bytes_1f1b': f'the same, under 1f1b, of rank {s.r}',
        'm_too_many': 'the fewest microbatches with which gpipe no longer fits rank 0 (the last '
                      'line below says what does)',
        'm_1f1b': 'the most microbatches that rank 0 holds under 1f1b, if a step has '
                  f'{10 * s.m} of them',
    }


def files(s):
    return {'gpipe.json': 'the report of a run of gpipe', '1f1b.json': 'the same of 1f1b'}


def room(lab):
    return int(held(lab, 'gpipe', 1)[0]['peak_activation_bytes'] * lab.s.room)


def give(lab):
    print(f'rank 0 has room for {room(lab)} bytes of activations')


def held(lab, schedule, m):
    return lab.simulate(f'--schedule {schedule} --ranks {lab.s.p} --microbatches {m} '
                        f'{model(lab.s)} --device flops=1TFLOPS')['ranks']


def check(lab):
    s = lab.s
    cost = f'--ranks {s.p} --microbatches {s.m} --cost f={s.f},b={s.b} --schedule'
    no_ramps = s.m * (s.f + s.b)
    lab.number('time_gpipe', lab.milliseconds(f'{cost} gpipe'), 2, 'the step is as long as '
               'm + p - 1 microbatches on one rank',
               mistakes=[(no_ramps, 'that is what a rank computes: the ramps come on top')])
    lab.number('time_1f1b', lab.milliseconds(f'{cost} 1f1b'), 3, 'simulate both, and look at the '
               'two makespans',
               mistakes=[(no_ramps, 'that would be no bubble at all: draw the first backward of '
                          'rank 0, and what it waits for')])
    memory(lab)
    shared = dict(ranks=s.p, microbatches=s.m, layers=2 * s.p, d_model=s.C, seq_len=s.T)
    lab.part(4)
    first = lab.saved('gpipe.json', schedule='gpipe', **shared)
    second = first and lab.saved('1f1b.json', schedule='1f1b', **shared)
    if second:
        digests = [take(name, lambda found=found: found['training']['digest'])
                   for name, found in (('gpipe.json', first), ('1f1b.json', second))]
        lab.test('both runs end with the same bits', digests[0] == digests[1] is not None, 4,
                 'the digests differ: the two runs had other steps, seeds or data')


def memory(lab):
    s = lab.s
    one = held(lab, 'gpipe', 1)[s.r]['peak_activation_bytes']
    lab.number('bytes_gpipe', held(lab, 'gpipe', s.m)[s.r]['peak_activation_bytes'], 3,
               'under gpipe all forwards come first: a rank holds every microbatch', within=0,
               mistakes=[(one, 'that is one microbatch'),
                         (one * s.p, 'all m of them, not p')])
    lab.number('bytes_1f1b', held(lab, '1f1b', s.m)[s.r]['peak_activation_bytes'], 4,
               f'rank {s.r} holds as many microbatches as there are ranks from it to the last',
               within=0, mistakes=[(one * s.p, 'that is rank 0: those nearer to the end hold fewer'),
                                   (one * s.m, 'that is gpipe')])
    limit = room(lab)
    fits, least = 1, 100
    while least - fits > 1:
        m = (fits + least) // 2
        over = held(lab, 'gpipe', m)[0]['peak_activation_bytes'] > limit
        fits, least = (fits, m) if over else (m, least)
    lab.number('m_too_many', least, 2, 'gpipe holds m microbatches: which m is the first above the '
               'room? Bytes of one: simulate with --microbatches 1', within=0,
               mistakes=[(least - 1, 'that is the last that fits: one more')])
    lab.number('m_1f1b', held(lab, '1f1b', 10 * s.m)[0]['peak_in_flight'], 2,
               'under 1f1b the memory does not grow with m', within=0,
               mistakes=[(10 * s.m, 'that is gpipe'),
                         (s.p - 1, 'those are the warm-up forwards: one more follows before the '
                          'first backward')])
