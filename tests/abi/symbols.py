#!/usr/bin/env python3
"""The shared library exports the functions that the headers declare, no more and no fewer.

Usage: symbols.py NM SHARED_LIBRARY INCLUDE_DIR[:INCLUDE_DIR...]
"""
import pathlib
import re
import subprocess
import sys

COMMENT = re.compile(r'/\*.*?\*/', re.S)
DIRECTIVE = re.compile(r'^[ \t]*#.*?(?<!\\)$', re.M)
DECLARATION = re.compile(r'\bQM_EXPORT\b([^;{]*?)\b(\w+)\s*\(', re.S)


def declared(directories):
    names = set()
    for directory in directories:
        for path in pathlib.Path(directory).rglob('*.h'):
            text = DIRECTIVE.sub('', COMMENT.sub(' ', path.read_text()))
            names.update(match.group(2) for match in DECLARATION.finditer(text))
    return names


def exported(nm, library):
    done = subprocess.run([nm, '--dynamic', '--defined-only', '--format=posix', library], text=True,
                          capture_output=True, check=True)
    names = set()
    for line in done.stdout.splitlines():
        name, kind = line.split()[:2]
        if kind != 'A':  # version nodes
            names.add(name.split('@')[0])
    return names


def main():
    nm, library, include = sys.argv[1:4]
    headers, symbols = declared(include.split(':')), exported(nm, library)
    for name in sorted(headers - symbols):
        print(f'declared in a header, not exported: {name}')
    for name in sorted(symbols - headers):
        print(f'exported, declared in no public header: {name}')
    if not headers:
        print('no declarations found: wrong directory?')
    sys.exit(0 if headers and headers == symbols else 1)


main()
