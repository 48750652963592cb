"""Models as folders, as Hugging Face has them: written, read, and refused.

usage: folders.py PPSIM [NAME ...]     runs every test, or those named
"""
import json
import os
import struct

from common import TINY, expect, ppsim, refused, report, run_tests

# Trains on nothing: what is loaded is what is there at the end.
STILL = f'{TINY} --lr 0 --weight-decay 0'
SHARD = 'model-{:05}-of-00002.safetensors'


def read(path):
    """The tensors of a file: name, dtype, shape and bytes; and the metadata."""
    data = path.read_bytes()
    length, = struct.unpack('<Q', data[:8])
    header, data = json.loads(data[8:8 + length]), data[8 + length:]
    metadata = header.pop('__metadata__', {})
    return {name: (entry['dtype'], entry['shape'], data[slice(*entry['data_offsets'])])
            for name, entry in header.items()}, metadata


def write(path, tensors, metadata=None):
    header, data = {}, b''
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {'dtype': dtype, 'shape': shape,
                        'data_offsets': [len(data), len(data) + len(content)]}
        data += content
    if metadata:
        header['__metadata__'] = metadata
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack('<Q', len(text)) + text + data)


def config_of(folder, **changes):
    path = folder / 'config.json'
    config = json.loads(path.read_text())
    config.update(changes)
    path.write_text(json.dumps(config))


def digest(options, tmp):
    return report(options, tmp)['training']['digest']


def test_what_is_saved_in_a_folder_loads_from_it(tmp):
    for untied in '', '--untied':
        saved = digest(f'{TINY} {untied} --ranks 4 --save m{untied}', tmp)
        folder = tmp / f'm{untied}'
        assert sorted(os.listdir(folder)) == ['config.json', 'merges.txt', 'model.safetensors',
                                              'tokenizer_config.json', 'vocab.json']
        other = f'{STILL} {untied} --schedule interleaved --ranks 2'
        for path in f'm{untied}', f'm{untied}/', f'm{untied}/model.safetensors':
            assert digest(f'{other} --load {path}', tmp) == saved
        assert digest(f'{other} --load m{untied} --save f{untied}.safetensors', tmp) == saved
        # The names that GPT2LMHeadModel has, or those of a file alone.
        tensors, metadata = read(folder / 'model.safetensors')
        alone, _ = read(tmp / f'f{untied}.safetensors')
        assert ('lm_head.weight' in tensors) == bool(untied)
        assert {name.removeprefix('transformer.'): of for name, of in tensors.items()} == alone
        assert all(name.startswith('transformer.') for name in tensors if 'lm_head' not in name)
        assert metadata == {'format': 'pt', 'n_head': '2'}


def test_a_folder_describes_the_model_as_transformers_reads_it(tmp):
    expect(f'{TINY} --untied --vocab 300 --quiet --save m', 0, directory=tmp)
    config = json.loads((tmp / 'm' / 'config.json').read_text())
    for key, value in {
            'model_type': 'gpt2', 'architectures': ['GPT2LMHeadModel'], 'n_layer': 4,
            'n_embd': 16, 'n_head': 2, 'n_positions': 8, 'vocab_size': 300, 'n_inner': None,
            'activation_function': 'gelu_new', 'layer_norm_epsilon': 1e-5,
            'tie_word_embeddings': False, 'bos_token_id': None, 'eos_token_id': None,
            'scale_attn_weights': True, 'scale_attn_by_inverse_layer_idx': False}.items():
        assert config[key] == value, key
    # A token is a byte's value, under the name that GPT-2's alphabet gives the byte.
    vocab = json.loads((tmp / 'm' / 'vocab.json').read_text())
    assert len(vocab) == 256 and vocab['a'] == 97 and vocab['\u0120'] == 32
    assert sorted(vocab.values()) == list(range(256))
    code, _, err = ppsim(f'{TINY} --vocab 100 --quiet --save small', tmp)
    assert code == 0 and "'small' has no tokenizer" in err, err
    assert sorted(os.listdir(tmp / 'small')) == ['config.json', 'model.safetensors']


def halve(content):
    """Single precision cut to bfloat16, and what that is in single precision."""
    halves = b''.join(content[i + 2:i + 4] for i in range(0, len(content), 4))
    return halves, b''.join(b'\0\0' + halves[i:i + 2] for i in range(0, len(halves), 2))


def test_shards_and_half_precision_are_the_same_model(tmp):
    expect(f'{TINY} --quiet --save m', 0, directory=tmp)
    tensors, _ = read(tmp / 'm' / 'model.safetensors')
    whole, parts = {}, ({}, {})
    for i, (name, (_, shape, content)) in enumerate(tensors.items()):
        halves, again = halve(content)
        whole[name] = 'F32', shape, again
        parts[i % 2][name] = ('BF16', shape, halves) if i % 3 else ('F32', shape, again)
    write(tmp / 'm' / 'model.safetensors', whole)
    folder = tmp / 'sharded'
    folder.mkdir()
    for k in 0, 1:
        write(folder / SHARD.format(k + 1), parts[k], {'format': 'pt'})
    index = {'metadata': {'total_size': 1},
             'weight_map': {name: SHARD.format(k + 1) for k in (0, 1) for name in parts[k]}}
    (folder / 'model.safetensors.index.json').write_text(json.dumps(index))
    (folder / 'config.json').write_bytes((tmp / 'm' / 'config.json').read_bytes())
    one = digest(f'{STILL} --ranks 2 --load m', tmp)
    assert digest(f'{STILL} --ranks 4 --load sharded', tmp) == one
    (folder / SHARD.format(2)).unlink()
    refused(f'{TINY} --load sharded', SHARD.format(2), 'not there', directory=tmp)


