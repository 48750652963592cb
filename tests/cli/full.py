"""Disks that are full or gone, files that change: what is lost is named, nothing else is.

usage: full.py PPSIM [NAME ...]     runs every test, or those named
"""
import subprocess

from common import PPSIM, TINY, run_tests
from processes import LONG, wait_until

ENDLESS = TINY.replace('--steps 3', '--steps 1000000') + ' --ranks 2'


def start(tmp, options):
    return subprocess.Popen([PPSIM, *options.split()], cwd=tmp, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def test_data_that_shrink_under_the_run_are_named(tmp):
    (tmp / 'text').write_bytes(bytes(100000))
    job = start(tmp, f'{ENDLESS} --quiet --data text --checkpoint c --checkpoint-every 1')
    wait_until(lambda: (tmp / 'c/latest').exists() or job.poll() is not None, 'it trains')
    (tmp / 'text').write_bytes(b'')
    err = job.communicate(timeout=LONG)[1]
    assert job.returncode == 4, err
    assert "'text' has become shorter while it was read" in err and err.count('\n') == 1, err


run_tests(globals())
