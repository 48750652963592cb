#!/usr/bin/env python3
"""Memory: what cannot fit is refused before anything is started, and what is reported
is there."""
import json
import os
import re
import resource
import subprocess

from common import PPSIM, SANITIZED, SIMULATE, TINY, expect, ppsim, refused, report, run_tests

UNITS = {unit: 1000 ** i for i, unit in enumerate(('B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'))}


def number(text):
    value, unit = text.split()
    return float(value) * UNITS[unit]


def refusal(arguments, **more):
    """What the refusal says: all that is needed, the rank, what it needs, its parts,
    what there is, whose word that is, what to lower."""
    done = subprocess.run([PPSIM] + arguments.split(), capture_output=True, text=True,
                          timeout=300, **more)
    assert done.returncode == 4 and done.stdout == '', (arguments, done)
    assert done.stderr.count('\n') == 1, (arguments, done.stderr)
    found = re.fullmatch(
        r'ppsim: this does not fit into memory: the ranks on this machine need (.*), rank (\d+) '
        r'alone (.*?) \((.*?)\); there is (.*?)(?: for each)? \((.*)\): (.*)\n', done.stderr)
    assert found, (arguments, done.stderr)
    everything, rank, alone, parts, had, limit, advice = found.groups()
    parts = {part.rsplit(' ', 2)[0]: number(' '.join(part.rsplit(' ', 2)[1:]))
             for part in parts.split(', ')}
    assert abs(sum(parts.values()) - number(alone)) <= 0.005 * number(alone) * len(parts), done
    assert number(everything) >= 0.99 * number(alone)
    return number(everything), int(rank), parts, number(had), limit, advice


# Without a PATH there is no mpiexec: what says this has not tried to start it.
NOWHERE = {'env': {**os.environ, 'PATH': '/nonexistent'}}


def test_a_model_that_cannot_fit_is_refused_before_mpi():
    everything, _, parts, had, limit, advice = refusal('--d-model 1048576', **NOWHERE)
    # 8 layers of 12 C^2 parameters, times 4 bytes, and as many gradients and moments
    assert abs(everything / (8 * 12 * 2 ** 40 * 4 * 4) - 1) < 0.01
    assert parts['optimizer'] > parts['parameters'] > 0 and had < everything
    assert limit in ('MemAvailable', 'the limit of its cgroup')
    assert advice.startswith("lower '--d-model'"), advice


def test_what_to_lower_is_what_spares_most():
    _, rank, parts, *_, advice = refusal('--vocab 16777216 --d-model 65536', **NOWHERE)
    # wte and a tied head's copy on the last rank, and its gradient on its way
    assert rank in (0, 3) and abs(parts['parameters'] / (2 ** 24 * 65536 * 4) - 1) < 0.2
    assert "'--vocab'" in advice and "'--d-model'" in advice, advice
    # The attention's weights are H T^2.
    advice = refusal('--seq-len 1048576 --microbatch-size 1', **NOWHERE)[-1]
    assert advice.startswith("lower '--seq-len'"), advice
    _, _, parts, *_, advice = refusal('--microbatch-size 1048576 --d-model 256', **NOWHERE)
    assert "'--microbatch-size'" in advice and parts['activations'] > 2 * parts['optimizer'], advice


def test_the_optimizer_and_verify_count():
    wide = '--d-model 1048576'
    plain = refusal(wide)[0]
    assert abs(refusal(f'{wide} --optimizer sgd')[0] / plain - 0.5) < 0.01
    # A second model, whole, on rank 0, and a buffer for the largest tensor: 4 C^2
    everything, rank, parts, *_, advice = refusal(f'{wide} --verify')
    assert rank == 0 and abs((everything - plain) / (plain + 4 * 2 ** 40 * 4) - 1) < 0.02
    assert advice == "leave out '--verify'"
    assert 'for tensors of other ranks' in parts


def test_a_limit_of_addresses_holds_for_each_rank():
    if SANITIZED:
        return

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    # A rank of 2 layers: 24 C^2 parameters of 4 bytes and what belongs to them, 1.6 GB;
    # all four fit where there are 8 GB.
    try:
        found = refusal('--d-model 2048', preexec_fn=limit)
    except AssertionError:
        if int(re.search(r'MemAvailable: *(\d+)', open('/proc/meminfo').read())[1]) > 8 << 20:
            raise
        return
    assert found[4] in ("'ulimit -v'", 'MemAvailable', 'the limit of its cgroup')


def test_under_a_launcher_the_ranks_refuse_together():
    done = subprocess.run(['mpiexec.openmpi', '--allow-run-as-root', '--oversubscribe', '-n', '2',
                           PPSIM, '--d-model', '1048576', '--layers', '2'],
                          capture_output=True, text=True, timeout=300)
    told = [line for line in done.stderr.splitlines() if line.startswith('ppsim: ')]
    assert done.returncode == 4 and done.stdout == '', done
    assert len(told) == 1 and 'the ranks on this machine need 422 TB' in told[0], done.stderr


def test_what_is_reported_is_there():
    """Every byte of what a rank reports to hold was touched: the largest rank was at
    least as large. Bytes that are not there must never be told, since what does not fit
    is refused by the same numbers."""
    for schedule in 'gpipe', 'zb-h1':
        shape = f'{TINY} --d-model 256 --seq-len 64 --schedule {schedule} --ranks 2'
        child = subprocess.Popen([PPSIM] + f'{shape} --quiet --json -'.split(),
                                 stdout=subprocess.PIPE, text=True)
        told = json.loads(child.stdout.read())
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
        assert status == 0
        held = [rank['parameter_bytes'] + rank['peak_activation_bytes'] for rank in told['ranks']]
        assert min(held) > 4 << 20 and usage.ru_maxrss * 1024 >= max(held), (held, usage.ru_maxrss)