def test_another_model_in_a_folder_is_refused(tmp):
    expect(f'{TINY} --quiet --save m', 0, directory=tmp)
    refused(f'{TINY} --load m'.replace('--heads 2', '--heads 4'), "'m'", "'--heads' 2",
            directory=tmp)
    refused(f'{TINY} --untied --load m', "leave '--untied' out", directory=tmp)
    config_of(tmp / 'm', activation_function='relu')
    refused(f'{TINY} --load m', 'm/config.json', '\'activation_function\' is "relu"',
            'gelu_new', directory=tmp)
    # Beside a file that is loaded by its name it counts as well, being a model's.
    refused(f'{TINY} --load m/model.safetensors', 'm/config.json', directory=tmp)
    (tmp / 'm' / 'config.json').write_text('{"port": 8000}')
    report(f'{STILL} --load m/model.safetensors', tmp)
    (tmp / 'none').mkdir()
    refused(f'{TINY} --load none', "'none'", 'model.safetensors', directory=tmp)


def test_heads_may_be_said_by_nobody(tmp):
    """Files without metadata, as older ones are: the option says it."""
    saved = digest(f'{TINY} --save a.safetensors', tmp)
    tensors, metadata = read(tmp / 'a.safetensors')
    assert metadata['n_head'] == '2'
    write(tmp / 'a.safetensors', tensors)
    assert digest(f'{STILL} --load a.safetensors', tmp) == saved


def test_a_folder_is_trained_on_in_place(tmp):
    first = digest(f'{TINY} --save m', tmp)
    written = (tmp / 'm' / 'config.json').stat().st_mtime_ns
    second = digest(f'{TINY} --load m --save m/', tmp)
    assert first != second
    assert digest(f'{STILL} --load m', tmp) == second
    assert (tmp / 'm' / 'config.json').stat().st_mtime_ns == written
    # Another model in its place is described anew.
    wide = TINY.replace('--d-model 16', '--d-model 32')
    third = digest(f'{wide} --save m', tmp)
    assert digest(wide.replace('--steps', '--lr 0 --weight-decay 0 --load m --steps'), tmp) \
        == third


def test_what_names_a_folder(tmp):
    """What ends with '/', what is one, and a new name without .safetensors."""
    (tmp / 'is.safetensors').mkdir()
    (tmp / 'was').write_text('a file')
    for name in 'new', 'slash.safetensors/', 'is.safetensors':
        expect(f'{TINY} --quiet --save {name}', 0, directory=tmp)
        assert (tmp / name / 'config.json').exists(), name
    for name in 'file.safetensors', 'was':
        expect(f'{TINY} --quiet --save {name}', 0, directory=tmp)
        assert read(tmp / name)[1]['n_head'] == '2', name
    refused(f'{TINY} --save absent/new', 'absent', directory=tmp)
    refused(f'{TINY} --save was/', 'was', 'no folder', directory=tmp)
    assert not (tmp / 'absent').exists()


def test_nothing_else_in_the_folder_is_lost(tmp):
    expect(f'{TINY} --quiet --save m', 0, directory=tmp)
    refused(f'{TINY} --save m --json m/config.json', "'m/config.json'", 'only one output',
            directory=tmp)
    refused(f'{TINY} --load m --json m/vocab.json', "'m/vocab.json'", directory=tmp)
    refused(f'{TINY} --data m/vocab.json --save m', "'m/vocab.json'", 'overwrite',
            directory=tmp)
    expect(f'{TINY} --quiet --save m --json m/report.json', 0, directory=tmp)
    (tmp / 'm' / 'merges.txt').write_text('#version: 0.2\na b\n')
    vocab = json.loads((tmp / 'm' / 'vocab.json').read_text())
    (tmp / 'm' / 'vocab.json').write_text(json.dumps({**vocab, 'ab': 256}))
    refused(f'{TINY} --save m', "'m'", 'another tokenizer', directory=tmp)


def test_a_disk_that_fails_leaves_the_older_model(tmp):
    if not os.environ.get('FAILING_FSYNC'):
        return
    saved = digest(f'{TINY} --save m', tmp)
    wide = TINY.replace('--d-model 16', '--d-model 32')
    code, _, err = ppsim(f'{wide} --quiet --save m', tmp,
                         LD_PRELOAD=os.environ['FAILING_FSYNC'])
    assert code == 4 and 'm/model.safetensors' in err, (code, err)
    assert digest(f'{STILL} --load m', tmp) == saved
    assert (tmp / 'm' / 'config.json').exists()
    assert not [name for name in os.listdir(tmp / 'm') if name.startswith('.')]


run_tests(globals())
