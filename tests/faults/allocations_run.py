"""Memory runs out anywhere in a rank, or in the process that started the ranks."""
import subprocess

from starved import PPSIM, starve
from common import run_tests  # found through starved

TINY = ('run --layers 2 --d-model 8 --heads 1 --seq-len 4 --microbatch-size 1 --vocab 16 '
        '--microbatches 2 --clock virtual --quiet --warmup-steps 1')
TIMES = ('.json', '.csv')  # these files hold times
JOBS = 8  # a run mostly waits for processes to start and to end


def after(command):
    def make(folder):
        subprocess.run([PPSIM] + command.split(), cwd=folder, check=True)
    return make


DONE = {}  # by process: the sites that another test has seen


def starve_rank(arguments, rank, make_inputs=None, every=1):
    starve(arguments, make_inputs, rank, may_differ=TIMES, done=DONE.setdefault(rank, set()),
           jobs=JOBS, every=every)


def test_a_run_that_writes_all_it_can():
    starve_rank(f'{TINY} --ranks 1 --steps 2 --verify --json x.json --save s.safetensors '
                '--save-grads g.safetensors --checkpoint ck --csv x.csv --clip-norm 1', 0)


def test_a_checkpoint_and_a_model_that_are_read():
    starve_rank(f'{TINY} --ranks 1 --steps 3 --resume --checkpoint ck', 0,
                after(f'{TINY} --ranks 1 --steps 2 --checkpoint ck'))
    starve_rank(f'{TINY} --ranks 1 --steps 2 --load m.safetensors', 0,
                after(f'{TINY} --ranks 1 --steps 2 --save m.safetensors'))


def test_one_of_two_ranks():
    starve_rank(f'{TINY} --ranks 2 --steps 2', 0, every=5)
    starve_rank(f'{TINY} --ranks 2 --steps 2', 1, every=5)


def test_the_process_that_starts_the_ranks():
    starve_rank(f'{TINY} --ranks 1 --steps 2', None)


if __name__ == '__main__':
    run_tests(globals())
