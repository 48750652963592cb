#!/usr/bin/env python3
"""Does a training that is killed again and again lose a checkpointed step, or leave anything?

usage: bench/soak.py build/ppsim [KILLS] [SEED]

Trains a tiny model, KILLS (500) times killed at random moments of starting, training,
checkpointing and pruning, each time in one of these ways: SIGKILL to a rank, to mpiexec, to
ppsim itself or to all of them at once; SIGTERM to ppsim or to all of them. Each next run
goes on from the checkpoint, mostly with another schedule, rank count or --checkpoint-every.
Checked after each: that every process has ended, that the exit status is right, that no
checkpoint is lost, and after SIGTERM that no step is. In the end: that losses and parameters are
bit for bit those of a run that was never killed, and that nothing is left in the temporary
folder, in /dev/shm, beside the outputs or in the folder of checkpoints.

SEED decides which and about when; when exactly, the machine does. Where namespaces are allowed it
runs in some of its own; elsewhere /dev/shm is not looked at.
"""
import collections
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

if not 2 <= len(sys.argv) <= 4 or sys.argv[1].startswith('-') or \
        not all(argument.isdigit() for argument in sys.argv[2:]):
    sys.exit(__doc__.split('\n')[2])

# /dev/shm and the processes of others would be taken for what was left.
if 'PPSIM_SOAK_ALONE' not in os.environ:
    unshare = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc',
               *([] if os.geteuid() == 0 else ['--map-root-user']), 'sh', '-c',
               'mount -t tmpfs none /dev/shm && "$@"; exit $?', 'sh']
    try:
        may = subprocess.run([*unshare, 'true'], capture_output=True).returncode == 0
    except OSError:
        may = False
    os.environ['PPSIM_SOAK_ALONE'] = str(int(may))
    if may:
        os.execvp('unshare', [*unshare, sys.executable, *sys.argv])

PPSIM = os.path.abspath(sys.argv[1])
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 500
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(10**6)
ALONE = os.environ['PPSIM_SOAK_ALONE'] == '1'
MODEL = ('--layers 4 --d-model 16 --heads 2 --seq-len 8 --microbatch-size 2 --microbatches 4 '
         '--warmup-steps 0 --clip-norm 0.1')
LAYOUTS = ('--schedule 1f1b --ranks 2', '--schedule gpipe --ranks 3 --layer-split 2,1,1',
           '--schedule interleaved --ranks 2 --chunks 2', '--schedule zb-h1 --ranks 2',
           '--schedule sequential --ranks 1')
OUTPUTS = '--json r.json --save s.safetensors --csv r.csv'
WAYS = ('KILL a rank', 'KILL mpiexec', 'KILL ppsim', 'KILL all', 'TERM ppsim', 'TERM all')
PHASES = ('starting', 'training', 'checkpointing', 'pruning')
LONG = 300  # seconds: longer than anything takes, on any machine
MARK = f'PPSIM_SOAK=of {os.getpid()}'


def mine(pid):
    """Is it a process of this soak's? By its environment, which children inherit, since that
    finds those too whose parents have died."""
    try:
        state = pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0]
        return state != 'Z' and MARK.encode() in pathlib.Path(
            f'/proc/{pid}/environ').read_bytes().split(b'\0')
    except OSError:
        return False


def processes():
    return [int(name) for name in os.listdir('/proc') if name.isdigit() and mine(name)]


def command_of(pid):
    try:
        return pathlib.Path(f'/proc/{pid}/cmdline').read_bytes().decode().split('\0')
    except OSError:
        return ['']


def roles(job):
    """(mpiexec, ranks) of a run; None and none where they have not been started."""
    launcher, ranks = None, []
    for pid in processes():
        words = command_of(pid)
        if pid != job.pid and 'mpiexec' in os.path.basename(words[0]):
            launcher = pid
        elif pid != job.pid and words[0] == PPSIM:
            ranks.append(pid)
    return launcher, ranks


def latest(folder):
    """The step of the newest checkpoint; 0 where there is none."""
    try:
        return int((folder / 'c/latest').read_text().removeprefix('step-'))
    except FileNotFoundError:
        return 0


def phase_of(folder, reached):
    """What it does now, as far as its files tell."""
    try:
        names = os.listdir(folder / 'c')
    except FileNotFoundError:
        names = []
    if any(name.startswith('.ppsim-step-') for name in names):
        return 'pruning'
    if any(name.startswith('.ppsim-') for name in names):
        return 'checkpointing'
    return 'training' if latest(folder) > reached else 'starting'


def wait_for_moment(job, folder, reached, chance):
    """Waits until it does what has been drawn, or has had the time to. Returns what it does."""
    wanted = chance.choice(PHASES)
    steps = chance.randint(1, 3)
    end = time.monotonic() + LONG
    if wanted == 'starting':
        time.sleep(chance.uniform(0, 1.5))
        return phase_of(folder, reached)
    while latest(folder) < reached + steps:
        assert job.poll() is None, f'it ended by itself: {job.communicate()[1]}'
        assert time.monotonic() < end, 'it makes no steps'
        time.sleep(0.002)
    soon = time.monotonic() + 2
    while time.monotonic() < soon and phase_of(folder, reached) != wanted:
        pass
    time.sleep(chance.choice((0, 0, chance.uniform(0, 0.01))))
    return phase_of(folder, reached)


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def kill(job, way, chance):
    """Kills it; returns the way, which is another where there is no such process yet."""
    launcher, ranks = roles(job)
    if way == 'KILL a rank' and ranks:
        send(chance.choice(ranks), signal.SIGKILL)
    elif way == 'KILL mpiexec' and launcher:
        send(launcher, signal.SIGKILL)
    elif way == 'TERM ppsim':
        send(job.pid, signal.SIGTERM)
    elif way.endswith(' all'):
        number = signal.SIGKILL if way == 'KILL all' else signal.SIGTERM
        send(job.pid, signal.SIGSTOP)  # so that it starts no others meanwhile
        for pid in processes():
            send(pid, number)
        send(job.pid, signal.SIGCONT)
    else:
        way = 'KILL ppsim'
        send(job.pid, signal.SIGKILL)
    return way


