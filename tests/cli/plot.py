"""Pictures, with gnuplot and without.

usage: plot.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import os
import signal
import subprocess

from common import PPSIM, ppsim, refused, run_tests
from processes import LONG


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


def test_gates_are_judged_without_gnuplot(tmp):
    status, out, err = ppsim('simulate --quiet --plot x.svg --csv x.csv --check bubble<0.1', tmp,
                             PATH='/nowhere')
    assert status == 4 and 'gnuplot' in err and 'FAIL' in out and (tmp / 'x.csv').exists()


def fake_gnuplot(tmp, script):
    """An environment whose gnuplot is this shell script, temporary folders being in tmp/t."""
    (tmp / 'gnuplot').write_text(f'#!/bin/sh\n{script}\n')
    (tmp / 'gnuplot').chmod(0o755)
    (tmp / 't').mkdir()
    return {**os.environ, 'PATH': f'{tmp}:{os.environ["PATH"]}', 'TMPDIR': str(tmp / 't')}


def test_gnuplot_is_waited_for_where_children_are_ignored(tmp):
    environment = fake_gnuplot(tmp, 'echo "<svg/>" > timeline.svg')
    subprocess.run([PPSIM, 'simulate', '--quiet', '--plot', 'a.svg'], cwd=tmp, check=True,
                   env=environment, timeout=LONG,
                   preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert (tmp / 'a.svg').read_text() == '<svg/>\n'
    assert list((tmp / 't').iterdir()) == []


def test_gnuplot_fails_in_its_own_words(tmp):
    environment = fake_gnuplot(tmp, 'echo "\'x.gp\', line 3: no such thing" >&2; exit 5')
    done = subprocess.run([PPSIM, 'simulate', '--quiet', '--plot', 'a.svg'], cwd=tmp,
                          env=environment, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 4 and 'status 5' in done.stderr, done
    assert 'line 3: no such thing' in done.stderr and list((tmp / 't').iterdir()) == []


def test_a_signal_while_gnuplot_draws_leaves_nothing(tmp):
    environment = fake_gnuplot(tmp, 'kill -TERM $PPID; exec sleep 1000')
    done = subprocess.run([PPSIM, 'simulate', '--quiet', '--plot', 'a.svg'], cwd=tmp,
                          env=environment, timeout=LONG)
    assert done.returncode == -signal.SIGTERM, done
    assert list((tmp / 't').iterdir()) == [] and not (tmp / 'a.svg').exists()


run_tests(globals())
