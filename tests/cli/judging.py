"""What a baseline judges: by default, per rank, of schedule files; and what it refuses.

usage: judging.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import os

from common import SIMULATE, TINY, expect, ppsim, refused, run_tests


def write(path, text):
    path.write_text(text)


def schedule(tmp, name, path, options=''):
    write(tmp / path, ppsim(f'schedules show {name} --format csv {options}')[1])


def rewrite(path, change):
    report = json.loads(path.read_text())
    change(report)
    path.write_text(json.dumps(report))


def base_of(tmp, options):
    expect(f'{SIMULATE} {options} --baseline base.json --update-baseline', 0, directory=tmp)
    return f'{SIMULATE} --baseline base.json'


def test_memory_counts_by_default(tmp):
    schedule(tmp, '1f1b', 'a.csv')
    schedule(tmp, 'gpipe', 'b.csv')
    run = base_of(tmp, '--schedule a.csv')
    expect(f'{run} --schedule a.csv', 0, 'pass  baseline peak_in_flight', directory=tmp)
    # The same bubble and makespan, but all 8 microbatches in flight.
    out = expect(f'{run} --schedule b.csv', 1, directory=tmp)
    assert 'FAIL  baseline peak_in_flight: peak_in_flight[3] is 8, ' in out, out
    assert 'pass  baseline bubble' in out and 'pass  baseline makespan' in out, out
    assert "differs from rank 0's op 5 on: it is 0F4" in out and 'baseline 0B0' in out, out


def test_every_rank_counts(tmp):
    run = base_of(tmp, '')
    # Rank 2 holds 2 at most, rank 0 holds 4: the largest of all has not grown.
    rewrite(tmp / 'base.json', lambda report: report['ranks'][2].update(peak_in_flight=1))
    out = expect(run, 1, 'peak_in_flight[2] is 2, ', directory=tmp)
    assert 'worse by 0, and' not in out, out
    expect(f'{run} --tolerance peak_in_flight[2]=1', 0, directory=tmp)
    expect(f'{run} --tolerance peak_in_flight=1', 0,
           "peak_in_flight[2] is 2, the baseline's is 1; it may be worse by 1, and 3 more ranks "
           'pass\n', directory=tmp)
    rewrite(tmp / 'base.json', lambda report: report['ranks'][1].update(peak_in_flight=2))
    expect(run, 1, 'worse by 0, and 1 more rank fails\n', directory=tmp)
    rewrite(tmp / 'base.json', lambda report: report['ranks'][1].update(peak_in_flight=3))
    expect(f'{run} --tolerance peak_in_flight[1]=1', 1, 'peak_in_flight[2]', directory=tmp)
    expect(f'{run} --tolerance peak_in_flight=1', 0, directory=tmp)
    expect(f'{run} --tolerance peak_in_flight=1,peak_in_flight[2]=0', 1, directory=tmp)
    refused(f'{run} --tolerance peak_in_flight[4]=1', 'rank from 0 to 3', directory=tmp)
    refused(f'{run} --tolerance bubble[1]=1', 'no value per rank', directory=tmp)
    refused(f'{run} --tolerance 0.1,bubble=0.2', 'given twice', directory=tmp)
    refused(f'{run} --tolerance bubble=1px', "no unit named 'px'", 'pp', directory=tmp)


def test_a_plain_tolerance_is_the_bubbles(tmp):
    # Nothing else is judged more freely by it.
    run = base_of(tmp, '')
    rewrite(tmp / 'base.json', lambda report: report['ranks'][0].update(peak_in_flight=3))
    expect(f'{run} --tolerance 0.5', 1, 'FAIL  baseline peak_in_flight', directory=tmp)


def test_a_simulations_makespan_counts(tmp):
    # A file's stages may meet other costs: equal work, one op moved.
    write(tmp / 'good.csv', '0F0,0B0,0F1,0B1\n')
    run = base_of(tmp, '--schedule good.csv --cost f=1,b=2')
    for cost, status in ('f=1,b=2.002', 0), ('f=1,b=2.004', 1):
        def pretend(report, cost=cost):
            report['config']['cost'] = cost
        rewrite(tmp / 'base.json', pretend)
        expect(f'{run} --schedule good.csv --cost {cost}', status, 'baseline makespan',
               directory=tmp)


def test_the_content_of_a_file_is_judged_whatever_its_name(tmp):
    schedule(tmp, '1f1b', 'a.csv')
    run = base_of(tmp, '--schedule a.csv')
    (tmp / 'a.csv').rename(tmp / 'other-name')
    expect(f'{run} --schedule ./other-name', 0, directory=tmp)
    out = expect(f'{run} --schedule 1f1b', 0, directory=tmp)
    said = "the baseline's schedule is 'a.csv', this one's '1f1b'"
    assert f'note: {said}' in out, out
    for format in 'tap', 'junit', 'gha', 'markdown':
        assert said in expect(f'{run} --schedule 1f1b --format {format}', 0, directory=tmp), format
    schedule(tmp, 'gpipe', 'other-name')
    expect(f'{run} --schedule ./other-name', 1, directory=tmp)
    expect(f'{run} --schedule gpipe', 1, directory=tmp)
    # Two of the catalogue are two configurations.
    run = base_of(tmp, '')
    refused(f'{run} --schedule gpipe', "'schedule' is 1f1b in the baseline, gpipe here",
            directory=tmp)
    expect(f'{run} --schedule ./other-name', 1, directory=tmp)


def test_another_configuration_is_named_with_both_values(tmp):
    run = base_of(tmp, '')
    refused(f'{run} --microbatches 16', "'microbatches' is 8 in the baseline, 16 here",
            directory=tmp)
    refused(f'{run} --ranks 3', "'ranks' is 4 in the baseline, 3 here",
            "'stages' is 4 in the baseline, 3 here", directory=tmp)
    refused(f'{run} --d-model 64', "'d_model' is 128 in the baseline, 64 here", directory=tmp)
    refused(f'{run} --cost f=1,b=3', "'cost' is f=1,b=2 in the baseline, f=1,b=3 here",
            directory=tmp)
    expect(f'{run} --json out.json --color never', 0, directory=tmp)


def test_what_the_baseline_does_not_know_is_said(tmp):
    run = base_of(tmp, '')

    def forget(report):
        for rank in report['ranks']:
            rank['peak_in_flight'] = None
    rewrite(tmp / 'base.json', forget)
    out = expect(run, 0, directory=tmp)
    assert 'skip  baseline peak_in_flight: not judged: ' in out, out
    tap = expect(f'{run} --format tap', 0, directory=tmp)
    assert '\nok 2 - baseline peak_in_flight # SKIP not judged\n' in tap, tap
    junit = expect(f'{run} --format junit', 0, directory=tmp)
    assert 'skipped="1"' in junit and '<skipped message="not judged' in junit, junit
    # What was asked for must be known.
    expect(f'{run} --tolerance peak_in_flight=1', 1, 'FAIL  baseline peak_in_flight: not judged',
           directory=tmp)
    expect(f'{run} --tolerance loss=1', 1, 'FAIL  baseline loss', directory=tmp)


def test_an_option_of_a_later_version_was_at_its_default(tmp):
    run = base_of(tmp, '')

    def forget(report):
        del report['config']['seq_len']
    rewrite(tmp / 'base.json', forget)
    expect(run, 0, directory=tmp)
    refused(f'{run} --seq-len 32', "'seq_len' is not given in the baseline, 32 here", directory=tmp)


def test_an_earlier_versions_costs_were_the_default(tmp):
    def forget(report):
        report['config']['cost'] = None
    run = base_of(tmp, '')
    rewrite(tmp / 'base.json', forget)
    expect(run, 0, directory=tmp)
    refused(f'{run} --cost f=1,b=3', "'cost' is not given in the baseline, f=1,b=3 here",
            directory=tmp)
    rewrite(tmp / 'base.json', lambda report: report['config'].update(device='x'))
    refused(run, "'cost' is not given in the baseline, f=1,b=2 here", directory=tmp)
    # Where a rank holds several stages, the same words mean another cost now.
    run = base_of(tmp, '--schedule interleaved') + ' --schedule interleaved'
    expect(run, 0, directory=tmp)
    rewrite(tmp / 'base.json', forget)
    refused(run, "'cost' is not given in the baseline, f=1,b=2 here (each stage took that then, "
            'now the stages of a rank share it)', directory=tmp)


def test_every_rank_of_a_run_counts(tmp):
    run = f'{TINY} --ranks 2 --clock virtual --quiet'
    expect(f'{run} --baseline base.json --update-baseline', 0, directory=tmp)
    out = expect(f'{run} --baseline base.json --tolerance 1', 0, directory=tmp)
    assert 'makespan' not in out and 'pass  baseline peak_activation_bytes' in out, out

    def shrink(report):
        report['ranks'][1]['peak_activation_bytes'] -= 1
    rewrite(tmp / 'base.json', shrink)
    out = expect(f'{run} --baseline base.json --tolerance 1', 1, directory=tmp)
    assert 'FAIL  baseline peak_activation_bytes: peak_activation_bytes[1] is ' in out, out
    refused(f'{TINY} --ranks 2 --baseline base.json --lr 1', "'lr' is 0.003", directory=tmp)


def test_a_damaged_baseline_is_refused(tmp):
    run = base_of(tmp, '')
    for key in 'fraction', 'over_ideal', 'span_fraction':
        saved = (tmp / 'base.json').read_text()
        rewrite(tmp / 'base.json', lambda report, key=key: report['bubble'].update({key: 0.5}))
        refused(run, f"'bubble.{key}' is 0.5, but the ranks' times make it", 'damaged',
                directory=tmp)
        write(tmp / 'base.json', saved)
    rewrite(tmp / 'base.json',
            lambda report: report['bubble'].update(fraction=report['bubble']['fraction'] + 1e-12))
    expect(run, 0, directory=tmp)


def test_what_judges_is_given_once(tmp):
    run = base_of(tmp, '')
    refused(f'{run} --baseline base.json', "'--baseline' is given twice", directory=tmp)
    refused(f'{run} --tolerance 0.1 --tolerance 0.2', "'--tolerance' is given twice", directory=tmp)
    expect(f'{SIMULATE} --ranks 2 --ranks 4 --check bubble<1 --check bubble<0.9', 0)


def test_a_clock_that_cannot_be_judged_is_refused_before_training(tmp):
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        # These steps would take hours.
        refused(f'{TINY} --steps 10000000 --ranks 2 --clock wall --check bubble<=1', '--force',
                '--clock')
    finally:
        os.sched_setaffinity(0, cores)


run_tests(globals())
