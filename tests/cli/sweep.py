"""Sweeps: lists, tables, files that resume, and agreement with single commands.

usage: sweep.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import os
import re
import signal
import subprocess

import common
from common import PPSIM, run_tests
from processes import LONG, descendants, is_running, wait_until

TINY = '--layers 2 --d-model 16 --heads 2 --seq-len 8 --steps 4'


def ppsim(arguments, directory=None, status=0, **environment):
    code, out, err = common.ppsim(arguments, directory, **environment)
    assert code == status, (arguments, code, err)
    return out, err


def points_of(arguments, directory=None):
    found = json.loads(ppsim(f'sweep --quiet --json - {arguments}', directory)[0])
    assert found['schema'] == 'ppsim.sweep/1'
    return found['points'], found['invalid']


def test_lists_and_ranges():
    for text, expected in (('4', [4]), ('4,8', [4, 8]), ('4:32:x2', [4, 8, 16, 32]),
                           ('4:33:x2', [4, 8, 16, 32]), ('4:8:+2', [4, 6, 8]),
                           ('2:4', [2, 3, 4]), ('1,4:8:x2,9', [1, 4, 8, 9]),
                           ('8,4,8,2:4:x2', [8, 4, 2])):
        points, _ = points_of(f'--microbatches {text}')
        assert [p['microbatches'] for p in points] == expected, text


def test_malformed_lists_name_the_column():
    for option, text, column in (('microbatches', 'x', 1), ('microbatches', '4,', 3),
                                 ('microbatches', '4:2', 3), ('microbatches', '4:8:2', 5),
                                 ('microbatches', '4:8:x1', 6), ('ranks', '0', 1),
                                 ('ranks', '2;3', 2), ('chunks', '1,x', 3),
                                 ('ranks', '+4', 1), ('ranks', '-4', 1), ('ranks', '', 1),
                                 ('chunks', '1:2:+0', 6), ('schedule', '1f1b,,gpipe', 6),
                                 ('schedule', '', 1), ('schedule', '1f1b,', 6)):
        out, err = ppsim(f'sweep --{option}={text}', status=2)
        assert out == '', out
        assert f'--{option}' in err and f'column {column}:' in err, (text, err)
    assert '1f2b' in ppsim('sweep --schedule 1f2b', status=2)[1]
    assert '10000 points' in ppsim('sweep --ranks 1:200 --microbatches 1:200', status=2)[1]


def test_what_shapes_a_result_is_listed():
    for arguments, name, expected in (
            ('--link latency=1us:1ms:x10', 'link_latency',
             ['1us', '10us', '100us', '1000us']),
            ('--link latency=0us:1ms:+0.4ms', 'link_latency', ['0us', '400us', '800us']),
            ('--link latency=1us --link latency=2ms', 'link_latency', ['1us', '2ms']),
            ('--link latency=1us --link bandwidth=1GB/s', 'link',
             ['latency=1us', 'bandwidth=1GB/s']),
            ('--cost f=1,b=0.1:0.5:+0.1', 'cost_b', ['0.1', '0.2', '0.3', '0.4', '0.5']),
            ('--cost f=1:2:1:3,b=2 --cost f=1,b=2', 'cost', ['f=1:2:1:3,b=2', 'f=1,b=2']),
            ('--slow 0:1:2:x2 --slow 3:2', 'slow', ['0:1', '0:2', '3:2']),
            ('--microbatch-size 2,4:8:x2', 'microbatch_size', ['2', '4', '8']),
            ('--layer-split even --layer-split 3,2,2,1 --device flops=1GFLOPS',
             'layer_split', ['even', '3,2,2,1']),
            ('--schedule interleaved --group-size 0:8:+4', 'group_size', ['0', '4', '8'])):
        points, invalid = points_of(arguments)
        assert [p['values'][name] for p in points] == expected and invalid == [], arguments
    # Each point is what simulate finds with the point's value alone.
    points, _ = points_of('--schedule gpipe --slow 0:1.5 --slow 3:2 '
                          '--link latency=10us:100us:x10,bandwidth=1GB/s:2GB/s:x2')
    assert len(points) == 8
    for p in points:
        own = p['values']
        link = f'latency={own["link_latency"]},bandwidth={own["link_bandwidth"]}'
        single = json.loads(ppsim('simulate --quiet --json - --schedule gpipe '
                                  f'--slow {own["slow"]} --link {link}')[0])
        assert p['makespan_s'] == single['makespan_s'], p
    assert len({p['makespan_s'] for p in points}) == 8


def test_malformed_ranges_name_the_column():
    for option, text, column, reason in (
            ('link', 'latency=1us:10GB/s:x10', 9, 'units of one kind'),
            ('link', 'latency=1us:10:x10', 9, 'units of one kind'),
            ('link', 'latency=10us:1us:x10', 9, 'ends before'),
            ('link', 'latency=1us:9us:x1', 18, 'above 1'),
            ('link', 'latency=1us:9us:+1GB/s', 18, 'unit'),
            ('link', 'latency=1us:9us:+', 18, 'a step'),
            ('cost', 'f=1,b=0:2:x2', 11, '+STEP'),
            ('link', 'latency=1us:1s:+1us', 9, '1024'),
            ('group-size', '0:8:x2', 5, '+STEP'), ('seq-len', '8,', 3, 'whole number')):
        err = ppsim(f'sweep --{option}={text}', status=2)[1]
        assert f'--{option}' in err and f'column {column}:' in err and reason in err, err


def test_the_last_list_counts():
    points, _ = points_of('--ranks 2,3 --ranks 4 --schedule gpipe,1f1b --schedule zb-h1')
    assert [(p['schedule'], p['ranks']) for p in points] == [('zb-h1', 4)]


def test_what_a_schedule_does_not_take_does_not_vary(tmp):
    (tmp / 'own.csv').write_text('0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1\n')
    points, invalid = points_of('--schedule gpipe,interleaved,own.csv --group-size 4,8 '
                                '--ranks 4,2 --seed 1,2', tmp)
    assert [(p['schedule'], p['ranks'], *p['values'].values()) for p in points] == [
        *(('gpipe', p, None, s) for p in (4, 2) for s in '12'),
        *(('interleaved-1f1b', p, g, s) for p in (4, 2) for g in '48' for s in '12'),
        ('own.csv', 2, None, '1'), ('own.csv', 2, None, '2')] and invalid == []


def test_points_are_what_simulate_finds():
    points, _ = points_of('--schedule gpipe,interleaved --ranks 2,4 --microbatches 5,8')
    assert len(points) == 8
    for point in points:
        single = json.loads(ppsim(
            f'simulate --quiet --json - --schedule {point["schedule"]} '
            f'--ranks {point["ranks"]} --chunks {point["chunks"]} '
            f'--microbatches {point["microbatches"]}')[0])
        assert point['bubble']['fraction'] == single['bubble']['fraction']
        assert point['bubble']['theory'] == single['bubble']['theory']
        assert set(point) == {'schedule', 'ranks', 'chunks', 'microbatches', 'bubble',
                              'makespan_s', 'tokens_per_s', 'peak_in_flight',
                              'peak_activation_bytes', 'values', 'judged', 'passed'}
        assert point['peak_in_flight'] == max(r['peak_in_flight'] for r in single['ranks'])


def test_invalid_points_are_listed_and_fail_nothing():
    points, invalid = points_of('--schedule 1f1b,interleaved --chunks 1,2')
    assert [(p['schedule'], p['chunks']) for p in points] == \
        [('1f1b', 1), ('interleaved-1f1b', 1), ('interleaved-1f1b', 2)]
    assert len(invalid) == 1 and '--chunks' in invalid[0]['reason']
    assert 'not valid: 1f1b' in ppsim('sweep --schedule 1f1b --chunks 1,2')[0]
    assert 'no point' in ppsim('sweep --schedule 1f1b --chunks 2', status=2)[1]


def test_a_sweep_resumes(tmp):
    full = 'sweep --microbatches 4,8,16 --csv s.csv'
    ppsim('sweep --microbatches 4,8 --csv s.csv', tmp)
    rows = (tmp / 's.csv').read_text()
    assert rows.count('\n') == 4
    # A row that was made is not made again: plant a figure in it. A torn one is.
    lines = rows.splitlines(keepends=True)
    planted = lines[2].replace('0.4285714', '0.1234567')
    assert planted != lines[2]
    (tmp / 's.csv').write_text(''.join(lines[:2]) + planted + lines[3][:9])
    out = ppsim(full, tmp)[0]
    assert '0.1235' in out and '0.2727' in out and '0.1579' in out, out
    after = (tmp / 's.csv').read_text().splitlines(keepends=True)
    assert len(after) == 5 and after[2] == planted and after[3] == lines[3]


def test_a_file_that_is_another_is_left_alone(tmp):
    full = 'sweep --microbatches 4,8,16 --csv s.csv'
    ppsim(full, tmp)
    before = (tmp / 's.csv').read_text()
    err = ppsim(f'{full} --cost f=1,b=1 --layers 4', tmp, 2)[1]
    assert "'cost' null, now \"f=1,b=1\"" in err and "'layers' 8, now 4" in err, err
    assert 'seed' not in err and (tmp / 's.csv').read_text() == before
    for text in 'precious\n', 'precious', '# precious':
        (tmp / 's.csv').write_text(text)
        assert "not a sweep's" in ppsim(full, tmp, 2)[1]
        assert (tmp / 's.csv').read_text() == text
    (tmp / 's.csv').write_text(before + 'rubbish\n')
    assert "'s.csv', line 6" in ppsim(full, tmp, 2)[1]
    ppsim('sweep --csv /dev/null')


def test_rows_go_to_standard_output(tmp):
    out, err = ppsim('sweep --microbatches 4,8 --csv -', tmp)
    header, *rows = out.splitlines()
    assert header.startswith('schedule,ranks,') and len(rows) == 2 and 'simulated' in err
    assert not (tmp / '-').exists()
    assert ppsim('sweep --microbatches 4,8 --quiet --csv -', tmp) == (out, '')


def test_every_torn_file_is_mended(tmp):
    full = 'sweep --quiet --microbatches 4,8 --csv s.csv --json s.json'
    ppsim(full, tmp)
    whole, points = (tmp / 's.csv').read_bytes(), (tmp / 's.json').read_text()
    ends = [i for i, byte in enumerate(whole) if byte == ord('\n')]
    for length in [0, 5, 40, *(e + d for e in ends for d in (-3, 0, 1, 2))]:
        (tmp / 's.csv').write_bytes(whole[:length])
        ppsim(full, tmp)
        assert (tmp / 's.csv').read_bytes() == whole, length
        assert (tmp / 's.json').read_text() == points, length


def test_a_sweep_of_an_option_resumes(tmp):
    short = 'sweep --slow 0:1.5,1:2 --slow 3:2 --link latency=1us:10us:x10 --csv s.csv'
    ppsim(short, tmp)
    rows = (tmp / 's.csv').read_text().splitlines()
    assert rows[1].startswith('schedule,ranks,chunks,microbatches,link_latency,slow,')
    assert rows[2].startswith('1f1b,4,1,8,1us,"0:1.5,1:2",'), rows
    planted = rows[2][:rows[2].rindex('0.0')] + '7' + rows[2][rows[2].rindex('0.0'):]
    (tmp / 's.csv').write_text('\n'.join([*rows[:2], planted, *rows[3:]]) + '\n')
    ppsim(short.replace(':10us:', ':100us:'), tmp)
    after = (tmp / 's.csv').read_text().splitlines()
    assert after[2] == planted and after[3:6] == rows[3:] and len(after) == 8, after
    # What the rows have in common, and what they differ in, is the same or refused.
    for other, word in (('--slow 0:1.5 --slow 3:2 --link latency=1us',
                         """'link' "latency=*", now "latency=1us\""""),
                        ('--slow 3:2 --link latency=1us:10us:x10', """now "3:2\""""),
                        ('--slow 0:1 --slow 3:2 --link latency=1us:10us:x10,send=1us',
                         'now "latency=*,send=1us"')):
        err = ppsim(f'sweep {other} --csv s.csv', tmp, 2)[1]
        assert word in err, err
    # A file from before an option varied.
    ppsim('sweep --csv t.csv', tmp)
    assert """'slow' null, now "*\"""" in \
        ppsim('sweep --slow 0:2 --slow 1:2 --csv t.csv', tmp, 2)[1]


