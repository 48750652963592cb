"""ppsim optimize: what it finds, beside what, and what it refuses."""
import json

from common import TINY, expect, listed, ppsim, refused, report, run_tests

SMALL = 'optimize --ranks 8 --microbatches 24 --cost f=18.522,i=18.086,w=9.337,comm=.601 ' \
        '--memory f=1,w=.3664'
LARGE = 'optimize --ranks 8 --microbatches 32 --cost f=29.718,i=29.444,w=19.927,comm=.527 ' \
        '--memory f=1,w=.4324'


def span(entry):
    return entry['bubble']['span_fraction']


def test_published_bubbles_are_met_within_their_memory():
    """arXiv 2401.10241, table 9: ZB-1p and ZB-2p."""
    for options, most in ((f'{SMALL} --memory-limit 8', .1585),
                          (f'{SMALL} --memory-limit 16 --iterations 400000', .0433),
                          (f'{LARGE} --memory-limit 16 --iterations 400000', .0029)):
        found = report(f'{options} --iterations 100000' if '--iter' not in options else options)
        assert span(found['found']) <= most, span(found['found'])
        assert found['found']['peak_memory'] <= found['memory']['limit'] * (1 + 1e-9)


def test_between_the_rows_it_is_better_than_all():
    for options in f'{SMALL} --memory-limit 12', f'{LARGE} --memory-limit 12':
        found = report(f'{options} --iterations 100000')
        assert span(found['found']) < min(map(span, found['rows'])) - .01, found['found']


def test_it_is_never_worse_than_the_rows_that_fit():
    for limit in 1, 2.5, 4, 40:
        for more in '--chunks 1', '--chunks 2', '--objective makespan', \
                    '--cost f=1,b=2,i=1.5,w=1.5 --slow 1:1.5':
            found = report(f'optimize --memory-limit {limit} --iterations 2000 {more}')
            key = 'makespan_s' if 'makespan' in more else 'span_s'
            assert found['rows'], more
            assert all(row['peak_memory'] <= limit for row in found['rows']), more
            best = min(row[key] for row in found['rows'])
            assert found['found'][key] <= best, (limit, more)
            assert found['found']['peak_memory'] <= limit, (limit, more)
            assert found['bound']['objective_s'] <= found['found'][key] + 1e-12, (limit, more)
            assert found['bound']['gap'] >= 0, (limit, more)


def test_what_is_saved_simulates_as_it_was_found(tmp):
    found = report(f'{SMALL} --memory-limit 8 --iterations 20000 --save found.csv', tmp)['found']
    again = report('simulate --schedule found.csv --cost f=18.522,i=18.086,w=9.337,comm=.601', tmp)
    assert abs(again['bubble']['span_fraction'] - span(found)) < 1e-12
    assert abs(again['makespan_s'] - found['makespan_s']) < 1e-12
    assert again['config']['chunks'] == found['chunks']
    expect('schedules check found.csv', 0, 'valid', directory=tmp)
    convert = expect('schedules convert found.csv', 0, directory=tmp)
    assert (tmp / 'found.csv').read_text() == convert


def test_what_is_saved_trains_with_the_same_bits(tmp):
    for more in '--chunks 1', '--chunks 2 --placement v', '--chunks 2 --placement loop':
        expect(f'optimize --ranks 2 --microbatches 5 --memory-limit 1.5 --iterations 5000 '
               f'--cost f=3,i=2,w=2 {more} --save found.csv --quiet', 0, directory=tmp)
        run = report(f'{TINY} --schedule found.csv --verify', tmp)
        assert run['training']['verified'] is True, more


def test_the_same_iterations_find_the_same(tmp):
    options = f'{SMALL} --memory-limit 10 --iterations 30000 --quiet'
    for name, seed in ('a.csv', 1), ('b.csv', 1), ('c.csv', 2):
        expect(f'{options} --seed {seed} --save {name}', 0, directory=tmp)
    a, b, c = ((tmp / name).read_text() for name in ('a.csv', 'b.csv', 'c.csv'))
    assert a == b
    assert a != c


def test_a_limit_that_nothing_meets_names_the_least():
    refused('optimize --memory-limit 0.9', "'--memory-limit' 0.9", 'holds 1 at least')
    refused('optimize --memory f=2GB --memory-limit 1.5GB', '1.5 GB', 'holds 2 GB at least')
    expect('optimize --memory f=2GB --memory-limit 2GB --iterations 100', 0)
    # A plain number is in the unit of --memory.
    expect('optimize --memory f=2GB --memory-limit 2 --iterations 100', 0, 'at most 2 GB')


