#!/usr/bin/env python3
"""Numbers that are not finite: the first tensor at fault is named, with its rank, stage
and microbatch, whatever the schedule; exit 3; the last checkpoint is from before it."""
import json
import struct

from common import TINY, expect, ppsim, run_tests

# 4 layers of d_model 16: h.2 is the third layer.
STARTS = f'{TINY} --steps 1 --warmup-steps 0 --ranks 2 --quiet'


def spoiled(tmp, tensor, change):
    """Parameters with a tensor changed: change(values) in place."""
    expect(f'{STARTS} --save good.safetensors', 0, directory=tmp)
    content = bytearray((tmp / 'good.safetensors').read_bytes())
    header = struct.unpack('<Q', content[:8])[0]
    begin, end = json.loads(content[8:8 + header])[tensor]['data_offsets']
    values = list(struct.unpack(f'<{(end - begin) // 4}f', content[8 + header + begin:8 + header + end]))
    change(values)
    content[8 + header + begin:8 + header + end] = struct.pack(f'<{len(values)}f', *values)
    (tmp / 'bad.safetensors').write_bytes(content)


def fault(tmp, arguments):
    status, out, err = ppsim(arguments, tmp)
    assert status == 3 and out == '' and err.count('\n') == 1, (arguments, status, out, err)
    return err[err.index('(') + 1:err.rindex(')')]


SHAPES = (('1f1b', 1), ('gpipe', 1), ('zb-h1', 1), ('interleaved', 2), ('zb-v', 2),
          ('1f1b --recompute stage', 1), ('1f1b --recompute block', 1))


def place(schedule, chunks):
    """Rank and stage that hold h.2 of 4 layers on 2 ranks."""
    stage = 2 // (4 // (2 * chunks))
    down = stage % 2
    return (1 - down if schedule == 'zb-v' and stage >= 2 else down), stage


def test_a_parameter_that_is_not_a_number_is_named(tmp):
    spoiled(tmp, 'h.2.mlp.c_fc.weight', lambda values: values.__setitem__(3 * 64 + 7, float('nan')))
    for schedule, chunks in SHAPES:
        rank, stage = place(schedule, chunks)
        told = fault(tmp, f'{STARTS} --schedule {schedule} --load bad.safetensors')
        assert told == 'the parameter h.2.mlp.c_fc.weight is nan at [3, 7], before microbatch 0: ' \
            f'rank {rank}, stage {stage}', (schedule, told)


def test_the_first_activation_that_overflows_is_named(tmp):
    """Weights near the largest float: their products are above it. All that comes later
    is not finite either, on every rank."""
    spoiled(tmp, 'h.2.mlp.c_fc.weight', lambda values: values.__setitem__(
        slice(None), [3e38] * len(values)))
    for schedule, chunks in SHAPES:
        rank, stage = place(schedule, chunks)
        told = fault(tmp, f'{STARTS} --schedule {schedule} --load bad.safetensors')
        assert told.startswith('h.2.mlp.gelu is ') and \
            told.endswith(f' in {stage}F0: rank {rank}, stage {stage}, microbatch 0'), told


def test_logits_that_overflow_are_named(tmp):
    """What ln_f gives is above the largest float, of which nothing is kept but what it
    makes of the logits."""
    spoiled(tmp, 'ln_f.weight', lambda values: values.__setitem__(
        slice(None), [3e38] * len(values)))
    for schedule in '1f1b', 'gpipe':
        told = fault(tmp, f'{STARTS} --schedule {schedule} --load bad.safetensors --lr 0')
        assert told.startswith('the softmax of the logits is nan in 1F0: rank 1, stage 1'), told


def test_the_last_checkpoint_is_from_before_it(tmp):
    """A learning rate that training does not survive; what it has left is finite, and is
    trained on from."""
    wild = f'{TINY} --steps 20 --ranks 2 --quiet --optimizer sgd --clip-norm 0 --lr 1e6 ' \
           '--checkpoint kept --checkpoint-every 1'
    told = fault(tmp, wild)
    assert 'rank ' in told and ', stage ' in told and ', microbatch ' in told, told
    kept = sorted(path.name for path in (tmp / 'kept').iterdir())
    assert kept, kept
    again = fault(tmp, f'{wild} --resume')
    assert again == told, (again, told)


run_tests(globals())
