#!/usr/bin/env python3
"""Replays what Mesos 1.11.1 was seen to do against mesos-sim. Each scenario is a subtest."""
import concurrent.futures
import json
import os
import pathlib
import re
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from capture import Capture  # noqa: E402
from normalise import Difference  # noqa: E402
from protowire import Schema  # noqa: E402
from replay import Replay  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402
from simulator import RESOURCES, Simulator  # noqa: E402

AT_ONCE = 10  # they mostly wait


def load_schema():
    protos = HERE.parent.parent / 'proto/mesos/v1'
    return Schema([protos / name for name in ('mesos.proto', 'scheduler.proto', 'executor.proto')])


def agents_of(capture, options):
    """The agents of the recorder's machine: agent N had port 5150 + N and a port range after it."""
    agents = options.get('agents', 1)
    if not isinstance(agents, int):
        return agents
    first = min(map(int, re.findall(r'"port": ?(51[5-9][1-9])\b', json.dumps(capture.items))),
                default=5151)
    return [{'hostname': f'127.0.0.{i + 1}', 'resources': RESOURCES.format(
        21100 + (first + i - 5151) * 100, 21199 + (first + i - 5151) * 100)} for i in range(agents)]


def run(name, options, schema):
    """Returns ('' or the first difference, seconds)."""
    start, complaint, sim, replay = time.monotonic(), '', None, None
    try:
        capture = Capture(HERE / 'captures' / name, schema,
                          options.get('until', 1 << 60))
        sim = Simulator(os.environ['QM_MESOS_SIM'], agents_of(capture, options),
                        options.get('speed', 1), options)
        replay = options.get('replay', Replay)(capture, sim, options, HERE / 'relay_executor.py',
                                              schema)
        replay.run()
    except Difference as difference:
        complaint = str(difference)
    except Exception:  # a scenario that breaks has failed, the next one still runs
        complaint = traceback.format_exc()
    try:
        if replay:
            replay.close()
    finally:
        fault = sim.close() if sim else ''
    return '\n'.join(filter(None, (complaint, fault))), time.monotonic() - start


def main():
    chosen = {n: o for n, o in SCENARIOS.items()
              if not sys.argv[1:] or any(a in n for a in sys.argv[1:])}
    schema = load_schema()
    print(f'1..{len(chosen)}', flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        order = sorted(chosen, key=lambda n: -chosen[n].get('long', 0))
        futures = {n: pool.submit(run, n, chosen[n], schema) for n in order}
        for number, name in enumerate(chosen, 1):
            complaint, seconds = futures[name].result()
            print(f'{"not ok" if complaint else "ok"} {number} - {name}', flush=True)
            print(f'# {seconds:.1f} s', flush=True)
            for line in complaint.splitlines():
                print(f'# {line}', flush=True)
            failed += bool(complaint)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
