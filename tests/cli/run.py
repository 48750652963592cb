"""Real runs: what their reports hold and how they end.

usage: run.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import os
import platform
import signal
import subprocess

from common import PPSIM, TINY, another_version, ppsim, refused, report, run_tests
from processes import LONG, Terminal, children


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


def test_without_sys_the_binding_is_true_and_nothing_is_said_of_it(tmp):
    if platform.machine() != 'x86_64':
        return  # elsewhere hwloc has nothing to ask but /sys
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})  # which ppsim inherits
    try:
        status, out, err = ppsim(f'{TINY} --ranks 2 --quiet --json -', HWLOC_THISSYSTEM='1',
                                 HWLOC_FSROOT=str(tmp))
    finally:
        os.sched_setaffinity(0, allowed)
    assert status == 0 and 'hwloc' not in err, err
    found = json.loads(out)
    assert found['environment']['cores'] == 1 and found['environment']['oversubscribed']
    assert [rank['cpuset'] for rank in found['ranks']] == 2 * [str(max(allowed))]


def test_verify_is_true_and_digests_agree():
    runs = [report(f'{TINY} --verify --microbatches 3 {how}') for how in (
        '--schedule sequential --ranks 1', '--schedule gpipe', '--ranks 2 --clock wall',
        '--schedule interleaved --ranks 2', '--schedule zb-h1 --ranks 3')]
    assert all(r['training']['verified'] is True for r in runs)
    assert len({r['training']['digest'] for r in runs}) == 1
    assert len({tuple(r['training']['losses']) for r in runs}) == 1


def test_a_schedule_from_a_file_really_runs(tmp):
    # I and W apart, backwards out of order: still the sequential run's bits.
    (tmp / 'own.csv').write_text('0F0,0F1,0I1,0W1,0I0,0W0\n1F0,1F1,1B1,1I0,1W0\n')
    found = report('--schedule own.csv --layers 2 --verify --steps 3', tmp)
    assert found['training']['verified'] is True
    assert found['config']['schedule'] == 'own.csv' and found['config']['ranks'] == 2
    assert found['bubble']['theory'] is None


def test_under_mpirun_one_rank_speaks_of_what_all_do():
    def mpirun(arguments):
        return subprocess.run(['mpirun', '--allow-run-as-root', '--oversubscribe', '--quiet',
                               '-n', '3', PPSIM, *arguments.split()], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=LONG)

    wrong = mpirun('--bogus')
    assert wrong.returncode == 2 and wrong.stderr.count('--bogus') == 1, wrong.stderr
    wrong = mpirun('--ranks 4')
    assert wrong.returncode == 2 and 'started 3' in wrong.stderr, wrong.stderr
    right = mpirun(f'{TINY} --quiet --verify --json -')
    assert right.returncode == 0 and json.loads(right.stdout)['config']['ranks'] == 3
    failing = mpirun(f'{TINY} --quiet --force --check bubble<0')
    assert failing.returncode == 1 and 'FAIL' in failing.stdout, failing
    explained = mpirun(f'explain {TINY}')
    assert explained.returncode == 0 and explained.stdout.count('critical path') == 1, explained
    # Each process of a command without ranks does its work, and judges.
    simulated = mpirun('simulate --quiet --check bubble<0')
    assert simulated.returncode == 1 and 'FAIL' in simulated.stdout, simulated


def test_ranks_of_two_versions_are_refused_with_both(tmp):
    own, other = another_version(tmp / 'other')
    mpirun = 'mpirun --allow-run-as-root --oversubscribe --quiet'.split()
    for arguments in f'{TINY} --quiet', '--bogus':
        done = subprocess.run([*mpirun, '-n', '1', PPSIM, *arguments.split(), ':',
                               '-n', '1', tmp / 'other', *arguments.split()],
                              text=True, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=300)
        said = [line for line in done.stderr.splitlines() if line.startswith('ppsim: ')]
        assert done.returncode == 4 and done.stdout == '' and len(said) == 1, done
        for word in 'rank 1', f'runs ppsim {other}', f'runs {own}', 'the same version':
            assert word in said[0], (word, said)


def test_hosts_are_named_by_a_file(tmp):
    (tmp / 'none').write_text('# nobody\n\n  # nor here\n')
    refused(f'{TINY} --hosts none', "'none' names no host", 'node1 slots=2', directory=tmp)
    refused(f'{TINY} --hosts missing', "cannot open 'missing'", directory=tmp)
    refused(f'{TINY} --hosts .', "cannot read '.'", directory=tmp)
    (tmp / 'evil').write_text('-oProxyCommand=touch${IFS}evil2 slots=2\n')
    refused(f'{TINY} --hosts evil', 'is not the name of a host', directory=tmp)
    refused('doctor --hosts evil', 'is not the name of a host', directory=tmp)
    (tmp / 'here').write_text('# this one\nlocalhost slots=2  # twice\n')
    found = report(f'{TINY} --ranks 2 --hosts here', tmp)
    assert found['config']['hosts'] == 'here' and found['training']['digest']
    done = subprocess.run(['mpirun', '--allow-run-as-root', '--quiet', '-n', '1', PPSIM,
                           *TINY.split(), '--hosts', 'here'], cwd=tmp, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
    assert done.returncode == 2 and "'--hostfile'" in done.stderr, done


def test_no_gate_passes_because_a_rank_was_inherited():
    rank = {'OMPI_COMM_WORLD_RANK': '1', 'PMIX_RANK': '1', 'PMI_RANK': '1'}
    inherited = [{name: value} for name, value in rank.items()] + [rank]
    for environment in [*inherited, {**rank, 'PMIX_NAMESPACE': 'gone', 'PMI_SIZE': '2'}]:
        status, out, err = ppsim('simulate --quiet --check bubble<0', **environment)
        assert status == 1 and 'FAIL' in out, (environment, status, out, err)
        assert ppsim('--version', **environment)[1].startswith('ppsim '), environment
    status, out, err = ppsim('--bogus', **rank)
    assert status == 2 and '--bogus' in err, (status, out, err)
    for environment in inherited:
        status, out, err = ppsim(f'{TINY} --quiet --clock virtual --check bubble<0', **environment)
        assert status == 1 and 'FAIL' in out, (environment, status, out, err)


def test_a_status_of_mpiexec_is_no_verdict(tmp):
    for name, line in (('mpiexec.openmpi', 'exit 0'), ('mpiexec.openmpi', 'printf "\\0don"')):
        (tmp / name).write_text(f'#!/bin/sh\n{line}\n')
        (tmp / name).chmod(0o755)
        status, out, err = ppsim(f'{TINY} --quiet --check bubble<1',
                                 PATH=f'{tmp}:{os.environ["PATH"]}')
        assert status == 4 and err.count('\n') == 1 and 'rank 0' in err, (status, out, err)


def test_a_file_that_only_some_ranks_see_is_named(tmp):
    (tmp / 'here').mkdir()
    (tmp / 'there').mkdir()
    out = ppsim('schedules show gpipe --ranks 2 --microbatches 4 --format csv')[1]
    (tmp / 'here' / 'f.csv').write_text(out)
    start = [[':', '-n', '1', '-wdir', str(tmp / where), PPSIM, '--quiet', '--schedule', 'f.csv']
             for where in ('here', 'there')]
    found = subprocess.run(['mpirun', '--allow-run-as-root', '--oversubscribe', '--quiet',
                            *start[0][1:], *start[1]], text=True,
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=LONG)
    assert found.returncode == 2, found
    assert "ppsim: rank 1: cannot read 'f.csv'" in found.stderr, found


def test_a_killed_rank_is_an_environment_error(tmp):
    shown = Terminal([PPSIM, '--ranks', '3', '--layers', '3', '--steps', '100000', '--json',
                      'x.json', '--seed', '4242', '--check', 'bubble<1', '--format', 'tap=x.tap'],
                     cwd=tmp)
    shown.wait_for('step ')
    ranks = [rank for mpiexec in children(shown.run.pid) for rank in children(mpiexec)]
    assert len(ranks) == 3, ranks
    os.kill(ranks[1], signal.SIGKILL)
    status, text = shown.wait()
    assert status == 4 and 'rank 1 was killed by SIGKILL' in text, (status, text[-2000:])
    # CI is told as well.
    assert [path.name for path in tmp.iterdir()] == ['x.tap']
    told = (tmp / 'x.tap').read_text()
    assert '\nnot ok 1 - input' in told and 'rank 1 was killed by SIGKILL' in told, told


def test_a_reader_that_leaves_loses_no_files(tmp):
    run = subprocess.Popen([PPSIM, *TINY.split(), '--json', 'r.json'], cwd=tmp,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run.stdout.close()
    err = run.stderr.read().decode()
    run.stderr.close()
    assert run.wait(LONG) == -signal.SIGPIPE and err == '', (run.returncode, err)
    assert json.loads((tmp / 'r.json').read_text())['training']['digest']
    with open('/dev/full', 'w') as full:
        done = subprocess.run([PPSIM, *TINY.split()], stdout=full, text=True,
                              stderr=subprocess.PIPE, timeout=LONG)
    assert done.returncode == 4, done
    assert done.stderr.count('\n') == 1 and 'No space' in done.stderr, done.stderr


def test_a_descriptor_of_ours_is_written(tmp):
    out = (tmp / 'report.json').open('wb')
    done = subprocess.run([PPSIM, *TINY.split(), '--ranks', '2', '--quiet', '--json',
                           f'/dev/fd/{out.fileno()}'], pass_fds=[out.fileno()], timeout=LONG)
    assert done.returncode == 0
    assert json.loads((tmp / 'report.json').read_text())['config']['ranks'] == 2


def test_a_status_is_told_where_children_are_ignored():
    done = subprocess.run([PPSIM, *TINY.split(), '--ranks', '2', '--quiet', '--force',
                           '--check', 'bubble<0'], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=LONG, preexec_fn=lambda: signal.signal(signal.SIGCHLD,
                                                                       signal.SIG_IGN))
    assert done.returncode == 1 and b'FAIL' in done.stdout, done


def test_an_ignored_hangup_stays_ignored(tmp):
    shown = Terminal([PPSIM, *TINY.replace('--steps 3', '--steps 400').split(), '--ranks', '2',
                      '--save', 'a.safetensors'], cwd=tmp,
                     preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    shown.wait_for('step ')
    shown.run.send_signal(signal.SIGHUP)
    assert shown.wait()[0] == 0 and (tmp / 'a.safetensors').exists()


def test_parameters_may_be_trained_on_in_place_but_nothing_else_replaces_them(tmp):
    assert ppsim(f'run --ranks 2 {TINY} --quiet --save p.safetensors', tmp)[0] == 0
    before = (tmp / 'p.safetensors').read_bytes()
    for output in 'json', 'save-grads', 'trace':
        refused(f'run --ranks 2 {TINY} --load p.safetensors --{output} ./p.safetensors',
                'is an input', f"'--{output}'", directory=tmp)
    assert (tmp / 'p.safetensors').read_bytes() == before
    arguments = f'run --ranks 2 {TINY} --quiet --load p.safetensors --save p.safetensors'
    assert ppsim(arguments, tmp)[0] == 0
    assert (tmp / 'p.safetensors').read_bytes() != before


run_tests(globals())
