"""Checks, baselines and formats, on simulated reports.

usage: gate.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as xml

from common import SIMULATE, TINY, expect, ppsim, run_tests, slower


def test_each_figure_passes_and_fails():
    # 1F1B, 4 ranks, 8 microbatches, F 1 ms, B 2 ms: 33 ms, bubble 9/33.
    for passes, fails in (
            ('bubble<=0.2728', 'bubble<=0.27'), ('bubble<27.3%', 'bubble<27.2%'),
            ('over_ideal==0.375', 'over_ideal==0.376'), ('span<=0.273', 'span<0.2'),
            ('span_fraction<=0.273', 'span_fraction<0.2'),
            ('makespan<=33ms', 'makespan<33ms'), ('makespan>=0.033s', 'makespan>0.033s'),
            ('warmup<=0.0455', 'warmup<0.045'), ('dependency<0.14', 'dependency<0.13'),
            ('communication==0', 'communication>0'), ('overhead==0', 'overhead>0'),
            ('cooldown<0.091', 'cooldown<0.09'),
            ('peak_in_flight==4', 'peak_in_flight<4'),
            ('peak_in_flight[3]==1', 'peak_in_flight[2]==1'),
            ('theory_error<1e-9', 'theory_error>0.1')):
        expect(f'{SIMULATE} --check {passes}', 0, 'pass')
        expect(f'{SIMULATE} --check {fails}', 1, 'FAIL', 'rerun: ', fails)
    expect(f'{SIMULATE} --check bubble<1 --check bubble<0.1', 1, 'pass', 'FAIL')
    # Only costs of a model give tokens per second: 8 microbatches of 4 times 64.
    device = 'simulate --device flops=1TFLOPS'
    rate = 2048 / json.loads(ppsim(f'{device} --quiet --json -')[1])['makespan_s']
    expect(f'{device} --check tokens_per_s>{rate - 1:f}', 0, 'pass')
    expect(f'{device} --check tokens_per_s>{rate + 1:f}', 1, 'FAIL')


def test_the_unknown_never_passes():
    for check in ('loss<9', 'loss>=0', 'predicted_error<1', 'predicted_error>=0'):
        expect(f'{SIMULATE} --check {check}', 1, 'is unknown (', ': a run gives it); wanted')
    for check in 'tokens_per_s>=0', 'peak_activation_bytes[0]>=0':
        expect(f'{SIMULATE} --check {check}', 1, 'is unknown (made-up costs are of no model')
    expect(f'{SIMULATE} --schedule zb-v --check theory_error<1', 1, 'no closed form holds here')


def test_malformed_checks_name_the_column():
    for check, column in (('bubble<0.1x', 11), ('bubbl<1', 1), ('bubble', 7),
                          ('bubble=1', 7), ('bubble<', 8), ('bubble<nan', 8),
                          ('bubble[0]<1', 7), ('peak_in_flight[4]<1', 16),
                          ('peak_in_flight[x]<1', 16), ('peak_in_flight[1<1', 17),
                          ('makespan<5kg', 11), ('makespan<5%', 11), ('bubble<5ms', 9)):
        expect(f'{SIMULATE} --check {check}', 2, f'column {column}:', check)
        expect(f'--check {check}', 2, f'column {column}:')  # before ranks are started


def test_a_finding_tells_value_and_bound_apart():
    # 3 of 11, to more digits than the summary has.
    for bound in 'bubble<=0.2727', 'bubble==0.2727':
        out = expect(f'{SIMULATE} --check {bound}', 1)
        assert 'bubble is 0.27273; wanted' in out, out
    assert 'is 33.000000 ms; ' in expect(f'{SIMULATE} --check makespan<=32.999999ms', 1)
    for bound in 'makespan<=33', 'makespan>=0.033':  # of what?
        expect(f'{SIMULATE} --check {bound}', 2, 'want a unit', 'ns, us, ms or s')
    expect(f'{SIMULATE} --check makespan>0', 0)
    for percent in 35, 41, 57, 69:
        shape = f'simulate --quiet --ranks {percent + 1} --microbatches 100'
        expect(f'{shape} --check over_ideal=={percent}%', 0)
    assert 'always holds' in expect(f'{SIMULATE} --check bubble<=30', 0)
    assert 'always' not in expect(f'{SIMULATE} --check over_ideal<=30', 0)
    for check in 'bubble<=-0.1', 'bubble<0', 'bubble==2', 'bubble>1', 'makespan<0', 'over_ideal<-1':
        expect(f'{SIMULATE} --check {check}', 1, 'impossible')
    for check in 'bubble>=0', 'makespan>=-1ms', 'bubble<1.1':
        expect(f'{SIMULATE} --check {check}', 0, 'always holds')


def test_units_are_those_of_costs():
    # 3 ms of work on one rank: the makespan to the ns.
    run = 'simulate --quiet --schedule gpipe --ranks 1 --microbatches 1 --cost f=1MS,b=2000Us'
    for bound in '3ms', '3MS', '3000us', '.003s', '0.003S', '3000000ns', '3e6NS':
        expect(f'{run} --check makespan=={bound}', 0)
    for option, text in (('--check', 'makespan<1m'), ('--cost', 'f=1m,b=2')):
        expect(f'{run} {option} {text}', 2, "no unit named 'm': use ns, us, ms")
    run = f'{TINY} --ranks 2 --quiet --check peak_activation_bytes'
    expect(f'{run}<=1KB', 1)
    expect(f'{run}<=1kb', 2, "no unit named 'kb'")


def test_bytes_have_units():
    run = f'{TINY} --ranks 2 --quiet --check peak_activation_bytes'
    expect(f'{run}<=1GiB', 0)
    expect(f'{run}<=1kB', 1)
    expect(f'{run}<=1ms', 2, 'column', 'MiB')


def test_formats(tmp):
    checks = '--check bubble<1 --check bubble<0.1'
    tap = expect(f'{SIMULATE} {checks} --format tap', 1)
    assert tap.startswith('TAP version 13\n1..2\nok 1 - ') and '\nnot ok 2 - ' in tap
    suite = xml.fromstring(expect(f'{SIMULATE} {checks} --format junit', 1))[0]
    assert suite.get('tests') == '2' and suite.get('failures') == '1'
    assert [case.find('failure') is None for case in suite] == [True, False]
    assert 'bubble<0.1' in suite[1].find('failure').get('message')
    actions = expect(f'{SIMULATE} {checks} --format gha', 1).splitlines()
    assert actions[0].startswith('::notice ') and actions[1].startswith('::error ')
    table = expect(f'{SIMULATE} {checks} --format markdown', 1)
    assert table.count('\n| ') == 2 and '**fail**' in table
    (tmp / 'pass.tap').write_text(expect(f'{SIMULATE} --check bubble<1 --format tap', 0))
    if shutil.which('prove'):
        subprocess.run(['prove', '--exec', 'cat', 'pass.tap'], cwd=tmp, check=True,
                       capture_output=True)
    odd = ppsim(f'{SIMULATE} --check bubble<0.1 --format junit --trace a\x01\xe9.json', tmp)[1]
    assert "a\\x01\\xc3\\xa9.json'" in xml.fromstring(odd)[0][0].find('failure').text, odd
    # Characters that mean something to one format or the other.
    awkward = f'{SIMULATE} --check bubble<10% --json a|b"#\\<.json'
    rerun = ppsim(awkward, tmp)[1].splitlines()[1][len('rerun: '):]
    assert '''a|b"#\\<.json''' in rerun, rerun
    tap = expect(f'{awkward} --format tap', 1, directory=tmp)
    told = json.loads(re.search(r'^  rerun: (.*)$', tap, re.M)[1])  # YAML's are JSON's here
    assert told == f'{rerun} --format tap', told
    failure = xml.fromstring(expect(f'{awkward} --format junit', 1, directory=tmp))[0][0][0]
    assert f'rerun: {rerun} --format junit\n' in failure.text, failure.text
    action = expect(f'{awkward} --format gha', 1, directory=tmp)
    assert 'wanted bubble<10%25%0Arerun: ' in action and action.count('\n') == 1, action
    table = expect(f'{awkward} --format markdown', 1, directory=tmp)
    assert 'check bubble&lt;10%' in table and f'`{rerun} --format markdown`' in table, table
    out = ppsim(f'simulate {checks} --format tap')[1]
    assert out.startswith('TAP version 13'), 'stdout carries the format alone'
    expect(f'{SIMULATE} --format yaml', 2, 'junit')


def test_baselines(tmp):
    base = '--baseline base.json'
    expect(f'{SIMULATE} {base}', 2, 'base.json', '--update-baseline', directory=tmp)
    for alone, needed in (('--update-baseline', '--baseline'), ('--keep-data d', '--plot'),
                          ('--tolerance 0.1', '--baseline'), ('--format tap', '--check'),
                          ('--picture in-flight', '--plot')):
        expect(f'{SIMULATE} {alone}', 2, alone.split()[0], needed, directory=tmp)
    expect(f'{SIMULATE} {base} --update-baseline', 0, directory=tmp)
    expect(f'{SIMULATE} {base}', 0, 'pass', directory=tmp)
    expect(f'{SIMULATE} {base} --microbatches 9', 2, "'microbatches'", directory=tmp)
    expect(f'{SIMULATE} {base} --schedule gpipe', 2, "'schedule'", directory=tmp)
    expect(f'{SIMULATE} {base} --json other.json', 0, directory=tmp)
    expect(f'{base} --quiet', 2, 'another command', directory=tmp)  # before training
    expect(f"{SIMULATE} --check bubble<0.1 --json it's.json", 1, "'it'\\''s.json'",
           directory=tmp)

    saved = json.loads((tmp / 'base.json').read_text())
    (tmp / 'bad.json').write_text('{')
    expect(f'{SIMULATE} --baseline bad.json', 2, 'bad.json', directory=tmp)
    del saved['bubble']['fraction']
    (tmp / 'bad.json').write_text(json.dumps(saved))
    expect(f'{SIMULATE} --baseline bad.json', 2, 'fraction', directory=tmp)


def test_tolerances(tmp):
    run = f'{SIMULATE} --cost f=1,b=2 --baseline base.json --tolerance'
    slower(tmp, 1)  # the baseline is worse than what runs now
    expect(f'{run} 0.01', 0, directory=tmp)
    expect(f'{run} 0.01,both', 1, 'FAIL', directory=tmp)
    expect(f'{run} bubble=0.5,makespan=50%,both', 0, directory=tmp)
    expect(f'{run} makespan=5%,bubble=0.5,both', 1, 'makespan', directory=tmp)
    expect(f'{run} bubble=50%,makespan=1S,both', 0, directory=tmp)  # a unit's case is free
    expect(f'{run} bubble=0.5,makespan=1us,both', 1, 'makespan', directory=tmp)
    device = f'{SIMULATE} --device flops=1TFLOPS --link'
    expect(f'{device} latency=1ms --json x.json', 0, directory=tmp)
    report = json.loads((tmp / 'x.json').read_text())
    report['config']['link'] = 'latency=0'
    (tmp / 'rate.json').write_text(json.dumps(report))
    rate = f'{device} latency=0 --baseline rate.json --tolerance bubble=0.9,tokens_per_s=1%'
    expect(rate, 0, directory=tmp)  # more is better
    expect(f'{rate},both', 1, 'tokens_per_s', directory=tmp)
    for text, column in (('bubble', 7), ('bubble=', 8), ('bubble=-1', 8),
                         ('nothing=1', 1), ('0.01,,both', 6), ('bubble=1x', 9), ('bubble=1%x', 10), ('makespan=1B', 11)):
        expect(f'{run} {text}', 2, f'column {column}:', directory=tmp)

    expect(f'{SIMULATE} --cost f=1,b=2 --json now.json', 0, directory=tmp)
    shutil.copy(tmp / 'now.json', tmp / 'base.json')
    slow = f'{SIMULATE} --cost f=1,b=2 --link latency=0.1ms --baseline base.json --tolerance'
    rewrite(tmp / 'base.json', lambda report: report['config'].update(link='latency=0.1ms'))
    # 9 of 33 idle have become 10.6 of 34.6: 0.0336, 12.3 %, more; the makespan 4.8 %.
    for tolerance, status in (('0.04', 0), ('0.03', 1), ('4pp', 0), ('3PP', 1), ('13%', 0), ('12%', 1)):
        expect(f'{slow} bubble={tolerance},makespan=1', 2, 'want a unit', directory=tmp)
        expect(f'{slow} bubble={tolerance},makespan=6%', status, 'baseline bubble', directory=tmp)
        expect(f'{slow} {tolerance},makespan=6%', status, directory=tmp)


def rewrite(path, change):
    report = json.loads(path.read_text())
    change(report)
    path.write_text(json.dumps(report))


def test_a_relative_tolerance_is_of_the_baseline(tmp):
    base = tmp / 'base.json'
    expect(f'{SIMULATE} --cost f=1,b=2 --json base.json', 0, directory=tmp)
    rewrite(base, lambda report: report['config'].update(cost='f=1.5,b=3'))
    # 33 ms have become 49.5: half more than they were, a third of what they are.
    for tolerance, status in ('51%', 0), ('49%', 1), ('40%', 1):
        expect(f'{SIMULATE} --cost f=1.5,b=3 --baseline base.json '
               f'--tolerance makespan={tolerance}', status, directory=tmp)


def test_what_decides_the_result_is_compared(tmp):
    noisy = f'{SIMULATE} --jitter lognormal:0.1'
    expect(f'{noisy} --json base.json', 0, directory=tmp)
    expect(f'{noisy} --seed 2 --baseline base.json', 2, "'seed'", directory=tmp)
    rewrite(tmp / 'base.json', lambda report: report['config'].update(later='option'))
    expect(f'{noisy} --baseline base.json', 2, "'later'", directory=tmp)
    run = f'{TINY} --ranks 2 --quiet --clock virtual'
    expect(f'{run} --json base.json', 0, directory=tmp)
    rewrite(tmp / 'base.json', lambda report: report['environment'].update(clock='wall'))
    expect(f'{run} --baseline base.json', 2, "'environment.clock'", directory=tmp)


def test_what_the_steps_tell(tmp):
    """5 % of 1 % noise is a change, of too few steps it is none."""
    noisy = f'{SIMULATE} --jitter lognormal:0.02'
    for steps, verdict in (10, 'changed'), (5, 'too few steps to tell'):
        expect(f'{noisy} --steps {steps} --cost f=1,b=2 --json a.json', 0, directory=tmp)
        expect(f'{noisy} --steps {steps} --cost f=1.05,b=2.1 --seed 2 --json b.json', 0,
               directory=tmp)
        told = expect('compare a.json b.json', 0, directory=tmp)
        row = [line for line in told.splitlines() if 'makespan' in line][0]
        assert row.endswith(verdict), told
        assert ('6 measured ones' in told) == (steps == 5), told
        assert 'no difference' not in told, told
    rows = expect('compare a.json a.json --format markdown', 0, directory=tmp).split('\n')
    assert [row for row in rows if row.startswith('| makespan | 3')], rows
    # A step that is all alone and slow hides nothing from the others.
    expect(f'{noisy} --steps 10 --cost f=1,b=2 --json a.json', 0, directory=tmp)
    expect(f'{noisy} --steps 10 --cost f=1.13,b=2.26 --seed 2 --json b.json', 0, directory=tmp)
    rewrite(tmp / 'a.json', lambda report: report['steps'][4].update(makespan_s=0.07))
    told = expect('compare a.json b.json', 0, directory=tmp)
    assert [line for line in told.splitlines() if 'makespan' in line][0].endswith('changed'), told


def test_an_oversubscribed_wall_clock_is_no_gate():
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        tiny = f'{TINY} --ranks 2 --microbatches 2 --clock wall --quiet --check bubble<=1'
        expect(tiny, 2, '--force', '--clock')
        expect(f'{tiny} --force', 0, 'pass')
        # What memory holds does not depend on the load.
        expect(tiny.replace('bubble<=1', 'peak_in_flight<=2'), 0, 'pass')
    finally:
        os.sched_setaffinity(0, cores)


def test_a_core_shared_with_others_is_no_gate(tmp, counted):
    # So few ns of CPU time look as if others had had the cores.
    counted = {**counted, 'COUNTED_PER_NS': '10000'}
    tiny = f'{TINY} --ranks 2 --microbatches 2 --quiet'
    for gate in '--check bubble<=1', '--check tokens_per_s>0', '--baseline b --update-baseline':
        status, out, err = ppsim(f'{tiny} --clock wall {gate}', tmp, **counted)
        assert status == 2 and err.count('\n') == 1 and '--force' in err, err
        assert not (tmp / 'b').exists() and out == ''
        assert ppsim(f'{tiny} --clock wall {gate} --force', tmp, **counted)[0] == 0
        (tmp / 'b').unlink(missing_ok=True)
        assert ppsim(f'{tiny} --clock virtual {gate}', tmp, **counted)[0] == 0
        (tmp / 'b').unlink(missing_ok=True)
    assert ppsim(f'{tiny} --clock wall --check loss<99', tmp, **counted)[0] == 0
    # Nor is anything held against such times.
    assert ppsim(f'{tiny} --clock wall --json b', tmp, **counted)[0] == 0
    status, out, err = ppsim(f'{tiny} --clock wall --baseline b', tmp)
    assert status == 2 and err.count('\n') == 1 and "baseline 'b'" in err, err
    told = ppsim('compare b b', tmp)[1].splitlines()[-2:]
    assert [line[:6] for line in told] == ['before', 'after:'], told
    assert all(line.endswith('of its core, others the rest') for line in told), told


def test_a_failed_check_leaves_the_baseline_alone(tmp):
    simulate = 'simulate --quiet --baseline base.json'
    assert ppsim(f'{simulate} --update-baseline --check bubble<0.3', tmp)[0] == 0
    before = (tmp / 'base.json').read_bytes()
    status, out, err = ppsim(f'{simulate} --update-baseline --schedule gpipe --check bubble<0.1',
                             tmp)
    assert status == 1 and 'FAIL' in out, out
    assert err == "ppsim: baseline 'base.json' is not updated: a check failed\n", err
    assert (tmp / 'base.json').read_bytes() == before


run_tests(globals())
