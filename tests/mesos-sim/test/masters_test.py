#!/usr/bin/env python3
"""Several masters of mesos-sim, with and without ZooKeeper. Answers were recorded from Mesos 1.11.1."""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / 'lib'))
sys.path.insert(0, str(HERE))

import tap  # noqa: E402
import wire  # noqa: E402
import zookeeper  # noqa: E402
from box import expect, wait_for  # noqa: E402
from simbox import get, start  # noqa: E402
from tap import case  # noqa: E402
from wirescheduler import Scheduler  # noqa: E402

CALL = json.dumps({'type': 'SUPPRESS', 'framework_id': {'value': 'x'}})


def probe(port):
    """What a call of an unknown framework is answered: status and where to, or why."""
    answer = wire.call(port, 'POST', '/api/v1/scheduler', CALL, {'Content-Type': 'application/json'})
    return answer.status, answer.headers.get('location', answer.text)


def is_leader(port):
    return probe(port) == (400, 'Framework cannot be found')


def redirect_to(port):
    return 307, f'//127.0.0.1:{port}/master/api/v1/scheduler'


def fault(port, path):
    answer = wire.call(port, 'POST', f'/sim/{path}')
    expect(answer.status == 200, f'{path}: {answer}')


def ends_without_zero_chunk(stream):
    data = b''
    while piece := wire.receive(stream.socket):
        data += piece
    return not data.endswith(b'0\r\n\r\n')


@case('a master that does not lead sends clients to the leader')
def redirects(box):
    sim = start(box, '--masters=2')
    leader, follower = sim.masters
    expect(sim.port == leader, 'the first master leads')
    for method, path, where in [
            ('POST', '/api/v1/scheduler', '/master/api/v1/scheduler'),
            ('POST', '/master/api/v1/scheduler', '/master/api/v1/scheduler'),
            ('POST', '/api/v1/scheduler?a=b', '/master/api/v1/scheduler?a=b'),
            ('GET', '/api/v1/scheduler', '/master/api/v1/scheduler'),
            ('GET', '/master/state', '/master/state'), ('GET', '/state', '/master/state'),
            ('GET', '/slaves/', '/master/slaves'), ('GET', '/master/tasks?limit=5', '/master/tasks?limit=5'),
            ('GET', '/redirect', ''), ('GET', '/master/redirect', ''),
            ('POST', '/api/v1', '/master/api/v1'), ('POST', '/master/teardown', '/master/teardown')]:
        raw = wire.exchange(follower, f'{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'
                            .encode())
        expect(raw.status == 307 and raw.headers['location'] == f'//127.0.0.1:{leader}{where}' and
               list(raw.headers) == ['date', 'location', 'content-length'] and raw.body == b'',
               f'{method} {path}: {raw}')
    for path, status in [('/health', 200), ('/version', 200), ('/metrics/snapshot', 200),
                         ('/redirect/master', 404), ('/nosuch', 404)]:
        expect(wire.call(follower, 'GET', path).status == status, f'{path} of a follower')


@case('who may not in is told so by a follower, too')
def follower_authenticates(box):
    credentials = box.write('credentials', 'sched word\n')
    sim = start(box, '--masters=2', f'--credentials={credentials}')
    expect(probe(sim.masters[1])[0] == 401, 'a follower let somebody in')


def launch_one(scheduler):
    scheduler.subscribe()
    offer = scheduler.offers()[0]
    scheduler.launch(offer, scheduler.task(offer, 'one', command={'value': 'exec sleep 1000'}))
    while scheduler.update()['state'] != 'TASK_RUNNING':
        pass


@case('leadership moves: another id, no frameworks, agents and tasks come back')
def failover(box):
    sim = start(box, '--masters=3')
    first, second, third = sim.masters
    before = get(first, '/state')
    scheduler = Scheduler(first)
    launch_one(scheduler)
    fault(third, 'master/failover')
    expect(ends_without_zero_chunk(scheduler.stream), 'the old leader said goodbye')
    expect(probe(third) == redirect_to(first), f'not yet noticed: {probe(third)}')
    wait_for(lambda: probe(second) == (503, 'Master has not finished recovery'), 10, 'the second recovers')
    wait_for(lambda: is_leader(second), 10, 'the second leads')
    wait_for(lambda: probe(first) == redirect_to(second), 10, 'the first is a follower')
    state = get(second, '/state')
    expect(state['id'] != before['id'] and not state['frameworks'] and
           state['pid'] == f'master@127.0.0.1:{second}', f'state of the new leader: {state}')
    scheduler.port = second
    master = scheduler.subscribe()['subscribed']['master_info']
    expect(master['id'] == state['id'] and master['port'] == second and
           master['address']['port'] == second, f'{master}')
    wait_for(lambda: get(second, '/tasks')['tasks'], 20, 'the task is back')
    task = get(second, '/tasks')['tasks'][0]
    expect(task['id'] == 'one' and task['state'] == 'TASK_RUNNING', f'{task}')
    fault(first, 'master/failover')
    wait_for(lambda: is_leader(third), 10, 'the third leads')
    wait_for(lambda: probe(second) == redirect_to(third), 10, 'the second is a follower')


