"""The pages hold what they say: links lead somewhere, commands work, and what stands
below a simulation's command is what it prints.

usage: pages.py PPSIM ROOT [NAME ...]     runs every test, or those named
       pages.py PPSIM ROOT --update [PAGE ...]   prints every command's output anew into
                                          the pages, or those named (docs/numbers.md)

In a ```console block a command stands behind "$ ", and below it what it prints; a line
"..." stands for lines left out. In an ```sh block every line is a command.
"""
import difflib
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

PPSIM, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
PAGES = [*(ROOT / f'{name}.md' for name in ('README', 'CONTRIBUTING', 'SECURITY')),
         *sorted((ROOT / 'docs').glob('*.md')), *sorted((ROOT / 'labs').rglob('*.md'))]
TINY = '--d-model 16 --heads 2 --seq-len 8 --microbatch-size 2'
BLOCK = re.compile(r'^```(\w+)\n(.*?)^```$', re.M | re.S)


def blocks(page, language):
    return [match[2] for match in BLOCK.finditer(page.read_text()) if match[1] == language]


def made_in(page):
    """The lines of its console blocks that make folders, which its sh blocks need too."""
    return re.findall(r'^\$ (mkdir .*)$', '\n'.join(blocks(page, 'console')), re.M)


def shown(block):
    """The (command, lines shown below it) of a console block."""
    for part in re.split(r'^\$ ', block, flags=re.M)[1:]:
        lines = part.split('\n')
        last = next(i for i, line in enumerate(lines) if not line.endswith('\\'))
        command, output = '\n'.join(lines[:last + 1]), '\n'.join(lines[last + 1:])
        yield command, output.rstrip('\n').split('\n') if output.strip() else []


def trains(command):
    words = shlex.split(command, comments=True)
    return words[:2] == ['build/ppsim', 'run'] or words[0] == './bootstrap' or \
        (words[0] == 'build/ppsim' and words[1].startswith('--'))


def measures(command):
    """Does it start ranks? What they measure differs from time to time."""
    return trains(command) or shlex.split(command)[1] == 'generate'


def serves(command):
    """It would not end."""
    return shlex.split(command)[1:2] == ['serve']


class Workplace(tempfile.TemporaryDirectory):
    """A folder in which the pages' commands find what they name."""

    def __enter__(self):
        place = pathlib.Path(super().__enter__())
        for name in 'schedules', 'docs', 'bench', 'labs':
            shutil.copytree(ROOT / name, place / name)
        shutil.copy(ROOT / 'README.md', place)
        (place / 'build').mkdir()
        (place / 'build/ppsim').symlink_to(PPSIM)
        (place / 'bootstrap').write_text('#!/bin/sh\nshift\nexec build/ppsim "$@"\n')
        (place / 'bootstrap').chmod(0o755)
        return place


def where(page):
    return page.relative_to(ROOT)


def run(command, place):
    return subprocess.run(['bash', '-c', command], cwd=place, text=True, errors='replace',
                          timeout=300, stdin=subprocess.DEVNULL, capture_output=True)


def printed(done):
    """The lines that a command printed."""
    text = (done.stdout + done.stderr).rstrip('\n')
    return text.split('\n') if text else []


def slug(heading):
    """The anchor that GitHub gives a heading."""
    return re.sub(r'[^\w\- ]', '', heading.strip().lower()).replace(' ', '-')


def test_links_lead_somewhere():
    missing = []
    for page in PAGES:
        for target in re.findall(r'\]\(([^)\s]+)\)', page.read_text()):
            path, _, anchor = target.partition('#')
            if '://' in target:
                continue
            aim = (page.parent / path).resolve() if path else page
            if not aim.exists():
                missing.append(f'{where(page)}: {target}')
            elif anchor:
                heads = re.findall(r'^#+ (.*)$', aim.read_text(), re.M)
                if anchor not in map(slug, heads):
                    missing.append(f'{where(page)}: {target}: no such heading')
    assert not missing, '\n'.join(missing)


def test_the_readme_is_short():
    lines = (ROOT / 'README.md').read_text().splitlines()
    assert len(lines) <= 130, f'{len(lines)} lines'
    for number, line in enumerate(lines, 1):
        assert len(line) <= 100, f'line {number} has {len(line)} columns'


