"""Schedules shown, checked and converted.

usage: schedules.py PPSIM [NAME ...]     runs every test, or those named
"""
import json

from common import ppsim, run_tests


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


def test_bad_schedule_files_are_explained(tmp):
    def bad(text, *words):
        (tmp / 'bad.csv').write_text(text)
        status, out, err = ppsim('schedules check bad.csv', tmp)
        assert status == 2 and out == '', (text, status, out)
        assert all(line.startswith('ppsim: ') for line in err.splitlines())
        for word in words:
            assert word in err, f'{word!r} is not in {err!r}'

    bad('0F0,0B0,0B0\n', 'bad.csv', 'rank 0', 'cell 3', '0B0', 'twice')
    bad('0F0,0F1,0B0\n', 'missing')
    bad('0F0,0B0,0W0\n', 'October 2024')
    bad('0F0xyz,0B0\n', '0F0xyz')
    bad('0F0,0B0,0F1,0B1\n1F1,1B1,1F0,1B0\n', 'cycle', 'rank 0', 'rank 1')


run_tests(globals())
