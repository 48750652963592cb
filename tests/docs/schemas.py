"""The JSON Schemas in docs/ against what ppsim writes: they accept it, know every key of
it, and refuse it when any key is missing or of another type.

usage: schemas.py PPSIM ROOT [NAME ...]     runs every test, or those named
"""
import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print('python3-jsonschema is not installed')
    sys.exit(77)

PPSIM, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
TINY = ('--layers 4 --d-model 16 --heads 2 --seq-len 8 --microbatch-size 2 --steps 3 '
        '--warmup-steps 1')
EXAMPLES = ROOT / 'schedules/examples'
REPORTS = (
    'simulate', 'simulate --schedule zb-v --cost f=1,i=1,w=1', 'simulate --ranks 1',
    'simulate --schedule dualpipev --link latency=5us,bandwidth=10GB/s',
    'simulate --cost f=1,2,1,1,b=2 --slow 3:1.5 --jitter lognormal:0.1 --steps 4',
    f'simulate --schedule {EXAMPLES}/uneven.csv --check bubble<1 --check makespan<1s',
    'simulate --device flops=10TFLOPS,bandwidth=1TB/s --layer-split auto --untied',
    'simulate --schedule decode --prompt-chunks 2 --groups 3 --cost prefill=4,decode=1',
    'simulate --schedule interleaved --microbatches 70000 --ranks 8 --chunks 2',
    f'{TINY}', f'{TINY} --ranks 2 --verify --schedule zb-h1 --data {ROOT}/README.md',
    f'{TINY} --schedule interleaved --ranks 2 --untied --clock virtual --layer-split 1,1,1,1',
    f'{TINY} --ranks 1 --optimizer sgd --clip-norm 0',
)
GENERATIONS = (
    'generate --prompt He --prompt Hello --ranks 2 --groups 2 --prefill-chunk 2 --max-tokens 3',
    'generate --prompt H --ranks 1 --temperature 0.8 --stop x',
)
SCHEDULES = ('1f1b', 'interleaved', 'zb-v', 'dualpipev', 'decode --prompt-chunks 2',
             f'{EXAMPLES}/uneven.csv')
SWEEPS = ('--schedule gpipe,interleaved --ranks 2,4 --chunks 1,2',
          '--slow 0:1.5 --slow 3:2 --best bubble --check bubble<=0.5',
          '--schedule 1f1b,interleaved --link latency=1us..9ms --crossover --slow 0:1 --slow 0:2',
          f'--run {TINY} --ranks 1,2')
OPTIMIZE = ('--memory-limit 3 --iterations 1000', '--memory f=2GB --memory-limit 3GB --iterations 500 '
            '--device flops=1TFLOPS --ranks 2 --objective makespan')
RECOMMEND = ('--microbatches 7 --memory-limit 5', '--memory-limit 1GB --device flops=1TFLOPS')


def printed(arguments, valid=(0,)):
    done = subprocess.run([PPSIM, *arguments.split()], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=300)
    assert done.returncode in valid, f'{arguments}: exit {done.returncode}: {done.stderr}'
    return json.loads(done.stdout)


def documents():
    for arguments in REPORTS:
        yield 'report', arguments, printed(f'{arguments} --quiet --json -')
    with tempfile.TemporaryDirectory() as folder:
        model = f'{folder}/m.safetensors'
        printed(f'{TINY} --ranks 1 --save {model} --quiet --json -')
        for arguments in GENERATIONS:
            yield 'report', arguments, printed(f'{arguments} --load {model} --quiet --json -')
    for name in SCHEDULES:
        yield 'schedule', name, printed(f'schedules show {name} --format json')
    for arguments in SWEEPS:
        yield 'sweep', arguments, printed(f'sweep {arguments} --quiet --json -')
    # Whatever is wrong with this machine; and something that is.
    yield 'doctor', 'doctor', printed('doctor --quiet --json -', (0, 4))
    os.environ['TMPDIR'] = '/nowhere'
    yield 'doctor', 'TMPDIR=/nowhere', printed('doctor --quiet --json -', (4,))
    del os.environ['TMPDIR']
    for arguments in OPTIMIZE:
        yield 'optimize', arguments, printed(f'optimize {arguments} --quiet --json -')
    for arguments in RECOMMEND:
        yield 'recommend', arguments, printed(f'recommend {arguments} --quiet --json -')


def schema(name):
    return json.loads((ROOT / f'docs/{name}.schema.json').read_text())


def closed(part):
    """The same schema, which takes no keys but those that it names. A config has the
    options of its command, which the schema leaves open."""
    if isinstance(part, list):
        return [closed(item) for item in part]
    if not isinstance(part, dict):
        return part
    part = {key: value if key == 'config' else closed(value)
            for key, value in part.items()}
    if part.get('type') == 'object' and 'additionalProperties' not in part:
        part['additionalProperties'] = False
    return part


