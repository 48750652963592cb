"""What the checks of all labs share: shapes, answers, ppsim, and TAP.

A lab's module has
  TITLE              one line
  shape(lab)         what the seed draws, a namespace
  options(s)         the shape as options of ppsim, for --show; lines
  questions(s)       {name in answers.json: what is asked, with its unit}
  files(s)           {file to hand in: what it is}
  LISTS              the names, if any, whose answer is a list
  check(lab)         judges: lab.number, lab.test; 20 points in all
and may have
  give(lab)          makes what --show hands out, and says so
"""
import hashlib
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
# A number given with three digits is off by half of the third: 0.5 % at most.
THREE_DIGITS = 0.005
ALL = 20  # points of a lab


class BadInput(Exception):
    """Exit status 2: one line says what is wrong and what would be valid."""


def find_ppsim(asked):
    for path in [asked] if asked else [ROOT / 'build/ppsim', shutil.which('ppsim')]:
        if path and os.access(path, os.X_OK) and not os.path.isdir(path):
            return os.path.abspath(path)
    if asked:
        raise BadInput(f"'--ppsim' {asked}: no program there")
    raise BadInput("no ppsim: build it with './bootstrap', or name it with '--ppsim PATH'")


class Lab:
    def __init__(self, index, seed, directory, ppsim, module):
        self.index, self.seed, self.module = index, seed, module
        self.directory, self.program = pathlib.Path(directory), ppsim
        self.tests, self.points, self.most, self.left = 0, 0, 0, 0
        self.s = module.shape(self)
        self.questions = module.questions(self.s)
        self._answers = None

    # --- what the seed draws -------------------------------------------------------

    def draw(self, name, low, high):
        """A whole number from low to high, the same for the same lab, seed and name."""
        digest = hashlib.sha256(f'{self.index}/{self.seed}/{name}'.encode()).digest()
        return low + int.from_bytes(digest[:8], 'big') % (high - low + 1)

    def pick(self, name, choices):
        return choices[self.draw(name, 0, len(choices) - 1)]

    # --- ppsim ----------------------------------------------------------------------

    def ppsim(self, arguments):
        """(exit status, stdout, stderr) of a command, in the student's folder."""
        words = arguments.split() if isinstance(arguments, str) else arguments
        clean = {key: value for key, value in os.environ.items()
                 if not key.startswith(('OMPI_COMM_WORLD_', 'PMIX_', 'PMI_', 'SLURM_'))}
        done = subprocess.run([self.program, *words], cwd=self.directory, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, env=clean)
        return done.returncode, done.stdout, done.stderr

    def report(self, arguments):
        """The report of a command that must work: the shapes are the check's own."""
        words = arguments.split() if isinstance(arguments, str) else arguments
        status, out, err = self.ppsim([*words, '--quiet', '--json', '-'])
        if status != 0:
            raise BadInput(f"'ppsim {' '.join(words)}' ended with status {status}: "
                           + ' '.join(err.split()))
        return json.loads(out)

    def simulate(self, arguments):
        words = arguments.split() if isinstance(arguments, str) else arguments
        return self.report(['simulate', *words])

    def sweep(self, arguments):
        return self.report(f'sweep {arguments}')['points']

    def milliseconds(self, arguments):
        return 1e3 * self.simulate(arguments)['makespan_s']

    def refusal(self, name):
        """What is wrong with a schedule's file, in lines; empty if nothing is."""
        status, _, err = self.ppsim(['schedules', 'check', name])
        return err.replace('ppsim: ', '').strip() if status != 0 else ''

    # --- what the student made ------------------------------------------------------

    def read_json(self, name):
        """The file's object; None where there is no file."""
        path = self.directory / name
        if not path.exists():
            return None
        try:
            found = json.loads(path.read_text())
        except (ValueError, OSError) as problem:
            raise BadInput(f"'{path}' is no JSON: {problem}") from None
        if not isinstance(found, dict):
            raise BadInput(f"'{path}' is no JSON object: write {{\"name\": number, ..}}")
        return found

    @property
    def answers(self):
        if self._answers is None:
            self._answers = self.read_json('answers.json') or {}
            for name, value in self._answers.items():
                self.check_answer(name, value)
        return self._answers

    def check_answer(self, name, value):
        """A number, or a list of them where the module's LISTS says so; or null."""
        where = f"'{self.directory / 'answers.json'}': '{name}'"
        if name not in self.questions:
            raise BadInput(f'{where} is not asked for: the names are '
                           + ', '.join(self.questions))
        if value is None:
            return
        many = name in getattr(self.module, 'LISTS', ())
        if many != isinstance(value, list):
            raise BadInput(f'{where} is {json.dumps(value)}: write '
                           + ('a list of numbers' if many else 'a number'))
        for number in value if many else [value]:
            if isinstance(number, bool) or not isinstance(number, (int, float)) or \
                    not math.isfinite(number):
                raise BadInput(f'{where} is {json.dumps(number)}: write a number')

    def has(self, name):
        """Is the file there? If not, a test fails that is worth the rest of the part."""
        if (self.directory / name).exists():
            return True
        self.lost(f'{name} is there', f"there is no {name} in '{self.directory}': "
                  f'{self.module.files(self.s)[name]}')
        return False

    def saved(self, name, **wanted):
        """The report that the student saved, if its config is as wanted; else a test fails
        that is worth the rest of the part."""
        if not self.has(name):
            return None
        found = self.read_json(name)
        config = found.get('config')
        if found.get('schema') != 'ppsim.report/1' or not isinstance(config, dict):
            self.lost(f'{name} is a report',
                      f'{name} is no report of ppsim: write it with --json {name}')
            return None
        for key, value in {'command': 'run', **wanted}.items():
            has = found.get('command') if key == 'command' else config.get(key)
            if key == 'schedule':
                has = os.path.basename(str(has))
            if has != value:
                option = key.replace('_', '-')
                self.lost(f'{name} is of your shape',
                          f'{name} is of {option} {has}, your shape has {option} {value}: '
                          'see labs/check --show')
                return None
        return found

    # --- verdicts ---------------------------------------------------------------------

    def part(self, points):
        """The next tests are worth so many points together: one that cannot go on takes what
        is left of them."""
        assert self.left == 0, self.left
        self.left = points

    def test(self, name, passed, points, hint):
        self.tests += 1
        self.most += points
        self.left = max(0, self.left - points)
        self.points += points if passed else 0
        print(f'{"ok" if passed else "not ok"} {self.tests} - {name} '
              f'({points} point{"s" if points != 1 else ""})')
        if not passed:
            for line in f'hint: {hint}'.splitlines():
                for part in textwrap.wrap(line, 88):
                    print(f'# {part}')
        return passed

    def lost(self, name, hint):
        """A test fails, and with it the rest of the part."""
        self.test(name, False, self.left, hint)

    def number(self, name, wanted, points, hint, mistakes=(), within=THREE_DIGITS):
        """A number of answers.json, within a share of what ppsim says. mistakes: (value that
        a known wrong idea gives, the hint for it)."""
        answer = self.answers.get(name)
        if answer is not None and not near(answer, wanted, within):
            hint = next((why for value, why in mistakes if near(answer, value, within)), hint)
        if answer is None:
            hint = f"answers.json has no '{name}' yet: {self.questions[name]}"
        return self.test(f'{name}: {self.questions[name]}',
                         answer is not None and near(answer, wanted, within), points, hint)

    def finish(self):
        print(f'1..{self.tests}')
        assert self.most == ALL and self.left == 0, (self.most, self.left)
        print(f'# lab {self.index}, seed {self.seed}: {self.points} of {self.most} points')
        return 0 if self.points == self.most else 1

    def show(self):
        s, files = self.s, self.module.files(self.s)
        print(f'lab {self.index}, {self.module.TITLE}; the shapes of seed {self.seed}\n')
        for line in self.module.options(s):
            print(f'  {line}')
        print('\npredict, in answers.json (three digits are enough):')
        for name, question in self.questions.items():
            print(textwrap.fill(question, 92, initial_indent=f'  {name:<16} ',
                                subsequent_indent=19 * ' '))
        print('\n  ' + json.dumps({name: None for name in self.questions}))
        if files:
            print('\nhand in beside it:')
        for name, what in files.items():
            print(textwrap.fill(what, 92, initial_indent=f'  {name:<16} ',
                                subsequent_indent=19 * ' '))
        if hasattr(self.module, 'give'):
            print()
            self.module.give(self)


def take(name, get):
    """What get() finds in a report that a student saved, and may have changed."""
    try:
        return get()
    except (KeyError, TypeError, IndexError, AttributeError, StopIteration, ZeroDivisionError):
        raise BadInput(f"'{name}' is no whole report: write it anew with --json {name}") from None


def near(answer, wanted, within):
    """Within a share of what is wanted; whole numbers (within 0) exactly."""
    return abs(answer - wanted) <= within * abs(wanted) + 1e-9


def say(text):
    print(text, file=sys.stdout)