def test_costs_that_fit_some_shapes_only():
    points, invalid = points_of('--cost f=1,2,1,1,b=2 --ranks 2,4')
    assert [p['ranks'] for p in points] == [4]
    assert [(i['ranks'], i['status']) for i in invalid] == [(2, 2)]
    assert '2 stages' in invalid[0]['reason']


def test_a_schedule_from_a_file_has_one_shape(tmp):
    (tmp / 'own.csv').write_text('0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1\n')
    points, _ = points_of('--schedule own.csv,gpipe --ranks 2,4 --microbatches 2,8', tmp)
    assert [(p['schedule'], p['ranks'], p['microbatches']) for p in points] == \
        [('own.csv', 2, 2)] + [('gpipe', p, m) for p in (2, 4) for m in (2, 8)]
    assert points[0]['bubble']['fraction'] == points[1]['bubble']['fraction']


def test_the_config_holds_the_lists():
    found = json.loads(ppsim('sweep --quiet --json - --ranks 2:4:x2 --schedule gpipe')[0])
    assert found['config']['ranks'] == '2:4:x2' and found['config']['schedule'] == 'gpipe'
    assert found['config']['layers'] == 8


def test_every_v_does_the_same_work():
    points, _ = points_of('--schedule gpipe,interleaved,dualpipev --chunks 1,2,4 '
                          '--cost f=1,b=2,joined=3')
    assert len(points) == 5, points
    for point in points:
        busy = point['makespan_s'] * (1 - point['bubble']['fraction'])
        assert abs(busy - 8 * 3e-3) < 1e-9, point


