#!/usr/bin/env python3
"""Makes C strings of the dashboard's style and script, and a Content-Security-Policy that allows
exactly these two by their digests.

usage: embed.py PAGE.css PAGE.js OUTPUT.c
"""
import base64
import hashlib
import sys


def c_string(text):
    return '\n'.join('    "' + line.replace('\\', '\\\\').replace('"', '\\"') + '\\n"'
                     for line in text.splitlines())


def digest(text):
    return 'sha256-' + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def main():
    style, script = (open(name, encoding='ascii').read() for name in sys.argv[1:3])
    # The strings stand between tags without a byte more, as the digests want it.
    policy = '; '.join([
        "default-src 'none'", f"style-src '{digest(style)}'", f"script-src '{digest(script)}'",
        "connect-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'",
        "frame-ancestors 'none'"])
    with open(sys.argv[3], 'w', encoding='ascii') as out:
        out.write('/* Made by embed.py from page.css and page.js. */\n#include "http/page.h"\n\n')
        out.write(f'const char page_style[] =\n{c_string(style)};\n\n')
        out.write(f'const char page_script[] =\n{c_string(script)};\n\n')
        out.write(f'const char page_policy[] =\n    "{policy}";\n')


main()