def places(value, path=()):
    """The paths of a document's keys; of a list, its first and last item's."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield *path, key
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for index in sorted({0, len(value) - 1} if value else ()):
            yield from places(value[index], (*path, index))


def at(document, path):
    for step in path:
        document = document[step]
    return document


def changed(document, path, change):
    """The document with its object at the path changed; only the way there is copied."""
    if not path:
        document = copy.copy(document)
        change(document)
        return document
    document = copy.copy(document)
    document[path[0]] = changed(document[path[0]], path[1:], change)
    return document


def free(kind, path):
    """A key that the schema leaves open, or that may be missing: an option in a config, what
    is false, what older files lack, what is of decoding alone,
    what a sweep varies."""
    named = schema(kind)['properties'].get('config', {}).get('properties', {})
    if path[-1] in ('reduction_s', 'reduction_exposed_s', 'decoding', 'generation') or \
            (path[0] == 'costs' and path[-1] in ('class', 'rows')):
        return True
    return (path[0] == 'config' and path[1:2] and path[1] not in named) or \
        path[-1] in ('timeline', 'timeline_dropped', 'core_share', 'joined', 'resumed_from',
                     'lr', 'evaluations', 'copies', 'stopped_after', 'values', 'judged',
                     'peak_memory', 'gradient_bytes', 'optimizer_bytes', 'kv_cache_bytes') or \
        path[-2:-1] in (('values',), ('judged',))


def test_schemas_are_schemas():
    for name in 'report', 'schedule', 'sweep', 'doctor', 'optimize', \
            'recommend':
        jsonschema.Draft202012Validator.check_schema(schema(name))


def test_what_is_written_is_accepted(found):
    for kind, arguments, document in found:
        checker = jsonschema.Draft202012Validator(closed(schema(kind)))
        problem = jsonschema.exceptions.best_match(checker.iter_errors(document))
        assert problem is None, f'{arguments}: {problem.json_path}: {problem.message}'
    nulls = {path[-1] for _, _, document in found for path in places(document)
             if at(document, path) is None}
    assert nulls >= {'theory', 'predicted', 'bandwidth_Bps', 'entropy_floor', 'verified',
                     'predicted_makespan_s', 'parameter_bytes', 'min'}, nulls
    assert nulls >= {'cores', 'mpi', 'blas', 'host', 'cpuset', 'digest', 'timeline'}, nulls


def test_each_key_is_needed_and_has_its_type(found):
    count = 0
    for kind, arguments, document in found:
        if len(json.dumps(document)) > 200_000:
            continue
        checker = jsonschema.Draft202012Validator(schema(kind))
        for path in places(document):
            *way, key = path
            if free(kind, path):
                continue
            without = changed(document, way, lambda part: part.pop(key))
            assert not checker.is_valid(without), f'{arguments}: {path} may be missing'
            other = changed(document, way, lambda part: part.update({key: {'no': 'such type'}}))
            assert not checker.is_valid(other), f'{arguments}: {path} may be an object'
            count += 1
    assert count > 500, count


def test_wrong_values_are_refused(found):
    report = next(d for k, a, d in found if a == 'simulate')
    checker = jsonschema.Draft202012Validator(schema('report'))
    wrong = (
        (('schema',), 'ppsim.report/2'), (('makespan_s',), -1), (('makespan_s',), '0.033'),
        (('makespan_s',), None), (('bubble', 'theory'), '0.27'),
        (('bubble', 'causes', 'warmup'), None), (('ranks', 0, 'rank'), '0'),
        (('ranks', 0, 'rank'), 0.5), (('ranks', 0, 'stages'), ['0']), (('costs', 0, 'kind'), 'X'),
        (('costs', 0, 'count'), 1.5), (('link', 'bandwidth_Bps'), 'inf'),
        (('training', 'verified'), 'yes'), (('environment', 'oversubscribed'), 0),
        (('timeline', 'ops', 0, 0), ['0F0', 0, 1, 0]),
        (('timeline', 'ops', 0, 0), ['0X0', 0, 1, 0, 0]),
        (('timeline', 'ops', 0, 0), ['0F0', 0, 1, 0, '0']), (('config', 'ranks'), '4'))
    for path, value in wrong:
        *way, key = path

        def change(part, key=key, value=value):
            part[key] = value
        assert not checker.is_valid(changed(report, way, change)), f'{path} may be {value!r}'


def main():
    tests = {name: test for name, test in globals().items() if name.startswith('test_')}
    found, failures = list(documents()), 0
    for name in sys.argv[3:] or list(tests):
        try:
            tests[name](*[found][:tests[name].__code__.co_argcount])
            print('ok  ', name, flush=True)
        except Exception as problem:  # a failure of one is no reason to skip the rest
            failures += 1
            print('FAIL', name, f'{type(problem).__name__}: {problem}', flush=True)
    sys.exit(1 if failures else 0)


main()
