"""Decoding, simulated: groups that take turns, prompts, costs by class, and what else knows of it.

usage: decode.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
from fractions import Fraction

from common import expect, ppsim, refused, report, run_tests

DECODE = 'simulate --schedule decode'


def test_theory_is_what_is_simulated():
    for p, g, m in ((4, 4, 12), (4, 2, 12), (4, 6, 18), (3, 4, 10), (1, 2, 5), (5, 1, 7)):
        for link in '', ' --link latency=0.3ms':
            shown = report(f'{DECODE} --ranks {p} --groups {g} --microbatches {m} '
                           f'--cost decode=1{link}')
            bubble = shown['bubble']
            assert abs(bubble['theory'] - bubble['fraction']) < 1e-12, (p, g, m, link, bubble)
            assert 'decode.c' in bubble['theory_note'], bubble
            assert shown['config']['groups'] == g
            if m % g == 0 and not link:
                turns = m // g
                form = 1 - Fraction(m, turns * p + g - 1) if g <= p else Fraction(p - 1, m + p - 1)
                assert abs(bubble['fraction'] - form) < 1e-12, (p, g, m, bubble)
    for rank in report(DECODE)['ranks']:
        assert rank['peak_in_flight'] == 1, rank


def test_a_rank_for_each_group_unless_told():
    assert report(f'{DECODE} --ranks 3')['config']['groups'] == 3


def test_prompts_and_decoding_have_costs_apart():
    shown = report(f'{DECODE} --ranks 2 --groups 1 --microbatches 3 --prompt-chunks 4 '
                   '--cost prefill=3,decode=1')
    # 4 chunks, one behind the other, then 3 tokens, each through both ranks.
    assert abs(shown['makespan_s'] - ((4 + 1) * 3e-3 + 3 * 2e-3)) < 1e-12, shown['makespan_s']
    assert shown['bubble']['theory'] is None
    assert 'prompt-chunks' in shown['bubble']['theory_note'], shown['bubble']
    costs = {(cost['stage'], cost['class']): cost for cost in shown['costs']}
    assert costs[0, 'prefill']['rows'] == 16 * 4 and costs[0, 'prefill']['count'] == 4
    assert costs[1, 'decode']['rows'] == 4 and costs[1, 'decode']['median_s'] == 1e-3
    # What is left out takes f, or what the other one takes; a list is of stages.
    for cost, prefill, decode in (('f=2', 2, 2), ('f=2,decode=1', 2, 1), ('prefill=3', 3, 3),
                                  ('prefill=1:5,decode=1', 5, 1)):
        shown = report(f'{DECODE} --ranks 2 --prompt-chunks 1 --cost {cost}')
        costs = {(row['stage'], row['class']): row['median_s'] for row in shown['costs']}
        assert costs[1, 'prefill'] == prefill * 1e-3, (cost, costs)
        assert costs[1, 'decode'] == decode * 1e-3, (cost, costs)


def test_tokens_go_back_with_a_size_of_their_own():
    """At 1 MB/s: 4 rows of 128 floats take 2048 us, 4 tokens 16 us."""
    shown = report(f'{DECODE} --ranks 2 --groups 1 --microbatches 3 --cost decode=1 '
                   '--link bandwidth=1MB/s')
    assert abs(shown['makespan_s'] - (3 * (2 + 2.048) + 2 * 0.016) * 1e-3) < 1e-9, shown
    assert abs(shown['bubble']['theory'] - shown['bubble']['fraction']) < 1e-12, shown['bubble']


def test_what_makes_no_sense_is_refused(tmp):
    refused('run --schedule decode', "use 'ppsim generate'")
    refused('--schedule decode', 'does not train')
    refused('simulate --groups 3', "'1f1b' trains")
    refused('simulate --schedule gpipe --prompt-chunks 1', "'--prompt-chunks' 1", "'gpipe' trains")
    refused(f'{DECODE} --chunks 2', 'decode needs one stage per rank')
    refused(f'{DECODE} --group-size 2', 'one by one')
    refused(f'{DECODE} --cost f=1,b=2', "b is training's")
    refused(f'{DECODE} --cost comm=1', 'lacks decode')
    refused('simulate --cost prefill=1,f=1,b=2', 'prefill is a cost of schedules that decode')
    refused(f'{DECODE} --device flops=1TFLOPS', "'--device'")
    refused(f'{DECODE} --recompute stage', "'--recompute'")
    refused(f'{DECODE} --prompt-chunks 100000000', 'there may be up to')
    for shape in 'csv', 'csv-comms':
        refused(f'schedules show decode --format {shape}', 'CSV has no place', '--format json')
    refused('schedules convert decode', '--format json')
    (tmp / 's.csv').write_text(ppsim('schedules show gpipe --format csv')[1])
    refused(f'simulate --schedule {tmp}/s.csv --groups 2', "'--groups' 2")


def test_what_trains_leaves_it_out(tmp):
    swept = json.loads(expect('sweep --schedule all --microbatches 8 --quiet --json -', 0))
    assert swept['points'] and all(row['schedule'] != 'decode' for row in swept['points'])
    for command in 'recommend', 'optimize --memory-limit 4 --iterations 100':
        assert '"decode"' not in expect(f'{command} --quiet --json -', 0), command


def test_groups_and_prompts_are_swept():
    swept = json.loads(expect('sweep --schedule decode --ranks 4 --groups 1:4 --microbatches 12 '
                              '--quiet --json -', 0))
    bubbles = {int(row['values']['groups']): row['bubble']['fraction'] for row in swept['points']}
    assert sorted(bubbles) == [1, 2, 3, 4], bubbles
    for row in swept['points']:
        assert abs(row['bubble']['theory'] - row['bubble']['fraction']) < 1e-12, row
    assert bubbles[1] > bubbles[2] > bubbles[3] > bubbles[4], bubbles


def test_a_saved_report_is_as_good(tmp):
    out = expect(f'{DECODE} --ranks 3 --groups 4 --microbatches 9 --prompt-chunks 2 '
                 '--cost prefill=3,decode=1,1,2 --link latency=0.1ms --json r.json '
                 '--trace t.json --csv c.csv --paje p.paje', 0, directory=tmp)
    assert 'prefill' in out and 'f0' in out and 'F9' in out, out
    told = expect('explain r.json', 0, directory=tmp)
    assert 'forward of stage 2' in told and 'limits the step most' in told, told
    expect('plot r.json --picture timeline --plot o.svg', 0, directory=tmp)
    assert 'prefill lighter' in (tmp / 'o.svg').read_text()
    assert 'same' in expect('compare r.json r.json', 0, directory=tmp)
    events = json.loads((tmp / 't.json').read_text())['traceEvents']
    ops = [event['args'] for event in events if event['ph'] == 'X' and 'group' in event['args']]
    assert len(ops) == 3 * (9 + 8), len(ops)
    assert {op['phase'] for op in ops} == {'prefill', 'decode'}
    assert all(op['group'] == op['microbatch'] % 4 for op in ops)
    # A message for each hop on, and for each token back.
    arrows = [event for event in events if event['ph'] == 's']
    assert len(arrows) == 2 * (9 + 8) + 9, len(arrows)


def test_costs_of_a_report_are_by_rows(tmp):
    saved = report(f'{DECODE} --ranks 2 --microbatches 4 --cost decode=1,2')
    saved['costs'] += [{**cost, 'rows': 8, 'median_s': 2 * cost['median_s']}
                       for cost in saved['costs']]
    (tmp / 'r.json').write_text(json.dumps(saved))
    # Between what was measured, and beyond it, by the line through the two nearest.
    for rows, times in ((4, 1), (8, 2), (6, 1.5), (12, 3), (2, 0.5)):
        again = report(f'{DECODE} --ranks 2 --costs r.json --microbatch-size {rows}', tmp)
        assert [cost['median_s'] for cost in again['costs']] == \
            [round(times * 1e-3, 9), round(times * 2e-3, 9)], (rows, again['costs'])
        assert again['tokens_per_s'] > 0
    # Of as many rows as were measured most often, unless it is said.
    for cost in saved['costs']:
        cost['count'] = 9 if cost['rows'] == 8 else 1
    (tmp / 'r.json').write_text(json.dumps(saved))
    again = report(f'{DECODE} --ranks 2 --costs r.json', tmp)
    assert again['config']['microbatch_size'] == 8, again['config']
    assert {cost['rows'] for cost in again['costs']} == {8}, again['costs']
    assert [cost['median_s'] for cost in again['costs']] == [2e-3, 4e-3], again['costs']
    refused(f'{DECODE} --ranks 2 --costs r.json --prompt-chunks 1', 'no cost of prefill',
            directory=tmp)
    refused('simulate --ranks 2 --costs r.json', 'no backward', "'--schedule' decode", directory=tmp)


run_tests(globals())
