#!/usr/bin/env python3
"""Every public header compiles by itself, included twice, as strict C99 and as C++11.

Usage: headers_alone.py INCLUDE_DIR[:INCLUDE_DIR...] CXX|- CC [ARG...]
The headers are found, not listed: a new one is tested from its first day. Prints TAP.
"""
import pathlib
import subprocess
import sys
import tempfile


def find_headers(directories):
    names = set()
    for directory in directories:
        for path in directory.rglob('*.h'):
            names.add(str(path.relative_to(directory)))
    return sorted(names)


def compile_alone(command, name, suffix, directories):
    """Returns what the compiler said, '' when it was content."""
    with tempfile.TemporaryDirectory() as scratch:
        source = pathlib.Path(scratch) / f'alone{suffix}'
        source.write_text(f'#include <{name}>\n#include <{name}>\n'
                          'int header_alone(void);\nint header_alone(void) { return 0; }\n')
        includes = [f'-I{d}' for d in directories]
        flags = ['-pedantic', '-Wall', '-Wextra', '-Werror', '-fsyntax-only']
        done = subprocess.run([*command, *flags, *includes, str(source)], text=True,
                              capture_output=True, check=False)
    return '' if done.returncode == 0 else done.stderr or f'exit code {done.returncode}'


def main():
    directories = [pathlib.Path(d) for d in sys.argv[1].split(':')]
    languages = [('C99', [*sys.argv[3:], '-std=c99'], '.c')]
    if sys.argv[2] != '-':
        languages.append(('C++', [sys.argv[2], '-std=c++11'], '.cc'))
    headers = find_headers(directories)
    if len(headers) < 10:
        sys.exit(f'only {len(headers)} headers under {sys.argv[1]}: wrong directory?')
    number = failed = 0
    for name in headers:
        for language, command, suffix in languages:
            number += 1
            complaint = compile_alone(command, name, suffix, directories)
            print(f'{"not ok" if complaint else "ok"} {number} - {name} as {language}')
            for line in complaint.splitlines():
                print(f'# {line}')
            failed += bool(complaint)
    print(f'1..{number}')
    sys.exit(1 if failed else 0)


main()
