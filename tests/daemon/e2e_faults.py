"""Crashes and losses: the daemon, an agent, the master, connections. Nothing is lost, nothing doubled."""
import time

from box import expect, holds_for, wait_for
from cluster import ELEVEN, HELPERS, Cluster, agents_named
from tap import case, main, note
from zookeeper import ZooKeeper, is_installed

SLOW_IMAGES = {'images': {'start_s': 0.4}}


def slow_cluster(box, **options):
    """Containers need a moment to start, so that a crash can fall into it."""
    description = {**agents_named('agent-1', 'agent-2', 'agent-3'), **SLOW_IMAGES}
    return Cluster(box, description=description, **options)


def crash_in_deployment(cluster, launched):
    """kill -9 as soon as so many services were launched; then a new daemon completes the work."""
    cluster.post('1.1.5')

    def begun():
        return len([t for t in cluster.tasks() if t.service != 'prober']) >= launched
    wait_for(begun, 30, f'{launched} services are launched', every=0.002)
    cluster.daemon.kill9()
    note(f'killed with {len(cluster.services())} of {len(cluster.services("TASK_STAGING"))} + RUNNING')
    before, _ = cluster.frameworks()
    cluster.start_daemon()
    expect(cluster.version() == '1.1.5', f'the new daemon says {cluster.version()!r}')
    cluster.await_counts(ELEVEN, 90, '1.1.5')
    cluster.await_plan_complete()
    after, completed = cluster.frameworks()
    expect([f['id'] for f in before] == [f['id'] for f in after] and not completed,
           f'frameworks: {before} then {after}, completed: {completed}')
    cluster.expect_never_doubled()


@case('kill -9 right after the first launch')
def crash_first(box):
    cluster = slow_cluster(box)
    cluster.start()
    crash_in_deployment(cluster, 1)


@case('kill -9 in the middle of a deployment')
def crash_middle(box):
    cluster = slow_cluster(box)
    cluster.start()
    crash_in_deployment(cluster, 6)


@case('kill -9 right after POST was answered: the target survives')
def crash_after_post(box):
    cluster = slow_cluster(box)
    cluster.start()
    cluster.await_probed()
    cluster.post('1.1.5')
    cluster.daemon.kill9()
    cluster.start_daemon()
    expect(cluster.version() == '1.1.5', f'the new daemon says {cluster.version()!r}')
    cluster.await_counts(ELEVEN, 90, '1.1.5')
    cluster.expect_never_doubled()


@case('kill -9 in the middle of an upgrade')
def crash_in_upgrade(box):
    cluster = slow_cluster(box)
    cluster.start()
    cluster.deploy('1.1.5')
    cluster.post('1.1.6')
    wait_for(lambda: cluster.services('TASK_STAGING'), 30, 'a new version starts', every=0.002)
    cluster.daemon.kill9()
    cluster.start_daemon()
    cluster.await_counts(ELEVEN, 120, '1.1.6')
    cluster.await_plan_complete()
    cluster.tasks()
    launched = [t for t in cluster.seen.values() if t.service not in ('prober', 'image')]
    expect(len(launched) == 22, f'{len(launched)} launches for 22 instances: {launched}')


def zookeeper_cluster(box, **options):
    expect(is_installed(), 'no ZooKeeper server: install the packages zookeeper and java')
    zookeeper = ZooKeeper(box).start()
    cluster = slow_cluster(box, **options)
    cluster.state_flags = [f'--zk={zookeeper.address}', '--zk_path=/quobyte-test']
    return cluster, zookeeper


@case('state in ZooKeeper: kill -9 in the middle of a deployment')
def crash_zookeeper(box):
    cluster, _ = zookeeper_cluster(box)
    cluster.start()
    crash_in_deployment(cluster, 6)


@case('state in ZooKeeper: the server is away for a while')
def zookeeper_away(box):
    cluster, zookeeper = zookeeper_cluster(box)
    cluster.start()
    cluster.deploy('1.1.5')
    before = {t.id for t in cluster.services()}
    zookeeper.stop()
    expect(cluster.get('/v1/health').status == 200, 'health without ZooKeeper')
    expect(cluster.version() == '1.1.5', 'the target is known without ZooKeeper')
    zookeeper.start()

    def accepted():
        cluster.post('1.1.6')
        return True
    wait_for(accepted, 60, 'a POST is saved again', every=0.5)
    cluster.await_counts(ELEVEN, 120, '1.1.6')
    expect(not before & {t.id for t in cluster.services()}, 'an old task still runs')


@case('the master comes from ZooKeeper')
def master_from_zookeeper(box):
    expect(is_installed(), 'no ZooKeeper server: install the packages zookeeper and java')
    zookeeper = ZooKeeper(box).start()
    cluster = Cluster(box, sim_flags=[f'--zk={zookeeper.address}/mesos'])
    cluster.master = f'zk://{zookeeper.address}/mesos'
    cluster.start()
    cluster.deploy('1.1.5')
    cluster.expect_never_doubled()


def agent_is(cluster, name, active):
    return cluster.agents().get(name, {}).get('active', False) is active


@case('an agent is killed and restarted: no task lost, no task doubled')
def agent_restart(box):
    cluster = Cluster(box).start()
    cluster.deploy('1.1.5')
    before = {t.id for t in cluster.services()}
    cluster.fault('agents/agent-2/kill')
    wait_for(lambda: agent_is(cluster, 'agent-2', False), 20, 'the master misses agent-2')
    cluster.fault('agents/agent-2/restart')
    wait_for(lambda: agent_is(cluster, 'agent-2', True), 20, 'agent-2 is back')
    cluster.await_counts(ELEVEN, 30, '1.1.5')
    holds_for(lambda: {t.id for t in cluster.services()} == before, 2, 'the same tasks run on')
    cluster.expect_never_doubled()
    wait_for(lambda: len([t for t in cluster.tasks() if t.service == 'prober'
                          and t.state == 'TASK_RUNNING']) == 3, 30, 'three probers')
    cluster.post('1.1.6')  # the agent is as good as before
    cluster.await_counts(ELEVEN, 120, '1.1.6')


