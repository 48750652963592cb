"""Schedules shown, checked and converted.

usage: schedules.py PPSIM [NAME ...]     runs every test, or those named
"""
import itertools
import json
import os
import re
from fractions import Fraction

from common import PPSIM, expect, listed, ppsim, refused, report, run_tests
from processes import Terminal


def test_schedules_round_trip(tmp):
    for name in 'gpipe', '1f1b', 'interleaved', 'zb-h1', 'dualpipev':
        status, csv, err = ppsim(f'schedules show {name} --format csv --microbatches 8')
        assert status == 0 and err == '', err
        (tmp / 'schedule.csv').write_text(csv)
        status, out, _ = ppsim('schedules check schedule.csv', tmp)
        assert status == 0 and 'valid' in out and '4 ranks' in out
        status, again, _ = ppsim('schedules convert schedule.csv', tmp)
        assert again == csv, name
        status, comms, _ = ppsim('schedules convert schedule.csv --format csv-comms', tmp)
        assert status == 0 and 'SEND_F' in comms


def cells(text):
    """The cells of each rank, from all parts of a table."""
    rows = {}
    for line in text.replace('\r', '').splitlines():
        if line.startswith('rank '):
            rows.setdefault(line.split()[1], []).extend(line.split()[2:])
    return rows


def test_a_wide_schedule_folds_on_a_terminal():
    command = 'schedules show interleaved --ranks 4 --microbatches 8'
    whole = ppsim(command)[1]
    assert max(map(len, whole.splitlines())) > 200 and 'columns' not in whole
    on_terminal = Terminal([PPSIM, *command.split()], env={**os.environ, 'COLUMNS': '70'})
    status, shown = on_terminal.wait()
    table = shown.split('interleaved-1f1b:')[0]
    assert status == 0 and max(map(len, table.splitlines())) <= 70, shown
    assert max(map(len, shown.splitlines())) <= 80, 'the legend folds too'
    assert cells(table) == cells(whole)
    part = ppsim(command + ' --from 7 --to 19')[1]
    assert cells(part) == {rank: row[7:20] for rank, row in cells(whole).items()}, part
    assert part.startswith('columns 7 to 19 of 0 to '), part
    rest = ppsim(command + ' --from 30')[1]
    assert cells(rest) == {rank: row[30:] for rank, row in cells(whole).items()}
    refused('schedules show 1f1b --from 33', "'--from' 33", '0 to 32')
    refused('schedules show 1f1b --from 3 --to 2', 'before')
    refused('schedules show 1f1b --to 2 --format csv', "'--to'", 'grid')


def test_any_name_of_a_file_goes_into_a_report(tmp):
    csv = ppsim('schedules show gpipe --format csv --ranks 2 --microbatches 2')[1]
    # Cut within a character if cut at 63 bytes; a byte that is not UTF-8 (Latin-1).
    for name, kept in ((40 * 'é' + '.csv', 31 * 'é'), ('x' + 40 * 'é' + '.csv', 'x' + 31 * 'é'),
                       ('caf\udce9.csv', 'caf?.csv')):
        (tmp / name).write_text(csv)
        status, _, err = ppsim(f'simulate --schedule {name} --quiet --json r.json --csv o.csv '
                               '--trace t.json --paje t.paje', tmp)
        assert status == 0, err
        report = json.loads((tmp / 'r.json').read_text())
        assert report['config']['schedule'] == kept, report['config']['schedule']
        assert ppsim('explain r.json', tmp)[0] == 0
        status, _, err = ppsim(f'sweep --schedule {name} --quiet --json s.json', tmp)
        assert status == 0, err
        assert 'makespan' in (tmp / 's.json').read_text()


def formula(text, **sizes):
    """What a text such as 2(pv-1) says, for p, v and m."""
    spelled = re.sub(r'(?<=[0-9pvm)])(?=[pvm(])', '*', text)
    exact = re.sub(r'([0-9]+|[pvm])', r'Fraction(\1)', spelled)
    return eval(exact, {'Fraction': Fraction, **sizes})


def test_formulas_are_read():
    assert formula('2(p-1)(m/p+1)/(3v)', p=4, v=2, m=8) == 3
    assert formula('p+(p-1)/v', p=4, v=2, m=8) == Fraction(11, 2)


SHAPES = [(p, v, m) for p, m in ((2, 4), (4, 8), (5, 15), (6, 12)) for v in (1, 2, 4)]


def decoding(shape):
    """What of a schedule that decodes is not in its ops; of others None."""
    return json.loads(expect(f'schedules show {shape} --format json', 0)).get('decoding')


