"""Options and help: what the rows of the option table bring about.

usage: options.py PPSIM [TEST ...]
"""
import re

from common import TINY, ppsim, refused, run_tests

COMMANDS = 'run', 'simulate', 'schedules', 'explain', 'compare', 'plot', 'sweep'


def help_of(command):
    status, out, err = ppsim(f'help {command}')
    assert status == 0 and err == '', (command, err)
    return out


def test_help_without_a_command_names_the_commands_and_how_to_go_on():
    for arguments in '--help', '-h', 'help', '--layers 3 --help':
        status, out, err = ppsim(arguments)
        assert status == 0 and err == '', arguments
        assert out.startswith('usage: ppsim [COMMAND] [OPTIONS]\n'), out
        for command in COMMANDS:
            assert re.search(f'^  {command} ', out, re.M), (arguments, command)
        assert 'ppsim help COMMAND' in out and '--microbatch-size' not in out, out
        assert re.search('^  3 .*--verify', out, re.M), out
    refused('help simulat', "did you mean 'simulate'")


def test_help_of_a_command_is_its_own():
    for command in COMMANDS:
        out = help_of(command)
        assert out == ppsim(f'{command} --help')[1] == ppsim(f'{command} -h')[1]
        assert re.match(fr'usage: ppsim \[?{command}', out), out
        for line in out.splitlines():
            assert len(line) <= 80, (command, line)
        # What it lists is what it takes, each option once.
        listed = re.findall(r'^  --(\S+)', out, re.M)
        assert len(set(listed)) == len(listed), (command, listed)
        assert ('lr' in listed) == (command in ('run', 'explain', 'sweep')), command
        assert ('check' in listed) == (command in ('run', 'simulate')), command
        titles = re.findall(r'^([A-Z][a-z ]+)$', out, re.M)
        assert len(set(titles)) == len(titles), (command, titles)
    assert 'FILE.csv' in help_of('schedules') and 'REPORT.json' in help_of('plot')
    assert 'BEFORE.json AFTER.json' in help_of('compare')


def test_an_option_that_says_nothing_alone_is_refused():
    for option, needed in (('tolerance 0.1', 'baseline'), ('update-baseline', 'baseline'),
                           ('picture timeline', 'plot'), ('keep-data d', 'plot'),
                           ('far-link latency=1us', 'ranks-per-node'),
                           ('ranks-per-node 2', 'far-link'),
                           ('format tap', "check' or '--baseline")):
        refused(f'simulate --{option}', f"'--{option.split()[0]}' needs '--{needed}'")
    refused('simulate --json - --trace -', 'only one output may go there')


def test_parameters_may_be_trained_on_in_place_but_nothing_else_replaces_them(tmp):
    assert ppsim(f'run --ranks 2 {TINY} --quiet --save p.safetensors', tmp)[0] == 0
    before = (tmp / 'p.safetensors').read_bytes()
    for output in 'json', 'save-grads', 'trace':
        refused(f'run --ranks 2 {TINY} --load p.safetensors --{output} ./p.safetensors',
                'is read', f"'--{output}'", directory=tmp)
    assert (tmp / 'p.safetensors').read_bytes() == before
    arguments = f'run --ranks 2 {TINY} --quiet --load p.safetensors --save p.safetensors'
    assert ppsim(arguments, tmp)[0] == 0
    assert (tmp / 'p.safetensors').read_bytes() != before


def test_an_explanation_holds_as_many_steps_as_what_it_stands_for(tmp):
    """The memory guard counts the timelines of the run or simulation that explain is."""
    shape = '--schedule gpipe --microbatches 100000 --ranks 64'
    for command in f'run {shape} --steps 16000000', f'explain {shape} --steps 16000000':
        status, out, err = ppsim(command)
        assert status == 4 and 'of memory' in err and out == '', (command, status, err)
    status, _, err = ppsim('explain --lr 0.1 --cost f=1')
    assert status == 2 and 'is for a simulation' in err, err


def test_a_failed_check_leaves_the_baseline_alone(tmp):
    simulate = 'simulate --quiet --baseline base.json'
    assert ppsim(f'{simulate} --update-baseline --check bubble<0.3', tmp)[0] == 0
    before = (tmp / 'base.json').read_bytes()
    status, out, err = ppsim(f'{simulate} --update-baseline --schedule gpipe --check bubble<0.1',
                             tmp)
    assert status == 1 and 'FAIL' in out, out
    assert err == "ppsim: baseline 'base.json' is not updated: a check failed\n", err
    assert (tmp / 'base.json').read_bytes() == before


if __name__ == '__main__':
    run_tests(globals())