SOME = 'sweep --schedule gpipe,1f1b,zb-h1,zb-h2 --microbatches 4,8'


def test_points_are_checked():
    out, _ = ppsim(f"{SOME} --check bubble<=0.3 --check makespan<1s", status=1)
    points, _ = points_of(SOME[6:])
    bad = [p for p in points if p['bubble']['fraction'] > 0.3]
    lines = [line for line in out.splitlines() if line.startswith('FAIL')]
    assert len(lines) == len(bad) == 2
    for line, p in zip(lines, bad):
        assert line.startswith(f'FAIL  check bubble<=0.3: {p["schedule"]}, p=4, v=1, '
                               f'm={p["microbatches"]}: bubble is'), line
    rows = [line.split()[-1] for line in out.splitlines()[:9]]
    assert rows == ['checks'] + ['FAIL' if p in bad else 'pass' for p in points], out
    assert 'FAIL' not in ppsim(f'{SOME} --check bubble<=0.5')[0]
    # A machine reads a verdict per check and point, and nothing else.
    out, err = ppsim(f'{SOME} --check bubble<=0.3 --check makespan<1s --format tap', status=1)
    assert out.startswith('TAP version 13\n1..16\n') and out.count('\nnot ok') == 2, out
    names = [line.split(' - ')[1] for line in out.splitlines() if 'ok ' in line[:7]]
    assert len(set(names)) == 16 and 'simulated' in err
    assert "no figure named 'x'" in ppsim('sweep --check x<1', status=2)[1]
    # A rank that a point does not have satisfies nothing.
    out, _ = ppsim('sweep --ranks 2,4 --check peak_in_flight[3]<=2', status=1)
    assert out.count('FAIL  check') == 1 and 'p=2' in out[out.index('FAIL  check'):]


