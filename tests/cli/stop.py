"""Runs that are told to stop: the step ends, and nothing of it is lost.

usage: stop.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import os
import shutil
import signal
import subprocess
import time
import xml.etree.ElementTree as xml

from common import PPSIM, TINY, report, run_tests
from processes import LONG, Terminal, descendants, wait_until

MODEL = TINY.removesuffix(' --steps 3 --warmup-steps 1') + ' --ranks 2'
ENDLESS = f'{MODEL} --steps 1000000 --warmup-steps 1'
KEEPS = '--checkpoint c --json r.json'


def start(tmp, options):
    """When it returns, a step has been made."""
    shown = Terminal([PPSIM, *options.split()], cwd=tmp, preexec_fn=lambda: os.setpgid(0, 0))
    shown.wait_for('step ')
    return shown


def whole_job(run):
    """As a batch system does that tells every process of a job."""
    for pid in [run.pid, *descendants(run.pid)]:
        os.kill(pid, signal.SIGTERM)


def stopped_report(tmp, shown):
    """The report of a run that was stopped, where all that it says of it agrees."""
    found = json.loads((tmp / 'r.json').read_text())
    training, after = found['training'], found['training']['stopped_after']
    assert len(training['losses']) == after < found['config']['steps'], training
    assert found['steps'][-1]['step'] == after
    assert f'ppsim: stopped after step {after} of ' in shown, shown[-2000:]
    assert f', stopped after step {after}' in shown, shown[-2000:]
    return found


def test_a_stopped_run_keeps_what_it_has_done(tmp):
    ways = {
        'Ctrl-C': (signal.SIGINT, lambda run: os.killpg(run.pid, signal.SIGINT)),
        'SIGTERM': (signal.SIGTERM, lambda run: run.terminate()),
        'SIGHUP': (signal.SIGHUP, lambda run: run.send_signal(signal.SIGHUP)),
        'batch': (signal.SIGTERM, whole_job),
    }
    for way, (number, send) in ways.items():
        shown = start(tmp, f'{ENDLESS} {KEEPS} --csv r.csv --save s.safetensors')
        send(shown.run)
        status, text = shown.wait()
        assert status == -number, (way, status, text[-2000:])
        training = stopped_report(tmp, text)['training']
        after = training['stopped_after']
        assert (tmp / 'c/latest').read_text() == f'step-{after:08}\n', way
        assert "'--resume' goes on from there" in text
        assert (tmp / 'r.csv').exists() and (tmp / 's.safetensors').exists()
        # What is requeued ends as if nothing had happened.
        options = f'{MODEL} --steps {after + 2} --warmup-steps 1'
        again = report(f'{options} --checkpoint c --resume', tmp)['training']
        never = report(options, tmp)['training']
        assert again['resumed_from'] == after and again['stopped_after'] is None
        assert (again['losses'], again['digest']) == (never['losses'], never['digest']), way
        shutil.rmtree(tmp / 'c')


def test_mpirun_passes_the_wish_on(tmp):
    mpirun = [shutil.which('mpiexec.openmpi') or 'mpiexec', '--allow-run-as-root',
              '--oversubscribe', '-n', '2']
    job = subprocess.Popen([*mpirun, PPSIM, *f'{ENDLESS} {KEEPS} --checkpoint-every 1'.split()],
                           cwd=tmp, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_until((tmp / 'c/latest').exists, 'a step is made')
    job.send_signal(signal.SIGUSR1)
    text = job.communicate(timeout=LONG)[0]
    assert job.returncode == 143, (job.returncode, text[-2000:])
    after = stopped_report(tmp, text)['training']['stopped_after']
    assert (tmp / 'c/latest').read_text() == f'step-{after:08}\n'


def test_a_second_signal_ends_at_once(tmp):
    job = subprocess.Popen([PPSIM, *f'{MODEL} --microbatches 1000000 {KEEPS}'.split()], cwd=tmp,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: len([pid for pid in descendants(job.pid) if not descendants(pid)]) == 2,
               'the ranks run')
    job.terminate()
    time.sleep(1.1)  # within a second it would be the same one
    job.terminate()
    assert job.wait(LONG) == -signal.SIGTERM
    assert not (tmp / 'r.json').exists()


def test_a_run_that_is_done_was_not_stopped(tmp):
    """Told to stop when all steps are made: gnuplot, the last to work, does it."""
    (tmp / 'gnuplot').write_text('#!/bin/sh\n[ "$1" = --version ] || kill -TERM $(cat pid)\n'
                                 'exec "$GNUPLOT" "$@"\n')
    (tmp / 'gnuplot').chmod(0o755)
    gnuplot = shutil.which('gnuplot')
    if not gnuplot:
        print('left out: there is no gnuplot')
        return
    job = subprocess.Popen(['sh', '-c', 'echo $$ >pid; exec "$@"', 'sh', PPSIM, *TINY.split(),
                            '--ranks', '2', '--plot', 'a.svg', '--json', 'r.json'], cwd=tmp,
                           stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                           env={**os.environ, 'PATH': f"{tmp}:{os.environ['PATH']}",
                                'GNUPLOT': gnuplot})
    err = job.communicate(timeout=LONG)[1]
    assert (job.returncode, err) == (0, ''), err
    assert (tmp / 'a.svg').exists()
    assert json.loads((tmp / 'r.json').read_text())['training']['stopped_after'] is None


def test_what_verifies_is_stopped_too(tmp):
    steps = 3000
    shown = Terminal([PPSIM, *f'{MODEL} --steps {steps} --verify {KEEPS}'.split()], cwd=tmp)
    shown.wait_for(f'{steps}/{steps}')
    shown.run.terminate()
    status, text = shown.wait()
    assert status == -signal.SIGTERM, text[-2000:]
    assert f'ppsim: stopped after step {steps} of {steps}, before it was verified' in text
    training = json.loads((tmp / 'r.json').read_text())['training']
    assert (training['stopped_after'], training['verified']) == (steps, None)


def judge(tmp, options):
    shown = start(tmp, f'{options} --clock virtual --json r.json --format junit=v.xml')
    shown.run.terminate()
    status, text = shown.wait()
    assert status == -signal.SIGTERM, text[-2000:]
    return text, xml.fromstring((tmp / 'v.xml').read_text())[0]


def test_a_gate_judges_the_steps_that_were_measured(tmp):
    text, suite = judge(tmp, f'{MODEL} --steps 1000000 --warmup-steps 0 '
                        '--check bubble<1 --check peak_in_flight<=0 '
                        '--baseline b.json --update-baseline --history h.csv')
    found = stopped_report(tmp, text)
    assert suite.get('failures') == '1' and len(suite.findall('testcase')) == 2, text
    assert 'the run was stopped after step' in (tmp / 'v.xml').read_text()
    assert f"judged on {len(found['steps'])} step" in (tmp / 'v.xml').read_text()
    # What is not whole is nothing to hold later runs against.
    assert not (tmp / 'b.json').exists() and not (tmp / 'h.csv').exists()
    assert "'b.json' stays as it is" in text


def test_a_gate_judges_no_warm_up(tmp):
    text, suite = judge(tmp, f'{MODEL} --steps 1000000 --warmup-steps 999999 --check bubble<1')
    found = stopped_report(tmp, text)
    assert len(found['steps']) == 1
    assert suite.get('failures') == '1', text
    assert 'nothing was judged: the run was stopped after step' in text


run_tests(globals())
