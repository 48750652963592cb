"""Greedy decoding by PyTorch, at its best on one thread: what bench/peer-decode measures
beside bench/decode. The same shape and context, random weights, keys and values in a cache
that is allocated at the start, no gradients. Its products can be written in several ways, which end in
other functions of the BLAS and differ by three times in speed: each is tried, the fastest counts.
"""
import argparse
import time

import torch
import torch.nn.functional as F

parser = argparse.ArgumentParser()
for name, default in (('layers', 12), ('d-model', 768), ('heads', 12), ('vocab', 50257),
                      ('context', 64), ('repetitions', 15)):
    parser.add_argument('--' + name, type=int, default=default)
parser.add_argument('--batches', default='1,8')
a = parser.parse_args()
torch.set_num_threads(1)
torch.manual_seed(1)
C, H, D = a.d_model, a.heads, a.d_model // a.heads


def weights(*shape):
    return torch.randn(*shape) * 0.02


def bias(size):
    return torch.zeros(size)


def affine(inputs, outputs):
    w = weights(outputs, inputs)
    return w, w.t().contiguous(), bias(outputs)


wte, wpe = weights(a.vocab, C), weights(a.context + 1, C)
wte_t = wte.t().contiguous()
layers = [dict(attn=affine(C, 3 * C), attn_proj=affine(C, C), fc=affine(C, 4 * C),
               fc_proj=affine(4 * C, C), norm_1=(torch.ones(C), bias(C)),
               norm_2=(torch.ones(C), bias(C))) for _ in range(a.layers)]
norm_f = torch.ones(C), bias(C)


# y = x W + b, of W (outputs, inputs); and of Wt (inputs, outputs), a copy.
def linear(x, w, wt, b):
    return F.linear(x, w, b)


def transposed(x, w, wt, b):
    return x @ wt if b is None else torch.addmm(b, x, wt)


def vector(x, w, wt, b):
    y = torch.mv(wt.t(), x[0])
    return (y if b is None else y + b)[None]


def norm(x, weight):
    return F.layer_norm(x, (C,), *weight)


def decode(tokens, cache, product):
    """The next token of each sequence, whose last one, at position context, is in tokens."""
    count = len(tokens)
    x = wte[tokens] + wpe[a.context]
    for layer, (keys, values) in zip(layers, cache):
        q, k, v = product(norm(x, layer['norm_1']), *layer['attn']).split(C, -1)
        keys[:, :, a.context] = k.view(count, H, D)
        values[:, :, a.context] = v.view(count, H, D)
        y = F.scaled_dot_product_attention(q.view(count, H, 1, D), keys, values)
        x = x + product(y.reshape(count, C), *layer['attn_proj'])
        wide = F.gelu(product(norm(x, layer['norm_2']), *layer['fc']), approximate='tanh')
        x = x + product(wide, *layer['fc_proj'])
    return product(norm(x, norm_f), wte, wte_t, None).argmax(-1)


def seconds(batch, product):
    """CPU time of steps, median: other load on the machine counts for little."""
    cache = [[torch.randn(batch, H, a.context + 1, D) for _ in 'kv'] for _ in layers]
    tokens = torch.arange(batch) % a.vocab
    times = []
    for _ in range(a.repetitions + 2):
        start = time.thread_time()
        tokens = decode(tokens, cache, product)
        times.append(time.thread_time() - start)
    return sorted(times[2:])[a.repetitions // 2]


with torch.inference_mode():
    for batch in map(int, a.batches.split(',')):
        ways = [linear, transposed] + ([vector] if batch == 1 else [])
        best, name = min((seconds(batch, way), way.__name__) for way in ways)
        print(f'batch {batch} {1e3 * best:.3f} ms {batch / best:.1f} tokens/s ({name})', flush=True)