def test_points_are_checked_where_they_are_read(tmp):
    sweep = f'{SOME} --csv s.csv --check bubble<=0.3'
    assert ppsim(sweep, tmp, 1) == ppsim(sweep, tmp, 1)
    assert "not their 'cooldown'" in ppsim(f'{sweep} --sort cooldown', tmp, 2)[1]


def test_the_best_of_those_that_fit():
    priced = f'{SOME} --device flops=1TFLOPS'  # which gives tokens per second
    points, _ = points_of(priced[6:])
    fit = [p for p in points if p['peak_in_flight'] <= 4]
    assert 0 < len(fit) < len(points)
    for figure, key, better in (('makespan', 'makespan_s', min),
                                ('tokens_per_s', 'tokens_per_s', max)):
        found = json.loads(ppsim(f'{priced} --where peak_in_flight<=4 --best {figure} '
                                 f'--sort {figure} --quiet --json -')[0])
        wanted = better(p[key] for p in fit)
        assert found['best']['figure'] == figure and found['best']['value'] == wanted
        assert found['best']['point'][key] == wanted
        assert len(found['points']) == len(fit)
        order = [p[key] for p in found['points']]
        assert order == sorted(order, reverse=better is max), order
    out, _ = ppsim(f'{SOME} --quiet --best makespan --where peak_in_flight<=4')
    assert out == 'best makespan: 15.000 ms, of zb-h1, p=4, v=1, m=4\n', out
    assert ppsim(f'{SOME} --quiet --best peak_in_flight')[0] == \
        'best peak_in_flight: 4, of gpipe, p=4, v=1, m=4 and 5 more\n'
    assert 'no point is left' in ppsim(f'{SOME} --where bubble<0.01', status=2)[1]
    assert 'unknown for every point (a simulation does not train: a run gives it)' in \
        ppsim('sweep --best loss')[0]
    assert "'--best' 'foo'" in ppsim('sweep --best foo', status=2)[1]
    # Points that cannot be are neither the best nor in the way.
    out, _ = ppsim('sweep --schedule 1f1b,interleaved --chunks 1,2 --quiet --best bubble')
    assert 'interleaved-1f1b, p=4, v=2' in out


