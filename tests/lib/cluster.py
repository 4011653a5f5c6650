"""A whole cluster on loopback: mesos-sim, quobyte-mesosd, and what a test asks them.

What runs is always read from mesos-sim (the master's word), never from the daemon under test.
Binaries are those under $QM_BUILD_ROOT.
"""
import collections
import json
import os
import pathlib
import threading
import time

import wire
from box import PATIENCE, Failure, expect, free_port, free_ports, wait_for

BUILD = pathlib.Path(os.environ.get('QM_BUILD_ROOT', 'build')).resolve()
SIM = BUILD / 'tests/mesos-sim/mesos-sim'
DAEMON = BUILD / 'daemon/quobyte-mesosd'
PROBER = BUILD / 'daemon/quobyte-mesos-prober'
HELPERS = ('prober', 'image')  # tasks of ours that are no service of Quobyte's
WRAPPER = os.environ.get('QM_DAEMON_WRAPPER', '').split()  # e.g. valgrind with its flags

# What three agents with one device of each kind run.
ELEVEN = {'registry': 3, 'metadata': 3, 'data': 3, 'api': 1, 'webconsole': 1}
STORAGE = ('registry', 'metadata', 'data')
LIVE = ('TASK_STAGING', 'TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING', 'TASK_UNREACHABLE')

# Waits of minutes are for real storage; everything else stays as it is by default.
FAST = {
    'services': {name: {'min_ready_s': 1} for name in ELEVEN},
    'shutdown': {'delay_s': 1},
}

Task = collections.namedtuple('Task', 'id service state host agent_id version image')


def yaml(value, indent=0):
    """Writes nested dictionaries and lists as YAML; scalars as JSON, which is YAML too."""
    if isinstance(value, dict):
        lines = []
        for key, inner in value.items():
            nested = isinstance(inner, (dict, list)) and inner
            separator = '\n' if nested else ' '
            lines.append(f'{" " * indent}{key}:{separator}{yaml(inner, indent + 2)}')
        return '\n'.join(lines) if lines else '{}'
    if isinstance(value, list) and value:
        lines = []
        for item in value:
            text = yaml(item, indent + 2)
            lines.append(f'{" " * indent}- {text.lstrip() if isinstance(item, dict) else text}')
        return '\n'.join(lines)
    return json.dumps(value)