def simulated(name, row, p, v, m):
    """Bubble and memory as the table counts them, weight copies and messages."""
    shape = f'{name} --ranks {p} --chunks {v} --microbatches {m}'
    decodes = decoding(name)
    shown = report(f'simulate --schedule {shape}' +
                   ('' if decodes else ' --cost f=1,i=1,w=1,b=2'))
    fraction = Fraction(shown['bubble']['span_fraction']).limit_denominator(10000)
    sends = ppsim(f'schedules show {shape} --format csv-comms')[1].count('SEND')
    if decodes:
        after = decoding(shape)['after']
        sends = m * (p - 1) + len(after) - after.count(-1)
    return {'bubble': m * fraction / (1 - fraction),
            'memory': Fraction(max(rank['peak_memory'] for rank in shown['ranks'])),
            'weights': Fraction(1 + max(shown['ranks'][0]['copies'])),
            'messages': Fraction(sends, m)}


def test_what_the_list_says_is_what_the_simulation_gives():
    for name, row in listed().items():
        reached = {'bubble': False, 'memory': False}
        for p, v, m in SHAPES:
            if not fits(row, p, v, m):
                continue
            for column, value in simulated(name, row, p, v, m).items():
                bound = row[column].startswith('up to ')
                said = formula(row[column].removeprefix('up to '), p=p, v=v, m=m)
                assert value <= said if bound else value == said, \
                    f'{name} {p} {v} {m}: {column} {value}, not {row[column]} = {said}'
                if value == said and column in reached:
                    reached[column] = True
        assert all(reached.values()), f'{name}: a bound that nothing reaches: {reached}'


def fits(row, p, v, m):
    """Does the row take the shape, by its chunks and needs?"""
    sizes = {'p': p, 'v': v, 'm': m}

    def holds(condition):
        if condition.endswith(' even'):
            return sizes[condition[0]] % 2 == 0
        left, right = condition.split(' >= ')
        return formula(left, **sizes) >= formula(right, **sizes)

    return (row['chunks'] in ('v', str(v)) and
            all(holds(condition) for condition in row['needs'].split(', ') if condition != '-'))


def test_the_list_names_what_is_refused(tmp):
    table = {name: row for name, row in listed().items() if not decoding(name)}
    status, _, err = ppsim('sweep --schedule all --ranks 1:5 --chunks 1,2,3 --microbatches 1:10 '
                           '--quiet --json s.json', tmp)
    assert status == 0, err
    swept = json.loads((tmp / 's.json').read_text())

    def taken(kind):
        return {(row['schedule'], row['ranks'], row['chunks'], row['microbatches'])
                for row in swept[kind]}

    every = set(itertools.product(table, range(1, 6), range(1, 4), range(1, 11)))
    expected = {point for point in every if fits(table[point[0]], *point[1:])}
    assert taken('points') == expected, taken('points') ^ expected
    assert taken('invalid') == every - expected


def test_the_list_folds_on_a_terminal():
    terminal = Terminal([PPSIM, 'schedules', 'list'], env={**os.environ, 'COLUMNS': '80'})
    status, shown = terminal.wait()
    lines = shown.replace('\r', '').splitlines()
    assert status == 0 and max(map(len, lines)) <= 80, shown
    words = [line.split(':')[0] for line in lines if re.match('[a-z0-9-]+: ', line)]
    assert words == list(listed()), words


def test_bad_schedule_files_are_explained(tmp):
    def bad(text, *words):
        (tmp / 'folder').mkdir(exist_ok=True)
        (tmp / 'folder/bad.csv').write_text(text)
        status, out, err = ppsim('schedules check folder/bad.csv', tmp)
        assert status == 2 and out == '', (text, status, out)
        assert all(line.startswith("ppsim: 'folder/bad.csv'") for line in err.splitlines()), err
        for word in words:
            assert word in err, f'{word!r} is not in {err!r}'

    bad('0F0,0B0,0B0\n', 'rank 0', 'cell 3', '0B0', 'twice')
    bad('0F0,0F1,0B0\n', 'missing')
    bad('0F0,0B0,0W0\n', 'October 2024')
    bad('0F0xyz,0B0\n', '0F0xyz')
    bad('0F0;0B0\n', 'commas')
    bad('0SEND_F0,0F0,0B0\n1F0,1B0\n', 'cell 1')
    bad('0F0,0B0,0F1,0B1\n1F1,1B1,1F0,1B0\n', 'cycle', 'rank 0', 'rank 1')


run_tests(globals())