@case('an agent is away until its tasks are unreachable, and comes back with them')
def agent_unreachable(box):
    cluster = Cluster(box, sim_flags=['--speed=20']).start()
    cluster.deploy('1.1.5')
    before = {t.id for t in cluster.services()}
    cluster.fault('agents/agent-3/partition')
    wait_for(lambda: len(cluster.services('TASK_UNREACHABLE')) >= 3, 40, 'tasks are UNREACHABLE')

    def shown():
        return any(t.get('stage') == 'unreachable' or t.get('state') == 'TASK_UNREACHABLE'
                   for t in listed(cluster.get_json('/v1/tasks'), 'tasks'))
    wait_for(shown, 20, '/v1/tasks shows the unreachable ones')
    expect(cluster.get('/v1/health').status == 200, 'health of the process')
    holds_for(lambda: {t.service for t in cluster.seen.values()} and
              not [t for t in cluster.services('TASK_STAGING') if t.service in
                   ('registry', 'metadata', 'data')], 2, 'nothing starts in the place of the unreachable')
    cluster.fault('agents/agent-3/heal')
    wait_for(lambda: before <= {t.id for t in cluster.services()}, 40, 'the same tasks are RUNNING again')
    cluster.await_counts(ELEVEN, 40, '1.1.5')
    storage = [t for t in cluster.seen.values() if t.service in ('registry', 'metadata', 'data')]
    expect(len(storage) == 9, f'{len(storage)} launches of nine storage services: {storage}')


def listed(answer, key):
    return answer if isinstance(answer, list) else answer[key]


@case('a service fails: it is started again in its place')
def task_fails(box):
    config = {'services': {'data': {'backoff': {'initial_s': 0.2}}}}
    cluster = Cluster(box, config=config).start()
    cluster.deploy('1.1.5')
    victim = next(t for t in cluster.services() if t.service == 'data')
    cluster.fault(f'tasks/{victim.id}/fail')
    wait_for(lambda: victim.id not in {t.id for t in cluster.services()}, 20, 'it has failed')
    cluster.await_counts(ELEVEN, 30, '1.1.5')
    again = [t for t in cluster.services() if t.service == 'data' and t.host == victim.host]
    expect(len(again) == 1 and again[0].id != victim.id, f'{again}')


@case('the master restarts: the daemon subscribes again and takes everything up')
def master_restart(box):
    cluster = Cluster(box).start()
    cluster.deploy('1.1.5')
    before = {t.id for t in cluster.services()}
    framework = cluster.frameworks()[0][0]['id']
    cluster.fault('master/restart')

    def again():
        registered, _ = cluster.frameworks()
        return [f['id'] for f in registered if f['active']] == [framework]
    wait_for(again, 60, 'the framework is registered again')
    wait_for(lambda: {t.id for t in cluster.services()} == before, 60, 'the same tasks are known')
    cluster.post('1.1.6')
    cluster.await_counts(ELEVEN, 120, '1.1.6')


@case('connections drop and updates come twice during a deployment')
def drops(box):
    cluster = slow_cluster(box)
    cluster.start()
    cluster.fault('updates/duplicate')
    cluster.post('1.1.5')
    for _ in range(3):
        cluster.fault('connection/drop')
        time.sleep(0.3)  # spreads the faults, waits for nothing
    cluster.await_counts(ELEVEN, 90, '1.1.5')
    cluster.await_plan_complete()
    cluster.expect_never_doubled()


@case('the daemon starts before its master: it says so, serves HTTP and saves a target')
def no_master(box):
    cluster = Cluster(box)
    cluster.start_daemon()
    wait_for(lambda: cluster.master in cluster.daemon.log(), 20, 'the log names the master')
    verbose = cluster.get('/v1/health?verbose')
    expect(verbose.status == 200, f'{verbose}')
    expect('connected' in verbose.text.lower() or 'master' in verbose.text.lower(), f'{verbose}')
    expect(cluster.get('/').status == 200, 'the dashboard')
    cluster.post('1.1.5')
    expect(cluster.version() == '1.1.5', f'{cluster.version()!r}')
    cluster.daemon.kill9()
    cluster.start_daemon()
    expect(cluster.version() == '1.1.5', 'the target was saved without a master')
    cluster.start_sim()
    cluster.await_counts(ELEVEN, 90, '1.1.5')


@case('a second daemon on the same state refuses')
def second_daemon(box):
    cluster = Cluster(box).start()
    command = cluster.daemon_command()
    command = [c if not str(c).startswith('--port=') else '--port=0' for c in command]
    code, text = box.run('second', command, 20)
    expect(code not in (0, None) and code > 0, f'exit code {code}: {text}')
    expect(len(text.splitlines()) <= 3 and 'state' in text, f'{text}')
    cluster.daemon.expect_running()


@case('--reset forgets everything')
def reset(box):
    cluster = Cluster(box)
    cluster.start_daemon()
    cluster.post('1.1.5')
    expect(cluster.daemon.terminate(20) == 0, 'ended by SIGTERM')
    code, text = box.run('reset', cluster.daemon_command('--reset'), 20)
    expect(code == 0, f'exit code {code}: {text}')
    cluster.start_daemon()
    expect(cluster.version() == '', f'after --reset the target is {cluster.version()!r}')


main()
