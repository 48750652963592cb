"""The command line as a user meets it: help, errors, exit statuses, files.

usage: cli.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import time

from common import PPSIM, TINY, ppsim, refused, report, run_tests


def test_under_mpirun_one_rank_speaks():
    def mpirun(arguments):
        return subprocess.run(['mpirun', '--allow-run-as-root', '--oversubscribe', '--quiet',
                               '-n', '3', PPSIM, *arguments.split()], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120)

    wrong = mpirun('--bogus')
    assert wrong.returncode == 2 and wrong.stderr.count('--bogus') == 1, wrong.stderr
    assert mpirun('--version').stdout.count('ppsim') == 1
    wrong = mpirun('--ranks 4')
    assert wrong.returncode == 2 and 'started 3' in wrong.stderr, wrong.stderr
    right = mpirun(f'{TINY} --quiet --verify --json -')
    assert right.returncode == 0 and json.loads(right.stdout)['config']['ranks'] == 3
    failing = mpirun(f'{TINY} --quiet --check bubble<0')
    assert failing.returncode == 1 and 'FAIL' in failing.stdout, failing
    explained = mpirun(f'explain {TINY}')
    assert explained.returncode == 0 and explained.stdout.count('critical path') == 1, explained
    explained = mpirun('explain --cost f=1,b=2')
    assert explained.returncode == 0 and explained.stdout.count('critical path') == 1, explained
    simulated = mpirun('simulate --quiet --check bubble<1')
    assert simulated.returncode == 0 and simulated.stdout.count('pass') == 1, simulated


def test_a_file_that_only_some_ranks_see_is_named(tmp):
    (tmp / 'here').mkdir()
    (tmp / 'there').mkdir()
    out = ppsim('schedules show gpipe --ranks 2 --microbatches 4 --format csv')[1]
    (tmp / 'here' / 'f.csv').write_text(out)
    start = [[':', '-n', '1', '-wdir', str(tmp / where), PPSIM, '--quiet', '--schedule', 'f.csv']
             for where in ('here', 'there')]
    found = subprocess.run(['mpirun', '--allow-run-as-root', '--oversubscribe', '--quiet',
                            *start[0][1:], *start[1]], text=True,
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    assert found.returncode == 2, found
    assert "ppsim: rank 1: cannot read 'f.csv'" in found.stderr, found


def test_the_version_is_printed():
    status, out, _ = ppsim('--version')
    assert status == 0 and re.fullmatch(r'ppsim \d+\.\d+\.\d+\n', out)


def test_wrong_options_are_named_with_what_is_valid():
    refused('--schedule 1f2b', '1f2b', "did you mean '1f1b'", 'gpipe', 'interleaved')
    refused('--microbatches 0', '--microbatches', 'at least 1')
    refused('--microbatches=x', '--microbatches', "'x'")
    refused('--layers 3', '3 layers', '4 stages')
    refused('--schedule interleaved --chunks 4', '8 layers', '16 stages')
    refused('--heads 3', '--heads', '2 and 4')
    refused('--layer-split 3,3,3', '3 stages', '4 numbers', '8')
    refused('--layer-split 8,0,0,0', '--layer-split')
    refused('--chunks 2', '--chunks', 'one stage per rank')
    refused('--clock blue', 'auto, wall and virtual', 'blue')
    refused('--lr nan', '--lr', 'nan')
    refused('--steps 2', '--warmup-steps', 'at most 1')
    refused('--microbatchs 4', "did you mean '--microbatches'")
    refused('--ranks', '--ranks', 'value')
    refused('simulat', "did you mean 'simulate'", 'schedules')
    refused('run extra', 'extra')
    refused('simulate -np 4', "'-np'")
    refused('-np 4', "'-np'")
    refused('simulate --quiet=1', "'--quiet' takes no value")
    refused('--schedule pipedream', "'pipedream-flush'")
    refused('simulate --data x', 'simulate', '--data')
    refused('--placement v', '1f1b', 'loop')
    refused('--link latency=abc', '--link', 'abc')
    refused('--schedule missing.csv', 'missing.csv')
    refused('schedules', 'list', 'show', 'check', 'convert')
    refused('schedules check', 'check')


def test_bad_files_are_refused_before_training(tmp):
    tmp.joinpath('empty').write_bytes(b'')
    tmp.joinpath('short').write_bytes(b'x' * 10)
    tmp.joinpath('text').write_bytes(b'abcdefgh\xff' * 100)
    refused('--data absent', 'absent', 'No such file', directory=tmp)
    refused('--data .', 'directory', directory=tmp)
    refused('--data empty', 'empty', directory=tmp)
    refused('--data short', 'short', '10', '65', directory=tmp)
    refused('--data text --vocab 128', '255', '256', directory=tmp)
    refused('--load text', 'text', directory=tmp)
    refused('--save absent/x', 'absent/x', directory=tmp)
    refused('--json absent/x', 'absent/x', directory=tmp)
    refused('--save-grads .', 'directory', directory=tmp)


def test_no_output_is_written_over_another_or_an_input(tmp):
    for outputs in '--json x --csv x', '--json ./x --csv x', '--trace d/../x --paje x':
        (tmp / 'd').mkdir(exist_ok=True)
        refused(f'simulate {outputs}', "'x'", 'only one', directory=tmp)
    refused('sweep --json x --csv x', 'only one', directory=tmp)
    refused('simulate --json - --csv -', "'-'", 'only one', directory=tmp)
    assert ppsim('simulate --quiet --json r.json', tmp)[0] == 0
    before = (tmp / 'r.json').read_text()
    (tmp / 'link.json').symlink_to('r.json')
    for arguments in ('simulate --baseline r.json --json ./r.json', 'plot r.json --csv link.json',
                      'simulate --costs r.json --trace r.json',
                      'simulate --baseline link.json --json r.json --check bubble<0'):
        refused(arguments, 'written over', directory=tmp)
    assert (tmp / 'r.json').read_text() == before


def test_a_file_on_stdout_stands_there_alone(tmp):
    for option, first in (('csv', 'step,rank,'), ('trace', '{"displayTimeUnit"'),
                          ('paje', '%EventDef'), ('json', '{"schema"')):
        status, out, err = ppsim(f'simulate --{option} - --check bubble<1', tmp)
        assert status == 0 and out.startswith(first), out[:80]
        assert 'pass' not in out and 'pass' in err and 'makespan  ' in err, err
    assert ppsim('simulate --format tap --check bubble<1', tmp)[1].startswith('TAP')


def test_gates_are_judged_without_gnuplot(tmp):
    status, out, err = ppsim('simulate --quiet --plot x.svg --csv x.csv --check bubble<0.1', tmp,
                             PATH='/nowhere')
    assert status == 4 and 'gnuplot' in err and 'FAIL' in out and (tmp / 'x.csv').exists()


def test_a_failed_run_leaves_an_older_file_alone(tmp):
    saved = tmp / 'model.safetensors'
    saved.write_bytes(b'old')
    refused(f'{TINY} --load absent --save model.safetensors', 'absent', directory=tmp)
    assert saved.read_bytes() == b'old'
    assert sorted(p.name for p in tmp.iterdir()) == ['model.safetensors']


def test_report_has_the_keys_of_its_schema():
    found = report(f'{TINY} --microbatches 5 --clock virtual')
    assert found['schema'] == 'ppsim.report/1' and found['command'] == 'run'
    config = found['config']
    assert (config['schedule'], config['ranks'], config['chunks'], config['stages'],
            config['microbatches'], config['d_model']) == ('1f1b', 4, 1, 4, 5, 16)
    assert found['environment']['clock'] == 'virtual'
    assert {'cores', 'mpi', 'blas', 'oversubscribed'} <= found['environment'].keys()
    bubble = found['bubble']
    assert bubble['min'] <= bubble['fraction'] <= bubble['max']
    assert abs(bubble['theory'] - 3 / 8) < 1e-12
    assert 0 < bubble['predicted'] < 1
    p, makespan = 4, found['makespan_s']
    for rank in found['ranks']:
        causes = sum(rank[c + '_s'] for c in ('warmup', 'dependency', 'communication',
                                              'overhead', 'cooldown'))
        assert abs(causes - rank['idle_s']) < 1e-12
        assert abs(rank['busy_s'] + rank['idle_s'] - makespan) < 1e-12
        assert rank['peak_in_flight'] == min(4 - rank['rank'], 5)
        assert rank['peak_activation_bytes'] > 0 and rank['parameter_bytes'] > 0
    busy = sum(r['busy_s'] for r in found['ranks'])
    assert abs(bubble['fraction'] - (1 - busy / (p * makespan))) < 1e-9
    assert abs(bubble['over_ideal'] - (p * makespan / busy - 1)) < 1e-9
    assert {(c['stage'], c['kind']) for c in found['costs']} == \
        {(s, k) for s in range(4) for k in 'FB'}
    assert all(c['count'] == 5 * 2 for c in found['costs'])
    assert len(found['training']['losses']) == 3
    assert found['training']['verified'] is None
    assert [s['step'] for s in found['steps']] == [2, 3]


def test_verify_is_true_and_digests_agree():
    runs = [report(f'{TINY} --verify --microbatches 3 {how}') for how in (
        '--schedule sequential --ranks 1', '--schedule gpipe', '--ranks 2 --clock wall',
        '--schedule interleaved --ranks 2', '--schedule zb-h1 --ranks 3')]
    assert all(r['training']['verified'] is True for r in runs)
    assert len({r['training']['digest'] for r in runs}) == 1
    assert len({tuple(r['training']['losses']) for r in runs}) == 1


def test_a_killed_rank_is_an_environment_error(tmp):
    run = subprocess.Popen([PPSIM, '--ranks', '3', '--layers', '3', '--steps', '100000',
                            '--quiet', '--json', 'x.json', '--seed', '4242'], cwd=tmp,
                           stderr=subprocess.PIPE, text=True)
    ranks = []
    for _ in range(200):
        ranks = [rank for mpiexec in children(run.pid) for rank in children(mpiexec)]
        if len(ranks) == 3:
            break
        time.sleep(0.05)
    assert len(ranks) == 3, ranks
    time.sleep(0.5)
    os.kill(ranks[1], signal.SIGKILL)
    _, err = run.communicate(timeout=30)
    assert run.returncode == 4 and 'signal 9' in err, (run.returncode, err)
    assert list(tmp.iterdir()) == []


def children(pid):
    found = []
    for stat in pathlib.Path('/proc').glob('[0-9]*/stat'):
        try:
            parent = int(stat.read_text().rsplit(')', 1)[1].split()[1])
        except (OSError, IndexError):  # it has just ended
            continue
        if parent == pid:
            found.append(int(stat.parent.name))
    return sorted(found)


def test_a_reader_that_leaves_loses_no_files(tmp):
    run = subprocess.Popen([PPSIM, *TINY.split(), '--json', 'r.json'], cwd=tmp,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run.stdout.close()
    err = run.stderr.read().decode()
    run.stderr.close()
    assert run.wait(120) == -signal.SIGPIPE and err == '', (run.returncode, err)
    assert json.loads((tmp / 'r.json').read_text())['training']['digest']
    with open('/dev/full', 'w') as full:
        done = subprocess.run([PPSIM, *TINY.split()], stdout=full, text=True,
                              stderr=subprocess.PIPE, timeout=120)
    assert done.returncode == 4, done
    assert done.stderr.count('\n') == 1 and 'No space' in done.stderr, done.stderr


def test_what_memory_cannot_hold_is_refused():
    for arguments in ('simulate --ranks 65536 --microbatches 200000000',
                      '--ranks 60000 --microbatches 100000000',
                      'schedules show gpipe --ranks 65536 --microbatches 200000000'):
        status, out, err = ppsim(arguments)
        assert status == 4 and out == '' and err.count('\n') == 1, (arguments, err)
        assert 'GB of memory' in err and '--microbatches' in err, err


def test_simulation_of_unit_costs():
    found = report('simulate --schedule interleaved --ranks 4 --chunks 2 --microbatches 8 '
                   '--cost f=1,b=2')
    assert abs(found['makespan_s'] - 57e-3) < 1e-12
    assert found['environment']['clock'] == 'simulated'
    assert [r['peak_in_flight'] for r in found['ranks']] == [5.5, 4.5, 3.5, 2.5]
    assert found['bubble']['fraction'] == found['bubble']['theory']


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
    refused('simulate --ranks 4 --costs run.json', 'run.json', '2 stages', '4', directory=tmp)
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
    expect(lambda bad: bad['costs'].append(bad['costs'][0]), 'costs[4]', 'again')
    expect(lambda bad: bad['link'].update(latency_s=-5), 'link.latency_s')
    expect(lambda bad: bad['link'].update(latency_s=None), 'link.latency_s')
    expect(lambda bad: bad['link'].update(bandwidth_Bps=-3), 'link.bandwidth_Bps')
    expect(lambda bad: bad['config'].pop('d_model'), 'config.d_model')


def test_costs_that_say_nothing_are_refused():
    for free in '--cost f=0,b=0,i=1,w=1', '--cost f=0,b=0', \
            '--slow 0:1e-9,1:1e-9,2:1e-9,3:1e-9':
        refused(f'simulate {free}', 'free')
    refused('simulate --cost f=1,b=2,comm=1 --link latency=1ms', 'comm', 'latency')
    assert report('simulate --cost f=1,b=2,comm=1 --link bandwidth=1GB/s')['makespan_s'] > 0.04
    refused('simulate --ranks-per-node 2', '--far-link')
    refused('simulate --group-size 2', '--group-size', 'interleaved-1f1b')
    refused('simulate --schedule interleaved --group-size 3', '4 does', lines=4)
    joined = report('simulate --cost f=1,b=2,joined=1')['bubble']
    assert joined['fraction'] == joined['theory']


def test_doubled_work_moves_the_causes_to_the_others(tmp):
    def waits(found):
        return [r['dependency_s'] / found['makespan_s'] for r in found['ranks']]

    even = waits(report('simulate --microbatches 16 --cost f=1,b=2'))
    uneven = waits(report('simulate --microbatches 16 --cost f=1,2,1,1,b=2,4,2,2'))
    assert uneven[1] < even[1] and all(uneven[r] > even[r] + 0.2 for r in (0, 2, 3))

    # A run on a busy machine has slow ops anywhere; its medians say where the work is.
    def medians(shape):
        run = report(f'{shape} --clock virtual --steps 8')
        (tmp / 'run.json').write_text(json.dumps(run))
        return waits(run), waits(report(f'simulate {shape} --costs run.json', tmp))

    _, even = medians('--microbatches 16 --layers 4')
    steps = json.loads((tmp / 'run.json').read_text())['steps']
    updates = sorted(step['step_s'] / step['makespan_s'] for step in steps)
    assert updates[0] >= 1 and updates[len(updates) // 2] < 1.5, updates
    measured, uneven = medians('--microbatches 16 --layers 5 --layer-split 1,2,1,1')
    assert min(measured) == measured[1], measured
    assert uneven[1] < 0.15 and all(uneven[r] > even[r] + 0.1 for r in (0, 2, 3)), \
        (even, uneven)


def test_explain_names_the_slow_stage(tmp):
    (tmp / 'r.json').write_text(json.dumps(report(
        '--d-model 64 --seq-len 32 --layers 8 --layer-split 2,4,1,1 --clock virtual '
        '--microbatches 16')))
    status, out, err = ppsim('explain r.json', tmp)
    assert status == 0 and err == '' and 'rank 1 is the slowest' in out, out
    assert 'layers split evenly (2,2,2,2)' in out and 'of stage 1 (rank 1)' in out, out
    status, out, _ = ppsim('explain --cost f=1,2,b=2,4 --ranks 2')
    assert status == 0 and 'of stage 1 (rank 1)' in out, out
    refused('explain absent.json', 'absent.json', directory=tmp)
    for ignored in '--ranks 9', '--json x.json', '--quiet', '--cost f=1,b=2':
        refused(f'explain r.json {ignored}', ignored.split()[0], directory=tmp)
    refused('explain --slow 1:2 --data x', '--slow', '--data')
    status, out, _ = ppsim('explain --slow 1:2')
    assert status == 0 and 'simulated' in out, out


def test_explain_trains(tmp):
    status, out, _ = ppsim(f'explain {TINY} --ranks 2')
    assert status == 0 and 'digest' in out and 'critical path' in out, out


def test_a_descriptor_of_ours_is_written(tmp):
    out = (tmp / 'report.json').open('wb')
    done = subprocess.run([PPSIM, *TINY.split(), '--ranks', '2', '--quiet', '--json',
                           f'/dev/fd/{out.fileno()}'], pass_fds=[out.fileno()], timeout=60)
    assert done.returncode == 0
    assert json.loads((tmp / 'report.json').read_text())['config']['ranks'] == 2


def test_a_status_is_told_where_children_are_ignored():
    done = subprocess.run([PPSIM, *TINY.split(), '--ranks', '2', '--quiet', '--check',
                           'bubble<0'], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60, preexec_fn=lambda: signal.signal(signal.SIGCHLD,
                                                                       signal.SIG_IGN))
    assert done.returncode == 1 and b'FAIL' in done.stdout, done


def fake_gnuplot(tmp, script):
    """An environment whose gnuplot is this shell script, temporary folders being in tmp/t."""
    (tmp / 'gnuplot').write_text(f'#!/bin/sh\n{script}\n')
    (tmp / 'gnuplot').chmod(0o755)
    (tmp / 't').mkdir()
    return {**os.environ, 'PATH': f'{tmp}:{os.environ["PATH"]}', 'TMPDIR': str(tmp / 't')}


def test_gnuplot_is_waited_for_where_children_are_ignored(tmp):
    environment = fake_gnuplot(tmp, 'echo "<svg/>" > timeline.svg')
    subprocess.run([PPSIM, 'simulate', '--quiet', '--plot', 'a.svg'], cwd=tmp, check=True,
                   env=environment, timeout=60,
                   preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert (tmp / 'a.svg').read_text() == '<svg/>\n'
    assert list((tmp / 't').iterdir()) == []


def test_gnuplot_fails_in_its_own_words(tmp):
    environment = fake_gnuplot(tmp, 'echo "\'x.gp\', line 3: no such thing" >&2; exit 5')
    done = subprocess.run([PPSIM, 'simulate', '--quiet', '--plot', 'a.svg'], cwd=tmp,
                          env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 4 and 'status 5' in done.stderr, done
    assert 'line 3: no such thing' in done.stderr and list((tmp / 't').iterdir()) == []


def test_a_signal_while_gnuplot_draws_leaves_nothing(tmp):
    environment = fake_gnuplot(tmp, 'kill -TERM $PPID; exec sleep 60')
    done = subprocess.run([PPSIM, 'simulate', '--quiet', '--plot', 'a.svg'], cwd=tmp,
                          env=environment, timeout=30)
    assert done.returncode == -signal.SIGTERM, done
    assert list((tmp / 't').iterdir()) == [] and not (tmp / 'a.svg').exists()


def test_an_ignored_hangup_stays_ignored(tmp):
    run = subprocess.Popen([PPSIM, *TINY.replace('--steps 3', '--steps 300').split(),
                            '--ranks', '2', '--quiet', '--save', 'a.safetensors'], cwd=tmp,
                           preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    time.sleep(0.8)
    run.send_signal(signal.SIGHUP)
    assert run.wait(timeout=120) == 0 and (tmp / 'a.safetensors').exists()


def test_explain_saves_what_it_says():
    for shape, slow, fast in (('', 'b=2', 'b=2,2,2,1.8'),
                              ('--ranks 2', 'b=4,2', 'b=3.6,2'),
                              ('--schedule interleaved --microbatches 4',
                               'b=2', 'b=2,2,2,2,2,2,2,1.8')):
        simulate = f'simulate {shape} --cost f=1,'
        saved = report(simulate + slow)['makespan_s'] - report(simulate + fast)['makespan_s']
        out = ppsim(f'explain {shape} --cost f=1,{slow}')[1]
        claimed, unit = re.search(r'faster\s+saves ([0-9.]+) (us|ms)', out).groups()
        assert abs(float(claimed) * {'us': 1e-6, 'ms': 1e-3}[unit] - saved) < 1e-6, (out, saved)


def test_free_links_carry_no_part_of_the_critical_path(tmp):
    for name in ('gpipe', '1f1b', 'interleaved', 'bfs', 'zb-h1', 'zb-v', 'dualpipev'):
        status, out, _ = ppsim(f'explain --schedule {name} --cost f=1,b=2', tmp)
        path = out[out.index('critical path'):out.index('ops by rank')]
        shares = [float(share) for share in re.findall(r'([0-9.]+)%', path)]
        assert status == 0 and 'on their way' not in path, path
        assert abs(sum(shares) - 100) < 0.3, path


def test_a_simulation_does_not_ignore_the_split(tmp):
    run = report(f'{TINY} --ranks 2 --layer-split 3,1 --json r.json', tmp)
    (tmp / 'r.json').write_text(json.dumps(run))
    shape = TINY.replace('--steps 3 --warmup-steps 1', '--ranks 2')
    refused(f'simulate {shape} --layer-split 3,1', '--layer-split', '--device')
    refused(f'simulate {shape} --layer-split 2,2 --costs r.json', '3 layers', directory=tmp)
    refused(f'simulate {shape} --layer-split 3,2 --costs r.json', '--layer-split',
            directory=tmp)
    report(f'simulate {shape} --layer-split 3,1 --costs r.json', tmp)


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
    assert status == 0 and f'(2,2): a step of {even * 1e3:.2f} ms' in out, (even, out, err)


def test_saved_reports_are_drawn(tmp):
    ppsim('simulate --quiet --json r.json --trace a.json --csv a.csv --paje a.paje', tmp)
    status, _, err = ppsim('plot r.json --plot t.svg --trace b.json --csv b.csv '
                           '--paje b.paje --keep-data kept', tmp)
    assert status == 0, err
    assert '<svg' in (tmp / 't.svg').read_text() and (tmp / 'kept/timeline.gp').exists()
    for kind in 'json', 'csv', 'paje':
        assert (tmp / f'a.{kind}').read_bytes() == (tmp / f'b.{kind}').read_bytes(), kind
    assert json.loads((tmp / 'a.json').read_text())['traceEvents']
    for picture in 'in-flight', 'op-times':
        assert ppsim(f'plot r.json --picture {picture} --plot {picture}.png', tmp)[0] == 0
    refused('plot r.json', '--plot', directory=tmp)
    refused('plot r.json --plot t.gif', '.svg', directory=tmp)
    status, out, err = ppsim('simulate --plot t.png --csv c.csv', tmp, PATH='/nowhere')
    assert status == 4 and 'gnuplot' in err and (tmp / 'c.csv').exists(), (status, err)


def test_stdout_carries_json_alone():
    refused('simulate --json - --csv -', 'standard output')
    status, out, err = ppsim('simulate --json -')
    assert status == 0 and json.loads(out) and 'bubble' in err
    status, out, err = ppsim('simulate')
    assert status == 0 and err == '' and 'bubble' in out
    assert '\x1b' not in out
    status, out, _ = ppsim('simulate --color always')
    assert '\x1b' in out
    for environment, coloured in (({}, True), ({'NO_COLOR': '1'}, False),
                                  ({'TERM': 'dumb'}, False)):
        assert ('\x1b' in on_a_terminal('simulate', environment)) == coloured, environment


def on_a_terminal(arguments, environment):
    ours, theirs = pty.openpty()
    run = subprocess.Popen([PPSIM, *arguments.split()], stdin=theirs, stdout=theirs,
                           stderr=theirs, env={'PATH': os.environ['PATH'], 'TERM': 'xterm',
                                               **environment})
    os.close(theirs)
    out = b''
    try:
        while piece := os.read(ours, 4096):
            out += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    assert run.wait(timeout=60) == 0
    return out.decode()


def test_schedules_round_trip(tmp):
    for name in 'gpipe', '1f1b', 'interleaved', 'zb-h1', 'dualpipev':
        status, csv, err = ppsim(f'schedules show {name} --format csv --microbatches 8')
        assert status == 0 and err == '', err
        (tmp / 'schedule.csv').write_text(csv)
        status, out, _ = ppsim('schedules check schedule.csv', tmp)
        assert status == 0 and 'valid' in out and '4 ranks' in out
        status, again, _ = ppsim('schedules convert schedule.csv', tmp)
        assert again == csv, name
        status, comms, _ = ppsim('schedules convert schedule.csv --format csv-comms', tmp)
        assert status == 0 and 'SEND_F' in comms


def test_a_schedule_from_a_file_really_runs(tmp):
    # I and W apart, backwards out of order: still the sequential run's bits.
    (tmp / 'own.csv').write_text('0F0,0F1,0I1,0W1,0I0,0W0\n1F0,1F1,1B1,1I0,1W0\n')
    found = report('--schedule own.csv --layers 2 --verify --steps 3', tmp)
    assert found['training']['verified'] is True
    assert found['config']['schedule'] == 'own.csv' and found['config']['ranks'] == 2
    assert found['bubble']['theory'] is None


def test_bad_schedule_files_are_explained(tmp):
    def bad(text, *words):
        (tmp / 'bad.csv').write_text(text)
        status, out, err = ppsim('schedules check bad.csv', tmp)
        assert status == 2 and out == '', (text, status, out)
        assert all(line.startswith('ppsim: ') for line in err.splitlines())
        for word in words:
            assert word in err, f'{word!r} is not in {err!r}'

    bad('0F0,0B0,0B0\n', 'bad.csv', 'rank 0', 'cell 3', '0B0', 'twice')
    bad('0F0,0F1,0B0\n', 'missing')
    bad('0F0,0B0,0W0\n', 'October 2024')
    bad('0F0xyz,0B0\n', '0F0xyz')
    bad('0F0,0B0,0F1,0B1\n1F1,1B1,1F0,1B0\n', 'cycle', 'rank 0', 'rank 1')


run_tests(globals())
