"""Pictures, with gnuplot and without.

usage: plot.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import os
import re
import signal
import struct
import subprocess
import zlib

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
    for picture in 'in-flight', 'op-times', 'causes', 'predicted':
        assert ppsim(f'plot r.json --picture {picture} --plot {picture}.png', tmp)[0] == 0
    refused('plot r.json', '--plot', directory=tmp)
    refused('plot r.json --plot t.gif', '.svg', directory=tmp)
    status, out, err = ppsim('simulate --plot t.png --csv c.csv', tmp, PATH='/nowhere')
    assert status == 4 and 'gnuplot' in err and (tmp / 'c.csv').exists(), (status, err)


def settings(folder, name):
    """What a file of gnuplot's settings assigns, as text."""
    lines = (folder / name).read_text().splitlines()
    return dict(line.split(' = ', 1) for line in lines if ' = ' in line)


def test_several_reports_share_an_axis(tmp):
    ppsim('simulate --quiet --schedule gpipe --json a.json', tmp)
    ppsim('simulate --quiet --schedule zb-h1 --ranks 2 --json b.json', tmp)
    longest = max(json.loads((tmp / f'{name}.json').read_text())['makespan_s'] for name in 'ab')
    assert ppsim('plot a.json b.json --plot t.svg --keep-data kept', tmp)[0] == 0
    text = (tmp / 't.svg').read_text()
    for title in 'gpipe · p = 4', 'zb-h1 · p = 2', 'backward weight':
        assert text.count(title) == 1, title
    panels = [settings(tmp / 'kept', f'timeline-panel-{i}.gp') for i in (1, 2)]
    assert panels[0]['most_time'] == panels[1]['most_time'], panels
    assert abs(float(panels[0]['most_time']) - 1002 * longest) < 1e-6, (panels, longest)
    for picture in 'in-flight', 'op-times', 'causes', 'predicted':
        assert ppsim(f'plot a.json b.json --picture {picture} --plot p.png', tmp)[0] == 0
    refused('plot a.json b.json --csv x.csv', "'--csv'", 'one report', directory=tmp)
    refused('plot a.json b.json --plot a.json.svg --size 3x4', "'--size'", directory=tmp)
    refused('plot a.json b.json --plot x.svg --size 200x150', 'no room', directory=tmp)
    refused('plot a.json nothing.json --plot x.svg', 'nothing.json', directory=tmp)


def inflated(stream):
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b''  # not all are compressed


def test_pictures_for_papers(tmp):
    ppsim('simulate --quiet --schedule zb-h1 --json a.json', tmp)
    assert ppsim('plot a.json --plot a.svg --size column', tmp)[0] == 0
    text = (tmp / 'a.svg').read_text()
    assert 'width="321"' in text and 'font-family="sans-serif"' in text  # 8.5 cm at 96 dpi
    sizes = {float(size) for size in re.findall(r'font-size="([0-9.]+)"', text)}
    assert sizes and min(sizes) >= 9.3, sizes  # 7 pt
    assert ppsim('plot a.json --plot a.pdf --size column', tmp)[0] == 0
    pdf = (tmp / 'a.pdf').read_bytes()
    assert b'/FontFile' in pdf
    text = b''.join(map(inflated, re.findall(rb'stream\r?\n(.*?)endstream', pdf, re.S)))
    sizes = set(map(float, re.findall(rb'^(\S+) 0 0 -\S+ \S+ \S+ Tm', text, re.M)))
    assert {7, 8} <= sizes and max(sizes) < 10, sizes  # pt; the title is a little larger
    assert ppsim('plot a.json --plot a.png --size 12cmx6cm', tmp)[0] == 0
    width, height = struct.unpack('>II', (tmp / 'a.png').read_bytes()[16:24])
    assert (width, height) == (round(120 / 25.4 * 300), round(60 / 25.4 * 300))


def test_the_causes_make_up_the_bubble(tmp):
    ppsim('simulate --quiet --link latency=50us --plot x.svg --picture causes --keep-data kept '
          '--json a.json', tmp)
    report = json.loads((tmp / 'a.json').read_text())
    rows = [list(map(float, line.split())) for line in (tmp / 'kept/causes.dat').open()]
    assert len(rows) == 4
    mean = sum(sum(row[1:]) for row in rows) / 4
    assert abs(mean - 100 * report['bubble']['fraction']) < 1e-3, (mean, report['bubble'])


def test_what_went_as_predicted_is_not_late(tmp):
    ppsim('simulate --quiet --cost f=1,2,1,3,b=2 --link latency=70us --plot x.svg '
          '--picture predicted --keep-data same', tmp)
    assert {line.split()[1] for line in (tmp / 'same/late.dat').open() if line.strip()} == {'0'}
    ppsim('simulate --quiet --jitter lognormal:0.2 --steps 3 --plot x.svg '
          '--picture predicted --keep-data other', tmp)
    late = [float(line.split()[1]) for line in (tmp / 'other/late.dat').open() if line.strip()]
    assert late[0] == 0 and any(late), late


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
