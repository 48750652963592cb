"""Histories: rows that are appended, pictures of them, and baselines of their medians.

usage: history.py PPSIM [NAME ...]     runs every test, or those named
"""
import csv
import re
import subprocess

from common import PPSIM, SIMULATE, expect, ppsim, refused, report, run_tests

HEADER = 'time,label,configuration,clock,schedule,ranks,microbatches,verdict,bubble,'


def rows(path):
    with open(path, newline='') as file:
        return list(csv.DictReader(file, strict=True))


def append(tmp, options='', *labels, file='h.csv'):
    for label in labels:
        done = subprocess.run([PPSIM, *SIMULATE.split(), *options.split(), '--history', file,
                               '--label', label], cwd=tmp, text=True, capture_output=True)
        assert done.returncode in (0, 1) and done.stderr == '', done.stderr


def test_a_row_has_the_figures(tmp):
    append(tmp, '', 'first')
    append(tmp, '--check bubble<0.1', 'a, "b"\n;c')
    append(tmp, '--check bubble<1 --microbatches 16', 'third')
    assert (tmp / 'h.csv').read_text().startswith(HEADER), (tmp / 'h.csv').read_text()
    found = rows(tmp / 'h.csv')
    assert [row['label'] for row in found] == ['first', 'a, "b"?;c', 'third'], found
    assert [row['verdict'] for row in found] == ['', 'fail', 'pass'], found
    assert all(re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', row['time']) for row in found)
    assert all(re.fullmatch(r'[0-9a-f]{16}', row['configuration']) for row in found)
    # Neither outputs nor what judges are configuration.
    assert found[0]['configuration'] == found[1]['configuration'] != found[2]['configuration']
    one = report('simulate')
    assert float(found[0]['bubble']) == one['bubble']['fraction']
    assert float(found[0]['makespan']) == one['makespan_s']
    assert float(found[0]['peak_in_flight']) == 4
    assert found[0]['loss'] == '' and found[0]['peak_activation_bytes'] == ''
    assert (found[0]['schedule'], found[0]['ranks'], found[0]['microbatches'],
            found[0]['clock']) == ('1f1b', '4', '8', 'simulated')


def test_rows_are_appended_whole_and_side_by_side(tmp):
    many = [subprocess.Popen([PPSIM, *SIMULATE.split(), '--history', 'h.csv', '--label', str(i)],
                             cwd=tmp) for i in range(24)]
    assert [one.wait() for one in many] == [0] * 24
    lines = (tmp / 'h.csv').read_text().splitlines()
    assert len(lines) == 25 and lines[0].startswith(HEADER)
    assert sorted(int(row['label']) for row in rows(tmp / 'h.csv')) == list(range(24))
    # An editor may leave the last line open.
    (tmp / 'h.csv').write_text('\n'.join(lines[:3]))
    append(tmp, '', 'after')
    assert [row['label'] for row in rows(tmp / 'h.csv')][-1] == 'after'
    assert len(rows(tmp / 'h.csv')) == 3


def test_the_columns_are_the_files(tmp):
    """A version with other figures appends to the columns that are there."""
    (tmp / 'h.csv').write_text(HEADER + 'of_a_later_version,makespan\n')
    append(tmp, '', 'x')
    row = rows(tmp / 'h.csv')[0]
    assert row['of_a_later_version'] == '' and float(row['makespan']) == 0.033, row


def test_a_foreign_file_is_left_alone(tmp):
    for text in 'a,b\n1,2\n', 'schedule,ranks\n', HEADER.replace('clock', 'watch') + '\n':
        (tmp / 'h.csv').write_text(text)
        refused(f'{SIMULATE} --history h.csv', "'h.csv' is no history", directory=tmp)
        refused('--history h.csv', "'h.csv' is no history", directory=tmp)  # before training
        assert (tmp / 'h.csv').read_text() == text
    refused(f'{SIMULATE} --history absent/h.csv', 'absent/h.csv', directory=tmp)
    refused(f'{SIMULATE} --history h.json --json h.json', 'h.json', directory=tmp)
    refused(f'{SIMULATE} --label x', "needs '--history'", directory=tmp)


def test_a_full_disk_adds_no_half_row(tmp):
    append(tmp, '', 'first')
    before = (tmp / 'h.csv').read_bytes()
    limit = len(before) // 1024 + 1  # in blocks; the row would not fit behind
    (tmp / 'h.csv').write_bytes(before + b'\n' * (1024 * limit - len(before) - 10))
    before = (tmp / 'h.csv').read_bytes()
    done = subprocess.run(['bash', '-c', f'trap "" XFSZ; ulimit -f {limit}; '
                           f'exec {PPSIM} {SIMULATE} --history h.csv'], cwd=tmp, text=True,
                          capture_output=True)
    assert done.returncode == 4 and 'h.csv' in done.stderr, (done.returncode, done.stderr)
    assert (tmp / 'h.csv').read_bytes() == before


def with_bubbles(tmp, values, verdicts=None):
    """A history in which only the bubble varies."""
    append(tmp, '', *map(str, range(len(values))))
    found = rows(tmp / 'h.csv')
    with open(tmp / 'h.csv', 'w', newline='') as file:
        writer = csv.DictWriter(file, found[0].keys(), lineterminator='\n')
        writer.writeheader()
        for row, value, verdict in zip(found, values, verdicts or [''] * len(values)):
            writer.writerow({**row, 'bubble': value, 'verdict': verdict})


def test_a_baseline_is_the_median_of_the_last_rows(tmp):
    # The bubble is .2727; the last five have the median .26, the last three .2.
    with_bubbles(tmp, [.9, .9, .26, .27, .9, .2, .1])
    run = f'{SIMULATE} --baseline h.csv'
    expect(f'{run} --tolerance 0.013', 0, "the baseline's is 0.2600", directory=tmp)
    expect(f'{run} --tolerance 0.012', 1, directory=tmp)
    expect(f'{run} --baseline-last 3', 1, "the baseline's is 0.2000", directory=tmp)
    expect(f'{run} --baseline-last 2', 1, "the baseline's is 0.1500", directory=tmp)
    expect(f'{run} --baseline-last 1000', 0, "the baseline's is 0.2700", directory=tmp)


def test_what_failed_is_not_what_is_held_against(tmp):
    with_bubbles(tmp, [.27, .9, .9], ['pass', 'fail', 'fail'])
    expect(f'{SIMULATE} --baseline h.csv --baseline-last 2', 0, "the baseline's is 0.2700",
           directory=tmp)
    # One file for both: the result is judged against what was there, then appended.
    expect(f'{SIMULATE} --baseline h.csv --history h.csv --label new', 0, directory=tmp)
    assert rows(tmp / 'h.csv')[-1]['verdict'] == 'pass'


def test_what_a_history_does_not_know_is_said(tmp):
    with_bubbles(tmp, [''])
    run = f'{SIMULATE} --baseline h.csv'
    out = expect(run, 0, 'skip  baseline bubble: not judged', directory=tmp)
    assert 'pass  baseline peak_in_flight: peak_in_flight is 4, ' in out, out
    expect(f'{run} --tolerance peak_in_flight[1]=0', 1, 'FAIL  baseline peak_in_flight[1]: not '
           'judged', directory=tmp)
    (tmp / 'h.csv').write_text(''.join(
        ','.join(line.split(',')[:8]) + '\n' for line in (tmp / 'h.csv').read_text().splitlines()))
    refused(run, 'nothing was judged', directory=tmp)


def test_another_configuration_has_no_row(tmp):
    append(tmp, '', 'x')
    run = f'{SIMULATE} --baseline h.csv'
    refused(f'{run} --microbatches 16', 'no row', '1f1b, 4 ranks, 16 microbatches', directory=tmp)
    refused(f'{run} --cost f=1,b=3', 'no row', directory=tmp)
    refused('--baseline h.csv', 'no row', directory=tmp)  # a run: before training
    refused(f'{run} --update-baseline', "'--history'", directory=tmp)
    refused(f'{run} --cost f=1,b=3', "run once without '--baseline' but with '--history' to append",
            directory=tmp)
    refused(f'{run} --cost f=1,b=3 --history h.csv', "run once without '--baseline' to append",
            directory=tmp)
    refused(f'{run} --cost f=1,b=3 --history other.csv', "but with '--history'", directory=tmp)
    refused(f'{SIMULATE} --baseline new.csv --history ./new.csv', "run once without '--baseline'\n",
            directory=tmp)
    (tmp / 'empty.csv').write_text((tmp / 'h.csv').read_text().splitlines()[0] + '\n')
    refused(f'{SIMULATE} --baseline empty.csv', "no rows yet: run once without '--baseline'",
            directory=tmp)
    expect(f'{SIMULATE} --baseline b.json --update-baseline', 0, directory=tmp)
    refused(f'{SIMULATE} --baseline b.json --baseline-last 3', 'is for a history', directory=tmp)
    for line in 'x,y', '2026,,a,b,c,4,8', '2026,,a,b,c,x,8,,1', '2026,"open,a,b,c,4,8,,1':
        (tmp / 'bad.csv').write_text(HEADER[:-1] + '\n' + line + '\n')
        refused(f'{SIMULATE} --baseline bad.csv', "'bad.csv', line 2", directory=tmp)


def test_the_content_of_a_schedule_file_is_no_configuration(tmp):
    for name in '1f1b', 'gpipe':
        (tmp / 'own.csv').write_text(ppsim(f'schedules show {name} --format csv')[1])
        append(tmp, '--schedule own.csv', name)
    found = rows(tmp / 'h.csv')
    assert found[0]['configuration'] == found[1]['configuration']
    expect(f'{SIMULATE} --schedule own.csv --baseline h.csv --baseline-last 2', 1,
           'peak_in_flight is 8, the baseline\'s is 6', directory=tmp)


def test_another_file_of_one_shape_is_said(tmp):
    for name in 'a.csv', 'b.csv':
        (tmp / name).write_text(ppsim('schedules show 1f1b --format csv')[1])
    append(tmp, '--schedule a.csv', 'x')
    out = expect(f'{SIMULATE} --schedule a.csv --baseline h.csv', 0, directory=tmp)
    assert 'note: ' not in out, out
    expect(f'{SIMULATE} --schedule b.csv --baseline h.csv', 0, "note: the baseline's schedule is "
           "'a.csv', this one's 'b.csv'", directory=tmp)
    # Only of those rows that it is held against.
    append(tmp, '--schedule b.csv', 'y')
    out = expect(f'{SIMULATE} --schedule b.csv --baseline h.csv --baseline-last 1', 0,
                 directory=tmp)
    assert 'note: ' not in out, out


def test_a_history_is_no_report(tmp):
    append(tmp, '', 'x')
    expect(f'{SIMULATE} --json now.json', 0, directory=tmp)
    for command in 'compare h.csv now.json', 'compare now.json h.csv', 'explain h.csv':
        refused(command, "'h.csv' is a history, not a report", "'ppsim plot'", "'--baseline'",
                directory=tmp)
    (tmp / 'own.csv').write_text('0F0,0B0\n')
    refused('explain own.csv', "'own.csv' is CSV, not a report", "'--json'", directory=tmp)
    refused('explain none.csv', "cannot read 'none.csv'", directory=tmp)


def test_a_picture_of_it(tmp):
    def settings_of_picture():
        assert ppsim('plot h.csv --plot a.svg --keep-data kept', tmp)[0] == 0
        return (tmp / 'kept/history-settings.gp').read_text()

    append(tmp, '', 'one', 'two')
    one_line = settings_of_picture()
    append(tmp, '--schedule gpipe --check bubble<0.1', 'two')
    assert 'size 1000,856 ' in one_line and 'size 1000,874 ' in settings_of_picture(), \
        'the legend has two columns, and one entry more than there are lines'
    status, out, err = ppsim('plot h.csv --plot h.svg --keep-data kept', tmp)
    assert (status, out, err) == (0, '', ''), err
    picture = (tmp / 'h.svg').read_text()
    for text in '1f1b, p = 4, m = 8', 'gpipe, p = 4', 'failed', 'one', 'makespan in ms':
        assert text in picture, text
    blocks = (tmp / 'kept/history.dat').read_text().split('\n\n\n')
    assert [[line.split()[0] for line in block.splitlines()] for block in blocks if block] \
        == [['1', '2'], ['2']], 'rows of one label stand above each other'
    refused('plot h.csv --trace x', "no '--trace'", directory=tmp)
    refused('plot h.csv', 'something to write', directory=tmp)
    (tmp / 'h.csv').write_text(HEADER[:-1] + '\n')
    refused('plot h.csv --plot h.svg', 'no rows', directory=tmp)


run_tests(globals())