def test_options_that_say_nothing_are_refused():
    refused('optimize', "needs '--memory-limit'")
    refused('optimize --memory-limit 4 --memory w=1', 'lacks f')
    refused('optimize --memory-limit 4 --memory f=1,w=2MB', 'both bytes')
    refused('optimize --memory-limit 4GB', 'in bytes', "'--memory'")
    refused('optimize --memory-limit 4GB --memory f=1', 'is in bytes')
    refused('optimize --memory-limit x', 'is not a number')
    refused('optimize --memory-limit 0', 'greater than 0')
    refused('optimize --memory-limit 4 --memory f=0', 'greater than 0')
    refused('optimize --memory-limit 4 --time-limit 0s', 'greater than 0')
    refused('optimize --memory-limit 4 --cost f=1,b=2 --link bandwidth=1GB/s,serialise', 'queue')
    refused('optimize --memory-limit 4 --cost f=0,b=0', 'zero')
    refused('optimize --memory-limit 4 --cost f=1,2,b=2', '2 costs for')
    refused('optimize --memory-limit 4 --device flops=1TFLOPS --layers 3', '3 layers')


def test_a_list_of_costs_has_one_shape():
    found = report('optimize --memory-limit 4 --cost f=1,2,1,1,b=2 --iterations 2000')
    assert {shape['chunks'] for shape in found['tried']} == {1}


def test_layers_are_split_where_their_costs_are_known(tmp):
    """Nine layers and a head that takes as much as two of them: no even split."""
    model = '--layers 9 --d-model 64 --vocab 1536 --device flops=1GFLOPS --ranks 4'
    options = f'optimize {model} --microbatches 6 --memory-limit 4 --chunks 1 ' \
              '--iterations 20000 --objective makespan --quiet --save found.csv'
    free = report(options, tmp)['found']
    assert sum(free['layer_split']) == 9 and len(free['layer_split']) == 4
    split = ','.join(map(str, free['layer_split']))
    even = report(f'{options} --layer-split even', tmp)['found']
    assert even['layer_split'] == [3, 2, 2, 2]
    assert free['makespan_s'] < even['makespan_s']
    report(options, tmp)
    again = report(f'simulate {model} --schedule found.csv --layer-split {split}'
                   .replace('--ranks 4', ''), tmp)
    assert abs(again['makespan_s'] - free['makespan_s']) < 1e-12


def test_bytes_are_those_of_a_run_of_the_model(tmp):
    """The peak that optimize finds is what a run of the schedule holds."""
    options = f'--ranks 2 --microbatches 6 {TINY.split(" --steps")[0]}'
    found = report(f'optimize {options} --device flops=1GFLOPS --memory-limit 1MB --chunks 2 '
                   '--iterations 3000 --save found.csv', tmp)
    assert found['memory']['unit'] == 'bytes' and found['memory']['f'] is None
    layers = ','.join(map(str, found['found']['layer_split']))
    run = report(f'{TINY} --schedule found.csv --layer-split {layers}', tmp)
    most = max(rank['peak_activation_bytes'] for rank in run['ranks'])
    assert most == found['found']['peak_memory'], (most, found['found'])
    less = report(f'optimize {options} --device flops=1GFLOPS --memory-limit {most * 2 // 3}B '
                  '--chunks 2 --iterations 3000', tmp)
    assert less['found']['peak_memory'] <= most * 2 // 3
    refused(f'optimize {options} --device flops=1GFLOPS --memory-limit 1kB', 'at least')


def test_costs_of_a_report(tmp):
    expect(f'{TINY} --ranks 2 --microbatches 4 --schedule zb-h1 --quiet --json run.json', 0,
           directory=tmp)
    found = report('optimize --costs run.json --ranks 2 --microbatches 4 --memory-limit 3 '
                   '--iterations 3000', tmp)
    assert {tuple(shape['layer_split']) for shape in found['tried']} >= {(2, 2)}
    assert {shape['chunks'] for shape in found['tried']} == {1, 2}
    row = next(row for row in found['rows'] if row['schedule'] == 'zb-h1')
    assert found['found']['span_s'] <= row['span_s']