def test_every_option_exists():
    known = set()
    for command in ('run simulate schedules explain compare plot sweep doctor optimize '
                    'recommend generate serve').split():
        done = subprocess.run([PPSIM, command, '--help'], text=True, capture_output=True,
                              check=True)
        known.update(re.findall(r'--[a-z][a-z-]*', done.stdout))
    for page in PAGES:
        texts = [line for language in ('sh', 'console') for block in blocks(page, language)
                 for line in block.split('\n') if re.match(r'(\$ )?build/ppsim ', line)]
        texts += blocks(page, 'yaml') + blocks(page, 'groovy')
        for text in texts:
            for option in re.findall(r'(?<![\w-])--[a-z][a-z-]*', text):
                assert option in known, f'{where(page)}: {option} in {text!r}'


def test_the_gates_page_names_all():
    """All that the program says there is: figures, formats; schedules in the README."""
    for arguments, page in ((['simulate', '--check', 'x<1'], 'docs/gating.md'),
                            (['simulate', '--check', 'bubble<1', '--format', 'x'],
                             'docs/gating.md'),
                            (['simulate', '--plot', 'x.svg', '--picture', 'x'],
                             'docs/files.md'),
                            (['simulate', '--schedule', 'x'], 'README.md')):
        done = subprocess.run([PPSIM, *arguments], text=True, capture_output=True)
        assert done.returncode == 2, done.stderr
        names = re.search(r'(?:figures are|schedules are|one of) (.*? and [\w-]+)', done.stderr)[1]
        text = (ROOT / page).read_text()
        for name in re.split(', | and ', names):
            assert re.search(rf'(?<![\w-]){re.escape(name)}(?![\w-])', text), \
                f'{page}: nothing of {name}'


def find(lines, output):
    """The first shown line that the output has not, in this order; None if it has all."""
    at, anywhere = 0, False
    for line in lines:
        if line == '...':
            anywhere = True
            continue
        places = range(at, len(output)) if anywhere else range(at, min(at + 1, len(output)))
        at = next((i + 1 for i in places if output[i] == line), 0)
        if at == 0:
            return line
        anywhere = False
    return None if anywhere or at == len(output) else f'(the end; there is {output[at]!r})'


def status_shown(lines):
    """The exit status that the lines tell of."""
    if any(line.startswith('ppsim: ') for line in lines):
        return 2
    return int(any(line.startswith(('FAIL', 'not ok')) for line in lines))


def test_simulations_print_what_is_shown():
    count = 0
    with Workplace() as place:
        for page in PAGES:
            for block in blocks(page, 'console'):
                for command, lines in shown(block):
                    if measures(command):
                        continue
                    done = run(command, place)
                    output = printed(done)
                    lost = find(lines, output)
                    assert lost is None, f'{where(page)}: {command}: does not print {lost!r}'
                    assert done.returncode == status_shown(lines), f'{command}: {done.stderr}'
                    count += 1
    assert count > 8, f'only {count} commands found'


def test_commands_work():
    """Every line of an sh block that calls ppsim, page by page; training is of a tiny
    model, whose gates may find its timing too far off."""
    count = 0
    for page in PAGES:
        with Workplace() as place:
            for line in made_in(page) + '\n'.join(blocks(page, 'sh')).split('\n'):
                command = ' '.join(shlex.quote(word) if '<' in word or '*' in word else word
                                   for word in shlex.split(line, comments=True))
                if command.startswith(('mkdir', 'echo')):
                    run(command, place)
                if not command.startswith('build/ppsim') or serves(command):
                    continue
                judged = trains(command) and '--baseline' in command
                done = run(f'{command} {TINY}' if trains(command) else command, place)
                assert done.returncode == 0 or (judged and done.returncode == 1), \
                    f'{where(page)}: {command}: exit {done.returncode}: {done.stderr}'
                count += 1
    assert count > 8, f'only {count} commands found'


