"""The tokenizer against another: Python's regex for the pieces, merges done one by one.

The texts are this repository's, and generated ones: every code point, all spaces, other
scripts, emoji with joiners, apostrophes, runs of spaces, bytes that are no UTF-8. Code
points that PCRE2 or regex does not know yet are left out: they are as old as their
tables. An invalid byte is a surrogate here, which is neither a space, nor a letter, nor a
number. That the tokens decode to the text, the program looks at itself.

usage: oracle.py TOKENS ROOT [MEGABYTES]    ends with 77 where there is no regex
"""
import functools
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

try:
    import regex
except ModuleNotFoundError:
    print("skipped: Python's module regex is missing (python3-regex)")
    sys.exit(77)

END = '<|endoftext|>'
PIECE = regex.compile(
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
SPACES = [chr(code) for code in range(0x110000) if regex.match(r'\s', chr(code))]
MOST_BYTES = 300 * 1000  # of a text: merges are found one by one


def alphabet():
    """The character of each byte."""
    plain = [*range(ord('!'), ord('~') + 1), *range(0xa1, 0xad), *range(0xae, 0x100)]
    moved = [byte for byte in range(256) if byte not in plain]
    return {**{byte: chr(byte) for byte in plain},
            **{byte: chr(0x100 + i) for i, byte in enumerate(moved)}}


SYMBOL = alphabet()


def gpt2_ids(merges):
    order = sorted(SYMBOL.values())
    return {name: i for i, name in
            enumerate([*order, *(left + right for left, right in merges), END])}


class Tokenizer:
    def __init__(self, ids, merges):
        self.ids = ids
        self.rank = {pair: i for i, pair in enumerate(merges)}
        self.merge = functools.lru_cache(1 << 16)(self.merge)

    def merge(self, word):
        parts = [SYMBOL[byte] for byte in word]
        while True:
            ranks = [self.rank.get(pair, len(self.rank)) for pair in zip(parts, parts[1:])]
            best = min(ranks, default=len(self.rank))
            if best == len(self.rank):
                return [self.ids[part] for part in parts]
            at = ranks.index(best)
            parts[at:at + 2] = [parts[at] + parts[at + 1]]

    def encode(self, text):
        pieces = PIECE.findall(text.decode('utf-8', 'surrogateescape'))
        words = [piece.encode('utf-8', 'surrogateescape') for piece in pieces]
        assert b''.join(words) == text
        return [token for word in words for token in self.merge(word)]


def answers(program, source, texts, size, *mode):
    """The program's answer to each text: items of that size."""
    frames = b''.join(struct.pack('=I', len(text)) + text for text in texts)
    done = subprocess.run([program, source, *mode], input=frames, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    out, at = memoryview(done.stdout), 0
    for _ in texts:
        count, = struct.unpack_from('=I', out, at)
        yield out[at + 4:at + 4 + size * count]
        at += 4 + size * count
    assert at == len(out)


def encode(program, source, texts, *mode):
    """The program's tokens of each text."""
    for answer in answers(program, source, texts, 4, *mode):
        yield answer.cast('i').tolist()


def compare_replaced(program, source, texts):
    """What is no UTF-8 becomes U+FFFD as Python has it: for each maximal subpart."""
    for text, found in zip(texts, answers(program, source, texts, 1, 'replaced')):
        assert found == text.decode('utf-8', 'replace').encode(), text[:200]


def compare(program, source, tokenizer, texts):
    """Texts that are too long for the oracle are cut, anywhere."""
    texts = [text[at:at + MOST_BYTES] for text in texts
             for at in range(0, max(len(text), 1), MOST_BYTES)]
    count = 0
    for text, found in zip(texts, encode(program, source, texts)):
        want = tokenizer.encode(text)
        assert found == want, difference(text, found, want)
        count += len(found)
    return sum(map(len, texts)), count


def difference(text, found, want):
    at = next((i for i, (a, b) in enumerate(zip(found, want)) if a != b),
              min(len(found), len(want)))
    return (f'token {at} of a text of {len(text)} bytes: {found[at:at + 8]}, should be '
            f'{want[at:at + 8]}; the text begins {text[:200]!r}')


def known(program):
    """The code points that both know."""
    out = subprocess.run([program, '--assigned'], capture_output=True, check=True).stdout
    assert len(out) == 0x110000
    codes = [code for code, flag in enumerate(out)
             if flag == ord('1') and not regex.match(r'\p{Cn}', chr(code))]
    assert len(codes) > 280000, len(codes)  # Unicode 14 has 144,697, and private ones
    return [chr(code) for code in codes]


def each_code_point(codes):
    """Its class, by where the pieces around it begin and end. Planes 15 and 16 are
    private as a whole."""
    codes = [c for c in codes if c < '\U000f0100']
    for at in range(0, len(codes), 5000):
        yield ''.join(f'a{c}1{c}!{c}  {c}\n' for c in codes[at:at + 5000]).encode()


def repository(root):
    for path in sorted(root.rglob('*')):
        own = path.relative_to(root).parts
        if path.is_file() and own[0] in ('src', 'docs', 'schedules', 'tests', 'bench',
                                         'README.md', 'CHANGELOG.md', 'LICENSE'):
            yield path.read_bytes()


SCRIPTS = {
    'Latin': (0x41, 0x24f), 'Greek': (0x370, 0x3ff), 'Cyrillic': (0x400, 0x4ff),
    'Hebrew': (0x590, 0x5ff), 'Arabic': (0x600, 0x6ff), 'Devanagari': (0x900, 0x97f),
    'Thai': (0xe00, 0xe7f), 'kana': (0x3040, 0x30ff), 'CJK': (0x4e00, 0x9fff),
    'Hangul': (0xac00, 0xd7a3), 'mathematics': (0x1d400, 0x1d7ff), 'signs': (0x2000, 0x2bff),
    'emoji': (0x1f300, 0x1faff), 'combining': (0x300, 0x36f)}


class Texts:
    def __init__(self, codes, seed):
        self.random = random.Random(seed)
        self.codes = codes
        self.of_script = [[c for c in codes if first <= ord(c) <= last]
                          for first, last in SCRIPTS.values()]

    def some(self, choices, most):
        return ''.join(self.random.choices(choices, k=self.random.randint(1, most)))

    def part(self):
        """What a text is made of."""
        choose = self.random.choice
        return choose([
            lambda: self.some(choose(self.of_script), 12),
            lambda: self.some(self.codes, 6),
            lambda: self.some(SPACES, 5),
            lambda: ' ' * self.random.randint(1, 70),
            lambda: choose(['\n', '\t', '\r\n', '\u180e', '\u200b', '\ufeff', '\0']),
            lambda: self.some("sStTrReEvVmMlLdD'’ ", 5),
            lambda: "'" + choose(['s', 't', 're', 've', 'm', 'll', 'd', 'S', 'l', '']),
            lambda: '\u200d'.join(self.some('👩👨👧🧑🏽❤️🔥🏳🌈', 2) for _ in range(3)),
            lambda: self.some('0123456789٣७½²Ⅷ〇', 9),
            lambda: self.some('abcdefgh' * 9 + 'etaoin ' * 40, 60),
            lambda: self.some('.,;:!?()[]{}<>|/\\"#$%&*+-=_~^`@', 6),
            lambda: END,
            lambda: choose('a !é日') * self.random.randint(1, 300)])()

    def text(self, size):
        parts = []
        while size > 0:
            parts.append(self.part().encode())
            size -= len(parts[-1])
        return b''.join(parts)

    def damaged(self, size):
        """With bytes changed, taken out and put in."""
        text = bytearray(self.text(size))
        for _ in range(1 + len(text) // 20):
            at = self.random.randrange(len(text))
            text[at:at + self.random.randint(0, 2)] = self.random.choice(
                [b'', b'\xff', b'\xc0\xaf', b'\xed\xa0\x80', b'\xf4\x90\x80\x80', b'\x85',
                 b'\xa0', b'\xe2\x80', self.random.randbytes(1), self.random.randbytes(3)])
        return bytes(text)

    def noise(self, size):
        return self.random.randbytes(size)


def without_new(text, codes):
    """The text without code points that one of the two may not know."""
    chars = text.decode('utf-8', 'surrogateescape')
    return ''.join(c for c in chars
                   if c in codes or '\ud800' <= c <= '\udfff').encode('utf-8', 'surrogateescape')


def test_gpt2(program, root, codes, megabytes):
    folder = root / 'tests' / 'text' / 'gpt2'
    lines = (folder / 'merges.txt').read_text(encoding='utf-8').split('\n')[1:-1]
    merges = [tuple(line.split(' ')) for line in lines]
    tokenizer = Tokenizer(gpt2_ids(merges), merges)
    made = Texts(codes, 12)
    size = megabytes * 1000 * 1000 // 4
    kinds = {
        'every code point': list(each_code_point(codes)),
        'this repository': list(repository(root))[:40 * megabytes],
        'generated': [made.text(size // 50) for _ in range(50)],
        'short': [made.text(n % 12) for n in range(2000 * megabytes)],
        'damaged': [made.damaged(size // 50) for _ in range(50)],
        'short, damaged': [made.damaged(1 + n % 9) for n in range(2000 * megabytes)],
        'random bytes': [made.noise(size // 10) for _ in range(10)]}
    every = frozenset(codes)
    for name, texts in kinds.items():
        texts = [without_new(text, every) for text in texts]
        size, count = compare(program, str(folder), tokenizer, texts)
        compare_replaced(program, str(folder), texts)
        print(f'{name}: {len(texts)} texts, {size} bytes, {count} tokens')
    ids, = encode(program, str(folder), [f'a{END}{END} b'.encode()], 'ends')
    assert ids == [*tokenizer.encode(b'a'), 50256, 50256, *tokenizer.encode(b' b')]


def test_files(program, root, codes):
    """One tokenizer in all of its forms, ids in any order: the same tokens."""
    rng = random.Random(3)
    lines = (root / 'tests/text/gpt2/merges.txt').read_text(encoding='utf-8').split('\n')
    merges = [tuple(line.split(' ')) for line in lines[1:2001]]
    names = list(gpt2_ids(merges))
    for shuffled in False, True:
        if shuffled:
            rng.shuffle(names)
        ids = {name: i for i, name in enumerate(names)}
        tokenizer = Tokenizer(ids, merges)
        text = (root / 'LICENSE').read_bytes() + Texts(codes, 5).text(20000)
        for form in forms(ids, merges):
            if 'vocab.json' in form or 'tokenizer.json' in form or not shuffled:
                with tempfile.TemporaryDirectory() as folder:
                    for name, content in form.items():
                        (pathlib.Path(folder) / name).write_text(content, encoding='utf-8')
                    compare(program, folder, tokenizer, [text])


def forms(ids, merges):
    text = '#version: 0.2\n' + ''.join(f'{left} {right}\n' for left, right in merges)
    byte_level = {'type': 'ByteLevel', 'add_prefix_space': False, 'trim_offsets': True}
    own = {name: i for name, i in ids.items() if name != END}
    for vocab, joined in (ids, True), (own, False):
        yield {'tokenizer.json': json.dumps({
            'version': '1.0', 'normalizer': None, 'pre_tokenizer': byte_level,
            'added_tokens': [{'id': ids[END], 'content': END, 'special': True}],
            'model': {'type': 'BPE', 'dropout': None, 'vocab': vocab,
                      'merges': [' '.join(pair) if joined else pair for pair in merges]}})}
    yield {'vocab.json': json.dumps(ids, ensure_ascii=False), 'merges.txt': text}
    yield {'merges.txt': text.replace('\n', '\r\n')}
    yield {'merges.txt': text[text.index('\n') + 1:].rstrip('\n')}


def test_random_merges(program):
    """Merges that no training would make, in any order, over few letters: long words."""
    rng = random.Random(7)
    for _ in range(40):
        names, merges = list('abc'), []
        while len(merges) < rng.randint(1, 60):
            pair = rng.choice(names), rng.choice(names)
            if pair not in merges and len(''.join(pair)) < 12:
                merges.append(pair)
                names.append(''.join(pair))
        rng.shuffle(merges)
        ids = {name: i for i, name in enumerate({**dict.fromkeys(SYMBOL.values()),
                                                 **dict.fromkeys(names)})}
        words = [bytes(rng.choices(b'abc', k=rng.randint(0, 400))) for _ in range(40)]
        with tempfile.TemporaryDirectory() as folder:
            at = pathlib.Path(folder)
            (at / 'vocab.json').write_text(json.dumps(ids))
            (at / 'merges.txt').write_text(''.join(f'{a} {b}\n' for a, b in merges))
            compare(program, folder, Tokenizer(ids, merges), words)


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    assert len(SPACES) == 25, SPACES
    test_random_merges(program)
    codes = known(program)
    test_files(program, root, codes)
    test_gpt2(program, root, codes, int(sys.argv[3]) if len(sys.argv) > 3 else 1)


if __name__ == '__main__':
    main()
