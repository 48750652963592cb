"""Lab 8: a schedule of one's own under a memory cap; a leaderboard."""
import csv
import json
import os
import pathlib
import tempfile
from types import SimpleNamespace

from lab import BadInput

TITLE = 'your own schedule under a memory cap'
PAR_AND = 1.15  # what full points need: this times par


def shape(lab):
    return SimpleNamespace(
        p=4, m=lab.draw('m', 7, 11), f=lab.draw('f', 11, 19) / 10, i=lab.draw('i', 11, 19) / 10,
        w=lab.draw('w', 6, 10) / 10, comm=lab.draw('comm', 5, 15) / 100,
        waits=lab.draw('waits', 25, 50) / 100, limit=lab.draw('limit', 32, 38) / 10)


def costs(s):
    return f'--cost f={s.f},i={s.i},w={s.w},comm={s.comm} --memory f=1,w={s.waits}'


def options(s):
    return [f'--ranks {s.p} --microbatches {s.m} {costs(s)} --memory-limit {s.limit}']


def questions(s):
    return {
        'work': 'how many ms each rank computes in a step, whatever the schedule',
        'forwards': 'with one stage per rank: the most forwards that a rank may do before its '
                    'first I under the limit',
    }


def files(s):
    return {'best.csv': 'your schedule: any placement, any number of stages per rank'}


def search(lab, name):
    """What optimize or recommend says of the shape."""
    more = ' --iterations 1' if name == 'optimize' else ''
    status, out, err = lab.ppsim(f'{name} {options(lab.s)[0]} --objective makespan{more} --quiet '
                                 '--json -')
    if status != 0:
        raise BadInput(f"'ppsim {name}' ended with status {status}: {' '.join(err.split())}")
    return json.loads(out)


def par(lab):
    """ms that no order of the shapes that optimize tries is below."""
    return 1e3 * search(lab, 'optimize')['bound']['objective_s']


def check(lab):
    s = lab.s
    one = lab.simulate(f'--ranks {s.p} --microbatches {s.m} --schedule zb-h1 {costs(s)}')
    lab.number('work', 1e3 * one['ranks'][0]['busy_s'], 2, 'm times F, I and W', mistakes=[
        (s.m * (s.f + s.i), 'W is work too')])
    lab.number('forwards', int(s.limit), 2, 'each F holds 1 until its I', within=0, mistakes=[
        (s.p, 'the limit is below that'), (int(s.limit) + 1, 'that is above the limit')])
    lab.part(16)
    lab.result = best(lab)


def best(lab):
    """Makespan of best.csv, and par, in ms; None if it does not count."""
    s = lab.s
    if not lab.has('best.csv'):
        return None
    refusal = lab.refusal('best.csv')
    if refusal:
        lab.lost('best.csv is valid', refusal)
        return None
    # As in optimize, a number is a whole rank's work, which its stages share.
    found = lab.simulate(f'--schedule best.csv {costs(s)}')
    has = found['config']['ranks'], found['config']['microbatches']
    copies = found['config'].get('copies', 1)
    peak = max(rank['peak_memory'] for rank in found['ranks'])
    if has != (s.p, s.m):
        lab.lost('best.csv has your shape', 'it has {} ranks and {} microbatches'.format(*has))
        return None
    if copies != 1:
        lab.lost('best.csv holds the weights once',
                 f'it has {copies} copies of the weights: that is memory too')
        return None
    if peak > s.limit + 1e-9:
        lab.lost('best.csv fits', f'a rank holds {peak:g} of {s.limit}: simulate it with --memory, '
                 'and do a W or an I before one of the forwards')
        return None
    lab.test('best.csv fits', True, 6, '')
    time, limit = 1e3 * found['makespan_s'], par(lab)
    fastest = min(search(lab, 'recommend')['rows'], key=lambda row: row['makespan_s'])
    above = f'{time:.2f} ms is {100 * (time / limit - 1):.1f} % above par, {limit:.2f} ms'
    lab.test('best.csv is not far from par', time <= 1.4 * limit, 4, f'{above}: at most 40 % is '
             'asked for. Forwards early, W where the rank would wait')
    lab.test('best.csv beats the catalogue', time < 1e3 * fastest['makespan_s'] - 1e-6, 4,
             f'{time:.2f} ms; {fastest["schedule"]} fits and takes '
             f'{1e3 * fastest["makespan_s"]:.2f} ms: place its W anew, or let optimize search')
    lab.test('best.csv is near par', time <= PAR_AND * limit, 2, f'{above}: at most '
             f'{100 * (PAR_AND - 1):.0f} % is asked for')
    print(f'# {100 * (time / limit - 1):+.2f} % of par, {limit:.2f} ms')
    return time, limit


COLUMNS = ['name', 'above_par_percent', 'makespan_ms', 'par_ms']


def enter(lab, path):
    """Enters the schedule on the board, which keeps the best of each name, and prints it."""
    rows = read_board(path)
    if lab.result:
        time, limit = lab.result
        above = 100 * (time / limit - 1)
        if lab.seed not in rows or above < float(rows[lab.seed]['above_par_percent']):
            rows[lab.seed] = dict(zip(COLUMNS, (lab.seed, f'{above:.3f}', f'{time:.3f}',
                                                f'{limit:.3f}')))
    ordered = sorted(rows.values(), key=lambda row: float(row['above_par_percent']))
    folder = os.path.dirname(os.path.abspath(path))
    try:
        with tempfile.NamedTemporaryFile('w', dir=folder, delete=False, newline='') as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(ordered)
        os.chmod(file.name, 0o644)
        os.replace(file.name, path)
    except OSError as problem:
        raise BadInput(f"'--board' {path} cannot be written: {problem.strerror}") from None
    for place, row in enumerate(ordered, 1):
        print(f'# {place:3}. {row["name"]:<20} {float(row["above_par_percent"]):+7.2f} % of par')


def read_board(path):
    if not pathlib.Path(path).exists():
        return {}
    try:
        with open(path, newline='') as file:
            rows = {row['name']: row for row in csv.DictReader(file)}
            for row in rows.values():
                float(row['above_par_percent'])
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError):
        raise BadInput(f"'--board' {path} is no leaderboard: its columns are "
                       + ', '.join(COLUMNS)) from None
    return rows
