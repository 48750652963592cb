#!/usr/bin/env python3
"""Do measured, predicted and theory agree? Runs real training and prints what it found.

usage: bench/true-bubbles.py build/ppsim [ROUNDS]

Every line is one claim of the README: the figure, its bound, and whether it held. What is
compared runs in turn, ROUNDS (3) times, and the median of the rounds counts, since shared
machines change their speed from one minute to the next. Takes about ten minutes on two
cores; a machine that does other work meanwhile spoils it.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile

if not 2 <= len(sys.argv) <= 3 or sys.argv[1].startswith('-') or \
        not all(argument.isdigit() for argument in sys.argv[2:]):
    sys.exit(__doc__.split('\n')[2])
PPSIM = sys.argv[1]
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
STEPS = 8  # of which 6 are measured, in each round
BIG = '--layers 16 --d-model 256 --microbatches 16'
missed = 0

# The kernels that OpenBLAS chooses for this CPU, as everybody has them.
for name in ('OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE'):
    os.environ.pop(name, None)


def ppsim(arguments):
    done = subprocess.run([PPSIM, *arguments.split(), '--quiet', '--json', '-'],
                          text=True, capture_output=True, check=True)
    return json.loads(done.stdout)


def run(arguments):
    return ppsim(f'{arguments} --steps {STEPS}')


def in_turn(*commands):
    """Runs the commands one after the other, ROUNDS times; a list of reports of each."""
    rounds = [[run(command) for command in commands] for _ in range(ROUNDS)]
    return list(zip(*rounds))


def holds(name, values, bound, unit=''):
    """values: one per round."""
    global missed
    value = statistics.median(values)
    held = abs(value) <= bound
    missed += not held
    print(f'  {name:<40} {value:+.4f}{unit} ({min(values):+.4f} to {max(values):+.4f})  '
          f'at most {bound}{unit}: {"holds" if held else "MISSED"}', flush=True)


def show(name, reports):
    figures = [statistics.median(r['bubble'][key] for r in reports)
               for key in ('theory', 'predicted', 'fraction')]
    steps = sum(len(r['steps']) for r in reports)
    print(f'{name}: theory {figures[0]:.4f}  predicted {figures[1]:.4f}  '
          f'measured {figures[2]:.4f} ({min(r["bubble"]["min"] for r in reports):.4f} to '
          f'{max(r["bubble"]["max"] for r in reports):.4f} over {steps} steps)', flush=True)


def bubbles(reports, of, minus):
    return [r['bubble'][of] - r['bubble'][minus] for r in reports]


def percents(above, below):
    return [100 * (a / b - 1) for a, b in zip(above, below)]


def medians(report):
    return {(c['stage'], c['kind']): c['median_s'] for c in report['costs']}


def bubble_of_mean_costs(report):
    """The bubble that the simulation predicts if every stage cost the mean."""
    config, costs = report['config'], medians(report)
    mean = {kind: statistics.mean(v for (_, k), v in costs.items() if k == kind)
            for kind in 'FB'}
    found = ppsim(f'simulate --schedule {config["schedule"]} --ranks {config["ranks"]} '
                  f'--chunks {config["chunks"]} --microbatches {config["microbatches"]} '
                  f'--cost f={mean["F"] * 1e9:.0f}ns,b={mean["B"] * 1e9:.0f}ns')
    return found['bubble']['fraction']


def agreement():
    shapes = (('1f1b, 4 ranks', '--schedule 1f1b --ranks 4', 0.015),
              ('gpipe, 4 ranks', '--schedule gpipe --ranks 4', 0.015),
              ('interleaved v=2, 4 ranks', '--schedule interleaved --ranks 4 --chunks 2', 0.015),
              ('interleaved v=4, 4 ranks', '--schedule interleaved --ranks 4 --chunks 4', 0.015),
              ('1f1b, 8 ranks', '--schedule 1f1b --ranks 8', 0.02))
    found = in_turn(*[f'{BIG} {how} --clock virtual' for _, how, _ in shapes])
    for (name, how, bound), reports in zip(shapes, found):
        show(f'{name}, virtual clock', reports)
        holds('measured - predicted', bubbles(reports, 'fraction', 'predicted'), bound)
        if '8 ranks' not in name:
            holds('predicted - theory', bubbles(reports, 'predicted', 'theory'), 0.015)
        holds('predicted for mean costs - theory',
              [bubble_of_mean_costs(r) - r['bubble']['theory'] for r in reports], 0.005)
    one, all_first = found[0], found[1]
    print('gpipe and 1f1b: the same bubble, peaks m and p-r')
    holds('gpipe - 1f1b, measured', [g['bubble']['fraction'] - o['bubble']['fraction']
                                     for g, o in zip(all_first, one)], 0.01)
    print('  peaks:', [r['peak_in_flight'] for r in all_first[0]['ranks']],
          [r['peak_in_flight'] for r in one[0]['ranks']])


def clocks():
    wall, virtual = in_turn('--ranks 2 --microbatches 8 --clock wall',
                            '--ranks 2 --microbatches 8 --clock virtual')
    show('1f1b, 2 ranks, wall clock', wall)
    show('1f1b, 2 ranks, virtual clock', virtual)
    step = [[r['makespan_median_s'] for r in reports] for reports in (wall, virtual)]
    holds('measured - predicted, wall clock', bubbles(wall, 'fraction', 'predicted'), 0.015)
    holds('predicted / measured step, wall clock',
          percents([r['predicted_makespan_s'] for r in wall], step[0]), 3, '%')
    holds('virtual - wall bubble', [v['bubble']['fraction'] - w['bubble']['fraction']
                                    for v, w in zip(virtual, wall)], 0.015)
    holds('virtual / wall step', percents(step[1], step[0]), 3, '%')


def crowding():
    print('the same ops, four layers a stage: 4 ranks on these cores against 2 ranks')
    two, four = in_turn('--layers 8 --d-model 256 --microbatches 16 --ranks 2 --clock virtual',
                        f'{BIG} --ranks 4 --clock virtual')
    for kind in 'FB':
        for name, a, b in (('first', 0, 0), ('last', 3, 1)):
            holds(f'{kind} of the {name} stage',
                  percents([medians(r)[a, kind] for r in four],
                           [medians(r)[b, kind] for r in two]), 5, '%')


def uneven():
    print('layers 7,3,3,3 on purpose: explain predicts the even split')
    found, even = in_turn(f'{BIG} --ranks 4 --layer-split 7,3,3,3 --clock virtual',
                          f'{BIG} --ranks 4 --clock virtual')
    predicted = []
    for report in found:
        with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
            json.dump(report, file)
            file.flush()
            told = subprocess.run([PPSIM, 'explain', file.name], text=True,
                                  capture_output=True, check=True).stdout.splitlines()
        line = [line for line in told if 'split evenly' in line][0]
        predicted.append(float(line.split('a step of ')[1].split(' ms')[0]) / 1e3)
    print(' ', [line for line in told if 'slowest' in line][0].strip())
    print(' ', line)
    holds('predicted / measured even step',
          percents(predicted, [r['makespan_median_s'] for r in even]), 5, '%')


if __name__ == '__main__':
    clocks()
    agreement()
    crowding()
    uneven()
    print('all hold' if missed == 0 else f'{missed} missed')
    sys.exit(missed > 0)
