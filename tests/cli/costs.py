"""Simulation under costs that a run measured.

usage: costs.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import re

from common import TINY, expect, ppsim, refused, report, run_tests


def test_recomputation_of_a_report_is_known(tmp):
    """Its B began with the forward: half of the rest is I's, half W's."""
    expect(f'{TINY} --ranks 2 --recompute stage --quiet --json run.json', 0, directory=tmp)
    ran = json.loads((tmp / 'run.json').read_text())

    def costs(found):
        return {(c['stage'], c['kind']): c['median_s'] for c in found['costs']}

    measured, simulate = costs(ran), 'simulate --ranks 2 --costs run.json'
    same = report(simulate, tmp)
    assert same['config']['recompute'] == 'stage' and costs(same) == measured
    without = costs(report(f'{simulate} --recompute none', tmp))
    halves = costs(report(f'{simulate} --schedule zb-h1', tmp))
    for stage in range(2):
        forward, whole = measured[stage, 'F'], measured[stage, 'B']
        rest = max(whole - forward, 0)
        assert abs(without[stage, 'B'] - rest) < 1.5e-9
        assert abs(halves[stage, 'W'] - rest / 2) < 1.5e-9
        assert abs(halves[stage, 'I'] - (whole - rest / 2)) < 1.5e-9
    ran['config']['recompute'] = 'none'
    (tmp / 'run.json').write_text(json.dumps(ran))
    more = costs(report(f'{simulate} --recompute block', tmp))
    for stage in range(2):
        assert abs(more[stage, 'B'] - measured[stage, 'B'] - measured[stage, 'F']) < 1.5e-9


def test_measured_costs_predict_the_run_and_others(tmp):
    run = report(f'{TINY} --ranks 2 --microbatches 6 --json run.json', tmp)
    (tmp / 'run.json').write_text(json.dumps(run))
    again = 'simulate --layers 4 --d-model 16 --heads 2 --seq-len 8 --microbatch-size 2 ' \
            '--ranks 2 --microbatches 6 --costs run.json'
    assert report(again, tmp)['bubble']['fraction'] == run['bubble']['predicted']
    assert report(again + ' --schedule gpipe', tmp)['bubble']['fraction'] > 0

    def medians(found, kind):
        return [c['median_s'] for c in found['costs'] if c['kind'] == kind]

    halves = report(again + ' --schedule zb-h1', tmp)
    for b, i, w in zip(medians(run, 'B'), medians(halves, 'I'), medians(halves, 'W')):
        assert abs(i - w) < 2e-9 and abs(i + w - b) < 1e-12, (b, i, w)
    (tmp / 'made-up.json').write_text(json.dumps(report('simulate --ranks 2')))
    refused('simulate --ranks 4 --costs made-up.json', 'made-up.json', '2 stages',
            'how many layers', directory=tmp)
    (tmp / 'one.json').write_text(json.dumps(report(f'{TINY} --ranks 1')))
    refused('simulate --ranks 4 --costs one.json', 'one.json', 'one stage', directory=tmp)
    refused('simulate --cost f=1,b=2 --costs run.json', '--costs', directory=tmp)


def test_measured_costs_are_those_of_their_model(tmp):
    run = report(f'{TINY} --ranks 2 --microbatches 6', tmp)
    (tmp / 'run.json').write_text(json.dumps(run))
    again = report('simulate --ranks 2 --microbatches 6 --costs run.json', tmp)
    assert abs(again['makespan_s'] - run['predicted_makespan_s']) < 1e-12
    tokens = 6 * 2 * 8 # microbatches, --microbatch-size and --seq-len of TINY
    assert abs(again['tokens_per_s'] * again['makespan_s'] - tokens) < 1e-6
    for key in 'layers', 'd_model', 'seq_len', 'layer_split':
        assert again['config'][key] == run['config'][key], key
    refused('simulate --ranks 2 --costs run.json --seq-len 64', "'--seq-len' 64", 'at 8',
            directory=tmp)


def test_reports_without_costs_are_refused(tmp):
    run = report(f'{TINY} --ranks 2', tmp)
    simulate = 'simulate --ranks 2 --costs bad.json'

    def expect(change, *words):
        bad = json.loads(json.dumps(run))
        change(bad)
        (tmp / 'bad.json').write_text(json.dumps(bad))
        refused(simulate, 'bad.json', *words, directory=tmp)

    expect(lambda bad: bad['costs'].clear(), 'no cost of F on stage 0')
    expect(lambda bad: bad['costs'].pop(3), 'no cost of B', 'stage 1')
    expect(lambda bad: bad['costs'].append(bad['costs'][0]), 'costs[4]', 'repeats')
    expect(lambda bad: bad['link'].update(latency_s=-5), 'link.latency_s')
    expect(lambda bad: bad['link'].update(latency_s=None), 'link.latency_s')
    expect(lambda bad: bad['link'].update(bandwidth_Bps=-3), 'link.bandwidth_Bps')
    expect(lambda bad: bad['config'].pop('d_model'), 'config.d_model')


def test_a_simulation_does_not_ignore_the_split(tmp):
    run = report(f'{TINY} --ranks 2 --layer-split 3,1 --json r.json', tmp)
    (tmp / 'r.json').write_text(json.dumps(run))
    shape = TINY.replace('--steps 3 --warmup-steps 1', '--ranks 2')
    refused(f'simulate {shape} --layer-split 3,1', '--layer-split', '--device')
    refused(f'simulate {shape} --layer-split 3,2 --costs r.json', '--layer-split',
            directory=tmp)
    again = f'simulate {shape} --costs r.json'
    assert report(f'{again} --layer-split 3,1', tmp)['makespan_s'] == \
        report(again, tmp)['makespan_s']
    assert report(f'{again} --layer-split even', tmp)['config']['layer_split'] == [2, 2]


def test_another_split_of_a_measured_model_is_predicted(tmp, counted):
    """Only matrix products count, so that a layer costs the same everywhere: runs with
    other splits, other stages and slow ranks take exactly what is predicted."""
    model = '--layers 12 --d-model 32 --seq-len 32 --vocab 512'
    rest = '--microbatches 6 --steps 3 --link latency=0,bandwidth=1TB/s --clock virtual'

    def measured(shape):
        return report(f'{model} {rest} {shape}', tmp, **counted)

    (tmp / 'r.json').write_text(json.dumps(measured('--slow 1:2')))
    predict = 'simulate --microbatches 6 --costs r.json'
    for shape, slow in (('--layer-split 2,5,4,1', '--slow 1:2'),
                        ('--schedule gpipe --layer-split 4,4,3,1', '--slow 1:2'),
                        ('--schedule interleaved', ''), ('--ranks 3', ''),
                        ('--schedule gpipe --ranks 3 --layer-split auto', '--slow 0:3')):
        # The measured straggler is that of the same stages only.
        own = slow if '--ranks' in shape else ''
        run, simulated = measured(f'{shape} {slow}'), report(f'{predict} {shape} {own}', tmp)
        assert run['config']['layer_split'] == simulated['config']['layer_split'], shape
        assert abs(run['makespan_s'] - simulated['makespan_s']) < 1e-6 * run['makespan_s'], \
            (shape, run['makespan_s'], simulated['makespan_s'])
    # auto relieves the slow rank, by FLOPs and by what was measured.
    for found in measured('--slow 1:2 --layer-split auto'), \
            report(f'{predict} --layer-split auto', tmp):
        assert found['config']['layer_split'] == [4, 2, 4, 2], found['config']['layer_split']


def waits(found):
    return [rank['dependency_s'] / found['makespan_s'] for rank in found['ranks']]


def test_doubled_work_moves_the_causes_to_the_others():
    even = waits(report('simulate --microbatches 16 --cost f=1,b=2'))
    uneven = waits(report('simulate --microbatches 16 --cost f=1,2,1,1,b=2,4,2,2'))
    assert uneven[1] < even[1] and all(uneven[r] > even[r] + 0.2 for r in (0, 2, 3))


def test_doubled_work_is_measured(tmp, counted):
    link = '--clock virtual --steps 4 --link latency=0,bandwidth=1TB/s'

    def run(shape):
        """What was measured, and what is simulated with it."""
        found = report(f'{shape} {link}', tmp, **counted)
        (tmp / 'run.json').write_text(json.dumps(found))
        return found, report(f'simulate {shape} --costs run.json', tmp)

    even, _ = run('--microbatches 16 --layers 4')
    uneven, simulated = run('--microbatches 16 --layers 5 --layer-split 1,2,1,1')
    for found in even, uneven:
        # Only matrix products count: two as large backwards for each forwards, none to update.
        times = {(c['stage'], c['kind']): c for c in found['costs']}
        assert all(c['p5_s'] == c['median_s'] == c['p95_s'] for c in times.values())
        assert all(times[s, 'B']['median_s'] == 2 * times[s, 'F']['median_s'] for s in range(4))
        assert all(step['step_s'] == step['makespan_s'] == found['makespan_s']
                   for step in found['steps'])
    assert times[1, 'F']['median_s'] == 2 * times[0, 'F']['median_s']
    assert min(waits(uneven)) == waits(uneven)[1] < waits(even)[1], (even, uneven)
    assert all(waits(uneven)[r] > waits(even)[r] + 0.2 for r in (0, 2, 3)), (even, uneven)
    assert abs(simulated['makespan_s'] - uneven['makespan_s']) < 1e-6 * uneven['makespan_s']
    assert all(abs(a - b) < 1e-6 for a, b in zip(waits(simulated), waits(uneven)))


def test_the_wall_clock_knows_what_ops_need(tmp, counted):
    """Under a load the time that passes is longer than the CPU time, which is counted here:
    costs are those of the virtual clock."""
    shape = f'{TINY} --ranks 2 --microbatches 4'
    quiet = report(f'{shape} --clock wall', tmp, **counted)
    virtual = report(f'{shape} --clock virtual', tmp, **counted)
    assert quiet['costs'] == virtual['costs']
    assert all(rank['core_share'] == 1 for rank in quiet['ranks']), quiet['ranks']
    assert all(rank['core_share'] is None for rank in virtual['ranks'])
    # No core computes 10,000 products in a ns: ops look as if they had hardly run.
    status, out, _ = ppsim(f'{shape} --clock wall --json r.json', tmp, **counted,
                           COUNTED_PER_NS='10000')
    ranks = json.loads((tmp / 'r.json').read_text())['ranks']
    assert status == 0 and all(rank['core_share'] < 0.1 for rank in ranks), ranks
    assert 'the makespan is' in out or 'measured is' in out
    for text in out, ppsim('explain r.json', tmp)[1]:
        assert re.search(r'rank \d had \d% of its core, others the rest', ' '.join(text.split())), text
    # The time of one thread is not that of ops with two.
    ranks = report(f'{shape} --clock wall --threads 2', tmp, **counted)['ranks']
    assert all(rank['core_share'] is None for rank in ranks)


def test_an_op_of_a_slow_rank_counts_more(tmp, counted):
    shape = ('--microbatches 6 --layers 8 --d-model 32 --seq-len 32 --steps 4 '
             '--link latency=0,bandwidth=1TB/s')

    def medians(found):
        return {(c['stage'], c['kind']): c['median_s'] for c in found['costs']}

    plain = report(f'{shape} --clock virtual', tmp, **counted)
    slowed = report(f'{shape} --slow 1:2.5,3:.5', tmp, **counted)  # auto is then virtual
    assert slowed['environment']['clock'] == 'virtual' and slowed['config']['slow'] == '1:2.5,3:.5'
    assert slowed['training'] == plain['training']
    for (stage, kind), time in medians(plain).items():
        factor = {1: 2.5, 3: 0.5}.get(stage, 1)
        assert abs(medians(slowed)[stage, kind] - factor * time) < 1e-9, (stage, kind)
    # Everything downstream follows: what is measured is what is predicted.
    (tmp / 'plain.json').write_text(json.dumps(plain))
    simulated = report('simulate --microbatches 6 --costs plain.json --slow 1:2.5,3:.5', tmp)
    for found in simulated['makespan_s'], slowed['predicted_makespan_s']:
        assert abs(slowed['makespan_s'] - found) < 1e-6 * found
    assert slowed['makespan_s'] > 1.5 * plain['makespan_s']
    refused(f'{shape} --clock wall --slow 1:2', "'--slow' needs '--clock' virtual")
    refused(f'{shape} --slow 4:2', "'--slow' '4:2', column 1")


run_tests(globals())
