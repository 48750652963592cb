"""Simulation under costs that options give.

usage: simulate.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import resource
import subprocess

from common import PPSIM, SANITIZED, SIMULATE, expect, ppsim, refused, report, run_tests
from processes import LONG


def test_simulation_of_unit_costs():
    found = report('simulate --schedule interleaved --ranks 4 --chunks 2 --microbatches 8 '
                   '--cost f=1,b=2')
    assert abs(found['makespan_s'] - 28.5e-3) < 1e-12
    assert found['environment']['clock'] == 'simulated'
    assert [r['peak_in_flight'] for r in found['ranks']] == [5.5, 4.5, 3.5, 2.5]
    assert found['bubble']['fraction'] == found['bubble']['theory']


def test_one_number_is_a_whole_rank_s_and_a_list_is_of_stages():
    def simulated(rest):
        found = report(f'simulate --microbatches 8 {rest}')
        return found['makespan_s'], {cost['median_s'] for cost in found['costs']}

    assert simulated('') == (33e-3, {1e-3, 2e-3})
    assert simulated('--schedule interleaved') == (28.5e-3, {0.5e-3, 1e-3})
    eight = '1,1,1,1,1,1,1,1'
    assert simulated(f'--schedule interleaved --cost f={eight},b=4') == \
        simulated('--schedule interleaved --cost f=2,b=4')
    assert simulated('--schedule dualpipev --cost f=1,b=2,joined=3')[0] == \
        simulated('--schedule dualpipev --cost f=1,b=2')[0]
    # A factor is of what the pair takes without overlap, here 3, on slow ranks too.
    for slow in '', '--slow 1:1.5 --seed 3':
        pair = f'--schedule dualpipev {slow} --cost f=1,b=2,joined'
        assert simulated(f'{pair}=0.8x')[0] == simulated(f'{pair}=2.4')[0]
        assert simulated(f'{pair}=1x')[0] == simulated(f'{pair}=3')[0]
    # Of each pair's own sum: where stages differ, 1x is as without it.
    uneven = '--schedule dualpipev --jitter lognormal:0.1 --cost f=1,2,3,1,2,3,1,2,b=4'
    assert simulated(f'{uneven},joined=1x')[0] == simulated(uneven)[0]
    assert simulated(f'{uneven},joined=0.8x')[0] < simulated(uneven)[0]
    # Re-computation's forward is one of the ops of the pair.
    again = '--schedule dualpipev --recompute stage --cost'
    assert simulated(f'{again} f=1,b=2,joined=0.75x')[0] == \
        simulated('--schedule dualpipev --cost f=1,b=3,i=2,w=1,joined=3')[0]
    # As much work for each number of chunks, as in a sweep.
    swept = ppsim('sweep --quiet --json - --schedule interleaved --chunks 3 '
                  '--cost f=1,i=0.7,w=0.4')[1]
    assert json.loads(swept)['points'][0]['makespan_s'] == \
        simulated('--schedule interleaved --chunks 3 --cost f=1,i=0.7,w=0.4')[0]


def test_the_headline_says_what_unequal_stages_cost():
    for costs in 'f=1,b=2', 'f=1:2:1:1,b=2':
        out = ppsim(f'simulate --slow 1:1.5 --cost {costs}')[1]
        assert f'--cost {costs}' in out[:200] and '--slow 1:1.5' in out[:200], out
    out = ppsim('simulate --cost f=1,b=2')[1]
    assert 'F 1.00 ms, B 2.00 ms' in out and '--cost' not in out, out


def test_recomputation_adds_a_forward_to_each_backward():
    """And the closed forms go with it: theory is for F and B + F."""
    for again in 'stage', 'block':
        for schedule, cost, same in (
                ('1f1b', 'f=1,b=2', 'f=1,b=3'), ('gpipe', 'f=3,b=4', 'f=3,b=7'),
                ('zb-h1', 'f=2,i=1,w=3', 'f=2,i=3,w=3'), ('zb-v', 'f=2,b=4', 'f=2,i=4,w=2'),
                ('interleaved', 'f=1,b=2', 'f=1,b=3'),
                ('1f1b', 'f=1:2:3:4,b=2', 'f=1:2:3:4,b=3:4:5:6')):
            shape = f'{SIMULATE} --schedule {schedule} --ranks 4 --microbatches 8'
            found = report(f'{shape} --cost {cost} --recompute {again}')
            expected = report(f'{shape} --cost {same}')
            for key in 'makespan_s', 'bubble', 'ranks', 'costs', 'timeline':
                assert found[key] == expected[key], (schedule, cost, key)
    found = report(f'{SIMULATE} --schedule 1f1b --cost f=1,b=2 --recompute stage')
    assert abs(found['bubble']['theory'] - 3 / 11) < 1e-12, found['bubble']
    assert found['config']['recompute'] == 'stage'
    device = f'{SIMULATE} --device flops=1TFLOPS'
    plain, again = (report(f'{device} --recompute {what}')['costs'] for what in ('none', 'block'))
    taken = [{(c['stage'], c['kind']): c['median_s'] for c in costs} for costs in (plain, again)]
    for (stage, kind), seconds in taken[1].items():
        forward = taken[0][stage, 'F'] if kind == 'B' else 0
        assert abs(seconds - taken[0][stage, kind] - forward) < 1.5e-9, (stage, kind)
    out = expect('simulate --recompute block', 0)
    assert 'B 3.00 ms' in out and '--recompute block' in out, out


def test_made_up_costs_give_no_tokens_per_second(tmp):
    (tmp / 'a.json').write_text(json.dumps(report('simulate --device flops=1TFLOPS')))
    assert report('simulate')['tokens_per_s'] is None
    assert report('simulate --cost f=1,b=2')['tokens_per_s'] is None
    assert report('simulate')['config']['cost'] == 'f=1,b=2'
    for modelled in '--device flops=1TFLOPS', '--costs a.json':
        found = report(f'simulate {modelled}', tmp)
        assert found['config']['cost'] is None
        assert abs(found['tokens_per_s'] * found['makespan_s'] - 8 * 4 * 64) < 1e-6
        assert 'tokens/s' in ppsim(f'simulate {modelled}', tmp)[1]
    for command in 'simulate', 'sweep':
        assert 'tokens/s' not in ppsim(command)[1]


def test_costs_that_say_nothing_are_refused():
    for free in '--cost f=0,b=0,i=1,w=1', '--cost f=0,b=0', \
            '--slow 0:1e-9,1:1e-9,2:1e-9,3:1e-9':
        refused(f'simulate {free}', 'zero')
    refused('simulate --cost f=1,b=2,comm=1 --link latency=1ms', 'comm', 'latency')
    assert report('simulate --cost f=1,b=2,comm=1 --link bandwidth=1GB/s')['makespan_s'] > 0.04
    refused('simulate --ranks-per-node 2', '--far-link')
    refused('simulate --group-size 2', '--group-size', 'interleaved-1f1b')
    refused('simulate --schedule interleaved --group-size 3', '4 does', lines=4)
    joined = report('simulate --cost f=1,b=2,joined=1')['bubble']
    assert joined['fraction'] == joined['theory']
    factor = report('simulate --schedule dualpipev --cost f=1,b=2,joined=0.8x')
    assert factor['bubble']['theory'] is None
    assert factor['config']['cost'] == 'f=1,b=2,joined=0.8x'
    plain = report('simulate --schedule dualpipev --cost f=1,b=2,joined=1x')['bubble']
    assert plain['theory'] == report('simulate --schedule dualpipev')['bubble']['theory']


def test_what_memory_cannot_hold_is_refused():
    for arguments in ('simulate --ranks 65536 --microbatches 200000000',
                      '--ranks 60000 --microbatches 100000000',
                      'schedules show gpipe --ranks 65536 --microbatches 200000000'):
        status, out, err = ppsim(arguments)
        assert status == 4 and out == '' and err.count('\n') == 1, (arguments, err)
        assert 'GB of memory' in err and '--microbatches' in err, err


def test_what_multiplies_no_matrices_needs_few_addresses():
    def limit():  # which OpenBLAS's buffers do not fit into
        resource.setrlimit(resource.RLIMIT_AS, (150 << 20, 150 << 20))

    if SANITIZED:
        return
    for arguments in (['--version'], ['--help'], ['simulate'], ['schedules', 'list']):
        done = subprocess.run([PPSIM, *arguments], capture_output=True, timeout=LONG,
                              stdin=subprocess.DEVNULL, preexec_fn=limit)
        assert done.returncode == 0 and done.stdout and not done.stderr, (arguments, done)


run_tests(globals())
