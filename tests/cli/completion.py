"""Completion in bash, and the man page.

usage: completion.py PPSIM BASH-COMPLETION MAN-PAGE [TEST ...]
"""
import os
import shutil
import subprocess
import sys

SCRIPT, PAGE = (os.path.abspath(sys.argv.pop(2)) for _ in range(2))

from common import listed, ppsim, report, run_tests  # noqa: E402 (it reads sys.argv)


def complete(*words, directory=None):
    """What bash offers for the last of the words, taken apart as readline does it."""
    program = '''
        source "$1"
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        [[ $(complete -p ppsim) == *'-F _ppsim'* ]] || exit 9
        _ppsim
        printf '%s\\n' "${COMPREPLY[@]}"'''
    done = subprocess.run(['bash', '--norc', '-c', program, 'bash', SCRIPT, 'ppsim', *words],
                          cwd=directory, text=True, capture_output=True, timeout=60)
    assert done.returncode == 0 and done.stderr == '', done
    return sorted(filter(None, done.stdout.split('\n')))


def test_commands():
    assert complete('sim') == ['simulate']
    assert complete('') == sorted(['run', 'simulate', 'schedules', 'explain', 'compare', 'plot',
                                   'sweep', 'doctor', 'optimize', 'recommend', 'generate', 'serve',
                                   'help'])
    assert complete('help', 'ex') == ['explain'] and complete('help', 'run', '') == []


def test_options_are_those_of_the_command():
    assert complete('simulate', '--jit') == ['--jitter'] and complete('run', '--jit') == []
    assert complete('--warm') == ['--warmup-steps'], 'run needs no name'
    assert complete('plot', '--p') == ['--paje', '--picture', '--plot']
    for command in 'run', 'simulate', 'schedules', 'explain', 'compare', 'plot', 'sweep', 'doctor', \
            'optimize', 'recommend', 'generate', 'serve':
        listed = [line.split()[0] for line in ppsim(f'help {command}')[1].splitlines()
                  if line.startswith('  --')]
        assert complete(command, '--') == sorted(listed), command


def test_values():
    assert complete('run', '--clock', '') == ['auto', 'virtual', 'wall']
    assert complete('run', '--clock', '=', 'v') == ['virtual'], 'as bash takes --clock=v apart'
    assert complete('run', '--clock', '=') == ['auto', 'virtual', 'wall']
    assert complete('run', '--clock=v') == ['--clock=virtual'], 'without = in COMP_WORDBREAKS'
    assert complete('--quiet', '--optimizer', 's') == ['sgd']
    assert complete('run', '--placement', '') == ['loop', 'mirrored', 'v']
    assert complete('run', '--format', 'm') == complete('compare', '--format', 'm') == ['markdown']
    assert complete('schedules', 'show', 'gpipe', '--format', 'c') == ['csv', 'csv-comms']
    assert complete('run', '--layers', '') == []


def test_schedules_are_all_that_there_are():
    names = list(listed())
    offered = complete('run', '--schedule', '', directory=os.path.dirname(PAGE))
    assert set(names) <= set(offered), (names, offered)
    assert complete('run', '--schedule', 'zb-') == sorted(n for n in names if n[:3] == 'zb-')
    assert complete('sweep', '--schedule', 'gpipe,1f') == ['gpipe,1f1b']
    assert complete('sweep', '--schedule', '=', 'gpipe,1f') == ['gpipe,1f1b']
    assert complete('schedules', '') == ['check', 'convert', 'list', 'show']
    assert complete('schedules', 'show', '1f') == ['1f1b']


def test_files(tmp):
    (tmp / 'a report.json').touch()
    (tmp / 'a').mkdir()
    (tmp / 'another').touch()
    assert complete('explain', 'a', directory=tmp) == ['a', 'a report.json', 'another']
    assert complete('run', '--load', '=', 'a ', directory=tmp) == ['a report.json']
    assert complete('run', '--plot', 'p.svg', '--keep-data', 'a', directory=tmp) == ['a']
    assert complete('run', '--schedule', 'ano', directory=tmp) == ['another']
    assert complete('run', 'a', directory=tmp) == [], 'run takes no arguments'


def test_the_man_page_has_every_option_and_no_warning():
    text = open(PAGE, encoding='utf-8').read().replace('\\-', '-')
    config = {}
    for command in 'run', 'simulate', 'explain':
        config.update(report(f'{command} --layers 4 --steps 3')['config'])
    for key in config:
        if key not in ('stages',):
            assert f'\\fB--{key.replace("_", "-")}\\fR' in text, key
    for section in ('SYNOPSIS', 'COMMANDS', 'OPTIONS', 'EXIT STATUS', 'ENVIRONMENT', 'FILES',
                    'EXAMPLES'):
        assert f'.SH {section}\n' in text, section
    groff = shutil.which('groff')
    if groff:
        done = subprocess.run([groff, '-man', '-ww', '-z', '-Kutf8', PAGE], text=True,
                              capture_output=True, timeout=60)
        if 'cannot find' not in done.stderr and 'preconv' not in done.stderr:
            assert done.returncode == 0 and done.stderr == '', done.stderr


if __name__ == '__main__':
    run_tests(globals())
