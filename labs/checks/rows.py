"""A student's schedule: a CSV file of torch.distributed.pipelining, read and stepped."""
import csv
import re

OP = re.compile(r'^(\d+)([FBIW])(\d+)$')


def read(path):
    """The ops of each rank, [(stage, kind, microbatch)]; None if a cell is no op."""
    rows = []
    try:
        with open(path, newline='') as file:
            for row in csv.reader(file):
                cells = [OP.match(cell.strip()) for cell in row if cell.strip()]
                if None in cells:
                    return None
                rows.append([(int(c[1]), c[2], int(c[3])) for c in cells])
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
    return [row for row in rows if row]


def cells(rows):
    return [[f'{s}{k}{m}' for s, k, m in row] for row in rows]


def text(rows):
    return ''.join(','.join(row) + '\n' for row in cells(rows))


def runs(rows):
    """How many ops can run, in each row's order, before nothing can go on. Of a schedule of
    whole backwards."""
    stages = 1 + max((op[0] for row in rows for op in row), default=0)
    done, at, moved = set(), [0] * len(rows), True
    while moved:
        moved = False
        for r, row in enumerate(rows):
            while at[r] < len(row):
                stage, kind, i = row[at[r]]
                before = (stage - 1, 'F', i) if kind == 'F' else (stage + 1, 'B', i)
                own = kind == 'F' or (stage, 'F', i) in done
                if not own or (0 <= before[0] < stages and before not in done):
                    break
                done.add(row[at[r]])
                at[r] += 1
                moved = True
    return len(done)


def alone(row):
    """Could the row run if every message were there? Each backward behind its forward."""
    seen = set()
    for stage, kind, i in row:
        if kind != 'F' and (stage, 'F', i) not in seen:
            return False
        seen.add((stage, kind, i))
    return True
