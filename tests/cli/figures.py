"""Every figure of a report, and every time in a trace, counted again from its rows: the
ops of --csv, and when inputs came from the report's timeline.

usage: figures.py PPSIM [NAME ...]     runs every test, or those named
"""
import csv
import json
import shutil
import statistics
import subprocess

from common import TINY, ppsim, run_tests

CAUSES = 'warmup', 'dependency', 'communication', 'overhead', 'cooldown'
EVERY = ('sequential', 'gpipe', '1f1b', 'interleaved', 'bfs', 'zb-h1', 'zb-h2',
         'interleaved-zb', 'zb-v', 'v-half', 'v-min', 'dualpipev')


def ns(seconds):
    return round(float(seconds) * 1e9)


class Op:
    """A row of the CSV, with what the timeline knows of its input; times in ns."""

    def __init__(self, row, entry):
        self.stage, self.microbatch = int(row['stage']), int(row['microbatch'])
        self.kind, self.rank = row['kind'], int(row['rank'])
        self.start, self.end = ns(row['start_s']), ns(row['end_s'])
        name, start, end, ready, arrived = entry
        assert name.rstrip('+') == f'{self.stage}{self.kind}{self.microbatch}', (name, row)
        assert (ns(start), ns(end)) == (self.start, self.end), (entry, row)
        self.joined = name.endswith('+')
        self.ready, self.arrived = ns(ready), ns(arrived)


class Step:
    """What a command wrote, as its rows say it."""

    def __init__(self, tmp, arguments):
        status, _, err = ppsim(f'{arguments} --quiet --json r.json --csv r.csv '
                               '--trace t.json --paje t.paje', tmp)
        assert status == 0, err
        self.tmp = tmp
        self.report = json.loads((tmp / 'r.json').read_text())
        rows = list(csv.DictReader((tmp / 'r.csv').open()))
        timeline = self.report['timeline']
        assert {int(row['step']) for row in rows} == {timeline['step']}
        entries = [entry for rank in timeline['ops'] for entry in rank]
        assert len(entries) == len(rows)
        ops = [Op(row, entry) for row, entry in zip(rows, entries)]
        count = len(self.report['ranks'])
        self.ranks = [[op for op in ops if op.rank == r] for r in range(count)]
        self.start = min(op.start for op in ops)
        self.end = max(op.end for op in ops)
        self.makespan = self.end - self.start
        self.chunks = self.report['config']['chunks']
        self.released = {}
        for rank in self.ranks:
            for k, op in enumerate(rank):
                direction = {'F': 'F', 'B': 'B', 'I': 'B', 'W': None}[op.kind]
                end = rank[k + 1].end if op.joined else op.end
                self.released[direction, op.stage, op.microbatch] = (end, op.rank)

    def input_of(self, op):
        """When the input of the op was released, and by whom; None where it needs none."""
        direction, stage = ('F', op.stage - 1) if op.kind == 'F' else ('B', op.stage + 1)
        if op.kind == 'W' or not 0 <= stage < self.report['config']['stages']:
            return None
        return self.released[direction, stage, op.microbatch]

    def waits(self, r):
        """Of each op of a rank: the time until its input was there, had come, was used."""
        now, found = self.start, []
        for k, op in enumerate(self.ranks[r]):
            inputs = [op, self.ranks[r][k + 1]] if op.joined else [op]
            last = max(inputs, key=lambda one: one.arrived)
            ready = min(max(last.ready, now), op.start)
            arrived = min(max(last.arrived, ready), op.start)
            found.append((ready - now, arrived - ready, op.start - arrived))
            now = op.end
        return found

    def in_flight(self, r):
        """The counter's values, in order."""
        held, found = 0, []
        for op in self.ranks[r]:
            if op.kind != 'I':
                held += 1 if op.kind == 'F' else -1
                found.append((op.start if op.kind == 'F' else op.end, held / self.chunks))
        return found


def close(a, b):
    return abs(a - b) <= 1e-12 * max(1, abs(b))


