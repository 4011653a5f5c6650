"""From a posted version to running services, over real sockets: mesos-sim, the daemon, its probers."""
import json
import time

from box import expect, holds_for, wait_for
from cluster import ELEVEN, STORAGE, Cluster, Watcher, agents_named, three_devices
from tap import case, main, note


def posted_to_eleven(cluster):
    cluster.await_probed()
    started = time.monotonic()
    cluster.post('1.1.5')
    posted = time.monotonic() - started
    cluster.await_counts(ELEVEN, 60, '1.1.5')
    note(f'POST answered after {posted:.3f} s, eleven RUNNING {time.monotonic() - started:.3f} s after it')


@case('three agents deploy to eleven services')
def deploy(box):
    cluster = Cluster(box).start()
    expect(cluster.version() == '', f'a target before the first POST: {cluster.version()!r}')
    expect(not cluster.services(), 'services run before the first POST')
    posted_to_eleven(cluster)
    cluster.await_plan_complete()
    expect(cluster.version() == '1.1.5', f'GET says {cluster.version()!r}')
    cluster.expect_never_doubled()
    for task in cluster.services():
        expect(task.image == 'quobyte/quobyte-server:1.1.5', f'{task}')
        expect(task.host and task.host in cluster.agents(), f'{task}')
    for service in STORAGE:
        hosts = {t.host for t in cluster.services() if t.service == service}
        expect(len(hosts) == 3, f'{service} runs on {hosts}')
    health = cluster.get('/v1/health').text.splitlines()[0]
    expect(health == 'OK. Running services: 11', f'health says {health!r}')
    page = cluster.get('/')
    expect(page.status == 200 and 'html' in page.headers['content-type'], f'dashboard: {page}')


@case('an upgrade keeps two of three instances, a shut down keeps the probers, and back')
def upgrade_and_shut_down(box):
    cluster = Cluster(box).start()
    cluster.deploy('1.1.5')
    with Watcher(cluster) as watcher:
        cluster.post('1.1.6')
        cluster.await_counts(ELEVEN, 120, '1.1.6')
        cluster.await_plan_complete()
    note(f'fewest RUNNING at a time: {watcher.least}, {watcher.looks} looks')
    # One of three may be away; api and webconsole have room to run the new one before the old one stops.
    watcher.expect_at_least({'registry': 2, 'metadata': 2, 'data': 2, 'api': 1, 'webconsole': 1})
    expect(cluster.version() == '1.1.6', f'GET says {cluster.version()!r}')

    probers = {t.id for t in cluster.tasks() if t.service == 'prober' and t.state == 'TASK_RUNNING'}
    expect(len(probers) == 3, f'probers: {probers}')
    answer = cluster.post('')
    expect(answer.body == b'', f'the answer to a shut down: {answer}')
    wait_for(lambda: not [t for t in cluster.tasks() if t.service != 'prober'
                          and t.state in ('TASK_RUNNING', 'TASK_KILLING', 'TASK_STAGING')],
             60, 'every service is stopped')
    expect(cluster.version() == '', f'GET says {cluster.version()!r}')
    still = {t.id for t in cluster.tasks() if t.service == 'prober' and t.state == 'TASK_RUNNING'}
    expect(still == probers, f'probers were {probers}, are {still}')

    cluster.deploy('1.1.5')
    expect(cluster.version() == '1.1.5', f'GET says {cluster.version()!r}')


@case('a version posted within the grace of a shut down takes it back')
def shut_down_taken_back(box):
    cluster = Cluster(box, config={'shutdown': {'delay_s': 30}}).start()
    cluster.deploy('1.1.5')
    before = {t.id for t in cluster.services()}
    cluster.post('')
    expect(cluster.version() == '', f'GET says {cluster.version()!r}')
    cluster.post('1.1.5')
    cluster.await_plan_complete()
    holds_for(lambda: {t.id for t in cluster.services()} == before, 2, 'nothing was stopped')