def test_adding_takes_the_files_named():
    """Each row of CONTRIBUTING's table: its pattern is in, or names, just these files."""
    rows = re.findall(r'^\| an? (.*?) \|.*?\| (.*?) \| (?:`(.*)`)? ?\|$',
                      (ROOT / 'CONTRIBUTING.md').read_text(), re.M)
    assert len(rows) >= 10, rows
    candidates = [path for folder in ('src', 'schedules', 'plots')
                  for path in (ROOT / folder).rglob('*')
                  if path.is_file() and 'examples' not in path.parts]
    candidates += [ROOT / 'docs/report.schema.json', ROOT / 'docs/options.md']
    wrong = []
    for what, cell, pattern in rows:
        named = {word for word in re.findall(r'`([^`]+)`', cell) if '/' in word}
        wrong += [f'{what}: no {name}' for name in named if not (ROOT / name).exists()]
        if not pattern:
            continue
        search = re.compile(pattern.replace('\\|', '|'), re.M)
        found = {str(path.relative_to(ROOT)) for path in candidates
                 if search.search(path.read_text())}
        wrong += [f'{what}: {name} is not named' for name in sorted(found - named)]
        wrong += [f'{what}: {name} is named for nothing' for name in sorted(named - found)]
    assert not wrong, '\n'.join(wrong)


def test_the_design_names_every_folder():
    text = (ROOT / 'docs/DESIGN.md').read_text()
    folders = [path for path in (*(ROOT / 'src').rglob('*'), ROOT / 'schedules',
                                 ROOT / 'plots', ROOT / 'bench', ROOT / 'tests')
               if path.is_dir()]
    missing = [str(path.relative_to(ROOT)) for path in folders
               if f'| [{path.relative_to(ROOT)}/](' not in text]
    assert not missing and len(folders) > 12, missing


def plain(line):
    return re.sub(r'[\d.]+', '0', line)


def alike(line, other):
    return difflib.SequenceMatcher(None, line, other, False).ratio()


def renew(lines, output):
    """The lines of the output that are most like those shown, in this order."""
    if '...' not in lines:
        return output
    wanted = [line for line in lines if line != '...']
    like = [[alike(plain(line), plain(other)) + alike(line, other) / 100
             for other in output] for line in wanted]
    # best[i][k]: of the first i lines, all within the first k of the output.
    best = [[0.0] * (len(output) + 1)]
    for i, row in enumerate(like):
        best.append([-1.0] * (len(output) + 1))
        for k in range(i + 1, len(output) + 1):
            best[-1][k] = max(best[-1][k - 1], best[i][k - 1] + row[k - 1])
    chosen, k = [], len(output)
    for i in range(len(wanted), 0, -1):
        while best[i][k] == best[i][k - 1]:
            k -= 1
        k -= 1
        chosen.insert(0, output[k])
    return [line if line == '...' else chosen.pop(0) for line in lines]


def update():
    pages = [page for page in PAGES if str(where(page)) in (sys.argv[4:] or [str(where(page))])]
    with Workplace() as place:
        for page in pages:
            for line in made_in(page):
                run(line, place)
            for line in '\n'.join(blocks(page, 'sh')).split('\n'):
                saves = line.endswith('--save m.safetensors')  # what generates below
                if saves or (line.startswith('build/ppsim ') and not measures(line) and
                             not serves(line) and '<' not in line):
                    run(line, place)
                for picture in re.findall(r'--plot ((?:docs|labs)/\S+)', line):
                    shutil.copy(place / picture, ROOT / picture)
        for page in pages:
            def again(match):
                if match[1] != 'console':
                    return match[0]
                text = '```console\n'
                for command, lines in shown(match[2]):
                    done = run(command, place)
                    output = printed(done)
                    text += '\n'.join([f'$ {command}', *renew(lines, output)]) + '\n'
                return text + '```'
            page.write_text(BLOCK.sub(again, page.read_text()))


def main():
    tests = {name: test for name, test in globals().items() if name.startswith('test_')}
    failures = 0
    for name in sys.argv[3:] or list(tests):
        try:
            tests[name]()
            print('ok  ', name, flush=True)
        except Exception as problem:  # a failure of one is no reason to skip the rest
            failures += 1
            print('FAIL', name, f'{type(problem).__name__}: {problem}', flush=True)
    sys.exit(1 if failures else 0)


if __name__ == '__main__':
    if sys.argv[3:4] == ['--update']:
        update()
    else:
        main()