def check_report(step):
    report, total = step.report, dict.fromkeys(CAUSES, 0)
    busy_of, spans, measured = [], [], report['command'] == 'run'
    for r, rank in enumerate(step.ranks):
        waits, busy = step.waits(r), sum(op.end - op.start for op in rank)
        own = {'warmup': rank[0].start - step.start, 'cooldown': step.end - rank[-1].end}
        for i, cause in enumerate(('dependency', 'communication', 'overhead')):
            own[cause] = sum(wait[i] for wait in waits[1:])
        told = report['ranks'][r]
        assert ns(told['busy_s']) == busy and ns(told['idle_s']) == step.makespan - busy
        for cause in CAUSES:
            assert ns(told[cause + '_s']) == own[cause], (r, cause, own[cause])
            total[cause] += own[cause]
        assert told['peak_in_flight'] == max(held for _, held in step.in_flight(r))
        assert told['stages'] == sorted({op.stage for op in rank}), told
        busy_of.append(busy)
        spans.append(rank[-1].end - rank[0].start)
    whole, bubble = len(step.ranks) * step.makespan, report['bubble']
    idle = whole - sum(busy_of)
    assert ns(report['makespan_s']) == step.makespan
    assert close(bubble['fraction'], idle / whole)
    assert close(bubble['over_ideal'], idle / sum(busy_of))
    assert close(bubble['span_fraction'], 1 - max(busy_of) / max(spans))
    for cause in CAUSES:
        assert close(bubble['causes'][cause], total[cause] / whole), cause
    assert close(sum(bubble['causes'].values()), bubble['fraction'])

    steps = report['steps']
    makespans = sorted(one['makespan_s'] for one in steps)
    fractions = sorted(one['bubble'] for one in steps)
    assert report['makespan_median_s'] == statistics.median_low(makespans)
    assert [report['makespan_min_s'], report['makespan_max_s']] == [makespans[0], makespans[-1]]
    assert bubble['fraction'] == statistics.median_low(fractions)
    assert [bubble['min'], bubble['max']] == [fractions[0], fractions[-1]]
    own = next(one for one in steps if one['step'] == report['timeline']['step'])
    assert own['makespan_s'] == report['makespan_s'] and own['bubble'] == bubble['fraction']
    if measured: # the optimizer's update is beyond the ops
        assert all(one['step_s'] > one['makespan_s'] for one in steps)
    config = report['config']
    tokens = config['microbatches'] * config['microbatch_size'] * config['seq_len']
    if measured or config['device'] or config['costs']:
        assert close(report['tokens_per_s'] * own['step_s'], tokens)
    else: # costs that somebody made up are no speed of a model
        assert report['tokens_per_s'] is None


def check_trace(step):
    def us(time):
        return round(time * 1000) + step.start

    events = json.loads((step.tmp / 't.json').read_text())['traceEvents']
    for r, rank in enumerate(step.ranks):
        own = [event for event in events if event['pid'] == r + 1]
        slices = [event for event in own if event['ph'] == 'X' and event['tid'] == 1]
        messages = [event for event in own if event['ph'] == 'X' and event['tid'] > 1]
        counters = [(us(event['ts']), event['args']['microbatches']) for event in own
                    if event['ph'] == 'C']
        assert counters == step.in_flight(r)
        forwards = [k for k, op in enumerate(rank) if op.kind == 'F']
        backwards = [k for k, op in enumerate(rank) if op.kind != 'F']
        assert len(slices) == len(rank)
        waits, waited = step.waits(r), 0
        for k, (op, event) in enumerate(zip(rank, slices)):
            arguments = event['args']
            assert us(event['ts']) == op.start
            assert us(event['ts'] + event['dur']) == op.end
            assert event['name'] == f'{op.kind}{op.microbatch}' and event['cat'] == op.kind
            assert (arguments['stage'], arguments['microbatch']) == (op.stage, op.microbatch)
            assert arguments['phase'] == ('warm-up' if k < backwards[0] else
                                          'cool-down' if k > forwards[-1] else 'steady')
            wait = sum(waits[k])
            assert round(arguments.get('wait_us', 0) * 1000) == wait
            waited += wait
            if wait and k == 0:
                assert arguments['wait'] == 'warmup'
            elif wait:
                names = dict(zip(('dependency', 'communication', 'overhead'), waits[k]))
                assert names[arguments['wait']] == max(waits[k]), (arguments, names)
        assert waited == ns(step.report['ranks'][r]['idle_s']) - (step.end - rank[-1].end)
        expected = []
        for op in rank:
            released = step.input_of(op)
            if released and released[1] != r and op.arrived > released[0]:
                expected.append((released[0], op.arrived, f'{op.kind}{op.microbatch}',
                                 released[1]))
        drawn = [(us(event['ts']), us(event['ts'] + event['dur']), event['name'],
                  event['args']['from_rank']) for event in messages]
        # A message is named by what it holds: a backward's is an I or a B to who takes it.
        assert sorted((a, b, n[1:], s) for a, b, n, s in drawn) == \
            sorted((a, b, n[1:], s) for a, b, n, s in expected), (r, drawn, expected)