@case('with one master there is nobody to fail over to')
def alone(box):
    sim = start(box)
    for path in ['master/failover', 'zookeeper/expire']:
        expect(wire.call(sim.port, 'POST', f'/sim/{path}').status == 400, path)
    expect(is_leader(sim.port), 'it leads on')


# ---- ZooKeeper ----

def nodes(server):
    """Numbers of the contenders' nodes."""
    return sorted({int(n) for n in re.findall(r'/some/mesos/json\.info_(\d+)', server.ask('dump'))})


@case('nobody leads before ZooKeeper is there; then the lowest number does')
def election(box):
    if not zookeeper.is_installed():
        tap.note('skipped: no ZooKeeper server here')
        return
    server = zookeeper.ZooKeeper(box)
    sim = start(box, '--masters=2', f'--zk={server.address}/some/mesos', '--zk-session=3')
    for port in sim.masters:
        expect(probe(port) == (503, 'No leader elected'), f'before ZooKeeper: {probe(port)}')
        expect(wire.call(port, 'GET', '/redirect').status == 503, 'a redirect to nobody')
        expect(wire.call(port, 'GET', '/health').status == 200, 'health')
    server.start()
    wait_for(lambda: nodes(server) == [0, 1], 20, 'two nodes')
    leader = wait_for(lambda: next((p for p in sim.masters if is_leader(p)), 0), 20, 'a leader')
    other = sum(sim.masters) - leader
    wait_for(lambda: probe(other) == redirect_to(leader), 5, 'the other knows it')

    # Killed: the node outlives the process for the session's time-out.
    scheduler = Scheduler(leader)
    scheduler.subscribe()
    fault(other, 'master/failover')
    expect(ends_without_zero_chunk(scheduler.stream), 'the old leader said goodbye')
    expect(probe(other) == redirect_to(leader), f'a redirect to the dead one: {probe(other)}')
    expect(0 in nodes(server), 'the node went with the process')
    wait_for(lambda: is_leader(other), 20, 'the other one leads')
    wait_for(lambda: nodes(server) == [1, 2], 20, 'the first one is back, with a new number')
    wait_for(lambda: probe(leader) == redirect_to(other), 5, 'it follows')
    scheduler.port = other
    scheduler.subscribe()

    # The session expires: the node is gone at once.
    fault(leader, 'zookeeper/expire')
    wait_for(lambda: 1 not in nodes(server), 1, 'the node is gone')
    expect(ends_without_zero_chunk(scheduler.stream), 'the leader that lost its session lives')
    wait_for(lambda: is_leader(leader), 20, 'the first one leads again')
    wait_for(lambda: nodes(server) == [2, 3], 20, 'and the other has a new number')

    # ZooKeeper itself goes: within a session's time-out nobody leads.
    server.stop()
    wait_for(lambda: [probe(p) for p in sim.masters] == 2 * [(503, 'No leader elected')], 20,
             'no leader without ZooKeeper')
    server.start()
    wait_for(lambda: any(is_leader(p) for p in sim.masters), 40, 'a leader again')


@case('two simulators at one path: the second follows, and takes over')
def two_simulators(box):
    if not zookeeper.is_installed():
        tap.note('skipped: no ZooKeeper server here')
        return
    server = zookeeper.ZooKeeper(box).start()
    flags = [f'--zk={server.address}/mesos', '--zk-session=2']
    first = start(box, *flags)
    wait_for(lambda: is_leader(first.port), 20, 'the first leads')
    second = start(box, *flags)
    wait_for(lambda: probe(second.port) == redirect_to(first.port), 20, 'the second follows')
    first.kill9()
    wait_for(lambda: is_leader(second.port), 20, 'the second leads')


if __name__ == '__main__':
    tap.main()
