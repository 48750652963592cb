"""CI gets an answer whatever happens: bad input in every format, several formats at once,
where a failure is, and how to go on.

usage: answers.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import shlex
import subprocess
import xml.etree.ElementTree as xml

from common import SIMULATE, expect, ppsim, refused, run_tests

BAD = '0F0,0F1,0B0,0B1\n1F0,1B0,oops,1B1\n'


def the_answer(format, text):
    """The message of the one failed case, or annotation."""
    if format == 'tap':
        head, plan, case, *_ = text.splitlines()
        assert (head, plan) == ('TAP version 13', '1..1') and case.startswith('not ok 1 '), text
        return json.loads(next(line for line in text.splitlines() if 'message: ' in line)
                          .split('message: ')[1])
    if format == 'junit':
        suite = xml.fromstring(text)[0]
        assert (suite.get('tests'), suite.get('failures')) == ('1', '1'), text
        return suite[0].find('failure').get('message')
    if format == 'gha':
        assert text.startswith('::error ') and text.count('\n') == 1, text
        return text.split('::')[2]
    assert text.count('\n| ') == 1 and '**fail**' in text, text
    return text


def test_bad_input_is_one_failed_case(tmp):
    (tmp / 'bad.csv').write_text(BAD)
    (tmp / 'torn.json').write_text('{')
    expect(f'{SIMULATE} --baseline base.json --update-baseline', 0, directory=tmp)
    cases = (('--schedule bad.csv --check bubble<1', 'rank 1, cell 3'),
             ('--schedule none.csv --check bubble<1', 'none.csv'),
             ('--schedule 1f2b --check bubble<1', '1f2b'),
             ('--microbatches 9 --baseline base.json', 'microbatches'),
             ('--baseline none.json', 'none.json'),
             ('--baseline torn.json', 'torn.json'),
             ('--check bubbl<1', 'bubbl'),
             ('--check bubble<1 --ranks 0', '--ranks'),
             ('--check bubble<1 --link x', '--link'),
             ('--no-such-option --check bubble<1', '--no-such-option'),
             ('--json absent/x --check bubble<1', 'absent/x'))
    for command in SIMULATE, 'run --quiet':
        for options, word in cases:
            if command != SIMULATE and 'base.json' in options:
                continue
            for format in 'tap', 'junit', 'gha', 'markdown':
                status, out, err = ppsim(f'{command} {options} --format {format}', tmp)
                assert status == 2 and err.startswith('ppsim: '), (command, options, status, err)
                assert word in the_answer(format, out), (command, options, format, out)
    file = tmp / 'report.xml'
    file.write_text('of an earlier run, which passed')
    refused(f'{SIMULATE} --schedule bad.csv --check bubble<1 --format junit=report.xml',
            directory=tmp)
    assert 'cell 3' in the_answer('junit', file.read_text())


def test_an_annotation_stands_at_the_row_of_the_schedule(tmp):
    (tmp / 'bad.csv').write_text(BAD)
    out = ppsim(f'{SIMULATE} --schedule bad.csv --check bubble<1 --format gha', tmp)[1]
    assert out.startswith('::error file=bad.csv,line=2,title=ppsim%3A input::'), out
    # What blocks, or lacks an op, is found later.
    (tmp / 'bad.csv').write_text('0F0,0B0\n1F0\n')
    out = ppsim(f'{SIMULATE} --schedule bad.csv --check bubble<1 --format gha', tmp)[1]
    assert out.startswith('::error file=bad.csv,line=2,'), out
    (tmp / 'a,b.csv').write_text(ppsim('schedules show 1f1b --format csv')[1])
    out = ppsim(f'{SIMULATE} --schedule a,b.csv --check peak_in_flight[2]<1 --format gha', tmp)[1]
    assert out.startswith('::error file=a%2Cb.csv,line=3,'), out
    assert 'file=' not in ppsim(f'{SIMULATE} --check bubble<1 --format gha', tmp)[1]


def test_several_formats_from_one_run(tmp):
    run = f'{SIMULATE} --check bubble<1 --check bubble<0.1'
    out = expect(f'{run} --format text --format junit=a.xml --format gha', 1, directory=tmp)
    assert 'pass  check' in out and 'FAIL  check' in out and '\n::error ' in out, out
    assert len(xml.fromstring((tmp / 'a.xml').read_text())[0]) == 2
    out = expect(f'{run} --format junit=a.xml --format tap=a.tap', 1, directory=tmp)
    assert out.startswith('pass  check') and 'TAP' not in out, out
    assert (tmp / 'a.tap').read_text().startswith('TAP version 13\n')
    out = expect(f'simulate --check bubble<1 --format gha=a.gha', 0, directory=tmp)
    assert 'makespan' in out and 'pass  check' in out, 'the summary, then the verdicts'
    for formats in '--format tap --format text', '--format junit --format gha':
        assert 'both go to standard output' in ppsim(f'{run} {formats}', tmp)[2]
    for formats, words in (('--format yaml=x', 'junit'), ('--format junit=', 'file is missing'),
                           ('--format junit=absent/x', 'absent/x'),
                           ('--format junit=a --format tap=a', "'--format' and '--format' both"),
                           ('--format junit=a --json a', "'--json' and '--format' both")):
        status, _, err = ppsim(f'{run} {formats}', tmp)
        assert status == 2 and words in err, (formats, err)
    expect(f'{SIMULATE} --baseline base.json --update-baseline', 0, directory=tmp)
    before = (tmp / 'base.json').read_text()
    expect(f'{SIMULATE} --baseline base.json --format junit=base.json', 2, 'would overwrite',
           directory=tmp)
    assert json.loads((tmp / 'base.json').read_text()) == json.loads(before)


def test_no_format_is_empty(tmp):
    """Also where there is nothing to judge yet."""
    for format, text in ('tap', '1..0'), ('junit', 'tests="0"'), ('markdown', 'verdict'):
        expect(f'{SIMULATE} --baseline base.json --update-baseline --format {format}=out', 0,
               directory=tmp)
        assert text in (tmp / 'out').read_text()


def test_a_failure_says_where_and_how_to_go_on(tmp):
    cost = '--cost f=1,b=2'
    expect(f"{SIMULATE} {cost} --baseline it's.json --update-baseline", 0, directory=tmp)
    report = json.loads((tmp / "it's.json").read_text())
    out = ppsim(f'{SIMULATE} {cost} --check bubble<0.2', tmp)[1]
    assert 'where: ' not in out and '; ' in out.split('go on: ')[1], out
    report['config']['cost'] = 'f=1,1,1.5,1,b=2'
    (tmp / "it's.json").write_text(json.dumps(report))
    out = expect("simulate --quiet --cost f=1,1,1.5,1,b=2 --baseline it's.json", 1, directory=tmp)
    assert 'where: rank ' in out and ' changed most at ' in out, out
    go_on = out.split('go on: ')[1]
    done = subprocess.run(['sh', '-c', go_on], cwd=tmp, capture_output=True, text=True)
    assert done.returncode == 0, (go_on, done.stderr)
    for words in 'makespan  ', 'changed', 'rank 2':  # of compare, and of explain
        assert words in done.stdout, (words, done.stdout)
    out = expect("simulate --quiet --cost f=1,1,1.5,1,b=2 --baseline it's.json --json now.json", 1,
                 directory=tmp)
    compare, explain = out.split('go on: ')[1].strip().split('; ')
    assert shlex.split(compare)[1:] == ['compare', "it's.json", 'now.json'], compare
    assert shlex.split(explain)[1:] == ['explain', 'now.json'], explain
    # Reports too long to hold a timeline know the rank.
    del report['timeline']
    (tmp / "it's.json").write_text(json.dumps(report))
    expect("simulate --quiet --cost f=1,1,1.5,1,b=2 --baseline it's.json", 1, 'where: rank ',
           'its op is unknown', directory=tmp)


def test_a_changed_order_is_named(tmp):
    (tmp / 'a.csv').write_text('0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1\n')
    expect(f'{SIMULATE} --schedule a.csv --baseline base.json --update-baseline', 0, directory=tmp)
    (tmp / 'b.csv').write_text('0F0,0F1,0B0,0B1\n1F0,1F1,1B0,1B1\n')
    out = expect(f'{SIMULATE} --schedule b.csv --baseline base.json', 1, directory=tmp)
    assert "the order differs from rank 1's op 2 on: it is 1F1 (forward of stage 1 on " \
           'microbatch 1), in the baseline 1B0' in out, out
    out = ppsim(f'{SIMULATE} --schedule b.csv --baseline base.json --format gha', tmp)[1]
    assert '::error file=b.csv,line=2,title=ppsim%3A baseline peak_in_flight::' \
           'peak_in_flight[1] is 2' in out, out


def test_an_annotation_stands_at_the_row_that_changed(tmp):
    (tmp / 'a.csv').write_text('0F0,0B0,0F1,0B1\n1F0,1B0,1F1,1B1\n')
    expect(f'{SIMULATE} --schedule a.csv --baseline base.json --update-baseline', 0, directory=tmp)
    # Row 1 changes too; the largest of all ranks is rank 1's.
    (tmp / 'b.csv').write_text('0F0,0F1,0B0,0B1\n1F0,1F1,1B0,1B1\n')
    report = json.loads((tmp / 'base.json').read_text())
    report['ranks'][1]['peak_in_flight'] = 0.5
    (tmp / 'base.json').write_text(json.dumps(report))
    gate = f'{SIMULATE} --schedule b.csv --baseline base.json --check bubble<0.01'
    out = expect(f'{gate} --format gha', 1, directory=tmp)
    lines = out.splitlines()
    errors = [line for line in lines if line.startswith('::error ')]
    assert len(errors) > 1, out
    assert 'peak_in_flight[1] is 2' in out, out
    assert all(line.startswith('::error file=b.csv,line=1,') for line in errors), out
    for word in '%0Awhere: ', '%0Arerun: ', '%0Ago on: ':
        assert out.count(word) == 1 and word in errors[0], out
    assert errors[0].split('::')[1].endswith('title=ppsim%3A check bubble<0.01'), out


def test_a_path_that_cannot_be_written_is_said_once(tmp):
    refused(f'{SIMULATE} --check bubble<1 --format junit=nodir/x.xml', 'nodir/x.xml', directory=tmp)


run_tests(globals())