def test_the_text_says_what_was_found_and_how_good_it_is():
    out = expect('optimize --memory-limit 4 --chunks 1 --iterations 20000 --cost f=1,i=1,w=1', 0,
                 'at most 4 held', 'found', '1f1b', 'zb-h1', 'bound: no order of this shape',
                 'candidates tried')
    assert 'gpipe' not in out, 'eight microbatches are held'
    code, out, err = ppsim('optimize --memory-limit 4 --iterations 10 --quiet --json -')
    assert code == 0 and json.loads(out)['schema'] == 'ppsim.optimize/1' and err == ''


def test_recommend_lists_what_fits_and_why_others_do_not():
    found = report('recommend --ranks 4 --microbatches 7 --memory-limit 4 --cost f=1,i=1,w=1')
    spans = [row['span_s'] for row in found['rows']]
    assert spans == sorted(spans)
    rows = {row['schedule']: row for row in found['rows']}
    assert all(row['peak_memory'] <= 4 for row in found['rows'])
    assert rows['chimera']['weight_copies'] == 2 and rows['1f1b']['weight_copies'] == 1
    others = {other['schedule']: other['why'] for other in found['others']}
    assert others['gpipe'] == 'holds 7 at least'
    assert 'needs an even number' in others['dualpipe'], others
    # All that train.
    assert set(rows) | set(others) == set(listed()) - {'decode'}
    assert not set(rows) & set(others)
    # What it says is what a simulation of that row prints.
    for row in found['rows']:
        alone = report(f'simulate --schedule {row["schedule"]} --ranks 4 --microbatches 7 '
                       f'--chunks {row["chunks"]} --cost f=1,i=1,w=1')
        assert alone['bubble']['fraction'] == row['bubble']['fraction'], row
        assert max(rank['peak_in_flight'] for rank in alone['ranks']) == row['peak_memory'], row
    assert len(report('recommend')['rows']) > len(found['rows']), 'without a limit more fit'
    one = report('recommend --chunks 1 --objective makespan')
    assert {row['chunks'] for row in one['rows']} == {1}
    assert {'schedule': 'zb-v', 'why': 'has 2 stages per rank'} in one['others']
    refused('recommend --memory-limit 0.5', 'no schedule fits')


def test_memory_against_bubble_is_drawn(tmp):
    def points(name):
        return [tuple(map(float, line.split()))
                for line in (tmp / 'kept' / name).read_text().splitlines()]

    def drawn(entry, key='span_fraction'):
        return tuple(float(f'{x:.9g}') for x in (entry['peak_memory'], entry['bubble'][key]))

    plot = '--plot a.svg --keep-data kept'
    found = report(f'{SMALL} --memory-limit 12 --iterations 2000 {plot}', tmp)
    assert points('rows.dat') == [drawn(row) for row in found['rows']]
    assert points('found.dat') == [drawn(found['found'])]
    svg, bound = (tmp / 'a.svg').read_text(), points('bound.dat')
    for name in 'found', *(row['schedule'] for row in found['rows']):
        assert f'>{name}<' in svg, name
    assert bound == sorted(bound, key=lambda at: (at[0], -at[1])) and len(bound) > 30
    assert all(x[1] >= y[1] for x, y in zip(bound, bound[1:])), bound
    # At another limit, what optimize says of that one.
    memory, bubble = bound[len(bound) // 2]
    there = report(f'{SMALL} --memory-limit {memory} --iterations 10')['bound']['bubble']
    assert abs(bubble - there) < 1e-8, (bubble, there)
    fits = report(f'recommend --objective makespan --plot b.png {plot[13:]}', tmp)
    assert points('rows.dat') == [drawn(row, 'fraction') for row in fits['rows']]
    assert (tmp / 'b.png').read_bytes()[:4] == b'\x89PNG'
    assert (tmp / 'kept/bound.dat').read_text() == 'NaN NaN\n'
    # A pair that overlaps is below what holds for orders without any.
    out = expect(f'optimize --memory-limit 8 --iterations 10 --cost f=1,b=2,joined=0.5x {plot}', 0,
                 'without overlapped pairs', 'below it', directory=tmp)
    assert 'optimal' not in out and (tmp / 'kept/bound.dat').read_text() == 'NaN NaN\n', out
    refused(f'{SMALL} --memory-limit 12 --plot a.txt', '.svg', directory=tmp)
    refused(f'{SMALL} --memory-limit 12 --plot a.svg --size huge', '--size', directory=tmp)
    refused(f'{SMALL} --memory-limit 12 --plot a.svg --picture timeline', 'pareto', directory=tmp)


run_tests(globals())
