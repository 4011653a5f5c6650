"""Starts mesos-sim for a test, and knows where it listens."""
import os
import pathlib
import re

from box import expect, wait_for
import wire

BUILD = pathlib.Path(os.environ.get('QM_BUILD_ROOT', 'build'))
SIM = BUILD / 'tests/mesos-sim/mesos-sim'


def start(box, *flags, agents=1):
    ready = box.directory / f'ready.{len(box.processes)}'
    sim = box.start('mesos-sim', [SIM, '--port=0', f'--agents={agents}', f'--ready-file={ready}',
                                  f'--dir={box.directory / "hosts"}', '--verbose', *flags])
    wait_for(lambda: ready.exists() or sim.expect_running(), 20, 'mesos-sim is ready')
    sim.port = int(ready.read_text())
    sim.masters = [int(port) for port in
                   re.findall(r'^master https?://127\.0\.0\.1:(\d+)', sim.log(), re.M)]
    sim.agents = {name: int(port) for name, port in
                  re.findall(r'^agent (\S+) http://127\.0\.[01]\.\d+:(\d+)', sim.log(), re.M)}
    return sim


def get(port, path):
    answer = wire.call(port, 'GET', path)
    expect(answer.status == 200, f'GET {path}: {answer}')
    return answer.json()
