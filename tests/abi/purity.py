#!/usr/bin/env python3
"""The library stays pure: no I/O, clock, thread, randomness or environment, and no include of them.

Usage: purity.py symbols NM STATIC_LIBRARY
       purity.py includes LIB_DIR INCLUDE_DIR
The first looks at what the archive's members want from outside, the second at what sources name.
"""
import pathlib
import re
import subprocess
import sys

FORBIDDEN = {
    'clocks': r'clock|clock_\w+|time|gettimeofday|ftime|timespec_get|times|nanosleep|usleep|sleep|'
              r'timer_\w+|setitimer|alarm|localtime(_r)?|gmtime(_r)?|strftime|mktime',
    'sockets': r'socket|socketpair|connect|bind|listen|accept4?|send(to|msg)?|recv(from|msg)?|'
               r'getaddrinfo|gethostby\w+|poll|ppoll|select|pselect|epoll_\w+|inet_\w+',
    'files': r'(f|fd|p|fre)open(64)?|open(at)?(64)?|creat(64)?|close|read|write|pread(64)?|'
             r'pwrite(64)?|readv|writev|fclose|fread|fwrite|fgets|fgetc|getc|fputs|fputc|putc|puts|'
             r'putchar|getline|v?(f|d)?printf|perror|std(in|out|err)|opendir|readdir|f?l?stat(64)?|'
             r'unlink|rename|mkdir|mkstemp|tmpfile|mmap|ioctl|__(f|v)?f?printf_chk',
    'logging': r'syslog|vsyslog|openlog',
    'environment': r'(secure_)?getenv|setenv|putenv|environ|__environ|setlocale|getopt(_long)?|'
                   r'getpid|gethostname|getuid|sysconf',
    'threads and processes': r'pthread_\w+|thrd_\w+|mtx_\w+|sem_\w+|fork|vfork|exec\w*|system|'
                             r'kill|raise|signal|sigaction|posix_spawn\w*',
    'randomness': r'rand|srand|rand_r|random|srandom|[dlm]rand48|arc4random\w*|getrandom|getentropy',
    'the daemon\'s libraries': r'ev(ent|buffer|http|dns|thread|htp)\w*|bufferevent\w*|zoo\w*|'
                               r'sqlite3\w*|json_\w+|mesos__\w+',
}

# ISO C without I/O, the two libraries that are allowed, and our own state messages.
SYSTEM_INCLUDES = re.compile(
    r'(assert|ctype|errno|float|inttypes|limits|math|stdarg|stdbool|stddef|stdint|stdio|stdlib|'
    r'string|strings|fnmatch|yaml|protobuf-c/protobuf-c|quobyte-mesos(/[\w-]+)?)\.h')
OWN_INCLUDES = re.compile(r'quobyte-mesos/(state|probe)\.pb-c\.h')
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def check_symbols(nm, library):
    done = subprocess.run([nm, '--undefined-only', '--format=posix', library], text=True,
                          capture_output=True, check=True)
    wanted, member = {}, '?'
    for line in done.stdout.splitlines():
        if line.endswith(':'):
            member = line.split('[')[-1].rstrip(':]')
        elif line.strip():
            wanted.setdefault(line.split()[0].split('@')[0], member)
    faults = []
    for name, member in sorted(wanted.items()):
        for what, pattern in FORBIDDEN.items():
            if re.fullmatch(pattern, name):
                faults.append(f'{member} wants {name}: the library has no {what}')
    if not wanted:
        faults.append(f'{library} wants nothing at all: wrong file?')
    return faults


def check_includes(lib, include):
    faults, seen = [], 0
    for directory in (lib, include):
        for path in sorted(pathlib.Path(directory).rglob('*')):
            if path.suffix not in ('.c', '.h', '.in'):
                continue
            seen += 1
            text = path.read_text()
            for form, name in INCLUDE.findall(text):
                own = form == '"' and (path.parent / name).is_file()
                room = form == '"' and (pathlib.Path(lib) / name).is_file() and directory == lib
                if own or room or SYSTEM_INCLUDES.fullmatch(name):
                    continue
                if directory == lib and OWN_INCLUDES.fullmatch(name):
                    continue
                faults.append(f'{path} includes {name}')
    if seen < 10:
        faults.append(f'only {seen} files under {lib} and {include}: wrong directories?')
    return faults


def main():
    check = {'symbols': check_symbols, 'includes': check_includes}[sys.argv[1]]
    faults = check(*sys.argv[2:4])
    print('\n'.join(faults))
    sys.exit(1 if faults else 0)


main()