def start(folder, options):
    (folder / 'tmp').mkdir(exist_ok=True)
    key, value = MARK.split('=')
    return subprocess.Popen(
        [PPSIM, *f'run {MODEL} {options} --quiet'.split()], cwd=folder, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env={**os.environ, key: value, 'TMPDIR': str(folder / 'tmp')},
        preexec_fn=lambda: os.setpgid(0, 0))


def wait_for_end(what):
    end = time.monotonic() + LONG
    while left := processes():
        assert time.monotonic() < end, f'{what}: still there: {[command_of(p) for p in left]}'
        time.sleep(0.01)


def expected(way, status, err, after, folder, reached):
    """Holds a run's end against how it was ended."""
    if way in ('KILL ppsim', 'KILL all'):
        assert status == -signal.SIGKILL, (way, status, err)
    elif way.startswith('KILL'):
        assert status == 4 and err, (way, status, err)
    else:
        assert status == -signal.SIGTERM, (way, status, err)
    # Told to stop after it had begun to train, it has written what it trained.
    if 'ppsim: stopped after step ' in err:
        stopped = int(err.split('ppsim: stopped after step ')[1].split()[0])
        training = json.loads((folder / 'r.json').read_text())['training']
        assert training['stopped_after'] == len(training['losses']) == stopped == after, \
            (way, stopped, after, training)
    else:
        assert not way.startswith('TERM') or after == reached, (way, reached, after, err)


def one(folder, chance, reached):
    """One run, killed. Returns (what it did, how it was killed, its newest checkpoint)."""
    options = (f'{chance.choice(LAYOUTS)} {OUTPUTS} --steps 1000000 --checkpoint c --resume '
               f'--checkpoint-every {chance.randint(1, 3)} --keep {chance.randint(1, 2)}')
    way = chance.choice(WAYS)
    job = start(folder, options)
    try:
        phase = wait_for_moment(job, folder, reached, chance)
        before = latest(folder)
        way = kill(job, way, chance)
        err = job.communicate(timeout=LONG)[1]
        wait_for_end(f'{way} while {phase}')
    except BaseException:
        for pid in processes():
            send(pid, signal.SIGKILL)
        raise
    after = latest(folder)
    assert after >= before >= reached, (way, phase, reached, before, after)
    expected(way, job.returncode, err, after, folder, reached)
    return phase, way, after


def finish(folder, options, what):
    job = start(folder, options)
    err = job.communicate(timeout=10 * LONG)[1]
    assert job.returncode == 0, f'{what}: exit {job.returncode}: {err}'
    wait_for_end(what)
    return json.loads((folder / 'r.json').read_text())['training']


def nothing_left(folder, steps):
    held = {'.': ['c', 'r.csv', 'r.json', 's.safetensors', 'tmp'],
            'c': ['latest', f'step-{steps:08}'], 'tmp': []}
    for name, there in held.items():
        found = sorted(os.listdir(folder / name))
        assert found == there, f'left in {name}: {found}'
    if ALONE:
        assert os.listdir('/dev/shm') == [], f"left in /dev/shm: {os.listdir('/dev/shm')}"


def soak(folder, chance):
    phases, ways, reached = collections.Counter(), collections.Counter(), 0
    for trial in range(KILLS):
        phase, way, reached = one(folder, chance, reached)
        phases[phase] += 1
        ways[way] += 1
        if sys.stdout.isatty():
            print(f'\r{trial + 1}/{KILLS}  step {reached}  {way} while {phase}      ', end='')
    steps = reached + 2
    killed = finish(folder, f'{OUTPUTS} --ranks 2 --steps {steps} --checkpoint c --keep 1 --resume',
                    'the last')
    nothing_left(folder, steps)
    (folder / 'whole').mkdir()
    whole = finish(folder / 'whole', f'--schedule sequential --ranks 1 --steps {steps} '
                   '--json r.json', 'that which was never killed')
    assert killed['resumed_from'] == reached or reached == 0, killed['resumed_from']
    assert killed['losses'] == whole['losses'], 'the losses differ'
    assert killed['digest'] == whole['digest'], 'the parameters differ'
    print(f"\r{KILLS} kills, seed {SEED}: none of {steps} steps that a checkpoint held was lost, "
          'nothing was left; losses and parameters are bit for bit those of a run that was never '
          'killed')
    for counter in phases, ways:
        print('  ' + ', '.join(f'{name} {count}' for name, count in sorted(counter.items())))


print(f'seed {SEED}' + ('' if ALONE else '; no namespaces: /dev/shm is not looked at'), flush=True)
with tempfile.TemporaryDirectory() as directory:
    soak(pathlib.Path(directory), random.Random(SEED))
