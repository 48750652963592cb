"""Sweeps: lists, tables, files that resume, and agreement with single commands.

usage: sweep.py PPSIM
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

PPSIM = os.path.abspath(sys.argv[1])


def ppsim(arguments, directory='.', status=0):
    done = subprocess.run([PPSIM, *arguments.split()], cwd=directory, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    assert done.returncode == status, (arguments, done.returncode, done.stderr)
    return done.stdout, done.stderr


def points_of(arguments, directory='.'):
    found = json.loads(ppsim(f'sweep --quiet --json - {arguments}', directory)[0])
    assert found['schema'] == 'ppsim.sweep/1'
    return found['points'], found['invalid']


def test_lists_and_ranges():
    for text, expected in (('4', [4]), ('4,8', [4, 8]), ('4:32:x2', [4, 8, 16, 32]),
                           ('4:33:x2', [4, 8, 16, 32]), ('4:8:+2', [4, 6, 8]),
                           ('2:4', [2, 3, 4]), ('1,4:8:x2,9', [1, 4, 8, 9])):
        points, _ = points_of(f'--microbatches {text}')
        assert [p['microbatches'] for p in points] == expected, text


def test_malformed_lists_name_the_column():
    for option, text, column in (('microbatches', 'x', 1), ('microbatches', '4,', 3),
                                 ('microbatches', '4:2', 3), ('microbatches', '4:8:2', 5),
                                 ('microbatches', '4:8:x1', 6), ('ranks', '0', 1),
                                 ('ranks', '2;3', 2), ('chunks', '1,x', 3)):
        err = ppsim(f'sweep --{option} {text}', status=2)[1]
        assert f'--{option}' in err and f'column {column}:' in err, (text, err)
    assert '1f2b' in ppsim('sweep --schedule 1f2b', status=2)[1]


def test_points_are_what_simulate_finds():
    points, _ = points_of('--schedule gpipe,interleaved --ranks 2,4 --microbatches 5,8')
    assert len(points) == 8
    for point in points:
        single = json.loads(ppsim(
            f'simulate --quiet --json - --schedule {point["schedule"]} '
            f'--ranks {point["ranks"]} --chunks {point["chunks"]} '
            f'--microbatches {point["microbatches"]}')[0])
        assert abs(point['bubble']['fraction'] - single['bubble']['fraction']) < 1e-12
        assert point['peak_in_flight'] == max(r['peak_in_flight'] for r in single['ranks'])


def test_invalid_points_are_listed_and_fail_nothing():
    points, invalid = points_of('--schedule 1f1b,interleaved --chunks 1,2')
    assert [(p['schedule'], p['chunks']) for p in points] == \
        [('1f1b', 1), ('interleaved-1f1b', 1), ('interleaved-1f1b', 2)]
    assert len(invalid) == 1 and '--chunks' in invalid[0]['reason']
    assert 'not valid: 1f1b' in ppsim('sweep --schedule 1f1b --chunks 1,2')[0]
    assert 'no point' in ppsim('sweep --schedule 1f1b --chunks 2', status=2)[1]


def test_a_sweep_resumes(tmp):
    full = 'sweep --microbatches 4,8,16 --csv s.csv'
    ppsim('sweep --microbatches 4,8 --csv s.csv', tmp)
    rows = (tmp / 's.csv').read_text()
    assert rows.count('\n') == 4
    # A row that was made is not made again: plant a figure in it. A torn one is.
    lines = rows.splitlines(keepends=True)
    planted = lines[2].replace('0.4285714', '0.1234567')
    assert planted != lines[2]
    (tmp / 's.csv').write_text(''.join(lines[:2]) + planted + lines[3][:9])
    out = ppsim(full, tmp)[0]
    assert '0.1235' in out and '0.2727' in out and '0.1579' in out, out
    after = (tmp / 's.csv').read_text().splitlines(keepends=True)
    assert len(after) == 5 and after[2] == planted and after[3] == lines[3]

    assert 'other options' in ppsim(f'{full} --cost f=1,b=1', tmp, 2)[1]
    (tmp / 's.csv').write_text('precious\n')
    assert 'no sweep' in ppsim(full, tmp, 2)[1]
    assert (tmp / 's.csv').read_text() == 'precious\n'


def test_points_really_run():
    points, _ = points_of('--run --schedule gpipe,1f1b --ranks 2 --microbatches 3 '
                          '--layers 2 --d-model 16 --heads 2 --seq-len 8 --steps 4')
    assert [p['peak_in_flight'] for p in points] == [3, 2]
    for point in points:
        assert point['bubble']['min'] <= point['bubble']['fraction'] \
            <= point['bubble']['max']
        assert 0 < point['bubble']['predicted'] < 1 and point['bubble']['theory'] == 0.25
        assert point['peak_activation_bytes'] > 0
    _, invalid = points_of('--run --ranks 1,9 --microbatches 2 --steps 3')
    assert '8 layers' in invalid[0]['reason'], invalid


def test_a_sweep_is_drawn(tmp):
    ppsim('sweep --schedule gpipe,zb-h1 --plot s.svg --keep-data kept', tmp)
    assert '<svg' in (tmp / 's.svg').read_text()
    assert (tmp / 'kept' / 'sweep.dat').exists()
    assert '.svg' in ppsim('sweep --plot s.gif', tmp, 2)[1]


def main():
    failures = 0
    for name, test in list(globals().items()):
        if not name.startswith('test_'):
            continue
        with tempfile.TemporaryDirectory() as directory:
            try:
                test(*[pathlib.Path(directory)][:test.__code__.co_argcount])
                print('ok  ', name, flush=True)
            except Exception as problem:  # a failure of one is no reason to skip the rest
                failures += 1
                print('FAIL', name, f'{type(problem).__name__}: {problem}', flush=True)
    sys.exit(failures > 0)


main()
