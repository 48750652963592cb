"""Options and help: what the rows of the option table bring about, and what is refused.

usage: options.py PPSIM [NAME ...]     runs every test, or those named
"""
import re

from common import ppsim, refused, run_tests

COMMANDS = 'run', 'simulate', 'schedules', 'explain', 'compare', 'plot', 'sweep', 'doctor', \
    'optimize', 'recommend', 'generate', 'serve'


def help_of(command):
    status, out, err = ppsim(f'help {command}')
    assert status == 0 and err == '', (command, err)
    return out


def test_help_without_a_command_names_the_commands_and_how_to_go_on():
    for arguments in '--help', '-h', 'help', 'help help', '--layers 3 --help':
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
        assert ('check' in listed) == (command in ('run', 'simulate', 'sweep', 'generate')), command
        titles = re.findall(r'^([A-Z][a-z ]+)$', out, re.M)
        assert len(set(titles)) == len(titles), (command, titles)
    assert 'FILE.csv' in help_of('schedules') and 'REPORT.json' in help_of('plot')
    assert 'BEFORE.json AFTER.json' in help_of('compare')


def test_an_option_that_says_nothing_alone_is_refused():
    for option, needed in (('tolerance 0.1', 'baseline'), ('update-baseline', 'baseline'),
                           ('picture timeline', 'plot'), ('keep-data d', 'plot'),
                           ('far-link latency=1us', 'ranks-per-node'),
                           ('ranks-per-node 2', 'far-link'),
                           ('label x', 'history'), ('baseline-last 3', 'baseline'),
                           ('format text', "check' or '--baseline")):
        refused(f'simulate --{option}', f"'--{option.split()[0]}' needs '--{needed}'")
    refused('simulate --json - --trace -', 'only one output may go there')


def test_an_explanation_holds_as_many_steps_as_what_it_stands_for(tmp):
    """The memory guard counts the timelines of the run or simulation that explain is."""
    shape = '--schedule gpipe --microbatches 100000 --ranks 64'
    for command in f'run {shape} --steps 16000000', f'explain {shape} --steps 16000000':
        status, out, err = ppsim(command)
        assert status == 4 and 'of memory' in err and out == '', (command, status, err)
    status, _, err = ppsim('explain --lr 0.1 --cost f=1')
    assert status == 2 and 'is for a simulation' in err, err


def test_the_version_is_printed():
    status, out, _ = ppsim('--version')
    assert status == 0 and re.fullmatch(r'ppsim \d+\.\d+\.\d+\n', out)


def test_wrong_options_are_named_with_what_is_valid():
    refused('--schedule 1f2b', '1f2b', "did you mean '1f1b'", 'gpipe', 'interleaved')
    refused('--microbatches 0', '--microbatches', 'at least 1')
    refused('--microbatches=x', '--microbatches', "'x'")
    refused('--layers 3', '3 layers', '4 stages')
    refused('--schedule interleaved --chunks 4', '8 layers', '16 stages')
    refused('--heads 3', '--heads', '2 and 4')
    refused('--layer-split 3,3,3', '3 stages', '4 numbers', '8')
    refused('--layer-split 8,0,0,0', '--layer-split')
    refused('--chunks 2', '--chunks', 'one stage per rank', ': 1')
    refused('--schedule dualpipe --microbatches 9',
            "'--microbatches' 9: dualpipe needs an even number of at least twice as many as "
            'ranks: 8 or 10')
    refused('--schedule dualpipe --ranks 3', "'--ranks' 3: dualpipe needs an even number", ': 2 or 4')
    refused('--schedule chimera --ranks 5', "'--ranks' 5: chimera needs", ': 4 or 6')
    refused('--schedule hanayo --chunks 3', "'--chunks' 3: hanayo needs", ': 2 or 4')
    refused('--schedule zb-v --chunks 5', "'--chunks' 5: zb-v needs two stages per rank: 2")
    refused('--schedule dualpipev --ranks 3 --microbatches 5',
            "'--microbatches' 5: dualpipev needs at least twice as many as ranks: 6")
    refused('--clock blue', 'auto, wall and virtual', 'blue')
    refused('--lr nan', '--lr', 'nan')
    refused('--steps 2', '--warmup-steps', 'at most 1')
    refused('--microbatchs 4', "did you mean '--microbatches'")
    refused('--ranks', '--ranks', 'value')
    refused('simulat', "did you mean 'simulate'", 'schedules')
    refused('run extra', 'extra')
    refused('simulate gpipe', "'gpipe': a schedule is given with '--schedule'")
    refused('show gpipe', "did you mean 'ppsim schedules show'")
    refused('simulate --schedule GPIPE', "did you mean 'gpipe'")
    refused('simulate --schedule ZB-Hx', "did you mean 'zb-h1'")
    refused('simulate -np 4', "'-np'")
    refused('-np 4', "'-np'")
    refused('simulate --quiet=1', "'--quiet' takes no value")
    refused('--schedule pipedream', "'pipedream-flush'")
    refused('simulate --data x', 'simulate', '--data')
    refused('--placement v', '1f1b', 'loop')
    refused('--link latency=abc', '--link', 'abc')
    refused('--schedule missing.csv', 'missing.csv')
    refused('schedules', 'list', 'show', 'check', 'convert')
    refused('schedules check', 'check')


def test_bad_files_are_refused_before_training(tmp):
    tmp.joinpath('empty').write_bytes(b'')
    tmp.joinpath('short').write_bytes(b'x' * 10)
    tmp.joinpath('text').write_bytes(b'abcdefgh\xff' * 100)
    refused('--data absent', 'absent', 'No such file', directory=tmp)
    refused('--data .', 'directory', directory=tmp)
    refused('--data empty', 'empty', directory=tmp)
    refused('--data short', 'short', '10', '65', directory=tmp)
    refused('--data text --vocab 128', '255', '256', directory=tmp)
    refused('--load text', 'text', directory=tmp)
    refused('--save absent/x', 'absent/x', directory=tmp)
    refused('--json absent/x', 'absent/x', directory=tmp)
    refused('--save-grads .', 'directory', directory=tmp)


run_tests(globals())