def merge(base, changes):
    """base with what changes says otherwise, mapping by mapping."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merge(result[key], value) if both else value
    return result


def three_devices(bootstrap, name):
    return [{'type': 'registry', 'mount': '/mnt/registry', 'serial': f'{name}-r',
             'bootstrap': bootstrap},
            {'type': 'metadata', 'mount': '/mnt/metadata', 'serial': f'{name}-m'},
            {'type': 'data', 'mount': '/mnt/data', 'serial': f'{name}-d'}]


def agents_named(*names):
    """A cluster description: each host has three devices, the first one bootstraps."""
    return {'agents': [{'hostname': n, 'devices': three_devices(i == 0, n)}
                       for i, n in enumerate(names)]}


class Cluster:
    def __init__(self, box, agents=3, description=None, config=None, sim_flags=(), flags=(),
                 environment=None):
        self.box = box
        self.n_agents = len(description['agents']) if description and 'agents' in description else agents
        self.master_port = free_ports(self.n_agents + 1)
        self.port = free_port()
        self.directory = box.directory / 'hosts'
        self.description = description
        self.config = merge(FAST, config or {})
        self.sim_flags = list(sim_flags)
        self.flags = list(flags)
        self.environment = environment or {}
        self.state_flags = [f'--state_dir={box.directory / "state"}']
        self.master = f'127.0.0.1:{self.master_port}'
        self.sim = self.daemon = None
        self.hosts_by_agent = {}
        self.seen = {}  # task id -> last known Task: everything that ever was

    # ---- programs ----

    def start(self):
        self.start_sim()
        self.start_daemon()
        return self

    def start_sim(self):
        command = [SIM, f'--port={self.master_port}', f'--agents={self.n_agents}',
                   f'--dir={self.directory}', *self.sim_flags]
        if self.description:
            command.append(f'--cluster={self.box.write("cluster.yaml", yaml(self.description))}')
        self.sim = self.box.start('mesos-sim', command)

        def ready():
            self.sim.expect_running()
            return len(self.mesos('/slaves')['slaves']) == self.n_agents
        wait_for(ready, 20, 'mesos-sim serves and has its agents')

    def daemon_command(self, *more):
        (self.box.directory / 'state').mkdir(exist_ok=True)
        return [*WRAPPER, DAEMON, f'--master={self.master}', f'--port={self.port}', '--bind=127.0.0.1',
                '--docker_image=quobyte/quobyte-server', f'--prober_command={PROBER}',
                f'--config={self.box.write("config.yaml", yaml(self.config))}', *self.state_flags,
                *self.flags, *more]

    def start_daemon(self, *more):
        self.daemon = self.box.start('quobyte-mesosd', self.daemon_command(*more), self.environment)

        def serves():
            self.daemon.expect_running()
            return self.get('/v1/health').status == 200
        wait_for(serves, 30, 'quobyte-mesosd serves')

    # ---- the daemon ----

    def get(self, path):
        return wire.call(self.port, 'GET', path)

    def get_json(self, path):
        answer = self.get(path)
        expect(answer.status == 200, f'GET {path}: {answer}')
        return answer.json()

    def version(self):
        answer = self.get('/v1/version')
        expect(answer.status == 200, f'GET /v1/version: {answer}')
        return answer.text

    def post(self, version):
        """An order that must be taken: 200 with the version (shut down: with nothing)."""
        answer = wire.call(self.port, 'POST', '/v1/version', body=version.encode(), seconds=30)
        expect(answer.status == 200, f'POST {version!r}: {answer}')
        expect(answer.text.strip() == version, f'POST {version!r} answered {answer.text!r}')
        return answer

    def plan(self):
        return self.get_json('/v1/plan')

    def steps(self):
        return {s['id']: s for phase in self.plan()['phases'] for s in phase['steps']}

    # ---- the master ----

    def mesos(self, path):
        answer = wire.call(self.master_port, 'GET', path)
        expect(answer.status == 200, f'GET {path} of mesos-sim: {answer}')
        return answer.json()

    def fault(self, path):
        """POST /sim/...: something goes wrong in the cluster."""
        answer = wire.call(self.master_port, 'POST', f'/sim/{path}', body=b'')
        expect(answer.status // 100 == 2, f'POST /sim/{path}: {answer}')

    def agents(self):
        return {a['hostname']: a for a in self.mesos('/slaves')['slaves']}

    def frameworks(self):
        """(those that are registered, those that are completed)"""
        answer = self.mesos('/frameworks')
        return answer['frameworks'], answer['completed_frameworks']

    def tasks(self):
        """All tasks that the master knows, ended ones too. Remembers them for good."""
        found = []
        raw = self.mesos('/tasks?limit=100000')['tasks']
        if any(t['slave_id'] not in self.hosts_by_agent for t in raw):
            for agent in self.mesos('/slaves')['slaves']:
                self.hosts_by_agent[agent['id']] = agent['hostname']
        for task in raw:
            labels = {label['key']: label.get('value', '') for label in task.get('labels', [])}
            found.append(Task(task['id'], task['name'], task['state'],
                              self.hosts_by_agent.get(task['slave_id'], labels.get('quobyte.host')),
                              task['slave_id'], labels.get('quobyte.version', ''),
                              task.get('container', {}).get('docker', {}).get('image', '')))
        self.seen.update({t.id: t for t in found})
        return found

    def services(self, state='TASK_RUNNING', version=None):
        """Tasks of services (no probers, no image tasks) in this state."""
        return [t for t in self.tasks() if t.service not in ('prober', 'image') and t.state == state
                and version in (None, t.version)]

    def counts(self, version=None):
        return dict(collections.Counter(t.service for t in self.services(version=version)))

    # ---- conditions ----

    def await_counts(self, wanted, seconds=60, version=None):
        """Waits until exactly these services are RUNNING; returns the seconds that it took."""
        started = time.monotonic()

        def reached():
            self.daemon.expect_running()
            counts = self.counts(version)
            if counts == wanted:
                return True
            raise Failure(f'RUNNING: {counts}')
        wait_for(reached, seconds, f'RUNNING {wanted} {version or ""}')
        return time.monotonic() - started

    def deploy(self, version='1.1.5', wanted=None, seconds=60):
        self.post(version)
        taken = self.await_counts(wanted or ELEVEN, seconds, version)
        self.await_plan_complete()
        return taken

    def await_plan_complete(self, seconds=60):
        def complete():
            plan = self.plan()
            if plan['status'] == 'COMPLETE':
                return True
            raise Failure(json.dumps(plan))
        wait_for(complete, seconds, 'the plan is COMPLETE')

    def await_probed(self, seconds=30):
        def probed():
            hosts = self.get_json('/v1/hosts')
            hosts = hosts if isinstance(hosts, list) else hosts['hosts']
            return len(hosts) == self.n_agents and all(h['devices'] for h in hosts)
        wait_for(probed, seconds, 'every host has reported its devices')

    def expect_never_doubled(self):
        """No more than one task was ever launched for a place."""
        self.tasks()
        places = collections.Counter((t.service, t.host) for t in self.seen.values())
        doubled = {place: n for place, n in places.items() if n > 1}
        expect(not doubled, f'launched more than once: {doubled}; all: {sorted(self.seen)}')
        floating = collections.Counter(t.service for t in self.seen.values())
        for service in ('api', 'webconsole'):
            expect(floating[service] <= 1, f'{service} was launched {floating[service]} times')


class Watcher(threading.Thread):
    """Looks at the master's tasks all the time, and remembers the worst that it saw."""

    def __init__(self, cluster, services=ELEVEN):
        super().__init__(daemon=True)
        self.cluster = cluster
        self.least = {service: 10 ** 9 for service in services}
        self.doubled = set()
        self.looks = 0
        self.trouble = ''
        self.ended = threading.Event()

    def look(self):
        tasks = self.cluster.tasks()
        running = collections.Counter(t.service for t in tasks if t.state == 'TASK_RUNNING')
        for service, least in self.least.items():
            self.least[service] = min(least, running[service])
        places = collections.Counter((t.service, t.host) for t in tasks if t.state in LIVE)
        self.doubled |= {place for place, n in places.items() if n > 1}
        self.looks += 1

    def run(self):
        while not self.ended.is_set():
            try:
                self.look()
            except (OSError, Failure, ValueError) as error:
                self.trouble = str(error)
                return
            self.ended.wait(0.005)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join(20 * PATIENCE)

    def expect_at_least(self, numbers):
        """So many instances of each service were RUNNING whenever somebody looked."""
        expect(not self.trouble, f'the watcher could not look: {self.trouble}')
        expect(self.looks > 20, f'only {self.looks} looks: nothing was watched')
        expect(all(self.least[service] >= number for service, number in numbers.items()),
               f'fewest RUNNING at a time: {self.least}, wanted at least {numbers}')
        expect(not self.doubled, f'two live tasks at one place: {sorted(self.doubled)}')
