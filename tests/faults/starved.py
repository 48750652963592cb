"""A command is run once for each place in ppsim that asks for memory, and each time one
of them gets none (failing-allocation.c).

It then ends with status 4 and a line that says so; or does what it does else, where it
can do without (a buffer of the C library, a second try). Nothing that it had is left
unfreed, no file is half written, and no temporary one stays.
"""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'cli'))
from common import PPSIM  # noqa: E402

LIBRARY = os.environ['FAILING_ALLOCATION']


class Ended:
    """What became of a run in which the n-th allocation failed; 0: none did."""

    def __init__(self, arguments, inputs, scratch, n, process):
        folder, log = scratch / str(n), scratch / f'log-{n}'
        shutil.copytree(inputs, folder / 'files')
        (folder / 'tmp').mkdir()
        environment = {**os.environ, 'LD_PRELOAD': LIBRARY, 'TMPDIR': str(folder / 'tmp'),
                       'FAIL_ALLOCATION': str(n), 'FAIL_ALLOCATION_LOG': str(log)}
        if process is not None:
            environment['FAIL_ALLOCATION_IN'] = str(process)
        done = subprocess.run([PPSIM] + arguments.split(), cwd=folder / 'files',
                              env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=300)
        self.status = done.returncode
        self.out, self.err = (text.decode(errors='replace') for text in (done.stdout, done.stderr))
        self.files = read_files(folder / 'files')
        self.temporary = sorted(read_files(folder / 'tmp'))
        lines = [line.split() for line in log.read_text().splitlines()]
        self.made = [line for line in lines if line[0] not in ('live', 'failed')]
        self.failed = [line for line in lines if line[0] == 'failed']
        self.unfreed = [line[1] for line in lines if line[0] == 'live']
        shutil.rmtree(folder)


def read_files(folder):
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob('*') if path.is_file()}


def where(site):
    """The function and the line, as far as the program was built to tell."""
    try:
        told = subprocess.run(['addr2line', '-fse', PPSIM, site], text=True,
                              capture_output=True).stdout
    except OSError:
        return site
    return ' '.join(told.split())


def same(files, whole, may_differ):
    """Are the files those of a run with memory, but for what times make differ?"""
    return files.keys() == whole.keys() and all(
        files[name] == whole[name] or name.endswith(may_differ) for name in files)


def problem(ended, whole, inputs, may_differ):
    """What is wrong with how it ended; None: nothing."""
    if not ended.failed:
        return 'did not get there'
    # What lives to the end (the environment, a stream's buffer) may come from elsewhere.
    if len(ended.unfreed) > len(whole.unfreed):
        more = [site for site in set(ended.unfreed)
                if ended.unfreed.count(site) > whole.unfreed.count(site)]
        return 'leaks what was allocated in ' + ', '.join(map(where, more))
    if ended.temporary:
        return f'leaves {ended.temporary}'
    if ended.status == whole.status:
        lost = not same(ended.files, whole.files, may_differ) or \
            (not may_differ and (ended.out, ended.err) != (whole.out, whole.err))
        return 'goes on, but with other output' if lost else None
    if ended.status != 4:
        return f'exit {ended.status}: {ended.err}'
    if ended.err.count('\n') != 1 or not ended.err.startswith('ppsim: '):
        return f'does not say it in one line: {ended.err}'
    partial = [name for name, content in ended.files.items()
               if content != inputs.get(name) and content != whole.files.get(name) and
               not name.endswith(may_differ)]
    return f'leaves half of {partial}' if partial else None


def starve(arguments, make_inputs=None, process=None, may_differ=(), done=None, jobs=2,
           every=1):
    """Lets each way fail once in which a site is reached; or, where they are many, each
    site that is not among those done, to which it is added. process: the rank where; None:
    the program itself. may_differ: the ends of the names of files that differ from run to
    run, or hold a verdict, which an error is as well. every: only every n-th of them."""
    with tempfile.TemporaryDirectory() as directory:
        scratch = pathlib.Path(directory)
        (scratch / 'inputs').mkdir()
        if make_inputs:
            make_inputs(scratch / 'inputs')
        inputs = read_files(scratch / 'inputs')

        def run(n):
            return n, Ended(arguments, scratch / 'inputs', scratch, n, process)

        whole = run(0)[1]
        assert whole.made, f'{arguments}: asked for no memory'
        assert whole.status in (0, 1, 2), f'{arguments}: exit {whole.status}: {whole.err}'
        first = {}
        for n, site, path in whole.made:
            if done is None or site not in done:
                first.setdefault(path if done is None else site, int(n))
        if done is not None:
            done.update(first)
        # A fork counts on from where its parent is: two sites may have one number.
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            ends = list(pool.map(run, sorted(set(first.values()))[::every]))
        wrong = [f'allocation {n}, in {where(ended.failed[0][2]) if ended.failed else "?"}: {text}'
                 for n, ended in ends
                 if (text := problem(ended, whole, inputs, may_differ))]
        assert not wrong, f'{arguments}:\n' + '\n'.join(wrong)
