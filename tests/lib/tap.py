"""Cases that print TAP: each function marked with @case is one subtest.

A case gets a Box: a temporary directory and the processes that it starts there. When a case fails,
the tails of all logs are printed; whatever happens, the box ends its own processes, and a report of
a sanitizer in any log is a failure. Names given on the command line select cases.
"""
import os
import sys
import time
import traceback

from box import Box, Failure

CASES = []


def case(name):
    """Marks a function of one argument (the Box) as a case of this name."""
    def register(function):
        CASES.append((name, function))
        return function
    return register


def note(text):
    """A line beside the results: a figure, a circumstance."""
    for line in str(text).splitlines():
        print(f'# {line}', flush=True)


def run_case(function):
    """Runs one case in a box of its own; returns what went wrong, '' for nothing."""
    complaint = ''
    box = Box()
    try:
        function(box)
    except Failure as failure:
        complaint = str(failure)
    except Exception:  # a test that breaks has failed, the next one still runs
        complaint = traceback.format_exc()
    if complaint:
        complaint += '\n' + box.tails()
    faults = box.close()
    return '\n'.join(filter(None, [complaint, *faults]))


def main():
    chosen = [c for c in CASES if not sys.argv[1:] or any(a in c[0] for a in sys.argv[1:])]
    print(f'1..{len(chosen)}', flush=True)
    failed = 0
    for number, (name, function) in enumerate(chosen, 1):
        started = time.monotonic()
        complaint = run_case(function)
        word = 'not ok' if complaint else 'ok'
        print(f'{word} {number} - {name}', flush=True)
        note(f'{time.monotonic() - started:.1f} s')
        note(complaint)
        failed += bool(complaint)
    sys.stdout.flush()
    os._exit(1 if failed else 0)  # not even a stuck thread of a case may hold the run