def deploys_and_upgrades(box, agents, wanted):
    cluster = Cluster(box, agents=agents).start()
    cluster.deploy('1.1.5', wanted)
    cluster.post('1.1.6')
    cluster.await_counts(wanted, 120, '1.1.6')
    cluster.await_plan_complete()


@case('a cluster of one agent can be upgraded')
def one_agent(box):
    deploys_and_upgrades(box, 1, {service: 1 for service in ELEVEN})


@case('a cluster of two agents can be upgraded')
def two_agents(box):
    deploys_and_upgrades(box, 2, {**ELEVEN, 'registry': 2, 'metadata': 2, 'data': 2})


@case('agents called node-1, ip-10-0-0-7.ec2.internal and n')
def host_names(box):
    names = ['node-1', 'ip-10-0-0-7.ec2.internal', 'n']
    cluster = Cluster(box, description=agents_named(*names)).start()
    cluster.deploy('1.1.5')
    for service in STORAGE:
        hosts = {t.host for t in cluster.services() if t.service == service}
        expect(hosts == set(names), f'{service} runs on {hosts}')
    steps = cluster.steps()
    for name in names:
        expect(f'registry.{name}' in steps, f'no step registry.{name} in {sorted(steps)}')
    cluster.expect_never_doubled()
    cluster.post('1.1.6')
    cluster.await_counts(ELEVEN, 120, '1.1.6')


@case('one host is too small for metadata: the others deploy, the plan says what is missing')
def too_small(box):
    description = agents_named('agent-1', 'agent-2', 'agent-3')
    description['agents'][2]['resources'] = (
        'cpus:16;mem:7900;disk:200000;ports:[80-80,8888-8889,21000-21100]')
    cluster = Cluster(box, description=description).start()
    cluster.post('1.1.5')
    cluster.await_counts({**ELEVEN, 'metadata': 2}, 60, '1.1.5')

    def explained():
        step = cluster.steps()['metadata.agent-3']
        for reason in step['reasons']:
            if reason['code'] == 'mem':
                return step
        return None
    step = wait_for(explained, 30, 'the step of metadata on agent-3 names mem')
    reason = next(r for r in step['reasons'] if r['code'] == 'mem')
    expect(reason['want'] == 8192 and 0 < reason['have'] < 8192, f'{step}')
    expect('8192' in reason['text'], f'{reason}')
    note(reason['text'])
    expect(cluster.plan()['status'] != 'COMPLETE', f'{cluster.plan()}')


SETUP = ('# QUOBYTE_DEV_SETUP\n# Created: by a test\n# Hostname: agent-3\n'
         'device.serial=late-1\ndevice.model=late\ndevice.type=DATA_DEVICE\n')


@case('a device tagged while everything runs: a mount that is there gets its marker')
def tagged(box):
    description = agents_named('agent-1', 'agent-2', 'agent-3')
    description['agents'][2]['devices'][2] = {'mount': '/mnt/data', 'serial': 'late'}  # no type yet
    cluster = Cluster(box, description=description, config={'prober': {'interval_s': 1}}).start()
    cluster.deploy('1.1.5', {**ELEVEN, 'data': 2})
    before = {t.id for t in cluster.tasks() if t.state == 'TASK_RUNNING'}
    box.write('hosts/agent-3/mnt/data/QUOBYTE_DEV_SETUP', SETUP)
    cluster.await_counts(ELEVEN, 30, '1.1.5')
    after = {t.id for t in cluster.tasks() if t.state == 'TASK_RUNNING'}
    expect(before < after and len(after - before) == 1, f'new: {after - before}, gone: {before - after}')


