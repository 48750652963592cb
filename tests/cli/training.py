"""Parameters, gradients, losses and clocks, as a user gets at them.

usage: training.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import math
import re
import struct

from common import TINY, ppsim, refused, report, run_tests


def header_of(path):
    data = path.read_bytes()
    length, = struct.unpack('<Q', data[:8])
    return json.loads(data[8:8 + length]), data[8 + length:]


def rewrite(path, header, data):
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack('<Q', len(text)) + text + data)


def test_saved_parameters_load_under_another_layout(tmp):
    first = report(f'{TINY} --ranks 4 --save a.safetensors', tmp)
    other = (f'{TINY} --schedule interleaved --ranks 2 --lr 0 --weight-decay 0 '
             '--load a.safetensors --save b.safetensors')
    second = report(other, tmp)
    assert first['training']['digest'] == second['training']['digest']
    assert (tmp / 'a.safetensors').read_bytes() == (tmp / 'b.safetensors').read_bytes()
    header, _ = header_of(tmp / 'a.safetensors')
    assert header['wte.weight']['shape'] == [256, 16]
    assert header['h.3.mlp.c_fc.weight'] ['shape'] == [16, 64]
    assert 'lm_head.weight' not in header


def test_mislabelled_parameters_are_refused(tmp):
    report(f'{TINY} --save a.safetensors', tmp)
    header, data = header_of(tmp / 'a.safetensors')
    load = f'{TINY} --load bad.safetensors'

    whole = (tmp / 'a.safetensors').read_bytes()
    (tmp / 'bad.safetensors').write_bytes(whole[:-5])
    refused(load, 'bad.safetensors', directory=tmp)

    renamed = {('h.0.oops' if name == 'h.0.ln_1.weight' else name): entry
               for name, entry in header.items()}
    rewrite(tmp / 'bad.safetensors', renamed, data)
    refused(load, 'h.0.ln_1.weight', directory=tmp)

    turned = json.loads(json.dumps(header))
    turned['h.1.mlp.c_fc.weight']['shape'] = [64, 16]
    rewrite(tmp / 'bad.safetensors', turned, data)
    refused(load, 'h.1.mlp.c_fc.weight', '64', '16', directory=tmp)


def test_a_checkpoint_of_another_model_is_refused(tmp):
    four = report(f'{TINY} --save a.safetensors --save-grads g.safetensors', tmp)
    report(f'{TINY} --untied --save u.safetensors', tmp)
    fewer = TINY.replace('--layers 4', '--layers 2 --ranks 2')
    refused(f'{fewer} --load a.safetensors', "'--layers' 4", "'--seq-len' 8", directory=tmp)
    refused(f'{TINY} --load u.safetensors', 'lm_head.weight', '--untied', directory=tmp)
    refused(f'{TINY} --load g.safetensors', "'tokens'", directory=tmp)
    # As Hugging Face has it: prefixed, with the causal masks and the tied head again.
    header, data = header_of(tmp / 'a.safetensors')
    begin, end = header['wte.weight']['data_offsets']
    saved = {f'transformer.{name}': entry for name, entry in header.items()
             if name != '__metadata__'}
    saved['transformer.h.0.attn.bias'] = {
        'dtype': 'BOOL', 'shape': [1, 1, 2, 2], 'data_offsets': [len(data), len(data) + 4]}
    saved['transformer.h.0.attn.masked_bias'] = {
        'dtype': 'F32', 'shape': [], 'data_offsets': [len(data) + 4, len(data) + 8]}
    saved['lm_head.weight'] = {
        'dtype': 'F32', 'shape': [256, 16],
        'data_offsets': [len(data) + 8, len(data) + 8 + end - begin]}
    rewrite(tmp / 'hf.safetensors', saved, data + b'\1' * 8 + data[begin:end])
    again = report(f'{TINY} --lr 0 --weight-decay 0 --load hf.safetensors', tmp)
    assert again['training']['digest'] == four['training']['digest']


def test_gradients_come_with_their_data(tmp):
    report(f'{TINY} --microbatches 3 --save-grads g.safetensors', tmp)
    header, data = header_of(tmp / 'g.safetensors')
    for name in 'tokens', 'targets':
        assert header[name]['shape'] == [3, 2, 8] and header[name]['dtype'] == 'I32'
    read = {}
    for name in 'tokens', 'targets':
        begin, end = header[name]['data_offsets']
        read[name] = struct.unpack(f'<{(end - begin) // 4}i', data[begin:end])
    for row in range(6):
        assert read['tokens'][row * 8 + 1:row * 8 + 8] == \
            read['targets'][row * 8:row * 8 + 7], 'targets are tokens shifted by one'
    begin, end = header['wte.weight']['data_offsets']
    assert any(struct.unpack(f'<{(end - begin) // 4}f', data[begin:end]))


def floats_of(header, data, name):
    begin, end = header[name]['data_offsets']
    kind = {'F32': 'f', 'I32': 'i'}[header[name]['dtype']]
    return list(struct.unpack(f'<{(end - begin) // 4}{kind}', data[begin:end]))


def test_saved_gradients_are_those_of_the_reported_loss(tmp):
    """Against the program's own loss, nudged: the mean over all tokens of all
    microbatches, at step 1, before any update."""
    model = f'{TINY} --untied --ranks 2 --microbatches 3'
    one = model.replace('--steps 3 --warmup-steps 1', '--steps 1 --warmup-steps 0 --lr 0')
    report(f'{one} --weight-decay 0 --save w.safetensors', tmp)
    report(f'{model} --load w.safetensors --save-grads g.safetensors', tmp)
    header, data = header_of(tmp / 'w.safetensors')
    grads = header_of(tmp / 'g.safetensors')

    def loss(tensor, values):
        begin, end = header[tensor]['data_offsets']
        rewrite(tmp / 'n.safetensors', header,
                data[:begin] + struct.pack(f'<{len(values)}f', *values) + data[end:])
        return report(f'{one} --load n.safetensors', tmp)['training']['losses'][0]

    for tensor in 'wte.weight', 'h.0.ln_1.weight', 'h.3.mlp.c_fc.weight', 'ln_f.bias':
        values, slopes = floats_of(header, data, tensor), floats_of(*grads, tensor)
        at = max(range(len(slopes)), key=lambda i: abs(slopes[i]))
        step = 0.01
        nudged = [loss(tensor, values[:at] + [values[at] + sign * step] + values[at + 1:])
                  for sign in (1, -1)]
        slope = (nudged[0] - nudged[1]) / (2 * step)
        assert abs(slope - slopes[at]) < 0.02 * abs(slope) + 1e-5, (tensor, slope, slopes[at])


def test_saved_tokens_are_those_that_were_trained_on(tmp):
    model = (f'{TINY} --untied --ranks 2 --microbatches 3'
             .replace('--steps 3 --warmup-steps 1', '--steps 1 --warmup-steps 0'))
    report(f'{model} --lr 0 --weight-decay 0 --save w.safetensors --save-grads g.safetensors',
           tmp)
    grads = header_of(tmp / 'g.safetensors')
    tokens, targets = (floats_of(*grads, name) for name in ('tokens', 'targets'))
    slopes = floats_of(*grads, 'wte.weight')
    trained = {row for row in range(256) if any(slopes[16 * row:16 * row + 16])}
    assert trained == set(tokens), 'only tokens that occur have a gradient'
    # A last norm that lets nothing through but a 1 makes the logits a column of the head:
    # the loss is then known from the targets alone.
    header, data = header_of(tmp / 'w.safetensors')
    column = [math.sin(token) for token in range(256)]
    for tensor, values in (('ln_f.weight', [0] * 16), ('ln_f.bias', [1] + [0] * 15),
                           ('lm_head.weight', [x for c in column for x in [c] + [0] * 15])):
        begin, end = header[tensor]['data_offsets']
        data = data[:begin] + struct.pack(f'<{len(values)}f', *values) + data[end:]
    rewrite(tmp / 'known.safetensors', header, data)
    found = report(f'{model} --load known.safetensors', tmp)['training']['losses'][0]
    total = math.log(sum(math.exp(c) for c in column))
    expected = sum(total - column[target] for target in targets) / len(targets)
    assert abs(found - expected) < 1e-6, (found, expected)


def test_the_generated_task_and_a_file_are_learned(tmp):
    generated = report('--microbatches 8')
    losses = generated['training']['losses']
    assert generated['training']['entropy_floor'] < losses[-1] < losses[0]
    (tmp / 'text').write_text('the quick brown fox jumps over the lazy dog. ' * 200)
    losses = report('--data text', tmp)['training']['losses']
    assert losses[-1] < losses[0] - 1, losses


def test_infinite_rates_are_wrong_numbers():
    status, out, err = ppsim(f'{TINY} --ranks 2 --optimizer sgd --lr 1000000 '
                             '--clip-norm 0 --weight-decay 1000000 --steps 9')
    assert status == 3 and 'not finite' in err and out == '', (status, out, err)


def test_numbers_gone_wrong_in_the_last_step_are_not_saved(tmp):
    one = TINY.replace('--steps 3 --warmup-steps 1', '--steps 1 --warmup-steps 0 --untied')
    report(f'{one} --save w.safetensors', tmp)
    header, data = header_of(tmp / 'w.safetensors')
    (tmp / 'a.txt').write_text('a' * 100)
    (tmp / 'w.safetensors').write_bytes(b'older')
    # A norm that every token passes; the embedding of a token that the data lack, which
    # no loss or gradient shows, and decays to infinity.
    for tensor, element, value in ('h.0.ln_1.weight', 0, math.nan), ('wte.weight', 1, 1e30):
        at = header[tensor]['data_offsets'][0] + 4 * element
        rewrite(tmp / 'bad.safetensors', header,
                data[:at] + struct.pack('<f', value) + data[at + 4:])
        status, out, err = ppsim(
            f'{one} --load bad.safetensors --save w.safetensors --data a.txt '
            '--optimizer sgd --lr 1000000 --weight-decay 1000000 --clip-norm 0', tmp)
        assert status == 3 and 'not finite' in err and out == '', (status, out, err)
        assert ('bad.safetensors' in err) == math.isnan(value), err
        assert (tmp / 'w.safetensors').read_bytes() == b'older'


def test_clipping_only_ever_shrinks():
    def digest(clip):
        return report(f'{TINY} --clip-norm {clip}')['training']['digest']

    assert digest(1000) == digest(0) != digest(0.01)


def test_a_clipped_step_is_as_long_as_the_clip(tmp):
    one = TINY.replace('--steps 3 --warmup-steps 1', '--steps 1 --warmup-steps 0 --ranks 2')
    report(f'{one} --lr 0 --weight-decay 0 --save a.safetensors --save-grads g.safetensors',
           tmp)
    before, grads = header_of(tmp / 'a.safetensors'), header_of(tmp / 'g.safetensors')
    names = [name for name in before[0] if name != '__metadata__']
    norm = math.sqrt(sum(x * x for name in names for x in floats_of(*grads, name)))
    for clip in norm / 10, norm / 2, 10 * norm:
        report(f'{one} --optimizer sgd --weight-decay 0 --lr 1 --clip-norm {clip} '
               '--save b.safetensors', tmp)
        after = header_of(tmp / 'b.safetensors')
        moved = math.sqrt(sum((x - y) ** 2 for name in names for x, y in
                              zip(floats_of(*before, name), floats_of(*after, name))))
        assert abs(moved - min(clip, norm)) < 1e-4 * norm, (clip, norm, moved)


def test_adamw_steps_by_the_rate(tmp):
    """Where a gradient stays the same, each step is as long as the rate, from the first."""
    (tmp / 'a.txt').write_text('a' * 100)
    shape = TINY.replace('--steps 3 --warmup-steps 1', '--ranks 2 --data a.txt --weight-decay 0')
    report(f'{shape} --steps 1 --warmup-steps 0 --lr 0 --save a.safetensors '
           '--save-grads g.safetensors', tmp)
    report(f'{shape} --steps 5 --lr 1e-5 --save b.safetensors', tmp)
    slopes, before, after = (floats_of(*header_of(tmp / f'{file}.safetensors'), 'ln_f.bias')
                             for file in 'gab')
    steady = [i for i, slope in enumerate(slopes) if abs(slope) > 1e-2]
    assert steady
    for i in steady:
        moved = (before[i] - after[i]) / math.copysign(5e-5, slopes[i])
        assert abs(moved - 1) < 0.01, (slopes[i], moved)


def test_the_rate_of_each_step_is_that_of_its_schedule(tmp):
    """A parameter whose gradient stays the same moves by the rate of each step."""
    (tmp / 'a.txt').write_text('a' * 100)
    shape = TINY.replace('--steps 3 --warmup-steps 1', '--ranks 2 --data a.txt --weight-decay 0')
    report(f'{shape} --steps 1 --warmup-steps 0 --lr 0 --save a.safetensors '
           '--save-grads g.safetensors', tmp)
    slopes, before = (floats_of(*header_of(tmp / f'{file}.safetensors'), 'ln_f.bias')
                      for file in 'ga')
    cosine = '--lr 1e-5 --lr-schedule cosine --lr-warmup 2 --lr-min 2e-6'
    for options, rates in (
            ('--lr 1e-5', [1e-5] * 6), ('--lr 1e-5 --lr-warmup 4', [2.5e-6, 5e-6, 7.5e-6] + [1e-5] * 3),
            (cosine, [5e-6] + [2e-6 + 4e-6 * (1 + math.cos(math.pi * k / 4)) for k in range(5)]),
            (f'{cosine} --lr-decay-steps 4', [5e-6, 1e-5, 6e-6] + [2e-6] * 3)):
        found = report(f'{shape} --steps 6 {options} --save b.safetensors', tmp)
        told = found['training']['lr']
        assert len(told) == 6 and all(abs(a - b) < 1e-18 for a, b in zip(told, rates)), told
        after = floats_of(*header_of(tmp / 'b.safetensors'), 'ln_f.bias')
        steady = [i for i, slope in enumerate(slopes) if abs(slope) > 1e-2]
        assert steady
        for i in steady:
            moved = abs(before[i] - after[i]) / sum(rates)
            assert abs(moved - 1) < 0.01, (options, slopes[i], moved)
    assert report(f'{TINY} --lr-schedule cosine')['config']['lr_decay_steps'] == 3
    refused(f'{TINY} --lr-min 0.001', "'--lr-min'", "'--lr-schedule' cosine")
    refused(f'{TINY} --lr-decay-steps 5', "'--lr-decay-steps'", "'--lr-schedule' cosine")
    refused(f'{TINY} --lr-schedule cosine --lr-min 1', "'--lr' 0.003")
    refused(f'{TINY} --lr-schedule cosine --lr-warmup 3', "'--lr-warmup' 3", 'at most 2')


def test_recomputation_keeps_the_bits_and_less_memory(tmp):
    """Rank 0 has the tokens and keeps no input of its stage; a layer is half of a stage."""
    shape = f'{TINY} --layers 8 --schedule gpipe --ranks 4 --microbatches 8'.replace(
        '--layers 4 ', '', 1)
    none, stage, block = (report(f'{shape} --recompute {what} --eval-every 2 --verify')
                          for what in ('none', 'stage', 'block'))
    for found in none, stage, block:
        assert found['training']['verified'] is True
        for key in 'losses', 'digest', 'evaluations':
            assert found['training'][key] == none['training'][key], key
        assert all(rank['peak_in_flight'] == 8 for rank in found['ranks'])
    held = [[rank['peak_activation_bytes'] for rank in found['ranks']]
            for found in (none, stage, block)]
    a_input = 2 * 8 * 16 * 4  # bytes: microbatch size, sequence, width, float
    for r in range(4):
        whole = held[0][r] / 8
        assert held[1][r] == whole + (8 * a_input if r > 0 else 0), (r, held)
        if r < 3:
            assert held[2][r] == whole / 2 + 8 * 2 * a_input, (r, held)
    assert 8 * 3 * a_input < held[2][3] < held[0][3] / 2
    # Weights' halves of their own; and one that has to wait for its turn.
    (tmp / 'turn.csv').write_text('0F0,0F1,0F2,0B1,0B2,0B0\n')
    for layout in ('--schedule zb-h1 --ranks 4', '--schedule turn.csv',
                   '--schedule interleaved --ranks 2 --chunks 2'):
        for again in 'stage', 'block':
            found = report(f'{TINY} {layout} --recompute {again} --verify', tmp)
            assert found['training']['verified'] is True, (layout, again)
    # A checkpoint goes on with any.
    report(f'{TINY} --recompute stage --checkpoint c', tmp)
    again = report(f'{TINY} --steps 5 --recompute block --checkpoint c --resume --verify'
                   .replace('--steps 3 ', '', 1), tmp)['training']
    assert again['verified'] is True and again['resumed_from'] == 3


def test_many_microbatches_keep_their_bits():
    """More tags and buffers than 16 bits count."""
    found = report('--ranks 2 --schedule gpipe --layers 2 --d-model 8 --heads 1 --seq-len 2 '
                   '--microbatch-size 1 --vocab 16 --microbatches 20000 --steps 1 '
                   '--warmup-steps 0 --verify')
    assert found['training']['verified'] is True
    assert [rank['peak_in_flight'] for rank in found['ranks']] == [20000, 20000]


def test_the_held_out_loss_is_that_of_the_parameters_then(tmp):
    """A run that goes on from the parameters, at rate 0, has that training loss on the
    same samples: those of a file as long as one sample."""
    (tmp / 'one').write_bytes(bytes(range(9)))
    shape = f'{TINY} --microbatches 3 --eval-every 2 --eval-data one --eval-microbatches 5'
    found = report(f'{shape} --steps 5 --verify', tmp)['training']
    assert found['verified'] is True
    assert [e['step'] for e in found['evaluations']] == [2, 4]
    for evaluation in found['evaluations']:
        steps = evaluation['step']
        again = report(f'{shape} --steps {steps} --save w.safetensors', tmp)['training']
        assert again['evaluations'][-1] == evaluation
        still = report(f'{TINY} --microbatches 3 --load w.safetensors --data one --lr 0 '
                       '--weight-decay 0', tmp)['training']['losses'][0]
        assert abs(still - evaluation['loss']) < 1e-6, (still, evaluation)


def test_evaluating_changes_no_number_and_no_layout_changes_it(tmp):
    (tmp / 'text').write_bytes(bytes(range(256)) * 3)
    for data, evaluated in ('', ''), ('--data text', '--eval-data text'):
        shape = f'{TINY} --microbatches 6 {data} --steps 4'
        plain = report(shape, tmp)['training']
        assert plain['evaluations'] == []
        first = None
        for layout in ('--ranks 1 --schedule sequential', '--ranks 4',
                       '--ranks 2 --schedule interleaved --chunks 2 --clock wall',
                       '--ranks 2 --schedule zb-v --clock virtual',
                       '--ranks 4 --schedule gpipe --layer-split 1,1,1,1'):
            found = report(f'{shape} {layout} --eval-every 1 {evaluated}', tmp)['training']
            assert (found['losses'], found['digest']) == (plain['losses'], plain['digest'])
            assert len(found['evaluations']) == 4
            assert len({e['loss'] for e in found['evaluations']}) == 4
            first = first or found['evaluations']
            assert found['evaluations'] == first, layout
    # Another number of microbatches are others, and the default is a step's.
    more = report(f'{TINY} --microbatches 6 --steps 4 --eval-every 4 --eval-microbatches 7')
    usual = report(f'{TINY} --microbatches 6 --steps 4 --eval-every 4')
    assert usual['config']['eval_microbatches'] == 6
    assert more['training']['evaluations'] != usual['training']['evaluations']


def test_held_out_samples_show_what_was_learned_by_heart(tmp):
    """A file that is learned, and another one of the same bytes in another order."""
    (tmp / 'text').write_bytes(bytes(range(64)) * 20)
    (tmp / 'other').write_bytes(bytes(range(63, -1, -1)) * 20)
    found = report('--steps 30 --data text --eval-data other --eval-every 30', tmp)['training']
    assert found['losses'][-1] < 1 < 4 < found['evaluations'][0]['loss'], found
    same = report('--steps 30 --data text --eval-data text --eval-every 30 '
                  "--check held_out_loss<=1", tmp)['training']
    assert same['evaluations'][0]['loss'] < 1
    out = ppsim(f'{TINY} --steps 6 --eval-every 3')[1]
    assert 'held out' in out and 'after step 6' in out
    refused(f'{TINY} --data text --eval-every 2', "'--eval-data'", directory=tmp)
    refused(f'{TINY} --eval-data text', "'--eval-every'", directory=tmp)
    refused(f'{TINY} --eval-every 1 --eval-data missing', "'missing'", directory=tmp)
    refused(f'{TINY} --eval-every 1 --eval-data text --vocab 32', "'text'", '32', directory=tmp)


def test_samples_do_not_depend_on_how_they_are_grouped():
    losses = [report(f'{TINY} --ranks 2 --lr 0 --weight-decay 0 --microbatches {m} '
                     f'--microbatch-size {6 // m}')['training']['losses'] for m in (1, 2, 3, 6)]
    for others in losses[1:]:
        assert all(abs(a - b) < 1e-6 for a, b in zip(losses[0], others)), losses
    assert len(set(losses[0])) == 3, 'each step has data of its own'


def test_the_virtual_clock_charges_the_link(counted):
    size = 1024 + 64  # bytes: 2 * 8 * 16 floats, and the time that is sent along
    for link, seconds in (('latency=100ms,bandwidth=1TB/s', 0.1 + size / 1e12),
                          ('latency=0,bandwidth=10kB/s', size / 1e4)):
        found = report(f'{TINY} --ranks 2 --microbatches 1 --clock virtual --link {link}',
                       **counted)
        work = sum(cost['median_s'] for cost in found['costs'])
        assert abs(found['makespan_s'] - work - 2 * seconds) < 1e-8, (link, found['makespan_s'])


def test_messages_take_what_the_link_takes():
    # However long their rank is busy with something else: 50 us + 1 KiB at 1 GB/s.
    for schedule in 'gpipe', 'zb-v', 'dualpipev':
        found = report(f'{TINY} --ranks 2 --microbatches 6 --clock virtual '
                       f'--link latency=50us,bandwidth=1GB/s --schedule {schedule}')
        ops = found['timeline']['ops']
        stages = found['config']['stages']
        ends, took = {}, []
        for row in ops:
            for k, (op, _, end, *_) in enumerate(row):
                # A joined pair, marked by '+', releases both outputs at its end.
                kind = 'F' if 'F' in op else 'B' if 'W' not in op else 'W'
                stage, microbatch = map(int, re.split('[FBIW]', op.rstrip('+')))
                ends[kind, stage, microbatch] = row[k + 1][2] if op[-1] == '+' else end
        rank_of = {int(re.match(r'\d+', op[0])[0]): r for r, row in enumerate(ops) for op in row}
        for row in ops:
            for op, _, _, ready, arrived in row:
                stage, microbatch = map(int, re.split('[FBIW]', op.rstrip('+')))
                kind, producer = ('F', stage - 1) if 'F' in op else ('B', stage + 1)
                if 'W' in op or not 0 <= producer < stages:
                    continue
                assert abs(ready - ends[kind, producer, microbatch]) < 1e-12, op
                if rank_of[stage] != rank_of[producer]:
                    took.append(arrived - ready)
        assert len(took) == 2 * 6 * sum(rank_of[s] != rank_of[s + 1] for s in range(stages - 1))
        assert all(51e-6 < t < 51.2e-6 for t in took), (schedule, took)


run_tests(globals())
