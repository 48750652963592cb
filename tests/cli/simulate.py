"""Simulation under costs that options give.

usage: simulate.py PPSIM [NAME ...]     runs every test, or those named
"""
from common import ppsim, refused, report, run_tests


def test_simulation_of_unit_costs():
    found = report('simulate --schedule interleaved --ranks 4 --chunks 2 --microbatches 8 '
                   '--cost f=1,b=2')
    assert abs(found['makespan_s'] - 57e-3) < 1e-12
    assert found['environment']['clock'] == 'simulated'
    assert [r['peak_in_flight'] for r in found['ranks']] == [5.5, 4.5, 3.5, 2.5]
    assert found['bubble']['fraction'] == found['bubble']['theory']


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


def test_what_memory_cannot_hold_is_refused():
    for arguments in ('simulate --ranks 65536 --microbatches 200000000',
                      '--ranks 60000 --microbatches 100000000',
                      'schedules show gpipe --ranks 65536 --microbatches 200000000'):
        status, out, err = ppsim(arguments)
        assert status == 4 and out == '' and err.count('\n') == 1, (arguments, err)
        assert 'GB of memory' in err and '--microbatches' in err, err


run_tests(globals())
