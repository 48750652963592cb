#!/usr/bin/env python3
"""Do measured, predicted and theory agree? Runs real training and prints what it found.

usage: bench/true-bubbles.py build/ppsim [STEPS]

Every line is one claim of the README: the figure, its bound, and whether it held. Takes
about ten minutes on two cores; a machine that does other work meanwhile spoils it.
"""
import json
import statistics
import subprocess
import sys

PPSIM = sys.argv[1]
STEPS = int(sys.argv[2]) if len(sys.argv) > 2 else 17
BIG = '--layers 16 --d-model 256 --microbatches 16'
missed = 0


def ppsim(arguments):
    done = subprocess.run([PPSIM, *arguments.split(), '--quiet', '--json', '-'],
                          text=True, capture_output=True, check=True)
    return json.loads(done.stdout)


def run(arguments):
    return ppsim(f'{arguments} --steps {STEPS}')


def holds(name, value, bound, unit=''):
    global missed
    held = abs(value) <= bound
    missed += not held
    print(f'  {name:<44} {value:+.4f}{unit}  (at most {bound}{unit})  '
          f'{"holds" if held else "MISSED"}', flush=True)


def show(name, report):
    bubble = report['bubble']
    print(f'{name}: theory {bubble["theory"]:.4f}  predicted {bubble["predicted"]:.4f}  '
          f'measured {bubble["fraction"]:.4f} ({bubble["min"]:.4f} to '
          f'{bubble["max"]:.4f} over {len(report["steps"])} steps)', flush=True)


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
    runs = {}
    for name, how, bound in (
            ('1f1b, 4 ranks', '--schedule 1f1b --ranks 4', 0.015),
            ('gpipe, 4 ranks', '--schedule gpipe --ranks 4', 0.015),
            ('interleaved v=2, 4 ranks', '--schedule interleaved --ranks 4 --chunks 2', 0.015),
            ('interleaved v=4, 4 ranks', '--schedule interleaved --ranks 4 --chunks 4', 0.015),
            ('1f1b, 8 ranks', '--schedule 1f1b --ranks 8', 0.02)):
        report = runs[name] = run(f'{BIG} {how} --clock virtual')
        bubble = report['bubble']
        show(f'{name}, virtual clock', report)
        holds('measured - predicted', bubble['fraction'] - bubble['predicted'], bound)
        if '8 ranks' not in name:
            holds('predicted - theory', bubble['predicted'] - bubble['theory'], 0.015)
        holds('predicted for mean costs - theory',
              bubble_of_mean_costs(report) - bubble['theory'], 0.005)
    one, all_first = runs['1f1b, 4 ranks'], runs['gpipe, 4 ranks']
    print('gpipe and 1f1b: the same bubble, peaks m and p-r')
    holds('gpipe - 1f1b, measured',
          all_first['bubble']['fraction'] - one['bubble']['fraction'], 0.01)
    print('  peaks:', [r['peak_in_flight'] for r in all_first['ranks']],
          [r['peak_in_flight'] for r in one['ranks']])


def clocks():
    wall, virtual = (run(f'--ranks 2 --microbatches 8 --clock {c}')
                     for c in ('wall', 'virtual'))
    show('1f1b, 2 ranks, wall clock', wall)
    show('1f1b, 2 ranks, virtual clock', virtual)
    holds('measured - predicted, wall clock',
          wall['bubble']['fraction'] - wall['bubble']['predicted'], 0.015)
    holds('predicted / measured step, wall clock',
          100 * (wall['predicted_makespan_s'] / wall['makespan_median_s'] - 1), 3, '%')
    holds('virtual - wall bubble',
          virtual['bubble']['fraction'] - wall['bubble']['fraction'], 0.015)
    holds('virtual / wall step',
          100 * (virtual['makespan_median_s'] / wall['makespan_median_s'] - 1), 3, '%')


def crowding():
    print('the same ops, four layers a stage: 4 ranks on these cores against 2 ranks')
    two = medians(run('--layers 8 --d-model 256 --microbatches 16 --ranks 2 --clock virtual'))
    four = medians(run(f'{BIG} --ranks 4 --clock virtual'))
    for kind in 'FB':
        holds(f'{kind} of the first stage', 100 * (four[0, kind] / two[0, kind] - 1), 5, '%')
        holds(f'{kind} of the last stage', 100 * (four[3, kind] / two[1, kind] - 1), 5, '%')


def uneven():
    print('layers 7,3,3,3 on purpose: explain predicts the even split')
    path = '/tmp/ppsim-uneven.json'
    subprocess.run([PPSIM, *f'{BIG} --ranks 4 --layer-split 7,3,3,3 --steps {STEPS} --quiet '
                    f'--json {path}'.split()], check=True)
    told = subprocess.run([PPSIM, 'explain', path], text=True, capture_output=True,
                          check=True).stdout
    line = [line for line in told.splitlines() if 'split evenly' in line][0]
    slowest = [line for line in told.splitlines() if 'slowest' in line][0].strip()
    predicted = float(line.split('a step of ')[1].split(' ms')[0])
    even = run(f'{BIG} --ranks 4')
    print(' ', slowest)
    print(' ', line)
    holds('predicted / measured even step',
          100 * (predicted / (even['makespan_median_s'] * 1e3) - 1), 5, '%')


if __name__ == '__main__':
    clocks()
    agreement()
    crowding()
    uneven()
    print('all hold' if missed == 0 else f'{missed} missed')
    sys.exit(missed > 0)
