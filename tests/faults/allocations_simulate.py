"""Memory runs out anywhere: what simulates and what reads files."""
import subprocess

from starved import PPSIM, starve
from common import run_tests  # found through starved

SHAPE = '--ranks 2 --microbatches 3'
VERDICTS = ('.xml', '.tap', '.gha', '.md')


def made(*commands):
    """Inputs that ppsim's own commands make."""
    def make(folder):
        for command in commands:
            arguments, _, output = command.partition(' > ')
            text = subprocess.run([PPSIM] + arguments.split(), cwd=folder, check=True,
                                  capture_output=True).stdout
            if output:
                (folder / output).write_bytes(text)
    return make


SCHEDULE = made(f'schedules convert 1f1b {SHAPE} > s.csv')
REPORTS = made(f'simulate {SHAPE} --quiet --json a.json',
               f'simulate {SHAPE} --cost f=1,b=3 --quiet --json b.json')
HISTORY = made(*[f'simulate {SHAPE} --quiet --history h.csv --label {i}' for i in range(3)])


def test_a_simulation():
    starve(f'simulate {SHAPE}')
    starve(f'simulate {SHAPE} --quiet --json a.json --timeline --trace t.json --paje p.paje '
           '--csv x.csv')
    starve(f'simulate --schedule zb-v {SHAPE} --jitter lognormal:0.1 --steps 3 --slow 1:1.5 '
           '--link latency=5us,bandwidth=10GB/s --far-link latency=1ms --ranks-per-node 1')


def test_decoding():
    starve(f'simulate --schedule decode {SHAPE} --groups 2 --prompt-chunks 1 '
           '--cost prefill=2,decode=1 --quiet --json a.json')
    saved = made(f'simulate --schedule decode {SHAPE} --prompt-chunks 1 --quiet --json d.json')
    starve('explain d.json', saved)
    starve(f'simulate --schedule decode {SHAPE} --costs d.json --quiet --json x.json', saved)
    starve(f'schedules show decode {SHAPE} --format json')


def test_schedules():
    starve('schedules check s.csv', SCHEDULE)
    starve('simulate --schedule s.csv --quiet --json a.json', SCHEDULE)
    starve(f'schedules show 1f1b {SHAPE}')
    starve('schedules list')
    starve(f'schedules convert zb-h1 {SHAPE} --format csv-comms')
    starve(f'schedules convert dualpipev --ranks 2 --microbatches 4 --format json')


def test_schedule_that_is_refused():
    def deadlock(folder):
        (folder / 's.csv').write_text('1B0,0F0\n1F0,0B0\n')
    starve('schedules check s.csv', deadlock)


def test_expressions():
    starve(f'simulate {SHAPE} --cost f=1:2,b=1:3 --quiet')
    starve(f'simulate {SHAPE} --cost f=1,b=x --quiet')  # refused
    starve(f'simulate {SHAPE} --cost f=1,b=2 --check bubble<=0.9 --check makespan<=1s '
           '--check peak_in_flight[1]<=9 --quiet')
    starve('simulate --device flops=312TFLOPS,bandwidth=2TB/s --ranks 2 --layer-split auto '
           '--layers 5 --quiet')
    starve('sweep --schedule 1f1b,gpipe --ranks 2,4 --microbatches 4:8:+4 --cost f=1,b=1:2:+1 '
           '--json x.json --check bubble<=0.9 --where makespan<=1s --sort bubble')


def test_reports_that_are_read():
    starve('explain a.json', REPORTS)
    starve('compare a.json b.json', REPORTS)
    starve(f'simulate {SHAPE} --costs a.json --quiet --json x.json', REPORTS)


def test_a_baseline():
    starve(f'simulate {SHAPE} --baseline a.json --tolerance 0.01 --format junit=j.xml '
           '--format tap=t.tap --format gha=g.gha --format markdown=m.md --quiet',
           REPORTS, may_differ=VERDICTS)


def test_a_history():
    starve(f'simulate {SHAPE} --baseline h.csv --quiet', HISTORY)
    # Its rows have the time; a row is appended whole, or not.
    starve(f'simulate {SHAPE} --history h.csv --label x --quiet', HISTORY, may_differ=('h.csv',))


def test_a_sweep():
    # Its file grows by whole rows: what is left of it is a sweep's file that goes on.
    starve('sweep --schedule 1f1b,gpipe --ranks 2 --microbatches 4,8 --csv x.csv --quiet',
           may_differ=('x.csv',))
    starve('sweep --schedule 1f1b,interleaved --ranks 2 --microbatches 4 '
           '--link latency=100us..10ms --crossover')


def test_explain():
    starve(f'explain --cost f=1,b=2 {SHAPE}')


if __name__ == '__main__':
    run_tests(globals())
