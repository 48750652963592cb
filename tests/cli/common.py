"""What the command-line tests share.

usage of each: TESTS.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

PPSIM = os.path.abspath(sys.argv[1])
TINY = ('--layers 4 --d-model 16 --heads 2 --seq-len 8 --microbatch-size 2 --steps 3 '
        '--warmup-steps 1')
SIMULATE = 'simulate --quiet'
# The address sanitizer maps terabytes of addresses before the program begins.
SANITIZED = b'__asan_init' in pathlib.Path(PPSIM).read_bytes()
COUNTED = {'LD_PRELOAD': os.environ['COUNTED_TIME']} if os.environ.get('COUNTED_TIME') else None

# What the caller's terminal, job or user would have ppsim do is no part of a test.
for variable in list(os.environ):
    if variable.startswith(('OMPI_COMM_WORLD_', 'PMIX_', 'PMI_', 'SLURM_')) or \
            variable in ('COLUMNS', 'LINES', 'NO_COLOR', 'LC_ALL', 'LC_NUMERIC', 'LANG'):
        del os.environ[variable]
# Nor is a signal that a shell has background jobs ignore, which programs inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGCHLD:
    signal.signal(number, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, ())


def ppsim(arguments, directory=None, **environment):
    """Runs ppsim; returns (exit status, stdout, stderr)."""
    done = subprocess.run([PPSIM] + arguments.split(), cwd=directory, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=300,
                          env={**os.environ, **environment})
    return done.returncode, done.stdout, done.stderr


def refused(arguments, *words, directory=None, lines=1):
    """Bad input: status 2, nothing on stdout, one line (a schedule's
    problems: several) that says these words."""
    status, out, err = ppsim(arguments, directory)
    assert status == 2, f'{arguments}: exit {status}, not 2: {err}'
    assert out == '', f'{arguments}: printed {out!r}'
    assert err.startswith('ppsim: ') and err.count('\n') == lines, f'{arguments}: {err!r}'
    for word in words:
        assert word in err, f'{arguments}: {word!r} is not in {err!r}'


def expect(arguments, status, *words, directory=None):
    code, out, err = ppsim(arguments, directory)
    assert code == status, f'{arguments}: exit {code}, not {status}: {out}{err}'
    for word in words:
        assert word in out + err, f'{arguments}: {word!r} is not in {out}{err}'
    return out


def listed():
    """The table of 'schedules list': the cells of each schedule, by column."""
    header, *rows = expect('schedules list', 0).split('\n\n')[0].splitlines()
    names = header.split()
    cells = [dict(zip(names, re.split('  +', row.strip()))) for row in rows]
    return {row.pop('schedule'): row for row in cells}


def report(arguments, directory=None, status=0, **environment):
    code, out, err = ppsim(arguments + ' --quiet --json -', directory, **environment)
    assert code == status, f'{arguments}: exit {code}: {err}'
    return json.loads(out)


def another_version(path):
    """Makes the file a ppsim of another version; returns (this version, that one)."""
    version = ppsim('--version')[1].split()[1]
    other = '9' + version[1:]
    program = pathlib.Path(PPSIM).read_bytes()
    path.write_bytes(program.replace(version.encode() + b'\0', other.encode() + b'\0'))
    path.chmod(0o755)
    return version, other


def slower(tmp, milliseconds):
    """A baseline as if op times had been other; its config says they were not."""
    expect(f'{SIMULATE} --cost f=1,b=2 {f"--link latency={milliseconds}ms"} --json x.json',
           0, directory=tmp)
    report = json.loads((tmp / 'x.json').read_text())
    report['config']['link'] = None
    (tmp / 'base.json').write_text(json.dumps(report))


def run_tests(tests):
    """Runs the functions called test_ of a module's globals(), and exits. A parameter
    tmp is a directory of the test's own; counted is the environment under which CPU time
    is counted (counted-time.c): where there is none, the test is left out."""
    tests = {name: test for name, test in tests.items() if name.startswith('test_')}
    names = sys.argv[2:] or list(tests)
    failures = 0
    for name in names:
        code = tests[name].__code__
        takes = code.co_varnames[:code.co_argcount]
        if 'counted' in takes and not COUNTED:
            print('left out', name, flush=True)
            continue
        with tempfile.TemporaryDirectory() as directory:
            has = {'tmp': pathlib.Path(directory), 'counted': COUNTED}
            try:
                tests[name](*(has[parameter] for parameter in takes))
                print('ok  ', name, flush=True)
            except Exception as problem:  # a failure of one is no reason to skip the rest
                failures += 1
                print('FAIL', name, f'{type(problem).__name__}: {problem}', flush=True)
    sys.exit(1 if failures or not names else 0)
