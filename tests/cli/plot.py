"""Pictures, with gnuplot and without.

usage: plot.py PPSIM [NAME ...]     runs every test, or those named
"""
import json

from common import ppsim, refused, run_tests


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


run_tests(globals())
