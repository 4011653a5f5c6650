"""A box for one test case: temporary directory, processes, free ports, conditions with deadlines."""
import ctypes
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PATIENCE = float(os.environ.get('QM_TEST_PATIENCE', '1'))  # more under valgrind
SANITIZER_WORDS = ('ERROR: AddressSanitizer', 'ERROR: LeakSanitizer', 'runtime error:',
                   'AddressSanitizer:DEADLYSIGNAL', 'Assertion `')
PR_SET_CHILD_SUBREAPER = 36


class Failure(Exception):
    """What a case expected and did not see."""


def expect(condition, text):
    if not condition:
        raise Failure(text)


def wait_for(condition, seconds, what, every=0.02):
    """Calls condition until it gives something true, and returns that. Failure after `seconds`.

    A Failure or OSError inside the condition counts as "not yet".
    """
    deadline = time.monotonic() + seconds * PATIENCE
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except (OSError, Failure) as error:
            last = error
        if time.monotonic() > deadline:
            raise Failure(f'not within {seconds * PATIENCE:g} s: {what} (last: {str(last)[:2000]})')
        time.sleep(every)


def holds_for(condition, seconds, what, every=0.02):
    """The condition is true all the time for `seconds`: for "nothing happens" only."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        expect(condition(), what)
        time.sleep(every)


def free_ports(count):
    """The first of `count` ports in a row that nothing listens on, below the ephemeral range."""
    for _ in range(1000):
        first = random.randrange(12000, 31000)
        sockets = []
        try:
            for port in range(first, first + count):
                s = socket.socket()
                sockets.append(s)
                s.bind(('127.0.0.1', port))
            return first
        except OSError:
            continue
        finally:
            for s in sockets:
                s.close()
    raise Failure('no free ports on loopback')


def free_port():
    return free_ports(1)


class Process:
    """A program with its log. Every start has a log of its own."""

    def __init__(self, box, name, command, environment=None):
        self.name = name
        self.command = [str(c) for c in command]
        self.log_path = box.directory / f'{name}.{len(box.processes)}.log'
        with open(self.log_path, 'wb') as log:
            self.popen = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=subprocess.STDOUT, cwd=box.directory,
                                          env={**os.environ, **(environment or {})})
        self.killed = False

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def log(self):
        return self.log_path.read_text(errors='replace')

    def expect_running(self):
        expect(self.running(), f'{self.name} ended with {self.popen.returncode}')

    def kill9(self):
        self.killed = True
        self.popen.kill()
        self.popen.wait()

    def terminate(self, seconds=20):
        """SIGTERM; returns the exit code. Failure when it does not end in time."""
        if self.running():
            self.popen.terminate()
        return self.wait(seconds)

    def wait(self, seconds):
        try:
            return self.popen.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f'{self.name} did not end within {seconds * PATIENCE:g} s') from None

    def tail(self, lines=60):
        text = self.log().splitlines()
        head = f'--- {self.name} (pid {self.pid}, exit code {self.popen.poll()}): {self.log_path.name}'
        return '\n'.join([head, f'    {" ".join(self.command)}', *text[-lines:]])

    def sanitizer_report(self):
        text = self.log()
        for word in SANITIZER_WORDS:
            at = text.find(word)
            if at >= 0:
                return f'{self.name}: {text[max(0, at - 200):at + 3000]}'
        return ''


class Box:
    def __init__(self):
        # Orphans of what we start become our children, so that none outlives the case.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='qm-e2e-'))
        self.processes = []

    def start(self, name, command, environment=None):
        process = Process(self, name, command, environment)
        self.processes.append(process)
        return process

    def run(self, name, command, seconds=20, environment=None):
        """Starts and waits for the end; returns (exit code, all that it printed)."""
        process = self.start(name, command, environment)
        code = process.wait(seconds)
        return code, process.log()

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def tails(self):
        return '\n'.join(p.tail() for p in self.processes)

    def close(self):
        """Ends everything, newest first; returns what was wrong with that."""
        faults = []
        for process in reversed(self.processes):
            if process.running():
                try:
                    code = process.terminate(20)
                except Failure as failure:
                    faults.append(str(failure))
                    process.kill9()
                    continue
                if code not in (0, -signal.SIGTERM, 143):
                    faults.append(f'{process.name} ended with {code} on SIGTERM')
        self.end_orphans()
        faults += filter(None, (p.sanitizer_report() for p in self.processes))
        if os.environ.get('QM_TEST_KEEP'):
            faults.append(f'kept: {self.directory}')
        else:
            shutil.rmtree(self.directory, ignore_errors=True)
        return faults

    @staticmethod
    def end_orphans():
        """Kills what our processes left behind: by now children of this very process."""
        for _ in range(100):
            children = pathlib.Path(f'/proc/self/task/{os.getpid()}/children').read_text().split()
            if not children:
                return
            for pid in children:
                try:
                    os.kill(int(pid), signal.SIGKILL)
                    os.waitpid(int(pid), 0)
                except (ProcessLookupError, ChildProcessError):
                    pass
