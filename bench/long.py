#!/usr/bin/env python3
"""Does a long run stay as it began, and does a step of a million microbatches fit?

usage: bench/long.py build/ppsim [STEPS] [MICROBATCHES]

Trains a tiny model for STEPS (10000) steps, and looks at its ranks meanwhile: memory,
addresses and open files may not grow once training has begun. Then one step of MICROBATCHES
(1000000). Prints what it saw; exits 1 if something grew. Takes about a minute for the first
and several for the second, since ranks that share cores sleep while they wait.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

if not 2 <= len(sys.argv) <= 4 or sys.argv[1].startswith('-') or \
        not all(argument.isdigit() for argument in sys.argv[2:]):
    sys.exit(__doc__.split('\n')[2])
PPSIM = os.path.abspath(sys.argv[1])
STEPS = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
MICROBATCHES = int(sys.argv[3]) if len(sys.argv) > 3 else 1000000
AT_ONCE = 0.14  # MB that malloc takes from the system at once: 132 KiB
TINY = ('--ranks 4 --layers 4 --d-model 8 --heads 1 --seq-len 2 --microbatch-size 1 '
        '--vocab 16 --clock virtual')


def children(parent):
    """Its processes, and theirs."""
    found = []
    for status in pathlib.Path('/proc').glob('[0-9]*/stat'):
        try:
            if int(status.read_text().rsplit(')', 1)[1].split()[1]) == parent:
                pid = int(status.parent.name)
                found += [pid, *children(pid)]
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def look(pid):
    """Of one process: (resident MB, addresses MB, open files); None where it has ended."""
    try:
        lines = pathlib.Path(f'/proc/{pid}/status').read_text().splitlines()
        kb = {line.split(':')[0]: line.split()[1] for line in lines if line.startswith('Vm')}
        files = len(os.listdir(f'/proc/{pid}/fd'))
        return int(kb['VmRSS']) / 1e3, int(kb['VmData']) / 1e3, files
    except (FileNotFoundError, ProcessLookupError, KeyError):
        return None


def run(arguments, folder, seen):
    """Runs it, calling seen(ranks' pids, steps done) now and then; returns the report."""
    log = open(f'{folder}/log', 'w+')
    started = time.monotonic()
    program = subprocess.Popen([PPSIM, 'run', *arguments.split(), '--json', f'{folder}/r.json'],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
    while program.poll() is None:
        time.sleep(0.5)
        ranks = []
        for pid in children(program.pid):
            try:
                command = pathlib.Path(f'/proc/{pid}/cmdline').read_bytes().split(b'\0')[0]
            except FileNotFoundError:
                continue
            if b'mpiexec' not in command and b'orted' not in command:
                ranks.append(pid)
        seen(ranks)
    if program.returncode != 0:
        log.seek(0)
        sys.exit(f'{arguments}: exit {program.returncode}: {log.read()}')
    return json.load(open(f'{folder}/r.json')), time.monotonic() - started


def long_run(folder):
    history = {}

    def seen(ranks):
        for pid in ranks:
            now = look(pid)
            if now:
                history.setdefault(pid, []).append(now)

    arguments = (f'{TINY} --microbatches 8 --steps {STEPS} --eval-every 100 '
                 f'--checkpoint {folder}/c --checkpoint-every {max(STEPS // 10, 1)}')
    report, seconds = run(arguments, folder, seen)
    print(f'{STEPS} steps in {seconds:.0f} s, loss {report["training"]["losses"][0]:.4f} to '
          f'{report["training"]["losses"][-1]:.4f}')
    print('rank  looks  resident MB     addresses MB    open files')
    grew = False
    for number, looks in enumerate(history.values()):
        # At half, when all has been touched, and just before the end.
        half, last = looks[len(looks) // 2], looks[-len(looks) // 10 - 1]
        print(f'{number:4}  {len(looks):5}  {half[0]:6.1f} {last[0]:6.1f}   '
              f'{half[1]:6.1f} {last[1]:6.1f}   {half[2]:4} {last[2]:4}')
        grew |= last[1] - half[1] > AT_ONCE or last[2] > half[2]
    return grew


def wide_step(folder):
    most = {}

    def seen(ranks):
        for pid in ranks:
            now = look(pid)
            if now:
                most[pid] = max(most.get(pid, 0), now[0])

    report, seconds = run(f'{TINY} --microbatches {MICROBATCHES} --steps 1 --warmup-steps 0 '
                          f'--timeline --csv {folder}/ops.csv', folder, seen)
    ops = 2 * 4 * MICROBATCHES
    rows = sum(1 for _ in open(f'{folder}/ops.csv')) - 1
    print(f'{MICROBATCHES} microbatches in one step: {ops} ops in {seconds:.0f} s, makespan '
          f'{report["makespan_s"]:.1f} s, at most {max(most.values()):.0f} MB a rank, peaks in '
          f'flight {[round(r["peak_in_flight"]) for r in report["ranks"]]}')
    print(f'{rows} ops in the CSV, {os.path.getsize(f"{folder}/ops.csv") / 1e6:.0f} MB; '
          f'{report["timeline_dropped"] or "the report has its timeline"}')
    return rows != ops


with tempfile.TemporaryDirectory() as directory:
    wrong = long_run(directory)
    wrong |= wide_step(directory)
sys.exit(1 if wrong else 0)
