"""Where data, messages and colours go; which files are written and which are left alone.

usage: output.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import os
import re
import resource
import subprocess

from common import PPSIM, TINY, expect, ppsim, refused, run_tests
from processes import LONG, Terminal


def test_no_output_is_written_over_another_or_an_input(tmp):
    for outputs in '--json x --csv x', '--json ./x --csv x', '--trace d/../x --paje x':
        (tmp / 'd').mkdir(exist_ok=True)
        refused(f'simulate {outputs}', "'x'", 'only one', directory=tmp)
    refused('sweep --json x --csv x', 'only one', directory=tmp)
    refused('simulate --json - --csv -', "'-'", 'only one', directory=tmp)
    assert ppsim('simulate --quiet --json r.json', tmp)[0] == 0
    before = (tmp / 'r.json').read_text()
    (tmp / 'link.json').symlink_to('r.json')
    for arguments in ('simulate --baseline r.json --json ./r.json', 'plot r.json --csv link.json',
                      'simulate --costs r.json --trace r.json',
                      'simulate --baseline link.json --json r.json --check bubble<0'):
        refused(arguments, 'would overwrite', directory=tmp)
    assert (tmp / 'r.json').read_text() == before


def test_verbose_lists_every_message(tmp):
    """Of a simulation and of a run: each op whose input another rank made, from the end of
    the op that made it until it arrived."""
    for command in ('simulate --schedule zb-h1 --link latency=100us --seq-len 8',
                    f'run --schedule 1f1b {TINY} --clock virtual',
                    'simulate --schedule zb-v --ranks 2',
                    'simulate --schedule dualpipe --cost f=1,b=2,joined=2'):
        out = expect(f'{command} --microbatches 8 --verbose --json r.json', 0, directory=tmp)
        report = json.loads((tmp / 'r.json').read_text())
        config, holder, spans = report['config'], {}, {}
        for rank, ops in enumerate(report['timeline']['ops']):
            for k, (op, start, end, _, arrived) in enumerate(ops):
                stage, kind, microbatch = re.fullmatch(r'(\d+)([FBIW])(\d+)\+?', op).groups()
                key = int(stage), kind.replace('I', 'B'), int(microbatch)
                spans[key] = rank, ops[k + 1][2] if op.endswith('+') else end, arrived
        began = min(ops[0][1] for ops in report['timeline']['ops'])
        shape = [config[key] for key in ('microbatch_size', 'seq_len', 'd_model')]
        size, expected = str(4 * shape[0] * shape[1] * shape[2]), []
        for (stage, kind, microbatch), (rank, _, arrived) in spans.items():
            source = stage + (-1 if kind == 'F' else 1)
            sender = spans.get((source, kind, microbatch))
            if kind != 'W' and sender and sender[0] != rank:
                what = 'activations' if kind == 'F' else 'gradients'
                expected.append((f'{1e3 * (sender[1] - began):.3f}',
                                 f'{1e3 * (arrived - began):.3f}', str(sender[0]), str(rank), size,
                                 f'{what} of microbatch {microbatch}, stage {source} to {stage}'))
        table = re.search(r'^messages .*?(?=\n\n)', out, re.M | re.S)[0].split('\n')
        assert table[0] == (f'messages  {len(expected)} in step {report["representative_step"]}, '
                            'each of {} sequences x {} tokens x {} numbers'.format(*shape)), \
            table[0]
        found = [tuple(line.split(None, 5)) for line in table[2:]]
        assert sorted(found) == sorted(expected) and len(found) > 8, (found, expected)
        times = [float(line[0]) for line in found]
        assert times == sorted(times), times


def test_verbose_lists_the_tokens_that_go_back():
    out = expect('simulate --schedule decode --ranks 2 --groups 1 --prompt-chunks 2 --microbatches 2 '
                 '--microbatch-size 3 --seq-len 8 --d-model 16 --heads 2 --link latency=100us '
                 '--cost prefill=4,decode=1 --verbose', 0)
    table = re.search(r'^messages .*?(?=\n\n)', out, re.M | re.S)[0].split('\n')
    assert [tuple(line.split()[2:]) for line in table[2:]] == [
        tuple(line.split()) for line in (
            '0 1 768 activations of microbatch 0, stage 0 to 1',
            '0 1 768 activations of microbatch 1, stage 0 to 1',
            '1 0 12 tokens of microbatch 1, stage 1 to 0',
            '0 1 192 activations of microbatch 2, stage 0 to 1',
            '1 0 12 tokens of microbatch 2, stage 1 to 0',
            '0 1 192 activations of microbatch 3, stage 0 to 1')], table
    assert ' '.join(line.split()[0] for line in table[2:]) == \
        '4.000 8.000 12.100 13.200 14.300 15.400', table


def test_a_file_on_stdout_stands_there_alone(tmp):
    for option, first in (('csv', 'step,rank,'), ('trace', '{"displayTimeUnit"'),
                          ('paje', '%EventDef'), ('json', '{"schema"')):
        status, out, err = ppsim(f'simulate --{option} - --check bubble<1', tmp)
        assert status == 0 and out.startswith(first), out[:80]
        assert 'pass' not in out and 'pass' in err and 'makespan  ' in err, err
    assert ppsim('simulate --format tap --check bubble<1', tmp)[1].startswith('TAP')


def test_verdicts_are_coloured_where_text_is(tmp):
    checks = 'simulate --quiet --check bubble<0.5 --check bubble<0.1'
    plain = ppsim(checks)[1]
    coloured = ppsim(checks + ' --color always --format text --format junit=j.xml', tmp)[1]
    assert '\x1b' not in plain and '\x1b[' not in (tmp / 'j.xml').read_text()
    assert '\x1b[32mpass\x1b[0m' in coloured and '\x1b[1;31mFAIL\x1b[0m' in coloured
    assert '\x1b' not in ppsim(checks + ' --color always --format tap')[1]
    status, shown = Terminal([PPSIM, *checks.split()],
                             env={**os.environ, 'TERM': 'xterm', 'NO_COLOR': ''}).wait()
    assert status == 1 and '\x1b[1;31mFAIL\x1b[0m' in shown, shown


def test_tables_of_ranks_fold():
    shape = 'simulate --ranks 4 --link latency=100us,send=20us --jitter lognormal:0.3'
    for width, heads in (100, 2), (80, 3), (50, 3):
        shown = Terminal([PPSIM, *shape.split()],
                         env={**os.environ, 'COLUMNS': str(width)}).wait()[1]
        lines = shown.split('bubble  ')[0].replace('\r', '').splitlines()
        table = [line for line in lines if line.startswith('  ') and '--' not in line]
        assert max(map(len, table)) <= width, shown
        assert sum(line.split()[0] == 'rank' for line in table) == heads, shown
        words = ' '.join(table).split()
        for name in 'stages', 'busy', 'dependency', 'overhead', 'cooldown', 'peak':
            assert words.count(name) == 1, (name, shown)


UNKNOWN = {'cores': 0, 'mpi': '', 'blas': '', 'host': ''}


def test_what_a_simulation_cannot_know_is_null(tmp):
    ppsim('simulate --quiet --json r.json', tmp)
    found = json.loads((tmp / 'r.json').read_text())
    assert {key: found['environment'][key] for key in UNKNOWN} == dict.fromkeys(UNKNOWN), found
    assert found['training']['digest'] is None and found['timeline_dropped'] is None
    assert all(rank['cpuset'] is None for rank in found['ranks'])
    # As it was written before.
    found['environment'].update(UNKNOWN)
    found['training']['digest'] = ''
    for rank in found['ranks']:
        rank['cpuset'] = ''
    del found['timeline_dropped']
    (tmp / 'old.json').write_text(json.dumps(found))
    assert ppsim('compare r.json old.json', tmp)[:2] == ppsim('compare r.json r.json', tmp)[:2]
    assert ppsim('explain old.json', tmp)[:2] == ppsim('explain r.json', tmp)[:2]
    del found['timeline']
    (tmp / 'old.json').write_text(json.dumps(found))
    assert ppsim('compare r.json old.json', tmp)[0] == 0
    refused('explain old.json', 'has no timeline', directory=tmp)


def test_a_dropped_timeline_is_named(tmp):
    shape = 'simulate --ranks 64 --microbatches 8200 --quiet'
    status, out, err = ppsim(f'{shape} --json r.json', tmp)
    assert (status, out) == (0, '') and "'r.json'" in err and '1049600 ops' in err, err
    found = json.loads((tmp / 'r.json').read_text())
    assert found['timeline'] is None and '1049600 ops' in found['timeline_dropped'], found
    refused('explain r.json', 'no timeline', '1049600 ops', directory=tmp)
    assert ppsim('plot r.json --picture causes --plot c.png', tmp)[0] == 0
    assert '1049600 ops' in ppsim(f'{shape} --baseline b.json --update-baseline', tmp)[2]


def test_stdout_carries_json_alone():
    refused('simulate --json - --csv -', 'standard output')
    status, out, err = ppsim('simulate --json -')
    assert status == 0 and json.loads(out) and 'bubble' in err
    status, out, err = ppsim('simulate')
    assert status == 0 and err == '' and 'bubble' in out
    assert '\x1b' not in out
    status, out, _ = ppsim('simulate --color always')
    assert '\x1b' in out
    for environment, coloured in (({}, True), ({'NO_COLOR': '1'}, False),
                                  ({'TERM': 'dumb'}, False)):
        assert ('\x1b' in on_a_terminal('simulate', environment)) == coloured, environment


def on_a_terminal(arguments, environment):
    inherited = {name: value for name, value in os.environ.items() if name != 'NO_COLOR'}
    status, shown = Terminal([PPSIM, *arguments.split()],
                             env={**inherited, 'TERM': 'xterm', **environment}).wait()
    assert status == 0
    return shown


def test_a_failed_run_leaves_an_older_file_alone(tmp):
    saved = tmp / 'model.safetensors'
    saved.write_bytes(b'old')
    refused(f'{TINY} --load absent --save model.safetensors', 'absent', directory=tmp)
    assert saved.read_bytes() == b'old'
    assert sorted(p.name for p in tmp.iterdir()) == ['model.safetensors']


def test_text_that_finds_no_room_is_a_failure(tmp):
    assert ppsim('simulate --quiet --json r.json', tmp)[0] == 0
    for arguments in ('--help', 'help simulate', '--version', 'schedules list',
                      'schedules show 1f1b', 'schedules show 1f1b --microbatches 500',
                      'schedules convert 1f1b --microbatches 500', 'simulate',
                      'simulate --quiet --json -', 'explain r.json', 'compare r.json r.json',
                      f'{TINY} --ranks 2'):
        with open('/dev/full', 'w') as full:
            done = subprocess.run([PPSIM, *arguments.split()], cwd=tmp, stdout=full,
                                  stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                                  timeout=LONG)
        assert done.returncode == 4, (arguments, done)
        assert done.stderr.count('\n') == 1 and 'No space' in done.stderr, (arguments, done)


def test_a_file_over_the_limit_is_an_error_of_that_file(tmp):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    for option in 'json', 'csv', 'trace', 'paje':
        (tmp / 'x').write_text('older')
        done = subprocess.run([PPSIM, 'simulate', '--quiet', f'--{option}=x'], cwd=tmp, text=True,
                              capture_output=True, timeout=LONG, preexec_fn=limit)
        assert done.returncode == 4, (option, done)
        assert done.stderr == "ppsim: cannot write 'x': File too large\n", (option, done)
        assert (tmp / 'x').read_text() == 'older' and len(list(tmp.iterdir())) == 1
    done = subprocess.run([PPSIM, *TINY.split()], text=True, capture_output=True, timeout=LONG,
                          preexec_fn=limit)
    assert done.returncode == 4 and 'ulimit -f' in done.stderr, done
    assert done.stdout == '' and done.stderr.count('\n') == 1, done


def test_a_terminal_is_not_commanded_by_arguments():
    evil = '\x1b]0;title\x07\x9b31m\r\nppsim: é'
    for arguments in (['--bogus' + evil], [evil], ['simulate', '--ranks', evil],
                      ['simulate', '--schedule', evil], ['simulate', '--json', f'{evil}/x'],
                      ['simulate', '--check', evil], ['simulate', '--cost', evil],
                      ['explain', evil]):
        done = subprocess.run([PPSIM, *arguments], capture_output=True, timeout=LONG,
                              stdin=subprocess.DEVNULL)
        shown = (done.stdout + done.stderr).decode()
        assert done.returncode == 2 and shown.startswith('ppsim: '), (arguments, done)
        assert shown.endswith('\n') and shown[:-1].isprintable(), (arguments, shown)


def test_what_is_said_of_a_file_is_one_line(tmp):
    name = 'a\nppsim: b\x1b[31m.json'
    for options in (['--json', name], ['--baseline', name, '--update-baseline', '--check',
                                       'bubble<=0']):
        done = subprocess.run([PPSIM, 'simulate', '--quiet', *options], cwd=tmp, text=True,
                              capture_output=True, timeout=LONG)
        if '--check' in options:
            assert done.stderr.count('ppsim: ') == 2 and 'is not updated' in done.stderr, done
            assert done.stderr.count('\n') == 1 and '\x1b' not in done.stderr, done


def test_a_terminal_is_not_commanded_by_files(tmp):
    """What a file says is shown without its control characters, whoever wrote it."""
    evil = '\x1b]0;title\x07\x1b[31m\nppsim: x'

    def spoil(value, key=''):
        if isinstance(value, dict):
            return {name: spoil(item, name) for name, item in value.items()}
        return value + evil if isinstance(value, str) and key in spoiled else value

    expect('simulate --quiet --json good.json --history h.csv --label first', 0, directory=tmp)
    good = json.loads((tmp / 'good.json').read_text())
    for spoiled in (['schema'], ['schedule', 'version', 'theory_note', 'timeline_dropped'],
                    ['command'], ['clock']):
        (tmp / 'evil.json').write_text(json.dumps({**spoil(good), 'label': evil}))
        for arguments in ('compare good.json evil.json', 'explain evil.json',
                          'plot evil.json --plot x.svg', 'simulate --baseline evil.json',
                          'simulate --costs evil.json'):
            no_commands(ppsim(arguments, tmp), (spoiled, arguments))
    history = (tmp / 'h.csv').read_text()
    (tmp / 'h.csv').write_text(history.replace(',first,', ',\x1b[31m,'))
    (tmp / 'evil.csv').write_text('0F0\x1b[31m,1\n')
    header = json.dumps({'wte.weight': {'dtype': evil, 'shape': [1], 'data_offsets': [0, 4]},
                         evil: {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4]}})
    (tmp / 'evil.safetensors').write_bytes(
        len(header).to_bytes(8, 'little') + header.encode() + bytes(4))
    for arguments in ('simulate --baseline h.csv', 'schedules check evil.csv',
                      'simulate --schedule evil.csv', f'{TINY} --load evil.safetensors'):
        no_commands(ppsim(arguments, tmp), arguments)


def no_commands(done, what):
    assert not [c for c in done[1] + done[2] if c != '\n' and not c.isprintable()], (what, done)


run_tests(globals())
