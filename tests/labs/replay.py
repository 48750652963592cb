"""A small simulator of the tests' own, to know what a right answer is without ppsim.

An order is a list of rows, one per rank, of ops (stage, kind, microbatch).
"""


def simulate(order, times, hop=0.0):
    """When each op runs: {op: (start, end)}. times[kind] is what an op of a stage takes, or
    times(stage, kind); hop, what a message between ranks takes. None: it blocks."""
    rank_of = {stage: r for r, row in enumerate(order) for stage, _, _ in row}
    last, ends, at, free = max(rank_of), {}, [0] * len(order), [0.0] * len(order)
    cost = times if callable(times) else lambda stage, kind: times[kind]
    spans, moved = {}, True
    while moved:
        moved = False
        for r, row in enumerate(order):
            while at[r] < len(row):
                stage, kind, i = op = row[at[r]]
                begin = free[r]
                source = {'F': stage - 1, 'B': stage + 1, 'I': stage + 1}.get(kind, -1)
                if 0 <= source <= last:
                    made = ends.get((source, kind == 'F', i))
                    if made is None:
                        break
                    begin = max(begin, made + (hop if rank_of[source] != r else 0))
                spans[op] = begin, begin + cost(stage, kind)
                free[r] = spans[op][1]
                if kind != 'W':
                    ends[stage, kind == 'F', i] = free[r]
                at[r] += 1
                moved = True
    return spans if len(spans) == sum(map(len, order)) else None


def makespan(order, times, hop=0.0):
    spans = simulate(order, times, hop)
    return max(end for _, end in spans.values()) if spans else None


def held(order):
    """The most microbatches that each rank holds, from F to B or W, counted in stages."""
    peaks = []
    for row in order:
        now = peak = 0
        for _, kind, _ in row:
            now += {'F': 1, 'B': -1, 'W': -1, 'I': 0}[kind]
            peak = max(peak, now)
        peaks.append(peak)
    return peaks


def write(path, order):
    path.write_text(''.join(','.join(f'{s}{k}{i}' for s, k, i in row) + '\n' for row in order))


def one_f_one_b(p, m, warmup=lambda p, r: p - 1 - r):
    order = []
    for r in range(p):
        w = min(warmup(p, r), m)
        row = [(r, 'F', i) for i in range(w)]
        for i in range(w, m):
            row += [(r, 'F', i), (r, 'B', i - w)]
        order.append(row + [(r, 'B', i) for i in range(m - w, m)])
    return order


def interleaved(p, v, m, n):
    """Megatron-LM's order, in groups of n; None where n is too small to run."""
    table = [(k, i) for first in range(0, m, n) for k in range(v)
             for i in range(first, min(first + n, m))]
    order = []
    for r in range(p):
        forward = [(k * p + r, 'F', i) for k, i in table]
        backward = [((v - 1 - k) * p + r, 'B', i) for k, i in table]
        w = min(2 * (p - 1 - r) + (v - 1) * n, m * v)
        row = forward[:w]
        for f, b in zip(forward[w:], backward):
            row += [f, b]
        order.append(row + backward[m * v - w:])
    return order if simulate(order, {'F': 1, 'B': 1}) else None


def two_halves(p, m, most, extra):
    """1F1B with I and W: rank r begins with p - 1 - r forwards and at most `extra` more, as
    many as `most` microbatches leave room for; a W is done when the room is needed, or at the
    end, so that it fills what would be a gap."""
    order = []
    for r in range(p):
        w = min(p - 1 - r + min(extra, p - 1 - r), most - 1, m)
        row, forwards, inputs, weights = [(r, 'F', i) for i in range(w)], w, 0, 0
        while inputs < m:
            if forwards < m:
                if forwards - weights == most:
                    row.append((r, 'W', weights))
                    weights += 1
                row.append((r, 'F', forwards))
                forwards += 1
            elif weights < inputs:
                row.append((r, 'W', weights))
                weights += 1
            row.append((r, 'I', inputs))
            inputs += 1
        order.append(row + [(r, 'W', i) for i in range(weights, m)])
    return order
