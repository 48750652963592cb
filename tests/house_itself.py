"""Does house.py see what it is there to see? Each fault is put into a clean tree, which
must then be refused, the fault named.

usage: house_itself.py
"""
import pathlib
import subprocess
import sys
import tempfile

HOUSE = pathlib.Path(__file__).with_name('house.py')
CLEAN = {
    'src/base/a.h': '#include <stdio.h>\n',
    'src/base/a.c': '#include "base/a.h"\n',
    'src/cli/b.h': '#include "base/a.h"\n',
    'src/cli/b.c': '#include "cli/b.h"\n',
    'schedules/c.h': '',
    'schedules/c.c': '#include "schedules/c.h"\n',
    'src/cli/c.c': '#include "schedules/c.h"\n',  # another file of that name
    # As long as may be, with comments, blank lines, and comments that are none.
    'tests/long.c': '\n/* one\n * two */\n// three\n' + 'char *s = "/*"; /* " */\n' * 450,
    # In a comment nothing is included.
    'src/base/d.h': '/*\n#include "cli/b.h"\n*/\n#include "base/a.h"\n',
}
FAULTS = (
    ({'src/base/a.h': '#include "cli/b.h"\n'}, 'src/base/a -> src/cli/b -> src/base/a'),
    ({'src/base/a.c': '#  include "cli/b.h"\n'}, 'src/base/a -> src/cli/b -> src/base/a'),
    ({'src/base/a.c': '#include "../cli/b.h"\n'}, 'src/base/a -> src/cli/b -> src/base/a'),
    ({'schedules/c.h': '#include "e.h"\n', 'schedules/e.h': '#include "f.h"\n',
      'schedules/f.c': '#include "c.h"\n', 'schedules/f.h': ''},
     'schedules/c -> schedules/e -> schedules/f -> schedules/c'),
    ({'tests/unit/long.c': 'int i;\n' * 451}, 'tests/unit/long.c: 451 lines'),
    ({'src/long.h': 'int i;\n' * 451}, 'src/long.h: 451 lines'),
    ({'schedules/long.c': '"/*";\n' * 451}, 'schedules/long.c: 451 lines'),
    ({'schedules/long.c': "'\"'; /* */\n" * 451}, 'schedules/long.c: 451 lines'),
    ({'tests/cli/numbers.py': ''}, 'tests/cli/numbers.py: the name of a module'),
)


def judge(files):
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run([sys.executable, HOUSE, root], text=True,
                              capture_output=True, check=False)
    return done.returncode, done.stdout


failed = judge(CLEAN) != (0, '')
if failed:
    print('a clean tree is refused:', judge(CLEAN))
for fault, name in FAULTS:
    status, said = judge(CLEAN | fault)
    if status != 1 or name not in said or said.count('\n') != 1:
        failed = True
        print(f'not seen: {name}: {status} {said}')
sys.exit(failed)