def check_paje(step):
    if not shutil.which('pj_dump'):
        return
    out = subprocess.run(['pj_dump', 't.paje'], cwd=step.tmp, check=True, text=True,
                         capture_output=True).stdout
    rows = [line.split(', ') for line in out.splitlines()]
    for r, rank in enumerate(step.ranks):
        states = [row for row in rows if row[0] == 'State' and row[1] == f'rank {r}']
        busy = sum(float(row[5]) for row in states if row[7] != 'idle')
        assert abs(busy - step.report['ranks'][r]['busy_s']) < 1e-6 * len(rank), (r, busy)
    links = sorted((row[7], row[8], ns(row[3]), ns(row[4]))
                   for row in rows if row[0] == 'Link')
    expected = sorted((f'rank {released[1]}', f'rank {op.rank}', released[0] - step.start,
                       op.arrived - step.start)
                      for rank in step.ranks for op in rank
                      for released in [step.input_of(op)]
                      if released and released[1] != op.rank)
    assert len(links) == len(expected)
    for found, wanted in zip(links, expected):
        assert found[:2] == wanted[:2], (found, wanted)
        # pj_dump tells microseconds.
        assert all(abs(a - b) <= 1001 for a, b in zip(found[2:], wanted[2:])), (found, wanted)


def check(tmp, arguments):
    step = Step(tmp, arguments)
    check_report(step)
    check_trace(step)
    check_paje(step)


def test_simulations(tmp):
    for name in EVERY:
        check(tmp, f'simulate --schedule {name} --microbatches 9 --cost f=1,b=2,comm=0.1')


def test_disturbed_simulations(tmp):
    for name in EVERY:
        check(tmp, f'simulate --schedule {name} --microbatches 8 --jitter lognormal:0.2 '
                   '--steps 4 --slow 1:1.5 --link latency=20us,send=30us,receive=10us')


def test_runs(tmp):
    for name in EVERY:
        check(tmp, f'{TINY.replace("--steps 3", "--steps 5")} --layers 8 --schedule {name} '
                   '--microbatches 8 --clock virtual')


def test_the_wall_clock(tmp):
    for name in '1f1b', 'zb-v':
        check(tmp, f'{TINY} --schedule {name} --ranks 2 --microbatches 5 --clock wall')


def test_the_summary_shows_the_report(tmp):
    status, out, _ = ppsim(f'{TINY} --layers 16 --d-model 64 --ranks 2 --json r.json', tmp)
    report = json.loads((tmp / 'r.json').read_text())
    lines = out.splitlines()
    heads = next(k for k, line in enumerate(lines) if 'activations MiB' in line)
    for rank, line in zip(report['ranks'], lines[heads + 1:]):
        number, peak, activations, parameters, cpus = line.split()
        assert int(number) == rank['rank'] and float(peak) == rank['peak_in_flight'], line
        for told, key in (activations, 'peak_activation_bytes'), (parameters, 'parameter_bytes'):
            assert abs(float(told) - rank[key] / 2 ** 20) <= 0.00501, (key, line)
        assert cpus == rank['cpuset']
    bubble = report['bubble']
    assert (f'fraction {bubble["fraction"]:.4f}   over_ideal {bubble["over_ideal"]:.4f}   '
            f'span_fraction {bubble["span_fraction"]:.4f}') in out
    assert f'theory {bubble["theory"]:.4f} · predicted {bubble["predicted"]:.4f}' in out
    assert report['training']['digest'] in out


run_tests(globals())
