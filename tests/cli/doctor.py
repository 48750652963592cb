"""ppsim doctor: it finds what is made wrong, and says what to do.

usage: doctor.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import os
import shlex
import shutil
import subprocess

from common import PPSIM, another_version, ppsim, refused, run_tests

CHECKS = ['ranks', 'binding', 'cores', 'memory', 'shared memory', 'temporary folder',
          'open files', 'locked memory', 'BLAS', 'clock', 'CPU time', 'gnuplot']


def doctor(*arguments, around=(), **environment):
    """Its findings by check, once what it printed and its status agree with them."""
    done = subprocess.run([*around, PPSIM, 'doctor', *arguments, '--json', '-'], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=300,
                          env={**os.environ, **environment})
    assert done.returncode in (0, 4), done
    rows = json.loads(done.stdout)['checks']
    wrong = [row for row in rows if row['health'] == 'wrong']
    assert (done.returncode == 4) == bool(wrong), (done.returncode, wrong)
    for row in rows:
        assert (row['advice'] is None) == (row['health'] == 'ok'), row
        assert f"{row['health']:9}{row['check']}" in done.stderr, (row, done.stderr)
    assert f'{len(rows)} checks: ' in done.stderr and f', {len(wrong)} wrong' in done.stderr
    return {row['check']: row for row in rows}


def names(tmp, *programs):
    """A PATH of these alone; a value of None stands for the system's own."""
    folder = tmp / 'bin'
    folder.mkdir()
    for name in ('sh', 'timeout', 'date', *programs):
        (folder / name).symlink_to(shutil.which(name))
    return folder


def in_private_mounts(script):
    """What runs a command behind the script, where it may mount; None where it may not."""
    user = [] if os.geteuid() == 0 else ['--user', '--map-root-user']
    around = ['unshare', *user, '--mount', 'sh', '-ec', script + '\nexec "$@"', 'sh']
    return around if subprocess.run([*around, 'true'], capture_output=True).returncode == 0 \
        else None


def test_every_check_has_a_row():
    found = doctor()
    assert list(found) == CHECKS, list(found)
    assert '2 ranks' in found['ranks']['found'] or found['ranks']['health'] != 'ok'


def test_without_mpiexec_no_rank_starts(tmp):
    found = doctor(PATH=str(names(tmp)))
    assert found['ranks']['health'] == 'wrong' and "'mpiexec'" in found['ranks']['found']
    assert 'openmpi-bin' in found['ranks']['advice'], found['ranks']
    assert found['gnuplot']['health'] == 'warning', found['gnuplot']
    assert 'gnuplot-nox' in found['gnuplot']['advice'] and 'BLAS' not in found, found


def test_mpiexec_that_fails_is_told_with_its_reason(tmp):
    folder = names(tmp)
    (folder / 'mpiexec.openmpi').write_text('#!/bin/sh\necho no license today >&2\nexit 9\n')
    (folder / 'mpiexec.openmpi').chmod(0o755)
    found = doctor(PATH=str(folder))
    assert found['ranks']['health'] == 'wrong' and 'status 9' in found['ranks']['found'], found


def test_kernels_that_the_environment_chooses_are_named():
    own = doctor()['BLAS']
    assert own['health'] == 'ok', own
    kernels = own['found'].split('(')[1].split(')')[0]
    found = doctor(OPENBLAS_CORETYPE=kernels)['BLAS']
    assert found['health'] == 'warning' and f'OPENBLAS_CORETYPE={kernels}' in found['found']
    assert 'unset OPENBLAS_CORETYPE' in found['advice'], found


def test_a_temporary_folder_must_be_there():
    found = doctor(TMPDIR='/nowhere')
    for check in 'ranks', 'temporary folder':
        assert found[check]['health'] == 'wrong' and '/nowhere' in found[check]['found'], found
    assert 'TMPDIR' in found['temporary folder']['advice']