@case('a device mounted while everything runs: its mount appears in the mount table')
def mounted(box):
    description = agents_named('agent-1', 'agent-2', 'agent-3')
    del description['agents'][2]['devices'][2]
    cluster = Cluster(box, description=description).start()
    cluster.deploy('1.1.5', {**ELEVEN, 'data': 2})
    before = {t.id for t in cluster.tasks() if t.state == 'TASK_RUNNING'}
    box.write('hosts/agent-3/mnt/late/QUOBYTE_DEV_SETUP', SETUP)
    with open(box.directory / 'hosts/agent-3/mounts', 'a') as mounts:
        mounts.write('/dev/sdz1 /mnt/late xfs rw,relatime 0 0\n')
    cluster.await_counts(ELEVEN, 30, '1.1.5')
    after = {t.id for t in cluster.tasks() if t.state == 'TASK_RUNNING'}
    expect(before < after and len(after - before) == 1, f'new: {after - before}, gone: {before - after}')


@case('no container: a command per service, with the services\' environment')
def no_container(box):
    command = 'env > "$MESOS_SANDBOX/environment" && exec sleep 600'
    cluster = Cluster(box, agents=1, flags=['--containerizer=none', f'--service_command={command}'])
    for service in ELEVEN:  # nothing serves a status page here
        cluster.config['services'][service] = {'min_ready_s': 1, 'health': {'enabled': False}}
    cluster.start()
    cluster.deploy('1.1.5', {service: 1 for service in ELEVEN})
    for task in cluster.services():
        expect(task.image == '', f'{task} has an image')
    found = {}
    for path in box.directory.rglob('environment'):
        values = dict(line.split('=', 1) for line in path.read_text().splitlines() if '=' in line)
        found[values.get('QUOBYTE_SERVICE')] = values
    expect(set(found) == set(ELEVEN), f'environments were written for {sorted(map(str, found))}')
    for service, values in found.items():
        expect('QUOBYTE_RPC_PORT' in values and 'QUOBYTE_REGISTRY' in values, json.dumps(values))
    cluster.post('1.1.6')
    cluster.await_counts({service: 1 for service in ELEVEN}, 120, '1.1.6')
    cluster.post('')
    wait_for(lambda: not cluster.services(), 60, 'every service is stopped')


@case('SIGTERM ends the daemon, the services keep running, a new daemon takes over')
def sigterm(box):
    cluster = Cluster(box).start()
    cluster.deploy('1.1.5')
    before = {t.id: t.state for t in cluster.services()}
    code = cluster.daemon.terminate(20)
    expect(code == 0, f'exit code {code} on SIGTERM')
    registered, completed = cluster.frameworks()
    expect(len(registered) == 1 and not completed, f'{registered} {completed}')
    holds_for(lambda: {t.id: t.state for t in cluster.services()} == before, 2, 'services keep running')
    cluster.start_daemon()
    expect(cluster.version() == '1.1.5', f'GET says {cluster.version()!r}')
    wait_for(lambda: cluster.get('/v1/health').text.startswith('OK. Running services: 11'), 30,
             'the new daemon knows eleven services')
    cluster.expect_never_doubled()
    expect({t.id: t.state for t in cluster.services()} == before, 'services changed')


@case('hosts with different devices: each runs what it has devices for')
def mixed_devices(box):
    devices = three_devices(True, 'agent-1')
    description = {'agents': [
        {'hostname': 'agent-1', 'devices': devices[:2]},
        {'hostname': 'agent-2', 'devices': [{'type': 'data', 'mount': '/mnt/d0', 'serial': 'd0'},
                                            {'type': 'data', 'mount': '/mnt/d1', 'serial': 'd1'}]},
        {'hostname': 'agent-3', 'devices': []}]}
    cluster = Cluster(box, description=description).start()
    cluster.deploy('1.1.5', {service: 1 for service in ELEVEN})
    places = {t.service: t.host for t in cluster.services()}
    expect(places['registry'] == places['metadata'] == 'agent-1', f'{places}')
    expect(places['data'] == 'agent-2', f'{places}')


main()