def test_the_picture_is_of_points_as_listed(tmp):
    ppsim(f'{SOME} --quiet --sort bubble --plot s.svg --keep-data kept', tmp)
    ppsim(f'{SOME} --quiet --plot s.svg --keep-data other', tmp)
    assert (tmp / 'kept/sweep.dat').read_text() == (tmp / 'other/sweep.dat').read_text()


def crossovers_of(arguments):
    found = json.loads(ppsim(f'sweep --crossover --quiet --json - {arguments}')[0])
    return found['crossovers']


def makespan(schedule, arguments):
    """In a sweep every v does the same work."""
    return points_of(f'--schedule {schedule} {arguments}')[0][0]['makespan_s']


def faster(names, arguments):
    a, b = (makespan(name, arguments) for name in names)
    return names[0] if a < b else names[1] if a > b else None


def test_a_crossover_is_where_the_order_changes():
    names = ['1f1b', 'interleaved-1f1b']
    shapes = crossovers_of(f'--schedule {",".join(names)} --microbatches 4,8 --ranks 2,4 '
                           '--link latency=1us..10ms')
    assert [(s['ranks'][0], s['microbatches'][0]) for s in shapes] == \
        [(2, 4), (2, 8), (4, 4), (4, 8)]
    for shape in shapes:
        assert shape['schedules'] == names and shape['quantity'] == 'link_latency'
        assert [s['faster'] for s in shape['segments']] == [names[1], None, names[0]], shape
        own = f'--ranks {shape["ranks"][0]} --microbatches {shape["microbatches"][0]}'
        for before, segment in zip(shape['segments'], shape['segments'][1:]):
            at = round(float(segment['from'].removesuffix('us')) * 1000)
            # To the ns: one before, the order is another.
            assert faster(names, f'{own} --link latency={at}ns') == segment['faster']
            assert faster(names, f'{own} --link latency={at - 1}ns') == before['faster']
            assert segment['makespan_s'][1] == \
                makespan(names[1], f'{own} --link latency={at}ns')