def test_a_small_shared_memory_is_found():
    around = in_private_mounts('mount -t tmpfs -o size=9m tmpfs /dev/shm')
    if not around:
        print('private mounts are not allowed: left out')
        return
    found = doctor(around=around)['shared memory']
    assert found['health'] == 'wrong' and found['found'].startswith('9 MiB free'), found
    assert '--shm-size' in found['advice'], found


def test_limits_of_a_control_group_are_found():
    around = in_private_mounts("""
        mount -t tmpfs tmpfs /sys/fs/cgroup
        mount -t tmpfs tmpfs /mnt
        echo 0::/job/step >/mnt/cgroup
        mount --bind /mnt/cgroup /proc/$$/cgroup
        mkdir -p /sys/fs/cgroup/job/step
        cd /sys/fs/cgroup/job
        echo 50000 100000 >cpu.max
        echo max >step/memory.max
        echo 300000000 >memory.max
        echo 200000000 >memory.current
        echo inactive_file 4857600 >memory.stat""")
    if not around:
        print('private mounts are not allowed: left out')
        return
    found = doctor(around=around)
    assert found['cores']['health'] == 'warning', found['cores']
    assert 'a quota of 0.5 CPUs' in found['cores']['found'], found['cores']
    assert found['memory']['health'] == 'wrong', found['memory']
    assert found['memory']['found'].startswith('100 MiB'), found['memory']


def test_few_open_files_are_found():
    found = doctor(around=['sh', '-c', 'ulimit -n 49; exec "$@"', 'sh'])['open files']
    assert found['health'] == 'wrong' and 'have 49 open' in found['found'], found


def agent(tmp, text):
    """What stands in for ssh: a script that sees the host as $1 and the command as $2."""
    path = tmp / 'agent'
    path.write_text(f'#!/bin/sh\n{text}\n')
    path.chmod(0o755)
    return {'OMPI_MCA_plm_rsh_agent': str(path)}


def test_hosts_are_asked_as_a_run_would_ask_them(tmp):
    (tmp / 'hosts').write_text('node2.invalid slots=2\nlocalhost\n')
    here = ['--hosts', str(tmp / 'hosts')]
    away = 'host node2.invalid'
    found = doctor(*here, **agent(tmp, 'echo "no route to $1" >&2; exit 255'))
    assert found['host localhost']['found'] == 'is this one', found
    assert found[away]['health'] == found['all hosts']['health'] == 'wrong', found
    assert 'no route to node2.invalid' in found[away]['found'], found[away]

    runs = 'shift; exec sh -c "$*"'
    found = doctor(*here, **agent(tmp, runs))[away]
    version, other = another_version(tmp / 'other')
    assert found['health'] == 'ok' and f'has ppsim {version}' in found['found'], found
    swap = f'shift; exec sh -c "$(echo "$*" | sed s,{shlex.quote(PPSIM)},{tmp}/%s,)"'
    found = doctor(*here, **agent(tmp, swap % 'other'))[away]
    assert found['health'] == 'wrong' and other in found['found'] and version in found['found']
    found = doctor(*here, **agent(tmp, swap % 'none'))[away]
    assert found['health'] == 'wrong' and 'no ppsim at' in found['found'], found

    late = 'date() { command date -d "+1 hour" +%s.%N; }; '
    found = doctor(*here, **agent(tmp, f"shift; exec sh -c '{late}'\"$*\""))[away]
    assert found['health'] == 'warning' and 's ahead' in found['found'], found
    assert 'NTP' in found['advice'], found


def test_what_it_does_not_take():
    refused('doctor --hosts /nowhere', "cannot open '/nowhere'")
    refused('doctor --ranks 2', "takes no '--ranks'")
    refused('doctor now', "takes no argument 'now'")
    status, out, err = ppsim('doctor', OMPI_COMM_WORLD_RANK='0', PMIX_NAMESPACE='x')
    assert status == 2 and out == '' and 'leave mpirun out' in err, (status, out, err)
    status, out, err = ppsim('doctor --quiet')
    assert status in (0, 4) and out == err == '', (status, out, err)


run_tests(globals())