KNOWN = ('peak_in_flight', 'peak_memory', 'peak_activation_bytes', 'parameter_bytes',
         'gradient_bytes', 'optimizer_bytes')
DEVICE = '--device flops=1TFLOPS,bandwidth=10GB/s'


def test_a_simulation_of_the_model_holds_what_a_run_holds(tmp):
    """To the byte, where the issue asks for 5 %: both count by the same sizes, the run
    what its pools gave out."""
    model = TINY.replace(' --steps 3 --warmup-steps 1', '')
    for schedule, more in (('gpipe', ''), ('1f1b', '--untied'), ('1f1b', '--layer-split 1,3'),
                           ('interleaved', '--optimizer sgd'), ('zb-h1', ''), ('zb-h1', '--untied'),
                           ('zb-v', '--microbatches 5'), ('dualpipev', '')):
        shape = f'--schedule {schedule} --ranks 2 {model} {more}'
        run = report(f'{shape} --steps 2 --warmup-steps 1', tmp)
        (tmp / 'run.json').write_text(json.dumps(run))
        simulated = report(f'simulate {shape} {DEVICE}')
        split = more if 'split' in more else ''
        costed = report(f'simulate --schedule {schedule} --ranks 2 --costs run.json {split} '
                        f'--microbatches {run["config"]["microbatches"]}', tmp)
        for of_run, of_device, of_costs in zip(run['ranks'], simulated['ranks'], costed['ranks']):
            for key in KNOWN:
                assert of_run[key] == of_device[key] == of_costs[key], \
                    (schedule, more, key, of_run[key], of_device[key], of_costs[key])
            assert of_run['gradient_bytes'] == of_run['parameter_bytes'] > 0
            moments = 0 if 'sgd' in more else 2
            assert of_run['optimizer_bytes'] == moments * of_run['parameter_bytes']


def test_what_is_held_between_the_halves_of_a_backward_counts():
    """zb-h1's last rank (2401.10241, figure 3) runs F I F I F I F before its first W: one
    microbatch after F and three between I and W."""
    for memory, peaks in (('f=10,w=4', [40, 34, 28, 22]), ('f=10,w=0', [40, 30, 20, 10]),
                          ('f=10', [40] * 4), ('f=1,w=.5', [4, 3.5, 3, 2.5]),
                          ('f=1GiB,w=512MiB', [4 << 30, 7 << 29, 3 << 30, 5 << 29])):
        found = report(f'simulate --schedule zb-h1 --memory {memory}')['ranks']
        assert [rank['peak_memory'] for rank in found] == peaks, (memory, found)
        assert [rank['peak_in_flight'] for rank in found] == [4] * 4
        assert found[0]['peak_activation_bytes'] is None
    # A rank's stages share it: of 11 chunks at the peak half.
    found = report('simulate --schedule interleaved --memory f=3')['ranks']
    assert [rank['peak_memory'] for rank in found] == [16.5, 13.5, 10.5, 7.5]
    refused('simulate --memory f=1,w=1B', 'both bytes')
    refused('simulate --memory w=1GB', 'lacks f')
    refused('simulate --memory f=1,g=1', "no key named 'g'")
    refused('simulate --memory f=', 'a number is missing')


def test_memory_is_judged_like_other_figures(tmp):
    held = f'{SIMULATE} --schedule zb-h1 --memory f=1GiB,w=512MiB'
    expect(f'{held} --check peak_memory<=4GiB --check peak_memory[3]<=2.5GiB', 0, 'pass')
    expect(f'{held} --check peak_memory[3]<=2GiB', 1, 'peak_memory[3] is 2684354560')
    expect(f'{held} --json base.json', 0, directory=tmp)
    again = f'{SIMULATE} --memory f=1GiB,w=512MiB --microbatches 8 --baseline base.json'
    expect(f'{again} --schedule zb-h1 --tolerance peak_memory=0', 0, 'baseline peak_memory',
           directory=tmp)
    rewritten = json.loads((tmp / 'base.json').read_text())
    rewritten['ranks'][1]['peak_memory'] -= 1
    (tmp / 'base.json').write_text(json.dumps(rewritten))
    expect(f'{again} --schedule zb-h1 --tolerance peak_memory=0', 1,
           'FAIL  baseline peak_memory: peak_memory[1] is ', directory=tmp)
    expect(f'{again} --schedule zb-h1 --tolerance peak_memory[1]=1B', 0, directory=tmp)
    # Of activations, in bytes of the model; made-up costs have none.
    expect(f'{SIMULATE} {DEVICE} --check peak_activation_bytes<=1GiB', 0, 'pass')
    expect(f'{SIMULATE} --check peak_activation_bytes<=1GiB', 1, '--device')
    out = ppsim('sweep --quiet --schedule gpipe,1f1b,zb-h1 --memory f=1,w=.25:1:x2 --csv - '
                '--where peak_memory[3]<=2')[1].splitlines()
    kept = [line.split(',')[0] for line in out if not line.startswith('schedule,')]
    assert kept == ['1f1b'] * 3 + ['zb-h1'], out


def test_little_fits_everywhere():
    assert ppsim(f'{TINY} --ranks 2 --quiet')[0] == 0


run_tests(globals())
