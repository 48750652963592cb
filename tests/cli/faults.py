"""Ranks, launchers and parents that die, stop or are slow: what is said, what is left.

usage: faults.py PPSIM [NAME ...]     runs every test, or those named

Where a fault is known by silence the timeout is 2 s, so that tests are short; where it is
known at once, it is an hour, so that no load makes a silence of it.
"""
import os
import pathlib
import re
import signal
import subprocess
import time

from common import PPSIM, SANITIZED, TINY, ppsim, run_tests
from processes import LONG, Terminal, children, descendants, is_running, state_of, wait_until

ENDLESS = [*TINY.replace('--steps 3 --warmup-steps 1', '').split(), '--steps', '1000000',
           '--warmup-steps', '999999']
RANKS = 3
SHARED_MEMORY = pathlib.Path('/dev/shm')
AT = r'(in [FBIW]\(\d+, \d+\) of step \d+|in step \d+, waiting for \S.*?|outside the ops of step \d+)'
WAITED = r'(: rank \d+ waited for (all ranks|[FBIW]\(\d+, \d+\))(, rank \d+ for \S.*)?)?'


def folder_of_runs(tmp):
    (tmp / 'temporary').mkdir(exist_ok=True)
    return {**os.environ, 'TMPDIR': str(tmp / 'temporary')}


def left_behind(tmp):
    """What is in temporary folders and in shared memory of the runs of this test."""
    found = [path for path in (tmp / 'temporary').iterdir()
             if not (path.name.startswith('ompi.') and not any(path.iterdir()))]
    for page in SHARED_MEMORY.glob('ppsim-run.*/status'):
        try:
            if os.fsencode(tmp) in page.read_bytes():
                found.append(page.parent)
        except OSError:  # somebody else's, or just removed
            pass
    return found


def start(tmp, *arguments, timeout=3600, **options):
    """A run that trains; with its mpiexec and its ranks in order."""
    shown = Terminal([PPSIM, *ENDLESS, '--ranks', str(RANKS), '--timeout', str(timeout),
                      *arguments], cwd=tmp, env=folder_of_runs(tmp), **options)
    shown.wait_for('step ')
    mpiexec, = children(shown.run.pid)
    ranks = sorted(children(mpiexec))
    assert len(ranks) == RANKS, ranks
    return shown, mpiexec, ranks


def ends(tmp, shown, processes, status, *patterns):
    """It ends with the status and one line that matches, and nothing is left."""
    code, text = shown.wait()
    assert code == status, (code, text[-2000:])
    lines = [line for line in text.splitlines() if line.startswith('ppsim: ')]
    assert len(lines) == len(patterns), (patterns, lines)
    for pattern, line in zip(patterns, lines):
        assert re.fullmatch('ppsim: ' + pattern, line), (pattern, line)
    # Of a parent that waits for its ranks no process is left, not even its status.
    assert status < 0 or not any(map(state_of, processes)), list(map(state_of, processes))
    wait_until(lambda: not any(map(is_running, processes)), 'all processes have ended')
    wait_until(lambda: not left_behind(tmp), f'{left_behind(tmp)} is removed')


def test_a_rank_that_dies_is_named(tmp):
    segv = r'exited with status \d+' if SANITIZED else 'was killed by SIGSEGV'
    for number, how in ((signal.SIGKILL, r'was killed by SIGKILL \(as where memory is short\)'),
                        (signal.SIGSEGV, segv)):
        shown, mpiexec, ranks = start(tmp)
        os.kill(ranks[1], number)
        ends(tmp, shown, [mpiexec, *ranks], 4, f'rank 1 {how} {AT}{WAITED}')


def test_a_rank_that_is_stopped_is_named(tmp):
    shown, mpiexec, ranks = start(tmp, timeout=2)
    os.kill(ranks[2], signal.SIGSTOP)
    ends(tmp, shown, [mpiexec, *ranks], 4,
         rf'rank 2 was stopped \(SIGSTOP\) for [\d.]+ s {AT}{WAITED}')


def test_a_timeout_of_0_waits(tmp):
    steps = ['--steps', '1000', '--warmup-steps', '1', '--save', 'a.safetensors']
    shown, _, ranks = start(tmp, *steps, timeout=0)
    os.kill(ranks[2], signal.SIGSTOP)
    time.sleep(3)  # longer than the test before waits
    os.kill(ranks[2], signal.SIGCONT)
    assert shown.wait()[0] == 0 and (tmp / 'a.safetensors').exists(), shown.shown[-2000:]


