"""Joins the page into one file; writes it, the policy with which it is to be sent, and
both as C.

usage: join.py OUTPUT.c OUTPUT.html OUTPUT.csp PAGE.html PAGE.css SCRIPT.js ...

The style and the script stand in the page itself. What may run is then said by their
hashes alone, in the header Content-Security-Policy: no other script or style, none from
elsewhere, no connection but to the server, and no text that becomes HTML.
"""
import base64
import hashlib
import pathlib
import sys


def source(text):
    """The hash that allows this inline script or style."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def policy(script, style):
    return '; '.join([
        "default-src 'none'", f'script-src {source(script)}', f'style-src {source(style)}',
        "connect-src 'self'", 'img-src data:', "form-action 'none'", "base-uri 'none'",
        "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"])


def literal(text):
    """The text as a string of C."""
    return '"' + ''.join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f'\\{byte:03o}'
        for byte in text.encode()) + '"'


def main():
    c, joined, csp, html, css, *scripts = (pathlib.Path(name) for name in sys.argv[1:])
    style = css.read_text(encoding='utf-8')
    script = "'use strict';\n" + '\n'.join(path.read_text(encoding='utf-8') for path in scripts)
    # The end of the element would end it within a string, too.
    assert '</script' not in script and '</style' not in style
    page = html.read_text(encoding='utf-8')
    for mark, text in ('@page.css@', style), ('@script@', script):
        assert page.count(mark) == 1, mark
        page = page.replace(mark, text)
    joined.write_text(page, encoding='utf-8')
    csp.write_text(policy(script, style))
    c.write_text('#include "serve/page.h"\n\nconst char pp_page[] =\n'
                 + '\n'.join(map(literal, page.splitlines(keepends=True))) + ';\n'
                 'const size_t pp_page_length = sizeof pp_page - 1;\n'
                 f'const char pp_page_csp[] = {literal(policy(script, style))};\n')


if __name__ == '__main__':
    main()
