"""How the house is kept: no circle of files, no file too long to read at once.

A file is a .c and its .h. One file stands on another where it includes its header; a
chain of those that comes back to where it began is a circle, and says that the files
are one thing, or that something in them belongs elsewhere. Lines of code are those that
are left when comments and blank lines are taken away. No script has the name of a module
of Python's library.

usage: house.py ROOT     prints what breaks a rule; exits 1 if anything does
"""
import pathlib
import re
import sys

MOST_LINES = 450
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
# A string or a character, which may hold what looks like a comment; or a comment.
TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.S)


def files_of(root, *folders):
    return sorted(path for folder in folders for path in (root / folder).rglob('*.[ch]'))


def code_of(path):
    """The text without its comments, line for line."""
    def blank(token):
        text = token[0]
        return '\n' * text.count('\n') if text.startswith('/') else text
    return TOKEN.sub(blank, path.read_text())


def long_files(root):
    for path in files_of(root, 'src', 'schedules', 'tests'):
        lines = sum(bool(line.strip()) for line in code_of(path).splitlines())
        if lines > MOST_LINES:
            yield f'{path.relative_to(root)}: {lines} lines of code: at most {MOST_LINES}'


def includes(root):
    """Of each file of src and schedules, those that it includes; both without .c or .h."""
    found = {}
    for path in files_of(root, 'src', 'schedules'):
        own = path.with_suffix('')
        found.setdefault(own, set())
        for name in INCLUDE.findall(code_of(path)):
            for folder in path.parent, root / 'src', root:
                other = (folder / name).resolve()
                if other.is_file():
                    found[own].add(other.with_suffix(''))
                    break
    return {own: sorted(others - {own}) for own, others in found.items()}


def circles(root):
    """One circle for each set of files that stand on one another."""
    graph, done = includes(root), set()

    def way(start, end):
        """The shortest way from start to end; None where there is none."""
        ways, seen = [[start]], {start}
        for so_far in ways:
            for other in graph.get(so_far[-1], []):
                if other == end:
                    return so_far + [end]
                if other not in seen:
                    seen.add(other)
                    ways.append(so_far + [other])
        return None

    for file in graph:
        circle = None if file in done else way(file, file)
        if circle:
            done.update(circle)
            yield 'a circle: ' + ' -> '.join(str(f.relative_to(root)) for f in circle)


def hiding(root):
    """A script's folder comes first where Python looks for modules: one with the name of
    a library's module would run in its place."""
    for folder in 'tests', 'bench':
        for path in sorted((root / folder).rglob('*.py')):
            if path.stem in sys.stdlib_module_names:
                yield f"{path.relative_to(root)}: the name of a module of Python's library"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    broken = [*circles(root), *long_files(root), *hiding(root)]
    print(*broken, sep='\n', end='\n' if broken else '')
    sys.exit(1 if broken else 0)


if __name__ == '__main__':
    main()