def test_a_dead_or_stopped_mpiexec_takes_all_with_it(tmp):
    shown, mpiexec, ranks = start(tmp)
    os.kill(mpiexec, signal.SIGKILL)
    ends(tmp, shown, [mpiexec, *ranks], 4, 'mpiexec was killed by SIGKILL')
    shown, mpiexec, ranks = start(tmp, timeout=2)
    os.kill(mpiexec, signal.SIGSTOP)
    ends(tmp, shown, [mpiexec, *ranks], 4, r'mpiexec was stopped \(SIGSTOP\) for [\d.]+ s')


def test_a_dead_parent_takes_all_with_it(tmp):
    shown, mpiexec, ranks = start(tmp)
    shown.run.kill()
    ends(tmp, shown, [mpiexec, *ranks], -signal.SIGKILL,
         'the process that started the ranks was killed: they end')


def test_what_is_left_when_all_are_killed_the_next_start_removes(tmp):
    shown, mpiexec, ranks = start(tmp)
    processes = [shown.run.pid, mpiexec, *ranks]
    for number in signal.SIGSTOP, signal.SIGKILL:  # stopped: nobody sees the others die
        for process in processes:
            os.kill(process, number)
    assert shown.wait()[0] == -signal.SIGKILL
    wait_until(lambda: not any(map(is_running, processes)), 'all processes have ended')
    assert left_behind(tmp), 'without that this test shows nothing'
    # A run that goes on beside it keeps its own.
    other, other_mpiexec, other_ranks = start(tmp)
    assert len(list((tmp / 'temporary').iterdir())) == 1, left_behind(tmp)
    status, _, err = ppsim(f'{TINY} --ranks 2 --quiet', tmp, **folder_of_runs(tmp))
    assert status == 0 and err == '', (status, err)
    assert all(map(is_running, [other_mpiexec, *other_ranks])) and left_behind(tmp)
    other.run.terminate()
    assert other.wait()[0] in (143, -signal.SIGTERM), other.shown[-2000:]
    wait_until(lambda: not left_behind(tmp), f'{left_behind(tmp)} is removed')


def test_a_slow_rank_is_not_silent(tmp):
    module = os.environ.get('SLOW_OP')
    if not module:
        return
    status, out, err = ppsim(f'{TINY} --ranks 2 --clock virtual --timeout 1 --quiet', tmp,
                             LD_PRELOAD=module, SLOW_OP_SECONDS='3')
    assert status == 0 and err == '', (status, out, err)


def test_a_pause_of_the_whole_job_is_no_silence(tmp):
    shown, _, ranks = start(tmp, '--steps', '3000', '--warmup-steps', '1', timeout=1,
                            preexec_fn=lambda: os.setpgid(0, 0))
    processes = [shown.run.pid, *ranks]
    os.killpg(shown.run.pid, signal.SIGTSTP)
    wait_until(lambda: all(state_of(pid)[0] == 'T' for pid in processes), 'all have stopped')
    time.sleep(3)
    os.killpg(shown.run.pid, signal.SIGCONT)
    assert shown.wait()[0] == 0, shown.shown[-2000:]


def mpirun(tmp, timeout):
    shown = Terminal(['mpirun', '--allow-run-as-root', '--oversubscribe', '--quiet', '-n',
                      str(RANKS), PPSIM, *ENDLESS, '--timeout', str(timeout)], cwd=tmp,
                     env={**folder_of_runs(tmp), 'PPSIM_TERMINAL': ''})
    wait_until(lambda: len(children(shown.run.pid)) == RANKS, 'the ranks are there')
    return shown, sorted(children(shown.run.pid))


def test_under_mpirun_ranks_look_after_each_other(tmp):
    shown, ranks = mpirun(tmp, 2)
    time.sleep(3)  # they show no progress; before MPI_Init nobody looks after them
    os.kill(ranks[1], signal.SIGSTOP)
    code, text = shown.wait()
    assert code == 4, (code, text[-2000:])
    assert re.search(rf'ppsim: rank 1 was stopped \(SIGSTOP\) for [\d.]+ s', text), text
    assert text.count('ppsim: ') == 1, text
    wait_until(lambda: not any(map(is_running, ranks)), 'all processes have ended')
    assert not left_behind(tmp), left_behind(tmp)


def test_ranks_end_with_their_mpirun(tmp):
    shown, ranks = mpirun(tmp, 3600)
    time.sleep(3)
    shown.run.kill()
    shown.wait()
    wait_until(lambda: not any(map(is_running, ranks)), 'all processes have ended')
    wait_until(lambda: not left_behind(tmp), 'nothing is left')


run_tests(globals())
