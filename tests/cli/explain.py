"""What limits a step, and what would shorten it.

usage: explain.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import re

from common import TINY, ppsim, refused, report, run_tests


def test_explain_saves_what_it_says():
    for shape, slow, fast in (('', 'b=2', 'b=2,2,2,1.8'),
                              ('--ranks 2', 'b=4,2', 'b=3.6,2'),
                              ('--schedule interleaved --microbatches 4',
                               'b=2', 'b=1,1,1,1,1,1,1,.9')):
        simulate = f'simulate {shape} --cost f=1,'
        saved = report(simulate + slow)['makespan_s'] - report(simulate + fast)['makespan_s']
        out = ppsim(f'explain {shape} --cost f=1,{slow}')[1]
        claimed, unit = re.search(r'it would save\s+([0-9.]+) (us|ms)', out).groups()
        assert abs(float(claimed) * {'us': 1e-6, 'ms': 1e-3}[unit] - saved) < 1e-6, (out, saved)


def test_quiet_leaves_the_explanation_unless_a_file_was_asked_for(tmp):
    loud = ppsim('explain --cost f=1,b=2 --json r.json', tmp)[1]
    quiet = ppsim('explain --quiet --cost f=1,b=2')[1]
    assert quiet.startswith('critical path') and loud.endswith(quiet) and loud != quiet
    assert ppsim('explain r.json --quiet', tmp)[1] == quiet
    for command in 'explain r.json --quiet --csv x.csv', 'explain --quiet --cost f=1,b=2 --csv x.csv':
        assert ppsim(command, tmp)[:2] == (0, ''), command


def test_free_links_carry_no_part_of_the_critical_path(tmp):
    for name in ('gpipe', '1f1b', 'interleaved', 'bfs', 'zb-h1', 'zb-v', 'dualpipev'):
        status, out, _ = ppsim(f'explain --schedule {name} --cost f=1,b=2', tmp)
        path = out[out.index('critical path'):out.index('ops by rank')]
        shares = [float(share) for share in re.findall(r'([0-9.]+)%', path)]
        assert status == 0 and 'in transit' not in path, path
        assert abs(sum(shares) - 100) < 0.3, path


def test_explain_trains(tmp):
    status, out, _ = ppsim(f'explain {TINY} --ranks 2')
    assert status == 0 and 'digest' in out and 'critical path' in out, out
    assert check_reasons(out) > 0, out


def check_reasons(out):
    """Every reason accounts for half of its gap; returns how many there are."""
    lines = out.splitlines()
    gaps = [i for i, line in enumerate(lines) if line.startswith('  before ')]
    for i in gaps:
        shares = [int(share) for share in re.findall(r'\((\d+)%\)', lines[i + 1])]
        assert lines[i + 1].startswith('    while ') and len(shares) <= 3, lines[i + 1]
        assert 49 <= sum(shares) <= 101, lines[i + 1]  # each is rounded
    return len(gaps)


def test_reasons_are_no_trifles():
    out = ppsim('explain --schedule zb-v --ranks 4 --microbatches 12 --cost '
                'f=1:1.2:0.9:1:1:1:1.4:1,i=1,w=0.7 '
                '--link latency=100us,bandwidth=2GB/s,send=20us,receive=10us'
                .replace(':', ','))[1]
    assert check_reasons(out) == 12, out
    assert 'while rank 1 ran 1F4 and 6F0 (88%)' in out, out
    out = ppsim('explain --ranks 64 --cost f=1,b=2,comm=0.1')[1]
    assert check_reasons(out) > 16 and 'ops ran on 15 ranks, 0F0 to 14F0' in out, out


def test_explain_names_the_slow_stage_of_a_run(tmp, counted):
    (tmp / 'r.json').write_text(json.dumps(report(
        '--d-model 64 --seq-len 32 --layers 8 --layer-split 2,4,1,1 --clock virtual '
        '--microbatches 16', **counted)))
    status, out, err = ppsim('explain r.json', tmp)
    assert status == 0 and err == '' and 'rank 1 is the slowest' in out, out
    assert 'with --layer-split 2,2,2,2 the step' in out and 'of stage 1 (rank 1)' in out, out
    for ignored in '--ranks 9', '--json x.json', '--cost f=1,b=2':
        refused(f'explain r.json {ignored}', ignored.split()[0], directory=tmp)


def test_explain_names_the_slow_stage_of_a_simulation(tmp):
    status, out, _ = ppsim('explain --cost f=1,2,b=2,4 --ranks 2')
    assert status == 0 and 'of stage 1 (rank 1)' in out, out
    refused('explain absent.json', 'absent.json', directory=tmp)
    refused('explain --cost f=1,b=2 --data x', '--cost', '--data')
    status, out, _ = ppsim('explain --cost f=1,b=2 --slow 1:2')
    assert status == 0 and 'simulated' in out, out


def test_the_even_split_keeps_the_head_where_it_is(tmp):
    run = report('--ranks 2 --layers 4 --layer-split 3,1 --steps 4 --microbatches 4 '
                 '--link latency=0 --d-model 16 --heads 2 --clock virtual')
    # 1 ms a layer forwards, 2 ms backwards, and half of that for the head.
    for cost in run['costs']:
        layers = 3 if cost['stage'] == 0 else 1.5
        cost['median_s'] = layers * (1e-3 if cost['kind'] == 'F' else 2e-3)
    run['link']['bandwidth_Bps'] = None
    (tmp / 'r.json').write_text(json.dumps(run))
    even = report('simulate --ranks 2 --microbatches 4 --cost f=2,2.5,b=4,5')['makespan_s']
    status, out, err = ppsim('explain r.json', tmp)
    assert status == 0 and f'--layer-split 2,2 the step would take {even * 1e3:.1f} ms' in out, \
        (even, out, err)


def test_the_split_that_is_proposed_takes_what_it_says(tmp, counted):
    shape = ('--layers 12 --d-model 32 --seq-len 32 --microbatches 6 --steps 3 '
             '--link latency=0,bandwidth=1TB/s --clock virtual --slow 1:2')
    run = report(shape, tmp, **counted)
    (tmp / 'r.json').write_text(json.dumps(run))
    out = ppsim('explain r.json', tmp)[1]
    split, then, now = re.search(r'with --layer-split (\S+) the step would take (\S+) ..,'
                                 r' not (\S+) ..', out).groups()
    mended = report(f'{shape} --layer-split {split}', tmp, **counted)
    for told, found in (then, mended), (now, run):
        digits = len(told.partition('.')[2])
        assert any(abs(float(told) - found['makespan_s'] * unit) <= 0.51 * 10 ** -digits
                   for unit in (1e3, 1e6)), (told, found['makespan_s'])
    assert mended['makespan_s'] < 0.9 * run['makespan_s']
    # None of all single moves from it is better; nor does explain know of one.
    layers = [int(number) for number in split.split(',')]
    for a in range(4):
        for b in range(4):
            other = [n - (s == a) + (s == b) for s, n in enumerate(layers)]
            if min(other) > 0:
                moved = report('simulate --microbatches 6 --costs r.json --layer-split '
                               + ','.join(map(str, other)), tmp)
                assert moved['makespan_s'] >= mended['makespan_s'] * (1 - 1e-6), other
    (tmp / 'm.json').write_text(json.dumps(mended))
    assert 'no split of the layers that was tried would save 1%' in ppsim('explain m.json', tmp)[1]


run_tests(globals())
