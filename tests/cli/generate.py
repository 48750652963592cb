"""ppsim generate: the same tokens however they are made, what is printed, what is refused.

usage: generate.py PPSIM [NAME ...]     runs every test, or those named
"""
import array
import json
import math
import os
import random
import re
import signal
import subprocess

from common import PPSIM, refused, run_tests
from processes import LONG, Terminal, children, wait_until

CONTEXT = 48
PROMPTS = ['The first of them', 'and', 'a second', 'x', 'one more, longer than the others']
# Hops of 0.25 ms, whatever they carry.
LINK = 'latency=0.25ms,bandwidth=1000000000GB/s'


def write_model(path, context=CONTEXT, vocab=256, width=32, layers=4, deviation=0.4):
    """A model of random weights, large enough for its tokens to be all sorts."""
    draw = random.Random(5)
    shapes = {'wte.weight': [vocab, width], 'wpe.weight': [context, width]}
    for i in range(layers):
        for name, shape in {
                'ln_1.weight': [width], 'ln_1.bias': [width],
                'attn.c_attn.weight': [width, 3 * width], 'attn.c_attn.bias': [3 * width],
                'attn.c_proj.weight': [width, width], 'attn.c_proj.bias': [width],
                'ln_2.weight': [width], 'ln_2.bias': [width],
                'mlp.c_fc.weight': [width, 4 * width], 'mlp.c_fc.bias': [4 * width],
                'mlp.c_proj.weight': [4 * width, width], 'mlp.c_proj.bias': [width]}.items():
            shapes[f'h.{i}.{name}'] = shape
    shapes.update({'ln_f.weight': [width], 'ln_f.bias': [width]})
    header, data = {'__metadata__': {'n_head': '2'}}, array.array('f')
    for name, shape in shapes.items():
        begin, count = 4 * len(data), math.prod(shape)
        if len(shape) == 2:
            some = [draw.gauss(0, deviation) for _ in range(min(count, 1 << 15))]
            data.extend((some * (count // len(some) + 1))[:count])
        else:
            data.extend([float('ln_' in name and name.endswith('weight'))] * count)
        header[name] = {'dtype': 'F32', 'shape': shape, 'data_offsets': [begin, 4 * len(data)]}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, 'little') + text + data.tobytes())


def run(tmp, *arguments, environment=None, data=None):
    """Returns (exit status, stdout as bytes, stderr)."""
    done = subprocess.run([PPSIM, 'generate', '--load', 'm.safetensors', *arguments], cwd=tmp,
                          input=data if data is not None else b'', capture_output=True,
                          timeout=LONG, env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout, done.stderr.decode(errors='replace')


def generate(tmp, *arguments, prompts=PROMPTS, environment=None):
    """The report of a generation."""
    each = [word for prompt in prompts for word in ('--prompt', prompt)]
    status, out, err = run(tmp, *each, *arguments, '--quiet', '--json', '-',
                           environment=environment)
    assert status == 0, (arguments, status, err)
    return json.loads(out)


def tokens(found):
    return [sequence['tokens'] for sequence in found['generation']['sequences']]


def test_tokens_do_not_depend_on_how_they_are_made(tmp):
    write_model(tmp / 'm.safetensors')
    layouts = ['--ranks 1 --groups 2', '--ranks 2 --groups 1', '--ranks 2 --groups 6',
               '--ranks 3 --layer-split 1,2,1 --groups 2', '--ranks 3 --groups 3',
               '--ranks 4 --groups 4', '--ranks 4 --groups 5 --prefill-chunk 1',
               '--ranks 2 --layer-split 3,1 --prefill-chunk 3', '--ranks 4 --prefill-chunk 7']
    for sampling in '', '--decode sample --seed 7', '--temperature 0.7 --top-k 20 --top-p 0.9':
        common = ['--max-tokens', '12', *sampling.split()]
        expected = tokens(generate(tmp, *common, '--ranks', '1', '--groups', '1',
                                   '--prefill-chunk', '64'))
        assert [len(found) for found in expected] == [12] * len(PROMPTS)
        assert len(set(map(tuple, expected))) == len(PROMPTS), expected
        for layout in layouts if not sampling else layouts[2::2]:
            assert tokens(generate(tmp, *common, *layout.split())) == expected, layout
        # Alone, where its number among the prompts stays the same: that is what it is drawn by.
        assert tokens(generate(tmp, *common, '--ranks', '2', prompts=PROMPTS[:1])) == \
            expected[:1]
        if not sampling:
            back = tokens(generate(tmp, *common, '--ranks', '2', prompts=PROMPTS[::-1]))
            assert back[::-1] == expected


def test_the_cache_holds_what_would_be_computed_again(tmp):
    write_model(tmp / 'm.safetensors')
    prompt = PROMPTS[0].encode()
    expected, = tokens(generate(tmp, '--ranks', '2', '--max-tokens', '30', '--prefill-chunk',
                                '5', prompts=PROMPTS[:1]))
    for known in 1, 9, 29:
        (tmp / 'prompt').write_bytes(prompt + bytes(expected[:known]))
        again, = tokens(generate(tmp, '--prompt-file', 'prompt', '--max-tokens', '1', '--ranks',
                                 '1', prompts=[]))
        assert again == expected[known:known + 1], known


def test_a_sequence_ends(tmp):
    write_model(tmp / 'm.safetensors')
    longest = 'p' * CONTEXT
    found = generate(tmp, '--max-tokens', '100', '--ranks', '2', prompts=['x', longest])
    first, second = found['generation']['sequences']
    # Every position of the context is used; the token after the last needs none.
    assert len(first['tokens']) == CONTEXT and first['finish'] == 'length'
    assert len(second['tokens']) == 1 and second['finish'] == 'length'

    # A stop of several tokens: of the first two in a row that can be an argument.
    text = bytes(first['tokens'])
    begin = next(at for at in range(len(text)) if all(0 < byte < 128 for byte in text[at:at + 2])
                 and len(text[at:at + 2]) == 2 and text.find(text[at:at + 2]) == at)
    stop = text[begin:begin + 2].decode()
    status, out, err = run(tmp, '--prompt', 'x', '--max-tokens', '100', '--stop', stop, '--stop',
                           'no such text', '--json', 'r.json', '--quiet', '--ranks', '2')
    assert (status, out) == (0, text[:begin]), (status, out, text, err)
    stopped, = json.loads((tmp / 'r.json').read_text())['generation']['sequences']
    assert stopped['finish'] == 'stop' and stopped['tokens'] == list(text[:begin + 2])


def test_groups_that_cannot_be_are_told(tmp):
    write_model(tmp / 'm.safetensors')
    for groups, warned in ('2', ''), ('3', "warning: '--groups' 3 is cut to 2"):
        status, _, err = run(tmp, '--prompt', 'a', '--prompt', 'b', '--groups', groups, '--ranks',
                             '2', '--max-tokens', '2', '--quiet')
        assert status == 0 and err.startswith(f'ppsim: {warned}' if warned else '') and \
            err.count('\n') == bool(warned), (groups, status, err)


def test_what_makes_it_greedy(tmp):
    write_model(tmp / 'm.safetensors')

    def found(arguments):
        return tokens(generate(tmp, '--max-tokens', '12', '--ranks', '1', *arguments.split(),
                               prompts=PROMPTS[:2]))
    greedy, drawn = found(''), found('--decode sample --seed 7')
    assert greedy != drawn
    # A seed alone, and where nothing is drawn, harms nobody; a temperature of 0 draws nothing.
    for same in ('--seed 7', '--decode greedy --seed 7', '--temperature 0 --seed 7',
                 '--temperature 0 --decode greedy', '--temperature 0 --top-k 3',
                 '--decode sample --temperature 0'):
        assert found(same) == greedy, same
    for same in '--temperature 1 --seed 7', '--top-k 0 --seed 7', '--top-p 1 --seed 7':
        assert found(same) == drawn, same


def test_who_asks_for_more_learns_why_there_are_none(tmp):
    write_model(tmp / 'm.safetensors')
    for most, full in ('3', False), ('100', True):
        status, out, err = run(tmp, '--prompt', 'x', '--prompt', 'y', '--max-tokens', most,
                               '--ranks', '3', '--groups', '2')
        assert status == 0, err
        assert (f'2 of 2 texts filled the context of {CONTEXT} tokens' in err) == full, err
        assert 'a token takes all 3 ranks in turn, so 2 groups decoding keep 2 busy' in err, err


def test_texts_on_standard_output(tmp):
    write_model(tmp / 'm.safetensors')
    one, two = (bytes(found) for found in tokens(generate(tmp, '--max-tokens', '9', '--ranks', '2',
                                                          prompts=PROMPTS[:2])))
    status, out, err = run(tmp, '--prompt', PROMPTS[0], '--max-tokens', '9')
    assert (status, out) == (0, one), (status, out, err)
    assert 'tokens/s' in err and 'bubble' in err
    status, out, err = run(tmp, '--prompt', PROMPTS[0], '--prompt', PROMPTS[1], '--max-tokens',
                           '9', '--quiet')
    assert out == b'==> prompt 1 <==\n' + one + b'\n==> prompt 2 <==\n' + two + b'\n', out
    assert err == '', err
    status, out, err = run(tmp, '--prompt-file', '-', '--max-tokens', '9', '--quiet',
                           data=PROMPTS[0].encode())
    assert (status, out) == (0, one), (status, out, err)
    # Standard output for the report alone: the text moves.
    status, out, err = run(tmp, '--prompt', PROMPTS[0], '--max-tokens', '9', '--json', '-')
    assert json.loads(out)['command'] == 'generate' and err.startswith(one.decode(errors='replace'))


def test_it_is_reported(tmp):
    write_model(tmp / 'm.safetensors')
    found = generate(tmp, '--max-tokens', '10', '--ranks', '2', '--groups', '2', '--trace',
                     't.json', '--paje', 't.paje', '--csv', 't.csv', prompts=PROMPTS)
    told = found['generation']
    assert told['groups'] == 2 and told['generated_tokens'] == 50
    assert told['prompt_tokens'] == sum(map(len, PROMPTS))
    assert told['tokens_per_s'] > 0 and told['weight_Bps'] > 0 and told['read_Bps'] > 0
    # 200 KB of weights; memory is not measured where there is none to spare for that.
    assert told['weights_cached'] and (told['memory_Bps'] is None or told['memory_Bps'] > 0), told
    for times in told['ttft_s'], told['tpot_s']:
        assert 0 < times['p50'] <= times['p95'] <= times['p99']
    for sequence, prompt in zip(told['sequences'], PROMPTS):
        assert bytes(sequence['prompt_tokens']) == prompt.encode()
        assert sequence['text'] == bytes(sequence['tokens']).replace(b'\0', b'\xff').decode(
            errors='replace')
    assert abs(told['utilization'] + found['bubble']['fraction'] - 1) < 1e-12
    assert all(rank['kv_cache_bytes'] > 0 for rank in found['ranks'])
    assert found['config']['layer_split'] == [2, 2] and found['config']['groups'] == 2
    assert found['config']['decode'] == 'greedy'
    drawn = generate(tmp, '--max-tokens', '2', '--top-k', '3', prompts=PROMPTS[:1])
    assert drawn['config']['decode'] == 'sample'
    assert len((tmp / 't.csv').read_text().splitlines()) == 1 + 2 * found['config']['microbatches']
    assert json.loads((tmp / 't.json').read_text())['traceEvents']


def test_bubbles_are_those_of_the_closed_form(tmp, counted):
    """Each op lasts 1 ms, each hop a quarter of it: nothing but the order is left."""
    write_model(tmp / 'm.safetensors')
    ticking = {**counted, 'COUNTED_READS': '1'}
    for ranks in 2, 4:
        for groups in range(1, 7):
            prompts, turns = ['a', 'b', 'c', 'd', 'e', 'f'][:groups], 9
            common = ['--ranks', str(ranks), '--groups', str(groups), '--clock', 'virtual',
                      '--max-tokens', str(turns + 1)]
            free = generate(tmp, *common, '--link', LINK.replace('0.25', '0'), prompts=prompts,
                            environment=ticking)
            told = free['generation']['decoding']
            assert told['batches'] == turns * groups, told
            work = turns * groups
            closed = 1 - work / (turns * ranks + groups - 1) if groups <= ranks else \
                (ranks - 1) / (work + ranks - 1)
            assert abs(told['bubble'] - closed) < 1e-9, (ranks, groups, told, closed)
            assert abs(told['theory'] - closed) < 1e-9, (ranks, groups, told, closed)
            # With hops: the form of a round, P = max(g c, p c + p l).
            hops = generate(tmp, *common, '--link', LINK, prompts=prompts, environment=ticking)
            period = max(groups, ranks * 1.25)
            makespan = (turns - 1) * period + groups - 1 + ranks + (ranks - 1) * 0.25
            told = hops['generation']['decoding']
            assert abs(told['bubble'] - (1 - work / makespan)) < 1e-9, (ranks, groups, told)
            for found in free, hops:  # prompts included
                bubble = found['bubble']
                assert abs(bubble['fraction'] - bubble['predicted']) < 1e-9, bubble


def test_an_incomplete_last_turn_has_a_closed_form(tmp, counted):
    """One of two groups ends a token before the other: 9 batches, and 8."""
    write_model(tmp / 'm.safetensors')
    ticking = {**counted, 'COUNTED_READS': '1'}
    # The context ends the second one: its prompt is longer by a token.
    prompts = ['a' * (CONTEXT - 9), 'a' * (CONTEXT - 8)]
    found = generate(tmp, '--ranks', '3', '--groups', '2', '--clock', 'virtual', '--link',
                     LINK.replace('0.25', '0'), '--max-tokens', '99', prompts=prompts,
                     environment=ticking)
    told = found['generation']['decoding']
    ranks, groups, batches = 3, 2, told['batches']
    assert batches % groups == 1, told
    turns = batches // groups
    closed = 1 - batches / (turns * ranks + ranks)
    assert abs(told['bubble'] - closed) < 1e-9 and abs(told['theory'] - closed) < 1e-9, told
    assert abs(found['bubble']['predicted'] - found['bubble']['fraction']) < 1e-9, found['bubble']


def test_it_is_explained(tmp, counted):
    """What a layer costs is not known where prompts and tokens take different times."""
    write_model(tmp / 'm.safetensors')
    found = generate(tmp, '--ranks', '2', '--layer-split', '3,1', '--clock', 'virtual',
                     environment={**counted, 'COUNTED_READS': '1'})
    for cost in found['costs']:  # a split that would be worth another
        if cost['stage'] == 0:
            cost['median_s'] *= 5
    (tmp / 'r.json').write_text(json.dumps(found))
    done = subprocess.run([PPSIM, 'explain', 'r.json'], cwd=tmp, capture_output=True, text=True,
                          timeout=LONG)
    assert done.returncode == 0 and 'critical path' in done.stdout, done
    assert '--layer-split' not in done.stdout, done.stdout


def test_what_is_wrong_is_refused(tmp):
    write_model(tmp / 'm.safetensors')
    load = 'generate --load m.safetensors'
    refused('generate --prompt a', "'--load'", directory=tmp)
    refused(load, "'--prompt'", directory=tmp)
    refused(f'{load} --prompt-file none', "'none'", directory=tmp)
    refused('generate --load none.safetensors --prompt a', "'none.safetensors'", directory=tmp)
    refused(f'{load} --prompt a --ranks 5', '5', '4', directory=tmp)
    refused(f'{load} --prompt a --layer-split 2,1', 'layer-split', directory=tmp)
    refused(f'{load} --prompt {"p" * (CONTEXT + 1)}', f'{CONTEXT + 1} tokens', str(CONTEXT),
            directory=tmp)
    refused(f'{load} --prompt a --decode greedy --top-k 3', "'--top-k'", "'--decode'",
            directory=tmp)
    refused('generate m.safetensors', "'m.safetensors'", "'--load'", "'--prompt'", directory=tmp)
    refused('serve m.safetensors', "'m.safetensors'", "'--load'", directory=tmp)
    refused(f'{load} --prompt a --check nonsense', 'nonsense', directory=tmp)
    assert run(tmp, '--prompt', 'x', '--ranks', '2', '--json', 'kept.json')[0] == 0
    refused('simulate --costs kept.json', "'kept.json'", "'--schedule' decode", directory=tmp)
    refused(f'{load} --prompt a --tokenizer none', "'none'", directory=tmp)
    (tmp / 'words').mkdir()
    (tmp / 'words' / 'merges.txt').write_text('')
    refused(f'{load} --prompt a --tokenizer words --json words/merges.txt', 'overwrite',
            directory=tmp)
    (tmp / 'empty').write_bytes(b'')
    for words in ['--prompt', ''], ['--prompt', 'a', '--stop', '']:
        status, out, err = run(tmp, *words)
        assert (status, out) == (2, b'') and 'empty' in err, (words, status, err)
    # There is no '--layers' to be advised of.
    refused(f'{load} --prompt a --ranks 2 --layer-split 3,2',
            'sums to 5, but the model has 4 layers: give numbers that sum to 4, such as 2,2\n',
            directory=tmp)
    folder = os.open(tmp, os.O_RDONLY)  # as of a shell: </folder
    done = subprocess.run([PPSIM, *load.split(), '--prompt-file', '-'], cwd=tmp, stdin=folder,
                          capture_output=True, text=True, timeout=LONG)
    os.close(folder)
    assert (done.returncode, done.stdout) == (2, '') and done.stderr == \
        'ppsim: cannot read standard input: Is a directory\n', done
    write_model(tmp / 'v.safetensors', vocab=300)
    refused('generate --load v.safetensors --prompt a', 'tokenizer', '300', "'--tokenizer'",
            directory=tmp)
    done = subprocess.run([PPSIM, 'generate', '--load', 'v.safetensors', '--prompt', 'a',
                           '--tokenizer', 'bytes', '--quiet'], cwd=tmp, capture_output=True,
                          timeout=LONG)
    assert done.returncode == 0, done


def test_what_does_not_fit_is_refused(tmp):
    """A thousand sequences of a million tokens: terabytes of keys and values."""
    write_model(tmp / 'm.safetensors', context=1 << 20, width=8, layers=16)
    status, out, err = run(tmp, *['--prompt', 'x'] * 1000, '--max-tokens', '1000000', '--ranks',
                           '2', '--quiet')
    assert (status, out) == (4, b'') and 'does not fit into memory' in err, (status, err)


def test_checks_judge_a_generation(tmp):
    write_model(tmp / 'm.safetensors')
    for check, expected in ('bubble<=1', 0), ('tokens_per_s<=0', 1):
        status, _, err = run(tmp, '--prompt', 'ab', '--max-tokens', '4', '--quiet', '--ranks',
                             '2', '--force', '--check', check)
        assert status == expected, (check, status, err)
    # Where one fails there is a command that goes on: with all prompts and stops.
    status, _, err = run(tmp, '--prompt', 'ab', '--prompt', "it's", '--stop', 'no such text',
                         '--max-tokens', '4', '--check', 'tokens_per_s<=0', '--force')
    assert status == 1, (status, err)
    go_on = re.search('^go on: (.*)', err, re.M)[1]
    done = subprocess.run(['sh', '-c', go_on], cwd=tmp, capture_output=True, timeout=LONG)
    assert done.returncode == 0 and b'critical path' in done.stdout, (go_on, done)
    config = json.loads((tmp / 'report.json').read_text())['config']
    assert config['prompt'] == ['ab', "it's"] and config['stop'] == ['no such text'], config


def test_a_conversation(tmp):
    write_model(tmp / 'm.safetensors')
    lines = ['Some words', 'and more']
    # What was said before is in front of each line; of what is too long, the end.
    said, expected = b'', []
    for line in lines:
        said = (said + line.encode() + b'\n')[-(CONTEXT - 6):]
        (tmp / 'said').write_bytes(said)
        answer, = tokens(generate(tmp, '--prompt-file', 'said', '--max-tokens', '6', prompts=[]))
        expected.append(answer)
        said += bytes(answer) + (b'' if answer[-1] == ord('\n') else b'\n')
    shown = Terminal([PPSIM, 'generate', '--load', 'm.safetensors', '--max-tokens', '6', '--ranks',
                      '2'], cwd=tmp)
    for count, line in enumerate(lines, 1):
        wait_until(lambda: shown.shown.count('> ') >= count, 'it asks')
        shown.type(line + '\n')
    wait_until(lambda: shown.shown.count('> ') > len(lines), 'it asks again')
    shown.type('\x04')
    status, text = shown.wait()
    assert status == 0, (status, text)
    answers = [part.split('\n', 1)[1] for part in text.replace('\r', '').split('> ')[1:-1]]
    for answer, expected_tokens in zip(answers, expected):
        assert answer.rstrip('\n') == bytes(expected_tokens).decode(
            errors='replace').replace('\r', '').rstrip('\n'), (answer, expected_tokens)


def test_a_conversation_is_stopped(tmp):
    """While it asks and while it answers; behind what the terminal echoes a line ends."""
    write_model(tmp / 'm.safetensors', context=1 << 20, width=8, layers=2)
    for number, speaks in (signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGINT, True):
        shown = Terminal([PPSIM, 'generate', '--load', 'm.safetensors', '--max-tokens', '1000000',
                          '--ranks', '2', '--timeout', '3600'], cwd=tmp,
                         preexec_fn=lambda: os.setpgid(0, 0))
        shown.wait_for('> ')
        if speaks:
            shown.type('a\n')
            wait_until(lambda: len(shown.shown.split('> ', 1)[1]) > 20, 'it speaks')
        os.killpg(shown.run.pid, number)
        status, text = shown.wait()
        assert status == -number, (number, status, text[-2000:])
        assert text.endswith('\n') and 'ppsim: ' not in text, text[-2000:]
        assert speaks or text.split('> ', 1)[1].count('\n') == 1, text


def test_a_rank_that_is_killed_is_named(tmp):
    shown, ranks = long_generation(tmp)
    os.kill(ranks[1], signal.SIGKILL)
    status, text = shown.wait()
    assert status == 4, (status, text[-2000:])
    said = [line for line in text.splitlines() if 'ppsim: ' in line][-1]
    assert re.match(r'ppsim: rank 1 was killed by SIGKILL.*( in F\(1, \d+\)|, waiting for F\(0, '
                    r'\d+\)|outside the ops)', said), text[-2000:]


def test_ctrl_c_keeps_what_there_is(tmp):
    shown, _ = long_generation(tmp, '--json', 'r.json')
    os.killpg(shown.run.pid, signal.SIGINT)
    status, text = shown.wait()
    assert status == -signal.SIGINT, (status, text[-2000:])
    sequence, = json.loads((tmp / 'r.json').read_text())['generation']['sequences']
    assert sequence['finish'] is None and len(sequence['tokens']) > 0


def long_generation(tmp, *arguments):
    """One that lasts for longer than any test, and has begun to speak."""
    write_model(tmp / 'm.safetensors', context=1 << 20, width=8, layers=2)
    shown = Terminal([PPSIM, 'generate', '--load', 'm.safetensors', '--prompt', 'x',
                      '--max-tokens', '1000000', '--ranks', '2', '--quiet', '--timeout', '3600',
                      *arguments], cwd=tmp, preexec_fn=lambda: os.setpgid(0, 0))
    wait_until(lambda: len(shown.shown) > 8, 'it speaks')
    mpiexec, = children(shown.run.pid)
    return shown, sorted(children(mpiexec))


run_tests(globals())
