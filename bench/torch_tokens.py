"""PyTorch's opinion of generated tokens: recomputes GPT-2 in double, without a cache, over a
sequence, and says whether each token that follows the prompt is the likeliest there. What
bench/peer-tokens runs.

usage: torch_tokens.py MODEL.safetensors HEADS SEQUENCES.json    [[prompt tokens, tokens], …]
"""
import json
import struct
import sys

import torch
import torch.nn.functional as F


def tensors_of(path):
    with open(path, 'rb') as file:
        length, = struct.unpack('<Q', file.read(8))
        header, data = json.loads(file.read(length)), bytearray(file.read())
    return {name: torch.frombuffer(data, dtype=torch.float32, offset=entry['data_offsets'][0],
                                   count=max(1, torch.Size(entry['shape']).numel()))
            .view(entry['shape']).double()
            for name, entry in header.items() if name != '__metadata__'}


def logits_of(weights, heads, tokens):
    """(len(tokens), V), each position seeing itself and those before it."""
    def norm(x, name):
        return F.layer_norm(x, x.shape[-1:], weights[name + '.weight'], weights[name + '.bias'])

    def linear(x, name):
        return x @ weights[name + '.weight'] + weights[name + '.bias']

    x = weights['wte.weight'][tokens] + weights['wpe.weight'][:len(tokens)]
    layer = 0
    while f'h.{layer}.ln_1.weight' in weights:
        h = f'h.{layer}.'
        q, k, v = (part.view(len(tokens), heads, -1).transpose(0, 1)
                   for part in linear(norm(x, h + 'ln_1'), h + 'attn.c_attn').chunk(3, -1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + linear(y.transpose(0, 1).reshape(x.shape), h + 'attn.c_proj')
        wide = F.gelu(linear(norm(x, h + 'ln_2'), h + 'mlp.c_fc'), approximate='tanh')
        x = x + linear(wide, h + 'mlp.c_proj')
        layer += 1
    head = weights.get('lm_head.weight', weights['wte.weight'])
    return norm(x, 'ln_f') @ head.T


weights, heads = tensors_of(sys.argv[1]), int(sys.argv[2])
wrong, nearest = 0, float('inf')
with open(sys.argv[3]) as file:
    sequences = json.load(file)
for prompt, tokens in sequences:
    logits = logits_of(weights, heads, torch.tensor(prompt + tokens[:-1]))[len(prompt) - 1:]
    two = logits.topk(2)
    wrong += (two.indices[:, 0] != torch.tensor(tokens)).sum().item()
    nearest = min(nearest, (two.values[:, 0] - two.values[:, 1]).min().item())
count = sum(len(tokens) for _, tokens in sequences)
print(f'{len(sequences)} sequences, {count} tokens: {wrong} differ; '
      f'the nearest two logits are {nearest:.2g} apart')
sys.exit(wrong > 0)
