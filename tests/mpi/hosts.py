"""Ranks on two hosts: --hosts FILE. Each host is a set of namespaces, with a network and
a name of its own; a cable joins them, and what stands in for ssh enters the other one.

usage: hosts.py PPSIM     runs every test; exits 77, saying why, where that is not allowed
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'cli'))
from common import PPSIM, TINY, another_version, ppsim, report  # noqa: E402
from processes import Terminal, is_running, wait_until  # noqa: E402

HERE, THERE = '10.77.0.1', '10.77.0.2'
DELAY = 0.005  # s, each way
NAMESPACES = '--net --uts --mount --pid --fork --kill-child --mount-proc'.split()


def enter_namespaces():
    """Becomes this test again, where it may make networks."""
    user = [] if os.geteuid() == 0 else ['--user', '--map-root-user']
    unshare = ['unshare', *user, *NAMESPACES]
    if not shutil.which('ip'):
        return 'there is no ip (Debian: iproute2)'
    tried = subprocess.run([*unshare, 'ip', 'link', 'set', 'lo', 'up'],
                           capture_output=True, text=True)
    if tried.returncode != 0:
        return f'namespaces are not allowed: {tried.stderr.strip()}'
    os.environ['PPSIM_TEST_INSIDE'] = '1'
    os.execvp('unshare', [*unshare, sys.executable, *sys.argv])


class Hosts:
    """This host and another one, with a cable between."""

    def __init__(self, folder):
        self.folder = folder
        socket.sethostname('host-a')
        self.other = subprocess.Popen(
            ['unshare', '--net', '--uts', '--mount', 'sh', '-c',
             'hostname host-b && ip link set lo up && echo ready && exec sleep infinity'],
            stdout=subprocess.PIPE, text=True)
        assert self.other.stdout.readline() == 'ready\n'
        self.there = ['nsenter', '--target', str(self.other.pid), '--net', '--uts', '--mount']
        self.do('ip link set lo up')
        self.do(f'ip link add cable-a type veth peer name cable-b netns {self.other.pid}')
        self.do(f'ip addr add {HERE}/24 dev cable-a')
        self.do(f'ip addr add {THERE}/24 dev cable-b', self.there)
        self.do('ip link set cable-b up', self.there)
        self.do('ip link set cable-a up')
        agent = folder / 'agent'
        agent.write_text('#!/bin/sh\n'
                         f'[ "$1" = {THERE} ] || {{ echo "no way to $1" >&2; exit 255; }}\n'
                         f'shift\nexec {" ".join(self.there)} sh -c "$*"\n')
        agent.chmod(0o755)
        os.environ['OMPI_MCA_plm_rsh_agent'] = str(agent)

    @staticmethod
    def do(command, where=()):
        subprocess.run([*where, *command.split()], check=True)

    def delay(self):
        """Of the cable, in s; 0 where the kernel cannot delay."""
        netem = f'root netem delay {DELAY * 1e3:g}ms'.split()
        for where, cable in ((), 'cable-a'), (self.there, 'cable-b'):
            made = subprocess.run([*where, 'tc', 'qdisc', 'add', 'dev', cable, *netem],
                                  capture_output=True)
            if made.returncode != 0:
                return 0
        return DELAY

    def file(self, slots, *others):
        path = self.folder / 'hosts'
        path.write_text(f'# two hosts\n{HERE} slots={slots}\n{THERE} slots={slots}\n' +
                        ''.join(f'{other}\n' for other in others))
        return path


def test_the_digest_is_that_of_one_host(hosts):
    for ranks, schedule in (2, '1f1b'), (4, 'interleaved'):
        shape = f'--schedule {schedule} --ranks {ranks} --layers 8 --d-model 32 --steps 4'
        here = report(shape)
        there = report(f'{shape} --verify --hosts {hosts.file(ranks // 2)}')
        assert there['training']['digest'] == here['training']['digest'], there['training']
        assert there['training']['losses'] == here['training']['losses']
        assert there['training']['verified'] is True
        assert there['environment']['host'] == 'host-a'


def test_rank_0_on_the_other_host_says_how_it_ended(hosts):
    (hosts.folder / 'there').write_text(f'{THERE} slots=2\n')
    done = report(f'{TINY} --ranks 2 --hosts {hosts.folder}/there')
    assert done['environment']['host'] == 'host-b', done['environment']
    status, out, err = ppsim(f"{TINY} --ranks 2 --hosts {hosts.folder}/there "
                             "--check bubble<=0 --force")
    assert status == 1 and 'FAIL' in out, (status, out, err)


def test_measured_and_predicted_agree_over_the_link(hosts):
    """The step shown differs from its prediction by what its ops differ from their
    medians, in sum E. A makespan is the length of a path, and a path holds an op once: so
    makespan and busy time differ by at most E, and a bubble of p ranks, 1 - busy / (p
    makespan), by at most E / makespan (1 / p + busy / (p predicted makespan)), of which
    the last is at most 1."""
    delay = hosts.delay()
    print('delay of the cable', f'{delay * 1e3:g} ms' if delay else
          'none: the kernel has no netem')
    found = report(f'--ranks 2 --microbatches 6 --d-model 32 --steps 6 --clock virtual '
                   f'--hosts {hosts.file(1)}')
    assert found['link']['latency_s'] >= delay, found['link']
    medians = {(cost['stage'], cost['kind']): cost['median_s'] for cost in found['costs']}
    ops = [op for rank in found['timeline']['ops'] for op in rank]
    error = 0
    for name, start, end, *_ in ops:
        stage, kind = re.match(r'(\d+)([FBIW])', name).groups()
        error += abs(end - start - medians[int(stage), kind])
    makespan, bubble = found['makespan_s'], found['bubble']
    bound = error / makespan * (1 / 2 + 1)
    # Times in a report have 9 decimals, those of a simulation are whole ns.
    rounding = len(ops) * 4e-9 / makespan
    print(f"measured {bubble['fraction']:.4f}, predicted {bubble['predicted']:.4f}, "
          f"bound {bound:.4f}")
    assert abs(bubble['fraction'] - bubble['predicted']) <= bound + rounding, (bubble, bound)
    # It is the link that the bubble is made of, beyond theory, where it is slow.
    if delay:
        assert bubble['causes']['communication'] > 0, bubble


def test_another_version_on_a_host_is_refused_with_both(hosts):
    copy = hosts.folder / 'other'
    version, other = another_version(copy)
    hosts.do(f'mount --bind {copy} {PPSIM}', hosts.there)
    try:
        status, out, err = ppsim(f'{TINY} --ranks 2 --hosts {hosts.file(1)}')
    finally:
        hosts.do(f'umount {PPSIM}', hosts.there)
    assert status == 4 and out == '', (status, out, err)
    line, = [line for line in err.splitlines() if line.startswith('ppsim: ')]
    assert line == (f"ppsim: rank 1 on host 'host-b' runs ppsim {other}, rank 0 on 'host-a' "
                    f'runs {version}: install the same version on every host'), line


def test_a_host_out_of_reach_ends_the_run(hosts):
    hosts.file(1, '10.77.0.9 slots=1')
    status, out, err = ppsim(f'{TINY} --ranks 3 --hosts {hosts.folder}/hosts')
    assert status == 4 and 'no way to 10.77.0.9' in err, (status, out, err)


def test_the_doctor_finds_both_hosts_well(hosts):
    status, out, err = ppsim(f'doctor --json - --hosts {hosts.file(2)}')
    found = {row['check']: row for row in json.loads(out)['checks']}
    assert found[f'host {HERE}']['found'] == 'is this one', found
    assert found[f'host {THERE}']['health'] == found['all hosts']['health'] == 'ok', found
    assert 'a rank on each of 2 hosts' in found['all hosts']['found'], found


def launched():
    """Whatever runs of ppsim and Open MPI, on both hosts: nothing else has these names here."""
    found = []
    for path in pathlib.Path('/proc').glob('[0-9]*/comm'):
        try:
            name = path.read_text()
        except OSError:  # it has just ended
            continue
        if re.match('ppsim|orted|mpiexec', name) and is_running(int(path.parent.name)):
            found.append(name.strip())
    return found


def test_a_cut_link_ends_the_run_as_a_dead_rank_does(hosts):
    """TCP by itself takes 15 minutes to see it, Open MPI 8: longer than is waited here."""
    shown = Terminal([PPSIM, '--ranks', '2', '--steps', '1000000', '--warmup-steps', '999999',
                      '--d-model', '32', '--timeout', '6', '--hosts', str(hosts.file(1))])
    shown.wait_for('step ')
    assert len(launched()) == 5, launched()  # two ranks, their daemons, the parent
    hosts.do('ip link set cable-a down')
    status, text = shown.wait()
    hosts.do('ip link set cable-a up')
    said = [line for line in text.splitlines() if line.startswith('ppsim: ')]
    assert status == 4 and len(said) == 1, (status, text[-2000:])
    assert 'is lost' in said[0], said
    wait_until(lambda: not launched(), 'both hosts are empty')


def main():
    if 'PPSIM_TEST_INSIDE' not in os.environ:
        print('skipped:', enter_namespaces())
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        hosts = Hosts(pathlib.Path(folder))
        tests = {name: test for name, test in globals().items() if name.startswith('test_')}
        for name in sys.argv[2:] or tests:
            tests[name](hosts)
            print('ok  ', name, flush=True)
        hosts.other.send_signal(signal.SIGKILL)


main()
