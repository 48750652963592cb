"""Disks that are full, read-only or gone, pipes that close, files that change: what is
lost is named, and nothing else is lost.

usage: full.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import os
import subprocess
import sys

# Disks of a test's own are mounted where nobody else sees them.
if 'PPSIM_MOUNTS' not in os.environ:
    unshare = ['unshare', '--mount', *([] if os.geteuid() == 0 else ['--map-root-user'])]
    try:
        may = subprocess.run([*unshare, 'mount', '-t', 'tmpfs', 'none', '/mnt'],
                             capture_output=True).returncode == 0
    except OSError:
        may = False
    os.environ['PPSIM_MOUNTS'] = str(int(may))
    if may:
        os.execvp('unshare', [*unshare, sys.executable, *sys.argv])

from common import PPSIM, SANITIZED, TINY, ppsim, report, run_tests
from processes import LONG, wait_until

MODEL = TINY + ' --ranks 2'
ENDLESS = MODEL.replace('--steps 3', '--steps 1000000')
OUTPUTS = {'--json': 'r.json', '--trace': 't.json', '--paje': 'p.paje', '--csv': 'r.csv',
           '--plot': 'p.svg', '--save': 's.safetensors', '--save-grads': 'g.safetensors'}


def with_disk(size):
    """The test also takes a small disk of that size. It is left out where none may be
    mounted."""
    def decorate(test):
        def mounted(tmp):
            if os.environ['PPSIM_MOUNTS'] != '1':
                print('left out: no disk can be mounted')
                return
            path = tmp / 'disk'
            path.mkdir()
            subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size}', 'none', path],
                           check=True)
            try:
                test(tmp, path)
            finally:
                subprocess.run(['umount', '--lazy', path], check=True)
        return mounted
    return decorate


def fill(path):
    """Takes all the room that is left."""
    with open(path, 'wb', buffering=0) as file:
        for size in 65536, 4096:
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def start(tmp, options, **environment):
    return subprocess.Popen([PPSIM, *options.split()], cwd=tmp, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, **environment})


@with_disk('2m')
def test_each_output_on_a_full_disk_is_named_and_the_older_one_stays(tmp, where):
    for name in OUTPUTS.values():
        (where / name).write_text('older')
    fill(where / 'filling')
    for option, name in OUTPUTS.items():
        before = names(where)
        status, _, err = ppsim(f'{MODEL} --quiet {option} disk/{name} --csv whole.csv'
                               if option != '--csv' else f'{MODEL} --quiet --csv disk/{name}', tmp)
        assert status == 4, (option, status, err)
        assert f"'disk/{name}'" in err and 'No space left on device' in err, (option, err)
        assert err.count('\n') == 1, (option, err)
        assert (where / name).read_text() == 'older', option
        assert names(where) == before, (option, names(where))
        # Gradients are written, and asked for, before all else.
        if option not in ('--csv', '--save-grads'):
            assert (tmp / 'whole.csv').exists(), option
            (tmp / 'whole.csv').unlink()


@with_disk('2m')
def test_a_checkpoint_on_a_full_disk_leaves_the_older_ones_and_the_rest(tmp, where):
    options = f'{MODEL} --quiet --warmup-steps 0 --checkpoint disk/c'
    report(f'{options} --steps 1', tmp)
    fill(where / 'filling')
    before = names(where / 'c')
    status, _, err = ppsim(f'{options} --steps 4 --checkpoint-every 2 --resume --json r.json '
                           '--save s.safetensors', tmp)
    assert status == 4 and "'disk/c/" in err and 'No space left on device' in err, (status, err)
    assert err.count('\n') == 1, err
    assert names(where / 'c') == before == ['latest', 'step-00000001']
    training = json.loads((tmp / 'r.json').read_text())['training']
    assert (training['stopped_after'], len(training['losses'])) == (2, 2)
    assert (tmp / 's.safetensors').exists()
    (where / 'filling').unlink()
    again = report(f'{options} --steps 4 --resume', tmp)['training']
    never = report(f'{MODEL} --quiet --warmup-steps 0 --steps 4', tmp)['training']
    assert again['resumed_from'] == 1
    assert (again['losses'], again['digest']) == (never['losses'], never['digest'])


@with_disk('16m')
def test_a_disk_that_becomes_read_only_ends_the_run(tmp, where):
    job = start(tmp, f'{ENDLESS} --quiet --checkpoint disk/c --checkpoint-every 1')
    wait_until(lambda: (where / 'c/latest').exists() or job.poll() is not None, 'it writes')
    # Refused while a file is open for writing.
    wait_until(lambda: subprocess.run(['mount', '-o', 'remount,ro', where], capture_output=True)
               .returncode == 0, 'the disk is read-only')
    err = job.communicate(timeout=LONG)[1]
    assert job.returncode == 4 and "'disk/c" in err and 'Read-only file system' in err, err
    reached = int((where / 'c/latest').read_text().removeprefix('step-'))
    # From the start: as refused, before any work.
    for option, name in [*OUTPUTS.items(), ('--checkpoint', 'd'), ('--history', 'h.csv')]:
        status, _, err = ppsim(f'{MODEL} --quiet {option} disk/{name}', tmp)
        assert status == 4 and f"disk/{name}'" in err and 'Read-only file system' in err, \
            (option, status, err)
    subprocess.run(['mount', '-o', 'remount,rw', where], check=True)
    again = report(f'{MODEL} --steps {reached + 1} --checkpoint disk/c --resume', tmp)
    assert again['training']['resumed_from'] == reached


def test_a_quota_is_named(tmp):
    """That of a network file system shows when a file is flushed."""
    if SANITIZED or not os.environ.get('FAILING_FSYNC'):
        print('left out: nothing stands before the C library')
        return
    preload = {'LD_PRELOAD': os.environ['FAILING_FSYNC']}
    for name in 's.safetensors', 'r.json':
        (tmp / name).write_text('older')
    report(f'{MODEL} --checkpoint c', tmp)
    before = names(tmp / 'c')
    for options, what in ((f'{MODEL} --save s.safetensors', "'s.safetensors'"),
                          (f'{MODEL} --json r.json', "'r.json'"),
                          (f'{MODEL} --steps 5 --checkpoint c --resume', "'c/")):
        status, _, err = ppsim(f'{options} --quiet', tmp, **preload)
        assert status == 4 and what in err and 'Disk quota exceeded' in err, (status, err)
    assert names(tmp / 'c') == before
    assert names(tmp) == ['c', 'r.json', 's.safetensors']
    assert {(tmp / name).read_text() for name in ('s.safetensors', 'r.json')} == {'older'}


def test_a_pipe_that_closes_is_named(tmp):
    os.mkfifo(tmp / 'pipe')
    for option in '--json', '--csv':
        job = start(tmp, f'{MODEL} --microbatches 2000 --quiet {option} pipe --save s.safetensors')
        with open(tmp / 'pipe', 'rb') as pipe:
            pipe.read(1)
        err = job.communicate(timeout=LONG)[1]
        assert job.returncode == 4, (option, job.returncode, err)
        assert err == "ppsim: cannot write 'pipe': Broken pipe\n", (option, err)
        assert (tmp / 's.safetensors').exists()


def test_data_that_shrink_under_the_run_are_named(tmp):
    (tmp / 'text').write_bytes(bytes(100000))
    job = start(tmp, f'{ENDLESS} --quiet --data text --checkpoint c --checkpoint-every 1')
    wait_until(lambda: (tmp / 'c/latest').exists() or job.poll() is not None, 'it trains')
    (tmp / 'text').write_bytes(b'')
    err = job.communicate(timeout=LONG)[1]
    assert job.returncode == 4, err
    assert "'text' has become shorter while it was read" in err and err.count('\n') == 1, err


run_tests(globals())
