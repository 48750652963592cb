"""Ranks on hosts whose clocks differ: their times are put on one clock.

usage: two-hosts.py PPSIM TWO-HOSTS.so
"""
import json
import os
import subprocess
import sys

PPSIM, LIBRARY = map(os.path.abspath, sys.argv[1:])
RUN = ('--layers 4 --d-model 64 --heads 2 --seq-len 32 --microbatches 4 --steps 60 '
       '--warmup-steps 50 --clock wall --quiet --json -')


def report(ppm, late):
    done = subprocess.run(
        ['mpirun', '--allow-run-as-root', '--oversubscribe', '--quiet', '-n', '2',
         '-x', f'LD_PRELOAD={LIBRARY}', '-x', f'TWO_HOSTS_PPM={ppm}', '-x', f'TWO_HOSTS_LATE={late}', PPSIM, *RUN.split()],
        text=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


for ppm, late in (0, 0), (2000, 0), (-2000, 0), (2000, 1):
    # Where other work keeps each message waiting, the clocks are known too badly to judge.
    for _ in range(20):
        found = report(ppm, late)
        if found['environment']['clock_error_s'] < 1e-3:
            break
    else:
        sys.exit(77)  # skipped
    first, second = found['timeline']['ops']
    ends = {op: end for op, _, end, *_ in first + second}
    error = found['environment']['clock_error_s']
    assert error > 0, error
    # Uncorrected, 2000 ppm of the steps before these are some ms, and 5 s are 5 s.
    slack = 2 * error + 50e-6
    for row, source, stage in (second, 'F', 0), (first, 'B', 1):
        for op, start, _, ready, arrived in row:
            producer = f'{stage}{source}{op[2:]}'
            if op[1] != source:
                continue
            assert ready <= arrived <= start + slack, (ppm, op, ready, arrived, start)
            assert abs(ready - min(ends[producer], arrived)) < 1e-9, (ppm, op)
            assert -slack < arrived - ends[producer], (ppm, op, arrived - ends[producer])
    print(f'ppm {ppm}, late {late}: ok, clock error {error * 1e6:.1f} us, slack {slack * 1e6:.1f} us')
