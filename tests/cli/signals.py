"""Signals to a run, as terminals, shells and batch systems send them.

usage: signals.py PPSIM [NAME ...]     runs every test, or those named
"""
import fcntl
import os
import pathlib
import signal
import subprocess
import termios
import time

from common import PPSIM, TINY, run_tests
from processes import LONG, Terminal, descendants, is_running, state_of, wait_until

SHARED_MEMORY = pathlib.Path('/dev/shm')


def shared_memory():
    return {path.name for path in SHARED_MEMORY.glob('*')} if SHARED_MEMORY.exists() else set()


def nothing_is_left(tmp, before, processes):
    wait_until(lambda: not any(map(is_running, processes)), 'all processes have ended')
    assert list((tmp / 'temporary').iterdir()) == [], list((tmp / 'temporary').iterdir())
    left = {name for name in shared_memory() - before if str(os.getuid()) in name}
    ours = {name for name in left for pid in processes if str(pid) in name}
    assert not ours, ours


def start(tmp, steps, *arguments, **options):
    """A run with a process group of its own, as a shell gives it, when it trains."""
    (tmp / 'temporary').mkdir(exist_ok=True)
    command = [PPSIM, *TINY.replace('--steps 3', f'--steps {steps}').split(), '--ranks', '2',
               *arguments]
    options = {'preexec_fn': lambda: os.setpgid(0, 0), **options}
    shown = Terminal(command, cwd=tmp, env={**os.environ, 'TMPDIR': str(tmp / 'temporary')},
                     **options)
    shown.wait_for('step ')
    return shown


def test_a_signal_to_the_whole_group_leaves_nothing_behind(tmp):
    for number in 3 * (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        before = shared_memory()
        shown = start(tmp, 1000000)
        processes = descendants(shown.run.pid)
        os.killpg(shown.run.pid, number)
        assert shown.wait()[0] == -number, shown.shown[-2000:]
        nothing_is_left(tmp, before, processes)


def test_a_signal_that_comes_twice_leaves_nothing_behind(tmp):
    for _ in range(4):  # as timeout(1) sends it
        before = shared_memory()
        shown = start(tmp, 1000000)
        processes = descendants(shown.run.pid)
        shown.run.terminate()
        time.sleep(0.001)
        os.killpg(shown.run.pid, signal.SIGTERM)
        assert shown.wait()[0] == -signal.SIGTERM, shown.shown[-2000:]
        nothing_is_left(tmp, before, processes)


def test_a_stopped_job_stops_whole_and_goes_on(tmp):
    shown = start(tmp, 3000, '--save', 'a.safetensors')
    run = shown.run.pid
    ranks = [pid for pid in descendants(run) if not descendants(pid)]
    assert len(ranks) == 2, ranks
    os.killpg(run, signal.SIGTSTP)
    wait_until(lambda: all(state_of(pid)[0] == 'T' for pid in [run, *ranks]),
               'the job has stopped')
    os.killpg(run, signal.SIGCONT)
    assert shown.wait()[0] == 0 and (tmp / 'a.safetensors').exists(), shown.shown[-2000:]


def test_a_run_may_speak_where_background_jobs_may_not(tmp):
    def own_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        settings = termios.tcgetattr(0)
        settings[3] |= termios.TOSTOP
        termios.tcsetattr(0, termios.TCSANOW, settings)

    shown = start(tmp, 5, preexec_fn=own_terminal)
    assert shown.wait()[0] == 0, shown.shown[-2000:]


run_tests(globals())