def test_every_crossover_in_the_interval_is_found():
    shape, = crossovers_of('--schedule zb-h1,interleaved --slow 0:1..3')
    assert [s['faster'] for s in shape['segments']] == \
        ['zb-h1', 'interleaved-1f1b', 'zb-h1', None], shape
    for before, segment in zip(shape['segments'], shape['segments'][1:]):
        at = float(segment['from'])
        assert faster(shape['schedules'], f'--slow 0:{at}') == segment['faster']
        assert faster(shape['schedules'], f'--slow 0:{at - 1e-8}') == before['faster']
    # Falling with the quantity, of a rate; and of a cost.
    shape, = crossovers_of('--schedule 1f1b,interleaved '
                           '--link latency=1ms,bandwidth=1MB/s..1GB/s')
    assert [s['faster'] for s in shape['segments']] == ['1f1b', None, 'interleaved-1f1b']
    shape, = crossovers_of('--schedule 1f1b,interleaved --cost f=1,b=2,comm=0us..5ms')
    assert [s['from'] for s in shape['segments']] == ['0us', '1375us', '1375.001us'], shape


def test_no_crossover_is_said():
    out, _ = ppsim('sweep --schedule 1f1b,zb-h1 --link latency=1us..1ms --crossover')
    assert out.endswith('no crossover: zb-h1 is faster from 1us to 1000us\n'), out
    out, _ = ppsim('sweep --schedule 1f1b,gpipe --cost f=1ms..2000us,b=1 --crossover')
    assert out.endswith('no crossover: equally fast from 1ms to 2ms\n'), out
    _, err = ppsim('sweep --schedule zb-v,dualpipev --microbatches 4 --link latency=1us..2us '
                   '--crossover --ranks 4', status=2)
    assert 'no pair of the sweep can be compared' in err and '--microbatches' in err, err


def test_a_schedule_of_one_v_is_compared_with_every_v(tmp):
    own = tmp / 'own.csv'
    own.write_text(ppsim('schedules show 1f1b --format csv')[0])
    where = '--link latency=1us..10ms'
    found = {}
    for schedules in '1f1b,interleaved', 'interleaved,1f1b', f'{own},interleaved':
        for chunks in '2', '4', '2,4':
            found[schedules, chunks] = shapes = \
                crossovers_of(f'--schedule {schedules} --chunks {chunks} {where}')
            order = -1 if schedules.startswith('inter') else 1
            assert [s['chunks'][::order] for s in shapes] == \
                [[1, int(v)] for v in chunks.split(',')], shapes
            assert all(len(s['segments']) == 3 for s in shapes), shapes
        both = [found[schedules, v][0]['segments'] for v in '24']
        assert [s['segments'] for s in found[schedules, '2,4']] == both


def test_a_crossover_wants_two_schedules_and_one_interval():
    for arguments, word in (
            ('--schedule 1f1b --link latency=1us..1ms', 'two schedules'),
            ('--schedule 1f1b,gpipe,zb-h1 --link latency=1us..1ms', 'two schedules'),
            ('--schedule 1f1b,zb-h1', 'there are 0'),
            ('--schedule 1f1b,zb-h1 --link latency=1us..1ms --slow 0:1..2', 'there are 2'),
            ('--schedule 1f1b,zb-h1 --slow 1:2 --slow 0:1..2', 'no other value'),
            ('--schedule 1f1b,zb-h1 --link latency=1ms..1us', 'column 9: the interval is'),
            ('--schedule 1f1b,zb-h1 --link latency=1ms..1', 'column 9: the ends'),
            ('--schedule 1f1b,zb-h1 --link latency=1ms..', 'column 14: want the other'),
            ('--schedule 1f1b,zb-h1 --slow 0:1..2 --check bubble<=1', "leave '--check'")):
        err = ppsim(f'sweep --crossover {arguments}', status=2)[1]
        assert word in err and err.count('\n') == 1, (arguments, err)
    assert "for '--crossover'" in ppsim('sweep --link latency=1us..1ms', status=2)[1]


