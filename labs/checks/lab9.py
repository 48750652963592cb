"""Lab 9: a schedule in C, examined by its properties."""
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile
from types import SimpleNamespace

from lab import ROOT, BadInput

TITLE = 'a schedule in C'
PROPERTIES = {
    'refuses': (2, '.needs refuses fewer microbatches than ranks, and nothing else'),
    'valid': (4, 'every other shape up to 8 ranks and 24 microbatches is a valid schedule'),
    'order': (4, 'the warm-up is as long as your shape says, then F and B take turns'),
    'theory': (4, 'the closed form is the bubble of the simulation'),
}
SECONDS, BYTES = 3, 1 << 30  # that the examination may take


def shape(lab):
    slope = lab.draw('slope', 1, 2)
    return SimpleNamespace(slope=slope, more=lab.draw('more', 1, 3), p=lab.draw('p', 4, 6),
                           m=lab.draw('m', 20, 30), f=lab.draw('f', 11, 29) / 10,
                           b=lab.draw('b', 31, 59) / 10)


def rule(s):
    return f'{"" if s.slope == 1 else f"{s.slope} "}(p - 1 - rank) + {s.more}'


def options(s):
    return [f'the warm-up of a rank has {rule(s)} forwards, at most m; then as 1f1b',
            'fewer microbatches than ranks are refused',
            f'for the answers: {s.p} ranks, {s.m} microbatches, F {s.f} ms, B {s.b} ms']


def questions(s):
    return {'held': 'the most microbatches that rank 0 holds at once',
            'makespan': 'the makespan, in ms',
            'rank_last': 'the most microbatches that the last rank holds at once'}


def files(s):
    return {'mine.c': 'the schedule: it defines const struct pp_scheduler pp_mine'}


def check(lab):
    s = lab.s
    order = '\n'.join(','.join(row(s, r)) for r in range(s.p)) + '\n'
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, 'rule.csv')
        path.write_text(order)
        found = lab.simulate(['--schedule', str(path), '--cost', f'f={s.f},b={s.b}'])
    held = [rank['peak_in_flight'] for rank in found['ranks']]
    lab.number('held', held[0], 2, 'its warm-up, and one more before the first backward', within=0,
               mistakes=[(held[0] - 1, 'the first F of the steady state comes before its B: one '
                          'more'), (s.p, 'that is 1f1b')])
    lab.number('makespan', 1e3 * found['makespan_s'], 2, 'a longer warm-up moves forwards to where '
               'a rank would wait, not away from the ramps', mistakes=[
                   (s.m * (s.f + s.b), 'add the ramps')])
    lab.number('rank_last', held[-1], 2, 'put rank = p - 1 into the rule', within=0,
               mistakes=[(1, 'that is 1f1b'), (s.more, 'one more: F comes before B')])
    examine(lab)


def row(s, r):
    """The rule as a row of a CSV file."""
    w = min(s.slope * (s.p - 1 - r) + s.more, s.m)
    ops = [f'{r}F{i}' for i in range(w)]
    for i in range(w, s.m):
        ops += [f'{r}F{i}', f'{r}B{i - w}']
    return ops + [f'{r}B{i}' for i in range(s.m - w, s.m)]


def build_folder(lab):
    folder = pathlib.Path(lab.program).resolve().parent
    if not (folder / 'labs/exam').exists():
        raise BadInput(f"lab 9 needs the folder in which ppsim was built, and '{folder}' has no "
                       "labs/exam: './bootstrap', or --ppsim build/ppsim")
    return folder


def limited():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limited_in_memory():
    limited()
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))


def examine(lab):
    build = build_folder(lab)
    lab.part(14)
    if not lab.has('mine.c'):
        return
    with tempfile.TemporaryDirectory() as folder:
        module = f'{folder}/mine.so'
        compiler = os.environ.get('CC') or next(filter(shutil.which, ('cc', 'gcc', 'clang')), None)
        if not compiler or not shutil.which(compiler.split()[0]):
            raise BadInput('lab 9 needs a C compiler: install gcc, or name one in CC')
        done = subprocess.run(
            [*compiler.split(), '-std=c11', '-D_GNU_SOURCE', '-O1', '-Wall', '-shared', '-fPIC',
             f'-I{ROOT}', f'-I{ROOT}/src', f'-I{build}', f'-I{build}/src', '-o', module,
             str(lab.directory / 'mine.c')], text=True, capture_output=True)
        errors = [line for line in done.stderr.splitlines() if 'error' in line] or ['']
        if done.returncode != 0:
            lab.lost('mine.c compiles', f'the compiler says: {errors[0]}')
            return
        sanitized = b'__asan_init' in (build / 'labs/exam').read_bytes()
        done = subprocess.run([build / 'labs/exam', module, str(lab.s.slope), str(lab.s.more)],
                              text=True, capture_output=True,
                              preexec_fn=limited if sanitized else limited_in_memory)
    if done.returncode == 2:
        lab.lost('mine.c defines a schedule', done.stderr.strip())
        return
    verdicts = dict(line.split('\t', 1) for line in done.stdout.splitlines() if '\t' in line)
    for name, (points, what) in PROPERTIES.items():
        verdict, _, detail = verdicts.get(name, 'not reached\t').partition('\t')
        if done.returncode != 0 and verdict not in ('ok', 'fail'):
            detail = 'it crashed, or did not end: look at the loops' if name in verdicts else \
                'the property before ended the examination'
        lab.test(what, verdict == 'ok', points, detail)
