#!/usr/bin/env python3
"""A stranger's program builds and runs with the installed library and its .pc file alone.

Usage: stranger.py BUILD_ROOT PKG_CONFIG SANITIZERS SOURCE CC [ARG...]
Installs into a temporary directory, compiles SOURCE against it with what pkg-config says, once
with the shared library and once with the static one, and runs both. They must say the same.
"""
import os
import pathlib
import subprocess
import sys
import tempfile


def run(command, **options):
    done = subprocess.run(command, text=True, capture_output=True, check=False, **options)
    if done.returncode != 0:
        print(done.stdout)
        print(done.stderr)
        sys.exit(f'{" ".join(map(str, command))}: exit code {done.returncode}')
    return done.stdout


def install(build_root, root):
    run(['meson', 'install', '-C', build_root, '--no-rebuild', '--quiet', '--destdir', str(root)])
    found = list(root.rglob('quobyte-mesos.pc'))
    if len(found) != 1:
        sys.exit(f'{len(found)} files quobyte-mesos.pc were installed, not one')
    return found[0].parent


def main():
    build_root, pkg_config, sanitizers, source = sys.argv[1:5]
    compiler = [*sys.argv[5:], '-std=c99', '-Wall', '-Wextra', '-Werror']
    if sanitizers != 'none':
        compiler.append(f'-fsanitize={sanitizers}')
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch) / 'root'
        pc_directory = install(build_root, root)
        environment = dict(os.environ, PKG_CONFIG_PATH=str(pc_directory),
                           PKG_CONFIG_SYSROOT_DIR=str(root))

        def ask(*questions):
            return run([pkg_config, *questions, 'quobyte-mesos'], env=environment).split()

        libdir = next(root.rglob('libquobyte-mesos.so')).parent
        answers = []
        for kind, libraries in (('shared', ask('--libs')),
                                ('static', [str(libdir / 'libquobyte-mesos.a'),
                                            *ask('--static', '--libs')])):
            if kind == 'static':
                libraries = [x for x in libraries if x != '-lquobyte-mesos']
            program = pathlib.Path(scratch) / kind
            run([*compiler, source, '-o', str(program), *ask('--cflags'), *libraries])
            answers.append(run([str(program)], env=dict(os.environ, LD_LIBRARY_PATH=str(libdir))))
        if answers[0] != answers[1] or 'target 1.1.5' not in answers[0]:
            sys.exit(f'unexpected answers:\n{answers[0]}\n{answers[1]}')
        print(answers[0])


main()