def test_points_really_run(tmp):
    points, _ = points_of(f'--run --schedule gpipe,1f1b --ranks 2 --microbatches 3 {TINY}')
    assert [p['peak_in_flight'] for p in points] == [3, 2]
    for point in points:
        assert point['bubble']['min'] <= point['bubble']['fraction'] \
            <= point['bubble']['max']
        assert 0 < point['bubble']['predicted'] < 1 and point['bubble']['theory'] == 0.25
        assert point['peak_activation_bytes'] > 0
        assert point['bubble']['predicted'] != point['bubble']['fraction']
    _, invalid = points_of('--run --ranks 1,9 --microbatches 2 --steps 3')
    assert '8 layers' in invalid[0]['reason'], invalid
    # A cost model, where there is one, is what is simulated.
    points, _ = points_of(f'--run --ranks 2 --microbatches 3 --slow 0:3 '
                          f'--cost f=1,b=2 {TINY}')
    single = json.loads(ppsim('simulate --quiet --json - --ranks 2 --microbatches 3 '
                              '--slow 0:3')[0])
    assert points[0]['bubble']['predicted'] == single['bubble']['fraction']


def test_a_failed_run_hurts_its_point_only(tmp):
    (tmp / 'mpiexec.openmpi').write_text('#!/bin/sh\n'
                                         'for word; do [ "$word" = --ranks=3 ] && exit 7\n'
                                         'done\nPATH=${PATH#*:} exec mpiexec.openmpi "$@"\n')
    (tmp / 'mpiexec.openmpi').chmod(0o755)
    sweep = (f'sweep --run --ranks 2,3,1 --microbatches 3 --csv s.csv --json s.json {TINY} '
             '--layers 3')
    out, err = ppsim(sweep, tmp, 4, PATH=f'{tmp}:{os.environ["PATH"]}', TMPDIR=str(tmp))
    assert 'failed: 1f1b, p=3' in out and '1 of 3 points failed' in err, (out, err)
    found = json.loads((tmp / 's.json').read_text())
    assert [p['ranks'] for p in found['points']] == [2, 1]
    assert [i['status'] for i in found['invalid']] == [4]
    # Once the cause is gone, the failed point alone is made.
    rows = (tmp / 's.csv').read_text()
    ppsim(sweep, tmp)
    assert (tmp / 's.csv').read_text().startswith(rows + '1f1b,3,')
    assert sorted(p.name for p in tmp.iterdir()) == ['mpiexec.openmpi', 's.csv', 's.json']


def test_an_interrupted_run_ends_and_leaves_nothing(tmp):
    sweep = subprocess.Popen([PPSIM, 'sweep', '--run', '--ranks', '2', '--steps', '100000',
                              '--layers', '2', '--csv', 's.csv'], cwd=tmp,
                             env={**os.environ, 'TMPDIR': str(tmp)})
    wait_until(lambda: len(descendants(sweep.pid)) >= 4,
               'ppsim run, mpiexec and two ranks are there')
    below = descendants(sweep.pid)
    assert list(tmp.glob('ppsim-sweep.*')), 'it works in $TMPDIR'
    sweep.send_signal(signal.SIGTERM)
    try:
        ended = sweep.wait(timeout=LONG)
        wait_until(lambda: not any(map(is_running, below)), 'all of its processes are gone')
    finally:
        for pid in (sweep.pid, *below):
            if is_running(pid):
                os.kill(pid, signal.SIGKILL)
    assert ended == -signal.SIGTERM, ended
    left = sorted(p.name for p in tmp.iterdir())
    assert [name for name in left if name.startswith('ppsim')] == [], left
    assert (tmp / 's.csv').read_text().count('\n') == 2


def test_a_sweep_is_not_for_mpirun():
    for rank in '0', '1':
        err = ppsim('sweep', status=2, OMPI_COMM_WORLD_RANK=rank, PMIX_NAMESPACE='world')[1]
        assert err.count('\n') == 1 and 'mpirun' in err, err
    # A rank alone is inherited from a job, and no launcher's.
    assert 'simulated' in ppsim('sweep', OMPI_COMM_WORLD_RANK='1')[0]


