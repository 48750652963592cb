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
    out = expect('compare now.json now.json', 0, 'no difference\n', directory=tmp)
    assert 'order' not in out and 'peak_in_flight[' not in out, out
    expect('compare base.json now.json --format markdown', 0, '| bubble |', directory=tmp)
    expect(f'{SIMULATE} --cost f=1,b=2 --schedule gpipe --json gpipe.json', 0, directory=tmp)
    told = expect('compare now.json gpipe.json', 0, 'schedule: "1f1b" -> "gpipe"',
                  'no difference in time\n', directory=tmp)
    peaks = [line.split() for line in told.splitlines() if 'peak_in_flight' in line]
    assert peaks[0] == ['peak_in_flight', '4', '8', '+100.0%', 'changed'], told
    assert peaks[1:] == [[f'peak_in_flight[{r}]', str(4 - r), '8', f'+{800 / (4 - r) - 100:.1f}%',
                          'changed'] for r in range(4)], told
    assert "the order differs from rank 0's op 5 on: it is 0F4 (forward of stage 0 on microbatch " \
           '4), in the first report 0B0\n' in told, told
    expect(f'{SIMULATE} --cost f=1,b=2,comm=1 --json comm.json', 0, directory=tmp)
    told = expect('compare now.json comm.json', 0, directory=tmp)
    waits = [line.split() for line in told.splitlines() if 'communication' in line]
    assert waits[0][1] == '0.0000' and waits[0][-2:] == [waits[0][2], 'changed'], told
    expect('compare now.json', 2, 'two reports', directory=tmp)
    expect('compare now.json absent.json', 2, 'absent.json', directory=tmp)


def test_a_rank_that_is_not_the_worst_is_told(tmp):
    """Where the gate fails for it, compare must show why."""
    (tmp / 'a.csv').write_text('0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1\n')
    (tmp / 'b.csv').write_text('0F0,0F1,0B0,0B1\n1F0,1F1,1B0,1B1\n')
    expect(f'{SIMULATE} --schedule a.csv --baseline a.json --update-baseline', 0, directory=tmp)
    expect(f'{SIMULATE} --schedule b.csv --baseline a.json --json b.json', 1,
           "peak_in_flight[1] is 2, the baseline's is 1", directory=tmp)
    told = expect('compare a.json b.json', 0, "the order differs from rank 1's op 2 on: it is 1F1",
                  directory=tmp)
    peaks = [line.split() for line in told.splitlines() if 'peak_in_flight' in line]
    assert peaks == [['peak_in_flight', '2', '2', '+0.0%', 'same'],
                     ['peak_in_flight[1]', '1', '2', '+100.0%', 'changed']], told
    told = expect('compare a.json b.json --format markdown', 0, directory=tmp)
    assert '| peak_in_flight[1] | 1 | 2 | +100.0% | changed |\n' in told, told
    # Of another shape nothing is held rank against rank.
    expect(f'{SIMULATE} --ranks 2 --microbatches 3 --json c.json', 0, directory=tmp)
    told = expect('compare b.json c.json', 0, directory=tmp)
    assert 'order' not in told and 'peak_in_flight[' not in told, told


def test_noise_is_not_ranked(tmp):
    noisy = f'{SIMULATE} --cost f=1,b=2 --jitter lognormal:0.2 --steps 9'
    expect(f'{noisy} --seed 1 --json a.json', 0, directory=tmp)
    expect(f'{noisy} --seed 2 --json b.json', 0, directory=tmp)
    expect('compare a.json b.json', 0, 'no difference beyond noise', directory=tmp)
    out = expect(f'{noisy} --check bubble<0.01', 1, directory=tmp)
    assert 'over 9 steps' in out, out


run_tests(globals())
