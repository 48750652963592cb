"""Checkpoints: a run that goes on from one is the run that never stopped.

usage: checkpoint.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import math
import os
import random
import resource
import shutil
import signal
import struct
import subprocess

from common import PPSIM, expect, ppsim, refused, report, run_tests
from processes import LONG, descendants, is_running, wait_until

MODEL = ('--layers 5 --d-model 16 --heads 2 --seq-len 8 --microbatch-size 2 '
         '--warmup-steps 1 --clip-norm 0.1')
LAYOUTS = ('--schedule 1f1b --ranks 4 --clock virtual',
           '--schedule interleaved --ranks 2 --chunks 2 --layer-split 2,1,1,1',
           '--schedule sequential --ranks 1',
           '--schedule zb-h1 --ranks 3 --layer-split 1,1,3')


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def latest(folder):
    """The step of the newest checkpoint; 0 where there is none."""
    pointer = folder / 'latest'
    return int(pointer.read_text().removeprefix('step-')) if pointer.exists() else 0


def test_another_layout_goes_on_bit_for_bit(tmp):
    (tmp / 'text').write_bytes(bytes(range(256)) * 4)
    report(f'{MODEL} --steps 2 --save start.safetensors', tmp)
    for options in ('--optimizer adamw --load start.safetensors',
                    '--optimizer sgd --lr 0.1 --untied --data text'):
        options = f'{MODEL} {options}'
        whole = report(f'{options} --steps 8', tmp)['training']
        assert whole['resumed_from'] is None
        for stop, layout in zip((2, 4, 6, 8), LAYOUTS):
            # The first finds no folder, and starts.
            part = report(f'{options} {layout} --steps {stop} --checkpoint c --resume '
                          '--verify', tmp)
            losses = part['training']['losses']
            assert losses == whole['losses'][:stop], (layout, losses, whole['losses'])
            assert part['training']['resumed_from'] == (stop - 2 or None)
            assert part['training']['verified'] is True
            # One of the two steps is a warm-up step.
            assert [step['step'] for step in part['steps']] == [stop], part['steps']
        assert part['training']['digest'] == whole['digest'], options
        shutil.rmtree(tmp / 'c')


def test_the_last_step_is_measured_whatever_the_warm_up(tmp):
    report(f'{MODEL} --steps 4 --checkpoint c', tmp)
    part = report(f'{MODEL} --steps 6 --warmup-steps 5 --checkpoint c --resume', tmp)
    assert [step['step'] for step in part['steps']] == [6], part['steps']
    assert 'resumed from step 6' in expect(f'{MODEL} --steps 7 --checkpoint c --resume', 0,
                                           directory=tmp)


def test_the_newest_are_kept_and_nothing_else(tmp):
    folder = tmp / 'c'
    folder.mkdir()  # an empty one starts, as a missing one does
    run = f'{MODEL} --ranks 2 --checkpoint c --checkpoint-every 2 --resume'
    report(f'{run} --steps 7 --keep 3', tmp)
    assert names(folder) == ['latest', 'step-00000004', 'step-00000006', 'step-00000007']
    assert latest(folder) == 7
    # What killed runs leave: a folder half written, one half removed, one whole but not
    # yet pointed at.
    (folder / '.ppsim-a1B2c3').mkdir()
    (folder / '.ppsim-a1B2c3/rank-00000.safetensors').write_text('half')
    (folder / '.ppsim-step-00000002').mkdir()
    shutil.copytree(folder / 'step-00000007', folder / 'step-00000009')
    report(f'{run} --steps 9', tmp)
    assert names(folder) == ['latest', 'step-00000008', 'step-00000009']
    assert json.loads((folder / 'step-00000009/checkpoint.json').read_text())['step'] == 9
    # --verify begins where the run did, though newer ones have pushed that out.
    again = report(f'{run} --steps 14 --keep 1 --verify', tmp)
    assert again['training']['verified'] is True
    assert names(folder) == ['latest', 'step-00000014']
    # A run that was killed before 'latest' was there.
    (folder / 'latest').unlink()
    assert report(f'{run} --steps 15', tmp)['training']['resumed_from'] == 14


def test_options_that_would_change_the_numbers_are_refused(tmp):
    (tmp / 'text').write_bytes(bytes(range(256)))
    (tmp / 'other').write_bytes(bytes(range(255, -1, -1)))
    report(f'{MODEL} --steps 2 --save start.safetensors', tmp)
    run = f'{MODEL} --data text --load start.safetensors --checkpoint c'
    report(f'{run} --steps 2', tmp)
    before = names(tmp / 'c')
    for option, there, here in (
            ('--lr 0.01', '0.003', '0.01'), ('--optimizer sgd', "'adamw'", "'sgd'"),
            ('--weight-decay 0', '0.01', '0.0'), ('--clip-norm 2', '0.1', '2.0'),
            ('--seed 2', '1', '2'), ('--microbatches 4', '8', '4'),
            ('--microbatch-size 1', '2', '1'), ('--heads 4', '2', '4'),
            ('--seq-len 7', '8', '7'), ('--threads 2 --clock wall', '1', '2'),
            ('--vocab 512', '256', '512'), ('--untied', 'false', 'true')):
        name = option.split()[0]
        command = f'{MODEL} --data text --steps 4 --checkpoint c --resume {option}'
        refused(command, f"'{name}' is {there} in the checkpoint, {here} here",
                directory=tmp)
    refused(f'{MODEL} --steps 4 --checkpoint c --resume',
            "'--data' is 256 bytes", 'not given here', directory=tmp)
    refused(f'{MODEL} --steps 4 --data other --checkpoint c --resume',
            "'--data' is 256 bytes", directory=tmp)
    shutil.copy(tmp / 'start.safetensors', tmp / 'b.safetensors')
    refused(f'{MODEL} --steps 4 --data text --load b.safetensors --checkpoint c --resume',
            "'--load' is 'start.safetensors' in the checkpoint, 'b.safetensors' here",
            directory=tmp)
    refused(f'{MODEL} --steps 4 --data text --lr 1 --seed 2 --checkpoint c --resume',
            '--lr', '--seed', directory=tmp, lines=2)
    refused(f'{run} --steps 2 --resume', 'of step 2', "'--steps' 2", directory=tmp)
    refused(f'{run} --steps 4', "'--resume'", 'step 2', directory=tmp)
    refused('--resume', "'--resume' needs '--checkpoint'")
    refused('--keep 1', "needs '--checkpoint'")
    refused('--checkpoint-every 1', "needs '--checkpoint'")
    refused(f'{run} --checkpoint text --steps 4', 'text', directory=tmp)
    assert names(tmp / 'c') == before and latest(tmp / 'c') == 2
    # The same file of another name, and what training began from need not be given.
    shutil.move(tmp / 'text', tmp / 'moved')
    os.unlink(tmp / 'start.safetensors')
    report(f'{MODEL} --data moved --steps 4 --checkpoint c --resume', tmp)


def damage(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def again_with(command, option):
    """The command with another value of an option, which may be given once."""
    name = option.split()[0]
    words = command.split()
    if name in words:
        at = words.index(name)
        del words[at:at + 2]
    return ' '.join([*words, option])


def test_other_copies_of_the_weights_are_refused(tmp):
    whole = report(f'{MODEL} --schedule dualpipe --steps 4', tmp)['training']
    report(f'{MODEL} --schedule dualpipe --steps 2 --checkpoint c', tmp)
    refused(f'{MODEL} --schedule 1f1b --steps 4 --checkpoint c --resume',
            "2 copies of the weights, '--schedule' has 1", directory=tmp)
    part = report(f'{MODEL} --schedule chimera --steps 4 --checkpoint c --resume --verify', tmp)
    assert part['training']['verified'] is True
    assert part['training']['digest'] == whole['digest']
    report(f'{MODEL} --schedule 1f1b --steps 2 --checkpoint d', tmp)
    refused(f'{MODEL} --schedule dualpipe --steps 4 --checkpoint d --resume',
            "1 copy of the weights, '--schedule' has 2", directory=tmp)


def test_rates_and_held_out_losses_go_on(tmp):
    (tmp / 'text').write_bytes(bytes(range(256)))
    (tmp / 'other').write_bytes(bytes(range(255, -1, -1)))
    run = (f'{MODEL} --lr-schedule cosine --lr-warmup 2 --lr-min 1e-4 --eval-every 3 '
           '--eval-data text')
    whole = report(f'{run} --steps 8', tmp)['training']
    part = f'{run} --checkpoint c --lr-decay-steps 8'
    report(f'{part} --ranks 2 --steps 3', tmp)
    report(f'{part} --schedule zb-h1 --steps 5 --resume', tmp)
    last = report(f'{part} --steps 8 --resume --verify', tmp)['training']
    for key in 'losses', 'lr', 'evaluations', 'digest':
        assert last[key] == whole[key], key
    assert [e['step'] for e in last['evaluations']] == [3, 6] and last['verified'] is True
    shutil.rmtree(tmp / 'c')
    # The end of a cosine is that of '--steps', unless it is given.
    report(f'{run} --checkpoint c --steps 4', tmp)
    refused(f'{run} --checkpoint c --resume --steps 8', "'--lr-decay-steps' is 4 in the "
            'checkpoint, 8 here', "'--lr-decay-steps' 4 goes on", directory=tmp, lines=2)
    on = f'{run} --checkpoint c --resume --steps 8 --lr-decay-steps 4'
    for option, there, here in (
            ('--lr 0.01', '0.003', '0.01'), ('--lr-warmup 1', '2', '1'),
            ('--lr-min 0', '0.0001', '0.0'), ('--lr-decay-steps 5', '4', '5'),
            ('--eval-every 2', '3', '2'), ('--eval-microbatches 2', '8', '2')):
        name = option.split()[0]
        refused(again_with(on, option),
                f"'{name}' is {there} in the checkpoint, {here} here", directory=tmp)
    refused(again_with(on, '--eval-data other'), "'--eval-data' is 256 bytes", directory=tmp)
    refused(on.replace('--lr-schedule cosine', '').replace('--lr-min 1e-4', '')
            .replace('--lr-decay-steps 4', ''), "'--lr-schedule' is 'cosine' in the checkpoint, "
            "'constant' here", directory=tmp, lines=3)
    again = report(on, tmp)['training']
    assert again['lr'][4:] == [1e-4] * 4


def test_another_machine_is_said(tmp):
    first = report(f'{MODEL} --ranks 2 --steps 2 --checkpoint c', tmp)
    machine = json.loads((tmp / 'c/step-00000002/checkpoint.json').read_text())['machine']
    assert machine['blas'] == first['environment']['blas'], machine
    status, _, err = ppsim(f'{MODEL} --ranks 2 --steps 3 --checkpoint c --resume --quiet', tmp)
    assert status == 0 and 'warning' not in err, err
    # Kernels that every x86 CPU has; elsewhere the variable is for other names.
    status, _, err = ppsim(f'{MODEL} --ranks 2 --steps 4 --checkpoint c --resume --quiet', tmp,
                           OPENBLAS_CORETYPE='Prescott')
    here = report(f'{MODEL} --ranks 1 --schedule sequential', tmp,
                  OPENBLAS_CORETYPE='Prescott')['environment']['blas']
    warned = (f"ppsim: warning: the checkpoint was made with {machine['blas']}, here it is {here}: "
              'what is trained from here on may round differently\n')
    assert status == 0 and err == (warned if here != machine['blas'] else ''), err


def test_what_is_damaged_is_refused_and_the_newest_good_one_named(tmp):
    folder, newest = tmp / 'c', tmp / 'c/step-00000006'
    run = f'{MODEL} --ranks 2 --checkpoint c --checkpoint-every 2 --keep 3'
    whole = report(f'{run} --steps 8', tmp)['training']
    shutil.rmtree(folder / 'step-00000008')
    (folder / 'latest').write_text('step-00000006\n')
    shutil.copytree(folder, tmp / 'good')
    shard, text = newest / 'rank-00001.safetensors', newest / 'checkpoint.json'

    def other_schema():
        text.write_text(text.read_text().replace('ppsim.checkpoint/1', 'ppsim.checkpoint/9'))

    for how, said in (
            (lambda: damage(shard, -1), 'rank-00001.safetensors'),
            (lambda: shard.write_bytes(shard.read_bytes()[:-1]), 'rank-00001.safetensors'),
            (lambda: shard.unlink(), 'rank-00001.safetensors'),
            (lambda: text.write_text(text.read_text().replace('"lr": 0.003', '"lr": 0.007')),
             'checkpoint.json'),
            (lambda: text.write_text(text.read_text()[:200]), 'checkpoint.json'),
            (lambda: text.write_text('[]'), 'checkpoint.json'),
            (lambda: text.unlink(), 'checkpoint.json'),
            (other_schema, 'ppsim.checkpoint/9'),
            (lambda: shutil.rmtree(newest), 'step-00000006'),
            (lambda: newest.rename(folder / 'step-00000007') and
             (folder / 'latest').write_text('step-00000007\n'), 'holds step 6')):
        how()
        refused(f'{run} --steps 8 --resume', said, "'c/step-00000004'", "'c/latest'",
                directory=tmp, lines=2)
        # As it was told to.
        assert (folder / 'step-00000004').exists()
        (folder / 'latest').write_text('step-00000004\n')
        again = report(f'{run} --steps 8 --resume', tmp)['training']
        assert again['resumed_from'] == 4 and again['digest'] == whole['digest']
        shutil.rmtree(folder)
        shutil.copytree(tmp / 'good', folder)

    for words in '../step-00000004', 'step-4', '', 'step-00000000':
        (folder / 'latest').write_text(words)
        refused(f'{run} --steps 8 --resume', "'c/latest'", "'c/step-00000006'",
                directory=tmp, lines=2)
    for step in '04', '06':
        (folder / f'step-000000{step}/checkpoint.json').unlink()
    (folder / 'latest').write_text('step-00000006\n')
    refused(f'{run} --steps 8 --resume', 'no other checkpoint', directory=tmp, lines=2)


def start(tmp, options):
    return subprocess.Popen([PPSIM, *options.split()], cwd=tmp, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def kill_all(run):
    """Parent, mpiexec and ranks, at one moment: the parent cannot start others."""
    os.kill(run.pid, signal.SIGSTOP)
    processes = [run.pid, *descendants(run.pid)]
    for pid in reversed(processes):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    run.communicate()
    wait_until(lambda: not any(map(is_running, processes)), 'all processes have ended')


def test_kills_lose_no_checkpointed_step(tmp):
    """Each step writes a checkpoint and removes one, which takes far longer than the step
    itself: that is where most kills hit. When they hit depends on the machine; what must
    hold, holds at any moment."""
    chance, folder, steps = random.Random(1), tmp / 'c', 100000
    run = f'{MODEL} --ranks 2 --checkpoint c --checkpoint-every 1 --keep 1 --resume --quiet'
    reached = 0
    for _ in range(6):
        job = start(tmp, f'{run} --steps {steps}')
        goal = reached + chance.randint(1, 4)
        wait_until(lambda: latest(folder) >= goal or job.poll() is not None, 'steps are done')
        assert job.poll() is None, job.communicate()[1]
        wait_until(lambda: chance.random() < 0.3, 'a while has passed')
        kill_all(job)
        assert latest(folder) >= goal
        reached = latest(folder)
    whole = report(f'{MODEL} --ranks 1 --steps {reached + 2}', tmp)['training']
    again = report(f'{run} --steps {reached + 2}', tmp)['training']
    assert again['resumed_from'] == reached
    assert (again['losses'], again['digest']) == (whole['losses'], whole['digest'])
    assert names(folder) == ['latest', f'step-{reached + 2:08}']


def test_a_folder_has_one_writer(tmp):
    first = start(tmp, f'{MODEL} --ranks 2 --steps 100000 --checkpoint c '
                       '--checkpoint-every 1 --quiet')
    wait_until(lambda: latest(tmp / 'c') > 0, 'it writes')
    refused(f'{MODEL} --ranks 2 --steps 100000 --checkpoint c --resume', 'another run', "'c'",
            directory=tmp)
    kill_all(first)


def test_a_folder_that_vanishes_ends_the_run(tmp):
    job = start(tmp, f'{MODEL} --ranks 2 --steps 100000 --checkpoint c '
                     '--checkpoint-every 1 --quiet')
    wait_until(lambda: latest(tmp / 'c') > 0, 'it writes')
    (tmp / 'c').rename(tmp / 'gone')
    err = job.communicate(timeout=LONG)[1]
    assert job.returncode == 4 and "'c" in err and 'Traceback' not in err, err
    assert not (tmp / 'c').exists()
    (tmp / 'gone').rename(tmp / 'c')
    reached = latest(tmp / 'c')
    again = report(f'{MODEL} --ranks 2 --steps {reached + 1} --checkpoint c --resume', tmp)
    assert again['training']['resumed_from'] == reached > 0


def test_a_full_disk_leaves_the_older_ones(tmp):
    """A limit on files stands in for the disk: the shard is larger than all else."""
    big = MODEL.replace('--d-model 16', '--d-model 256') + \
        ' --vocab 8192 --schedule sequential --ranks 1 --microbatches 1'
    report(f'{big} --steps 2 --checkpoint c', tmp)
    assert (tmp / 'c/step-00000002/rank-00000.safetensors').stat().st_size > 48 << 20

    def limit():  # more than Open MPI needs
        resource.setrlimit(resource.RLIMIT_FSIZE, (48 << 20, 48 << 20))

    done = subprocess.run([PPSIM, *f'{big} --steps 3 --checkpoint c --resume --quiet'.split()],
                          cwd=tmp, preexec_fn=limit, text=True, capture_output=True)
    assert done.returncode == 4, done.stderr
    assert 'rank-00000.safetensors' in done.stderr and 'File too large' in done.stderr, \
        done.stderr
    assert names(tmp / 'c') == ['latest', 'step-00000002'], names(tmp / 'c')
    assert report(f'{big} --steps 3 --checkpoint c --resume', tmp)['training'][
        'resumed_from'] == 2


def test_gradients_are_those_of_the_first_step_that_is_trained(tmp):
    report(f'{MODEL} --steps 4 --checkpoint c --save-grads first.safetensors', tmp)
    shutil.copytree(tmp / 'c', tmp / 'd')
    report(f'{MODEL} --steps 5 --checkpoint c --resume --save-grads a.safetensors', tmp)
    report(f'{MODEL} --steps 5 --checkpoint d --resume --save-grads b.safetensors '
           '--schedule gpipe --ranks 2', tmp)
    first, a, b = ((tmp / f'{name}.safetensors').read_bytes() for name in ('first', 'a', 'b'))
    assert a == b != first


def test_wrong_numbers_reach_no_checkpoint(tmp):
    status, _, err = ppsim(f'{MODEL} --steps 4 --lr 1e6 --weight-decay 1e6 --optimizer sgd '
                           '--clip-norm 0 --checkpoint c --checkpoint-every 1 --quiet', tmp)
    assert status == 3, (status, err)
    for shard in (tmp / 'c').glob('step-*/*.safetensors'):
        data = shard.read_bytes()
        start = 8 + struct.unpack('<Q', data[:8])[0]
        values = struct.unpack(f'<{(len(data) - start) // 4}f', data[start:])
        assert all(map(math.isfinite, values)), shard


run_tests(globals())