def test_a_sweep_is_drawn(tmp):
    ppsim('sweep --schedule gpipe,zb-h1 --plot s.svg --keep-data kept', tmp)
    assert '<svg' in (tmp / 's.svg').read_text()
    data = (tmp / 'kept' / 'sweep.dat').read_text()
    assert data.count('series') == 2 and '\n8 0.272727273 0.272727273 NaN' in data, data
    # Most values along x: here ranks; then a column each; one point is enough.
    ppsim('sweep --ranks 1:5 --microbatches 4,8 --plot p.png --keep-data kept', tmp)
    settings = (tmp / 'kept' / 'sweep-settings.gp').read_text()
    assert "'ranks p'" in settings and "heads[2] = 'm = 8'" in settings
    assert (tmp / 'p.png').read_bytes().startswith(b'\x89PNG')
    assert '.svg' in ppsim('sweep --plot s.gif', tmp, 2)[1]


def test_a_sweep_for_a_paper(tmp):
    names = list(common.listed())[:10]
    assert len(names) == 10, names
    ppsim(f'sweep --schedule {",".join(names)} --microbatches 4,8 --plot s.svg --size column '
          '--keep-data kept', tmp)
    text = (tmp / 's.svg').read_text()
    assert 'width="321"' in text and all(f'>{name}<' in text for name in names)
    settings = (tmp / 'kept/sweep-settings.gp').read_text()
    assert len(set(re.findall(r'^colour\[.*= (\d+)$', settings, re.M))) == 10, settings
    # Where a line of the theory does not reach all points, they are joined.
    blocks = (tmp / 'kept/sweep.dat').read_text().strip().split('\n\n\n')
    for name, block in zip(names, blocks):
        rows = [line.split() for line in block.splitlines()[2:]]
        lacking = any(row[1] == 'NaN' for row in rows)
        assert all((row[8] == row[2]) if lacking else (row[8] == 'NaN') for row in rows), block
    assert any(row.split()[8] != 'NaN' for block in blocks for row in block.splitlines()[2:])


def test_what_varies_is_drawn(tmp):
    ppsim('sweep --schedule 1f1b,interleaved --link latency=1us:1ms:x10 --microbatches 4,8 '
          '--slow 0:1 --slow 1:1,2:2 --plot s.svg --keep-data kept', tmp)
    settings = (tmp / 'kept' / 'sweep-settings.gp').read_text()
    assert "'link latency in us'" in settings and 'x_is_wide = 1' in settings
    assert """x_tics = '"1" 1, "10" 10, "100" 100, "1000" 1000'""" in settings
    assert "heads[1] = 'm = 4'" in settings
    # The schedule says what v is, so that dashes are for --slow alone.
    assert "'1f1b, slow = 0:1'" in settings, settings
    assert "'interleaved-1f1b, slow = 1:1,2:2'" in settings, settings
    blocks = (tmp / 'kept' / 'sweep.dat').read_text().strip().split('\n\n\n')
    assert len(blocks) == 8, 'a panel per m, and in each a line per title'
    for block in blocks:
        assert [float(line.split()[0]) for line in block.splitlines()[2:]] == \
            [1, 10, 100, 1000]
    # Texts along x.
    ppsim('sweep --slow 0:2 --slow 1:2,2:2 --plot s.svg --keep-data kept', tmp)
    settings = (tmp / 'kept' / 'sweep-settings.gp').read_text()
    assert """x_tics = '"0:2" 0, "1:2,2:2" 1'""" in settings, settings
    # A schedule without groups is drawn beside one that has them.
    ppsim('sweep --schedule gpipe,interleaved --group-size 4,8 --plot s.svg --keep-data kept',
          tmp)
    data = (tmp / 'kept' / 'sweep.dat').read_text().strip().split('\n\n\n')
    assert [len(block.splitlines()) - 2 for block in data] == [2, 2], data


run_tests(globals())
