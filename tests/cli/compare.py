"""Two reports compared.

usage: compare.py PPSIM [NAME ...]     runs every test, or those named
"""
from common import SIMULATE, expect, run_tests, slower


def test_compare_tells_of_ops_either_way(tmp):
    expect(f'{SIMULATE} --cost f=1,b=2 --json a.json', 0, directory=tmp)
    expect(f'{SIMULATE} --cost f=2,b=1 --json b.json', 0, directory=tmp)
    told = expect('compare a.json b.json', 0, directory=tmp)
    assert 'stage 3, F' in told and 'stage 3, B' in told, told


def test_compare_and_baseline_agree(tmp):
    slower(tmp, 1)
    expect(f'{SIMULATE} --cost f=1,b=2 --json now.json', 0, directory=tmp)
    told = expect('compare base.json now.json', 0, 'changed', directory=tmp)
    gate = expect(f'{SIMULATE} --cost f=1,b=2 --baseline base.json', 0, directory=tmp)
    before, after = [line.split()[1:3] for line in told.splitlines()
                     if line.split()[0] == 'bubble'][0]
    assert f'bubble is {after}' in gate and f"the baseline's is {before}" in gate
    expect('compare now.json now.json', 0, 'no difference beyond noise', directory=tmp)
    expect('compare base.json now.json --format markdown', 0, '| bubble |', directory=tmp)
    expect(f'{SIMULATE} --cost f=1,b=2 --schedule gpipe --json gpipe.json', 0, directory=tmp)
    told = expect('compare now.json gpipe.json', 0, 'schedule: "1f1b" -> "gpipe"',
                  'no difference in time beyond noise', directory=tmp)
    peaks = [line.split() for line in told.splitlines() if 'peak_in_flight' in line]
    assert peaks == [['peak_in_flight', '4', '8', '+100.0%', 'changed']], told
    expect(f'{SIMULATE} --cost f=1,b=2,comm=1 --json comm.json', 0, directory=tmp)
    told = expect('compare now.json comm.json', 0, directory=tmp)
    waits = [line.split() for line in told.splitlines() if 'communication' in line]
    assert waits[0][1] == '0.0000' and waits[0][-2:] == [waits[0][2], 'changed'], told
    expect('compare now.json', 2, 'two reports', directory=tmp)
    expect('compare now.json absent.json', 2, 'absent.json', directory=tmp)


def test_noise_is_not_ranked(tmp):
    noisy = f'{SIMULATE} --cost f=1,b=2 --jitter lognormal:0.2 --steps 9'
    expect(f'{noisy} --seed 1 --json a.json', 0, directory=tmp)
    expect(f'{noisy} --seed 2 --json b.json', 0, directory=tmp)
    expect('compare a.json b.json', 0, 'no difference beyond noise', directory=tmp)
    out = expect(f'{noisy} --check bubble<0.01', 1, directory=tmp)
    assert 'over 9 steps' in out, out


run_tests(globals())
