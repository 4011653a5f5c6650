#!/usr/bin/env python3
"""mesos-sim from outside: its bytes on the wire, its processes, its state, its faults, its command line.

The expected heads and texts were recorded from Mesos 1.11.1.
"""
import functools
import http.client
import http.server
import json
import pathlib
import re
import signal
import socket
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / 'lib'))
sys.path.insert(0, str(HERE))

import tap  # noqa: E402
import wire  # noqa: E402
import zookeeper  # noqa: E402
from box import expect, wait_for  # noqa: E402
from simbox import SIM, get, start  # noqa: E402
from tap import case  # noqa: E402
from wirescheduler import Scheduler, Stream  # noqa: E402

DATE = r'Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n'


def talk(port, request, answers=1):
    """Sends exact bytes and returns all bytes until that many heads have come, or the end."""
    with socket.create_connection(('127.0.0.1', port), timeout=10) as s:
        s.sendall(request)
        data = b''
        while data.count(b'HTTP/1.1 ') < answers or not data.endswith(tail_of(data)):
            piece = wire.receive(s)
            if not piece:
                return data.decode('latin-1')
            data += piece
        return data.decode('latin-1')


def tail_of(data):
    """What the last answer in `data` must end with to be complete."""
    head, _, body = data[data.rfind(b'HTTP/1.1 '):].partition(b'\r\n\r\n')
    length = re.search(rb'Content-Length: (\d+)', head)
    return b'\r\n\r\n' if not length or int(length[1]) == 0 else body[:int(length[1])] or b'\0'


def expect_bytes(got, pattern, what):
    expect(re.fullmatch(pattern, got, re.S), f'{what}: got {got!r}, expected {pattern!r}')


# ---- bytes ----

@case('heads are those of Mesos, byte for byte')
def heads(box):
    sim = start(box)
    host = 'Host: 127.0.0.1\r\n'
    for request, pattern in [
            (f'GET /health HTTP/1.1\r\n{host}\r\n',
             r'HTTP/1\.1 200 OK\r\n' + DATE + r'Content-Length: 0\r\n\r\n'),
            (f'GET /nosuch HTTP/1.1\r\n{host}\r\n',
             r'HTTP/1\.1 404 Not Found\r\n' + DATE + r'Content-Type: text/plain; charset=utf-8\r\n'
             r'Content-Length: 14\r\n\r\n404 Not Found\.'),
            (f'GET /version HTTP/1.1\r\n{host}\r\n',
             r'HTTP/1\.1 200 OK\r\n' + DATE + r'Content-Length: 83\r\nContent-Type: application/json\r\n\r\n'
             r'{"build_date":"2026-11-22","build_time":0\.0,"build_user":"root","version":"1\.11\.1"}'),
            (f'GET /master/redirect HTTP/1.1\r\n{host}\r\n',
             r'HTTP/1\.1 307 Temporary Redirect\r\n' + DATE + rf'Location: //127\.0\.0\.1:{sim.port}\r\n'
             r'Content-Length: 0\r\n\r\n'),
            (f'GET http://127.0.0.1:{sim.port}/health HTTP/1.1\r\n{host}\r\n',
             r'HTTP/1\.1 200 OK\r\n.*'),
            (f'DELETE /api/v1/scheduler HTTP/1.1\r\n{host}\r\n',
             r'HTTP/1\.1 405 Method Not Allowed\r\n' + DATE + r'Allow: POST\r\n'
             r'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 75\r\n\r\n'
             r"405 Method Not Allowed\. Expecting one of { 'POST' }, but received 'DELETE'\."),
            (f'POST /api/v1/scheduler HTTP/1.1\r\n{host}Content-Length: 0\r\n\r\n',
             r'HTTP/1\.1 400 Bad Request\r\n' + DATE + r'Content-Type: text/plain; charset=utf-8\r\n'
             r"Content-Length: 38\r\n\r\nExpecting 'Content-Type' to be present"),
            (f'POST /api/v1/scheduler HTTP/1.1\r\n{host}Content-Type: application/json\r\n'
             'Content-Length: 21\r\n\r\n{"type":"SUPPRESS"} x',
             r'HTTP/1\.1 400 Bad Request\r\n.*\r\n\r\nFailed to parse body into JSON: Parsed JSON '
             r'included non-whitespace trailing characters:  x'),
            (f'POST /api/v1/scheduler HTTP/1.1\r\n{host}Content-Type: application/json\r\n'
             'Transfer-Encoding: chunked\r\n\r\n5\r\n{"typ\r\n8\r\ne":true}\r\n0\r\n\r\n',
             r"HTTP/1\.1 400 Bad Request\r\n.*\r\n\r\nFailed to convert JSON into Call protobuf: "
             r"Not expecting a JSON boolean for field 'type'"),
            (f'POST /api/v1/scheduler HTTP/1.1\r\n{host}Content-Type: application/json\r\n'
             'Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: y\r\n\r\n',
             r'HTTP/1\.1 500 Internal Server Error\r\n.*\r\n\r\nfailed to decode body'),
            (f'POST /api/v1/scheduler HTTP/1.1\r\n{host}User-Agent: libprocess/x\r\n'
             'Content-Length: 0\r\n\r\n', r'HTTP/1\.1 404 Not Found\r\n.*'),
            (f'GET /health HTTP/1.1\r\n{host}X: {"x" * 60000}\r\n\r\n', r'HTTP/1\.1 200 OK\r\n.*'),
            (f'GET /health HTTP/1.1\r\n{host}X: {"x" * 200000}\r\n\r\n', ''),
            (f'GET health HTTP/1.1\r\n{host}\r\n', ''),
            ('\x16\x03\x01 what is this\r\n\r\n', '')]:
        expect_bytes(talk(sim.port, request.encode('latin-1')), pattern, request[:60])


@case('requests recorded with Mesos get the recorded answers, byte for byte')
def recorded_exchanges(box):
    sim = start(box)
    scheduler = Scheduler(sim.port, {'capabilities': [{'type': 'MULTI_ROLE'}], 'checkpoint': False})
    scheduler.subscribe()
    names = {'framework': scheduler.id, 'stream': scheduler.stream.headers['Mesos-Stream-Id'],
             'address': f'127.0.0.1:{sim.port}'}
    wrong = []
    for exchange in json.loads((HERE / 'exchanges-of-mesos-1.11.1.json').read_text()):
        if exchange['name'] == 'framework-disconnected':
            scheduler.stream.close()
            wait_for(lambda: not get(sim.port, '/frameworks')['frameworks'][0]['connected'], 10,
                     'the master sees that the framework is gone')
        request, expected = (fill(exchange[part], names) for part in ('request', 'response'))
        head, _, body = request.partition('\r\n\r\n')
        head = re.sub(r'Content-Length: \d+', f'Content-Length: {len(body)}', head)
        expected = re.sub('Date: {date}', 'Date: -', expected)
        got = re.sub(r'Date: [^\r]*', 'Date: -', talk(sim.port, f'{head}\r\n\r\n{body}'.encode('latin-1')))
        if expected != got:
            wrong.append(f'{exchange["name"]}: expected {expected!r}, got {got!r}')
    expect(not wrong, '\n'.join(wrong))


def fill(text, names):
    for name, value in names.items():
        text = text.replace(f'{{{name}}}', value)
    return text


@case('connections are kept, pipelined answers come in order')
def pipelining(box):
    sim = start(box)
    wanted = ['/health', '/nosuch', '/version', '/health']
    got = talk(sim.port, ''.join(f'GET {p} HTTP/1.1\r\nHost: x\r\n\r\n' for p in wanted).encode(), 4)
    codes = [int(c) for c in re.findall(r'HTTP/1\.1 (\d+) ', got)]
    expect(codes == [200, 404, 200, 200], f'answers: {codes}')
    connection = http.client.HTTPConnection('127.0.0.1', sim.port, timeout=10)
    for _ in range(3):
        connection.request('GET', '/health')
        expect(connection.getresponse().read() == b'', 'GET /health')
    connection.request('GET', '/health', headers={'Connection': 'close'})
    connection.getresponse().read()
    with socket.create_connection(('127.0.0.1', sim.port), timeout=10) as s:
        s.sendall(b'GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        data = b''
        while True:
            piece = s.recv(4096)
            if not piece:
                break
            data += piece
        expect(data.startswith(b'HTTP/1.1 200 OK\r\n'), f'Connection: close: {data!r}')


@case('a stream has one record a chunk, and a call on its connection is answered in its middle')
def stream(box):
    sim = start(box)
    scheduler = Scheduler(sim.port)
    scheduler.subscribe()
    head = scheduler.stream.head + '\r\n'
    expect_bytes(head, r'HTTP/1\.1 200 OK\r\n' + DATE + r'Transfer-Encoding: chunked\r\n'
                 r'Mesos-Stream-Id: [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\r\n'
                 r'Content-Type: application/json\r\n', 'head of the stream')
    scheduler.wait('OFFERS')
    body = f'{{"type":"SUPPRESS","framework_id":{{"value":"{scheduler.id}"}}}}'
    stream_id = scheduler.stream.headers['Mesos-Stream-Id']
    scheduler.stream.socket.sendall(
        (f'POST /api/v1/scheduler HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
         f'Mesos-Stream-Id: {stream_id}\r\nContent-Length: {len(body)}\r\n\r\n{body}').encode())
    got = scheduler.stream.until(b'\r\n\r\n').decode() + '\r\n\r\n'
    expect_bytes(got, r'(.*\r\n)?HTTP/1\.1 202 Accepted\r\n' + DATE + r'Content-Length: 0\r\n\r\n',
                 'answer within the stream')


@case('the end of a stream is the zero chunk; its connection serves on')
def end_of_stream(box):
    sim = start(box)
    scheduler = Scheduler(sim.port)
    scheduler.subscribe()
    scheduler.send('TEARDOWN')
    while scheduler.stream.event() is not None:
        pass
    scheduler.stream.socket.sendall(b'GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(scheduler.stream.until(b'\r\n').startswith(b'HTTP/1.1 200 OK'), 'GET after the stream')
    refused = Stream(sim.port, '/api/v1/scheduler', {
        'type': 'SUBSCRIBE', 'framework_id': {'value': scheduler.id},
        'subscribe': {'framework_info': {**scheduler.info, 'id': {'value': scheduler.id}}}})
    expect(refused.event() == {'type': 'ERROR', 'error': {'message': 'Framework has been removed'}},
           'a removed framework comes back')
    expect(refused.event() is None, 'no zero chunk after the ERROR')


@case('a stream of a connection that was asked to close ends with it')
def closing_stream(box):
    sim = start(box)
    scheduler = Scheduler(sim.port, headers=[('Connection', 'close')])
    scheduler.subscribe()
    scheduler.send('TEARDOWN')
    while scheduler.stream.event() is not None:
        pass
    expect(wire.receive(scheduler.stream.socket) == b'', 'the connection is still open')


@case('time passes faster with --speed')
def speed(box):
    sim = start(box, '--speed=100')  # a heartbeat every 0.15 s
    scheduler = Scheduler(sim.port)
    scheduler.subscribe()
    began = time.monotonic()
    for _ in range(4):
        scheduler.wait('HEARTBEAT')
    took = time.monotonic() - began
    expect(0.3 < took < 10, f'four heartbeats took {took:.2f} s')


# ---- processes ----

@case('a command task is a real process')
def command_task(box):
    sim = start(box)
    box.write('data.txt', 'fetched\n')
    scheduler = Scheduler(sim.port)
    scheduler.subscribe()
    offer = scheduler.offers()[0]
    scheduler.launch(offer, scheduler.task(offer, 'good', command={
        'value': 'cat data.txt; echo "$A $QUOBYTE_PROBER_ROOT $QUOBYTE_PROBER_MOUNTS"; pwd',
        'uris': [{'value': f'{box.directory}/data.txt'}],
        'environment': {'variables': [{'name': 'A', 'value': 'b c'}]}}))
    states = [scheduler.update() for _ in range(3)]
    expect([s['state'] for s in states] == ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED'],
           f'states {states}')
    expect(states[2]['message'] == 'Command exited with status 0', f'{states[2]}')
    out = next((box.directory / 'hosts').rglob('stdout'))
    host = box.directory / 'hosts/agent-1'
    expect(out.read_text() == f'fetched\nb c {host} {host}/mounts\n{out.parent}\n',
           f'stdout of the task: {out.read_text()!r}')


@case('URIs come over HTTP, executable and unpacked')
def fetched(box):
    served = box.directory / 'served'
    box.write('served/tool', '#!/bin/sh\necho tool runs\n')
    box.write('inner/text.txt', 'unpacked\n')
    box.run('tar', ['tar', '-C', box.directory / 'inner', '-czf', served / 'more.tar.gz', 'text.txt'])
    web = http.server.ThreadingHTTPServer(
        ('127.0.0.1', 0), functools.partial(QuietFiles, directory=str(served)))
    threading.Thread(target=web.serve_forever, daemon=True).start()
    at = f'http://127.0.0.1:{web.server_port}'
    sim = start(box)
    scheduler = Scheduler(sim.port)
    scheduler.subscribe()
    offer = scheduler.offers()[0]
    scheduler.launch(
        offer, scheduler.task(offer, 'good', command={
            'value': './renamed && cat text.txt',
            'uris': [{'value': f'{at}/tool?x=1', 'executable': True, 'output_file': 'renamed'},
                     {'value': f'{at}/more.tar.gz'}]}),
        scheduler.task(offer, 'bad', command={'value': 'true', 'uris': [{'value': f'{at}/nosuch'}]}))
    last = {}
    while last.get('good') != 'TASK_FINISHED' or last.get('bad') != 'TASK_FAILED':
        status = scheduler.update()
        last[status['task_id']['value']] = status['state']
        expect(last.get('good') != 'TASK_FAILED' and last.get('bad') != 'TASK_FINISHED', f'{last}')
    out = next((box.directory / 'hosts').rglob('executors/good/**/stdout'))
    expect(out.read_text() == 'tool runs\nunpacked\n', out.read_text())
    web.shutdown()


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@case('ends of processes are reported as they are')
def ends(box):
    sim = start(box)
    scheduler = Scheduler(sim.port)
    scheduler.subscribe()
    commands = {'seven': {'value': 'exit 7'}, 'signal': {'value': 'kill -SEGV $$'},
                'missing': {'shell': False, 'value': '/no/such/file'},
                'sleep': {'value': 'sleep 600'},
                'fetch': {'value': 'true', 'uris': [{'value': '/no/such/file'}]}}
    offer = scheduler.offers()[0]
    scheduler.launch(offer, *[scheduler.task(offer, name, command=c) for name, c in commands.items()])
    ended = {}
    while len(ended) < len(commands):
        status = scheduler.update()
        name = status['task_id']['value']
        if status['state'] == 'TASK_RUNNING' and name == 'sleep':
            scheduler.send('KILL', kill={'task_id': {'value': 'sleep'}, 'agent_id': offer['agent_id']})
        if status['state'] not in ('TASK_STARTING', 'TASK_RUNNING'):
            ended[name] = (status['state'], status['message'])
    container = r"Failed to launch container: Failed to fetch all URIs for container '[0-9a-f-]+': " \
                r'exited with status 1'
    expect(re.fullmatch(container, ended['fetch'][1]), f'fetch: {ended["fetch"]}')
    del ended['fetch']
    expect(ended == {'seven': ('TASK_FAILED', 'Command exited with status 7'),
                     'signal': ('TASK_FAILED', 'Command terminated with signal Segmentation fault'),
                     'missing': ('TASK_FAILED', 'Command exited with status 1'),
                     'sleep': ('TASK_KILLED', 'Command terminated with signal Terminated')},
           f'ends: {ended}')


@case('an executor is a real process and speaks with its agent')
def executor(box):
    sim = start(box)
    scheduler = Scheduler(sim.port)
    scheduler.subscribe()
    offer = scheduler.offers()[0]
    info = {'executor_id': {'value': 'echo'}, 'command': {
        'value': f'exec python3 {HERE}/echo_executor.py'}}
    scheduler.launch(offer, scheduler.task(offer, 'short-1', executor=info),
                     scheduler.task(offer, 'long-1', executor=info))
    seen = {}
    while seen.get('short-1') != 'TASK_FINISHED' or seen.get('long-1') != 'TASK_RUNNING':
        status = scheduler.update()
        seen[status['task_id']['value']] = status['state']
    scheduler.send('MESSAGE', message={'agent_id': offer['agent_id'], 'data': 'aGVsbG8=',
                                       'executor_id': {'value': 'echo'}})
    expect(scheduler.wait('MESSAGE')['data'] == 'aGVsbG8=', 'the executor sends the message back')
    state = get(sim.port, '/state')
    expect([e['executor_id'] for e in state['frameworks'][0]['executors']] == ['echo'],
           f'executors: {state["frameworks"][0]["executors"]}')
    scheduler.send('KILL', kill={'task_id': {'value': 'long-1'}, 'agent_id': offer['agent_id']})
    expect(scheduler.update()['state'] == 'TASK_KILLED', 'KILL reaches the executor')
    scheduler.send('SHUTDOWN', shutdown={'executor_id': {'value': 'echo'},
                                         'agent_id': offer['agent_id']})
    failure = scheduler.wait('FAILURE')
    expect(failure['status'] == 0 and failure['executor_id']['value'] == 'echo', f'{failure}')


@case('no process outlives the simulator, however it goes')
def no_orphans(box):
    for end in (signal.SIGTERM, signal.SIGKILL):
        sim = start(box)
        scheduler = Scheduler(sim.port)
        scheduler.subscribe()
        offer = scheduler.offers()[0]
        pids = box.directory / f'pids.{end.name}'
        scheduler.launch(offer, scheduler.task(offer, 'sleeps', command={
            'value': f'trap "" TERM; sleep 600 & echo $$ $! > {pids}.new; mv {pids}.new {pids}; wait; sleep 600'}))
        wait_for(pids.exists, 10, 'the task runs')
        running = [int(pid) for pid in pids.read_text().split()]
        expect(all(alive(pid) for pid in running), f'{running} run')
        if end == signal.SIGTERM:
            expect(sim.terminate() == 0, 'exit code after SIGTERM')
        else:
            sim.kill9()
        wait_for(lambda: not any(alive(pid) for pid in running), 10, f'{running} end')


def alive(pid):
    try:
        state = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]
    except OSError:
        return False
    return state != 'Z'


# ---- state ----

@case('/state, /slaves, /tasks and /frameworks have what Mesos has')
def state_fields(box):
    sim = start(box, agents=2)
    scheduler = Scheduler(sim.port)
    scheduler.subscribe()
    offer = scheduler.offers()[0]
    labels = {'labels': [{'key': 'k', 'value': 'v'}]}
    scheduler.launch(offer, scheduler.task(
        offer, 't1', command={'value': 'sleep 600'}, labels=labels, cpus=0.5,
        discovery={'visibility': 'CLUSTER', 'name': 'web',
                   'ports': {'ports': [{'number': 21000, 'name': 'rpc', 'protocol': 'tcp'}]}}))
    while scheduler.update()['state'] != 'TASK_RUNNING':
        pass
    state = get(sim.port, '/state')
    expect(state == {**get(sim.port, '/master/state')}, '/state differs from /master/state')
    for name in ('version id pid hostname start_time elected_time leader leader_info activated_slaves '
                 'deactivated_slaves unreachable_slaves cluster flags slaves recovered_slaves frameworks '
                 'completed_frameworks orphan_tasks unregistered_frameworks').split():
        expect(name in state, f'/state lacks {name}')
    framework = state['frameworks'][0]
    expect(framework['id'] == scheduler.id and framework['connected'] and framework['roles'] == ['web'],
           f'framework {framework}')
    task = framework['tasks'][0]
    expect(task['resources'] == {'disk': 0.0, 'mem': 32.0, 'gpus': 0.0, 'cpus': 0.5}, f'task {task}')
    expect(task['labels'] == labels['labels'], f'labels {task["labels"]}')
    expect(task['discovery']['ports']['ports'][0]['number'] == 21000, f'task {task}')
    expect([s['state'] for s in task['statuses']] == ['TASK_STARTING', 'TASK_RUNNING'], f'task {task}')
    expect(task['executor_id'] == '' and task['slave_id'] == offer['agent_id']['value'], f'task {task}')
    slaves = {s['hostname']: s for s in get(sim.port, '/slaves')['slaves']}
    expect(sorted(slaves) == ['agent-1', 'agent-2'], f'slaves {slaves}')
    slave = slaves[offer['hostname']]
    expect(slave['resources'] == {'disk': 200000.0, 'mem': 65536.0, 'gpus': 0.0, 'cpus': 16.0,
                                  'ports': '[80-80, 8888-8889, 21000-21100]'}, f'{slave["resources"]}')
    expect(slave['used_resources']['cpus'] == 0.5, f'{slave["used_resources"]}')
    expect(slave['used_resources_full'][0]['role'] == '*', f'{slave["used_resources_full"]}')
    expect(slave['port'] == sim.agents[offer['hostname']], f'port {slave["port"]}')
    tasks = get(sim.port, '/tasks?task_id=t1')['tasks']
    expect(tasks == [task], f'/tasks: {tasks}')
    expect(get(sim.port, '/tasks?task_id=t2') == {'tasks': []}, '/tasks of an unknown id')
    expect(get(sim.port, f'/frameworks?framework_id={scheduler.id}')['frameworks'][0]['id'] == scheduler.id,
           '/frameworks')
    metrics = get(sim.port, '/metrics/snapshot')
    expect(metrics['master/tasks_running'] == 1 and metrics['master/slaves_active'] == 2, f'{metrics}')


def shape(value, path=''):
    """{path: type name} of everything in a JSON value; the elements of a list lie on one another."""
    found = {path: 'number' if isinstance(value, (int, float)) and not isinstance(value, bool)
             else type(value).__name__}
    if isinstance(value, dict):
        for name, inner in value.items():
            found.update(shape(inner, f'{path}.{name}'))
    elif isinstance(value, list):
        for inner in value:
            found.update(shape(inner, f'{path}[]'))
    return found


@case('after the same calls /state and /slaves are made as those recorded from Mesos')
def recorded_state(box):
    cluster = box.write('cluster.yaml', 'agents:\n  - {hostname: a, attributes: {rack: r1, level: 3}, '
                        'resources: "cpus:4;mem:4096;disk:10000;ports:[21100-21199]"}\n')
    sim = start(box, f'--cluster={cluster}')
    scheduler = Scheduler(sim.port, {
        'name': 'statefw', 'checkpoint': False, 'failover_timeout': 3600, 'hostname': 'sched.example',
        'webui_url': 'http://127.0.0.1:8080/', 'labels': {'labels': [{'key': 'fk', 'value': 'fv'}]}})
    scheduler.subscribe()
    offer = scheduler.offers()[0]
    shown = scheduler.task(
        offer, 'disc-1', cpus=0.5, mem=64, command={'value': 'exec sleep 600'},
        labels={'labels': [{'key': 'tk', 'value': 'tv'}]},
        discovery={'visibility': 'CLUSTER', 'name': 'web', 'environment': 'prod', 'location': 'here',
                   'version': '1.2', 'labels': {'labels': [{'key': 'dk', 'value': 'dv'}]},
                   'ports': {'ports': [{'number': 21100, 'name': 'http', 'protocol': 'tcp',
                                        'visibility': 'EXTERNAL'},
                                       {'number': 21101, 'name': 'admin', 'protocol': 'tcp',
                                        'labels': {'labels': [{'key': 'pk', 'value': 'pv'}]}}]}},
        health_check={'type': 'HTTP', 'http': {'port': 21100, 'path': '/nosuch', 'statuses': [404]},
                      'delay_seconds': 600, 'interval_seconds': 600, 'timeout_seconds': 2,
                      'grace_period_seconds': 600})
    shown['resources'].append({'name': 'ports', 'type': 'RANGES',
                               'ranges': {'range': [{'begin': 21100, 'end': 21101}]}})
    scheduler.launch(offer, shown, scheduler.task(offer, 'ended', command={'value': 'exit 0'}),
                     scheduler.task(offer, 'failed', command={'value': 'exit 2'}))
    last = {}
    while last != {'disc-1': 'TASK_RUNNING', 'ended': 'TASK_FINISHED', 'failed': 'TASK_FAILED'}:
        status = scheduler.update()
        last[status['task_id']['value']] = status['state']
    scheduler.offers()
    for path in ('state', 'slaves'):
        recorded = shape(json.loads((HERE / f'{path}-of-mesos-1.11.1.json').read_text()))
        ours = shape(get(sim.port, f'/{path}'))
        wrong = {p: f'{kind}, ours {ours.get(p)}' for p, kind in recorded.items()
                 if ours.get(p) != kind and not p.startswith('.flags.')}
        expect(not wrong, f'/{path} differs from the recorded one: {wrong}')
        more = sorted(p for p in ours if p not in recorded and not p.startswith('.flags.'))
        expect(not more, f'/{path} has what Mesos has not: {more}')


# ---- hosts ----

@case('hosts have mount tables and devices; what is there is kept')
def hosts(box):
    marker = box.write('hosts/agent-1/mnt/data/QUOBYTE_DEV_SETUP', 'mine\n')
    sim = start(box, agents=2)
    mounts = (box.directory / 'hosts/agent-2/mounts').read_text().split('\n')
    expect('/dev/sdb /mnt/registry xfs rw,relatime,attr2,inode64,noquota 0 0' in mounts, f'{mounts}')
    expect(marker.read_text() == 'mine\n', 'an existing marker was overwritten')
    first = (box.directory / 'hosts/agent-1/mnt/registry/QUOBYTE_DEV_SETUP').read_text()
    expect(re.fullmatch(r'# QUOBYTE_DEV_SETUP\n# Created: .*\n# Hostname: agent-1\n'
                        r'device\.serial=SIM-1-registry\ndevice\.model=mesos-sim\n'
                        r'device\.bootstrap=true\ndevice\.type=DIR_DEVICE\n', first), first)
    second = (box.directory / 'hosts/agent-2/mnt/registry/QUOBYTE_DEV_SETUP').read_text()
    expect('bootstrap' not in second, second)
    expect(sim.terminate() == 0, 'exit code')
    expect(marker.exists(), '--dir was removed')


# ---- faults ----

@case('faults: agents go and come, unknown names are 404')
def faults(box):
    sim = start(box)
    before = get(sim.port, '/slaves')['slaves'][0]['id']
    for path, status in [('agents/nosuch/kill', 404), ('tasks/nosuch/fail', 404), ('nosuch', 404),
                         ('agents/agent-1/nosuch', 404), ('updates/hold', 200),
                         ('updates/release', 200), ('images/x/y:1/missing', 200),
                         ('images/x/y:1/present', 200)]:
        answer = wire.call(sim.port, 'POST', f'/sim/{path}', b'')
        expect(answer.status == status and answer.text.count('\n') == 1, f'{path}: {answer}')
    expect(wire.call(sim.port, 'GET', '/sim/agents/agent-1/kill').status == 405, 'GET of a fault')
    expect(wire.call(sim.port, 'POST', '/sim/agents/agent-1/kill', b'').status == 200, 'kill')
    expect(refuses(sim.agents['agent-1']), 'a killed agent listens')
    expect(wire.call(sim.port, 'POST', '/sim/agents/agent-1/restart', b'').status == 200, 'restart')

    def is_back():
        slaves = get(sim.port, '/slaves')['slaves']
        return not refuses(sim.agents['agent-1']) and slaves and slaves[0]['active'] and slaves[0]['id']
    expect(wait_for(is_back, 20, 'the agent is back') == before, 'the agent has a new id')


@case('a task lives through kill and restart of its agent; a new id loses it')
def agent_restart(box):
    sim = start(box)
    scheduler = Scheduler(sim.port)
    scheduler.subscribe()
    offer = scheduler.offers()[0]
    pid_file = box.directory / 'pid'
    scheduler.launch(offer, scheduler.task(offer, 'lives', command={
        'value': f'echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 600'}))
    while scheduler.update()['state'] != 'TASK_RUNNING':
        pass
    wait_for(pid_file.exists, 10, 'the task runs')
    pid = int(pid_file.read_text())
    for more in ('', '?new_id=1'):
        wire.call(sim.port, 'POST', '/sim/agents/agent-1/kill', b'')
        expect(alive(pid), 'the task died with its agent')
        wire.call(sim.port, 'POST', f'/sim/agents/agent-1/restart{more}', b'')

        def is_back():
            slaves = get(sim.port, '/slaves')['slaves']
            return [s['id'] for s in slaves if s['active']]
        ids = wait_for(is_back, 20, 'the agent is back')
        if not more:
            expect(ids == [offer['agent_id']['value']], f'agent ids {ids}')
            tasks = get(sim.port, '/state')['frameworks'][0]['tasks']
            expect([t['state'] for t in tasks] == ['TASK_RUNNING'], f'tasks {tasks}')
            expect(alive(pid), 'the task died with the restart of its agent')
    expect(ids != [offer['agent_id']['value']], f'agent ids {ids}')
    wait_for(lambda: not alive(pid), 20, 'the task of the old agent id ends')


@case('a container is played: it runs when its image is there')
def images(box):
    cluster = box.write('cluster.yaml', 'agents: [{hostname: a}]\nimages: {missing: ["q/s:2"], '
                        'start_s: 0.2, commands: {"q/s:3": "exit 5"}}\n')
    sim = start(box, f'--cluster={cluster}')
    scheduler = Scheduler(sim.port)
    scheduler.subscribe()
    offer = scheduler.offers()[0]

    def service(version):
        container = {'type': 'DOCKER', 'docker': {'image': f'q/s:{version}', 'network': 'HOST'}}
        return scheduler.task(offer, f't{version}', container=container, command={'shell': False})
    scheduler.launch(offer, *[service(version) for version in (1, 2, 3)])
    last = {}
    while last.get('t1') != 'TASK_RUNNING' or len(last) < 3 or last['t3'] != 'TASK_FAILED':
        status = scheduler.update()
        last[status['task_id']['value']] = status['state']
    expect(last['t2'] == 'TASK_FAILED', f'{last}')
    expect(wire.call(sim.port, 'POST', '/sim/tasks/t1/fail', b'').status == 200, 'fail')
    status = scheduler.update()
    expect(status['state'] == 'TASK_FAILED' and status['task_id']['value'] == 't1', f'{status}')


def refuses(port):
    try:
        socket.create_connection(('127.0.0.1', port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


@case('faults: a dropped connection, a restarted master')
def master_faults(box):
    sim = start(box)
    scheduler = Scheduler(sim.port)
    scheduler.subscribe()
    drop = wire.call(sim.port, 'POST', '/sim/connection/drop', b'')
    expect(drop.status == 200 and drop.text == 'connection: drop\n', f'{drop}')
    expect(ends_without_zero_chunk(scheduler.stream), 'the stream ended with a zero chunk')
    drop = wire.call(sim.port, 'POST', '/sim/connection/drop', b'')
    expect(drop.status == 200 and 'nothing to do' in drop.text, f'{drop}')
    first = scheduler.subscribe()['subscribed']['master_info']['id']
    wire.call(sim.port, 'POST', '/sim/master/restart', b'')
    expect(ends_without_zero_chunk(scheduler.stream), 'the stream ended with a zero chunk')

    def again():
        if wire.call(sim.port, 'GET', '/health').status != 200:
            return None
        return scheduler.subscribe()['subscribed']['master_info']['id']
    expect(wait_for(again, 20, 'the master is back') != first, 'the new master has the old id')


def ends_without_zero_chunk(stream):
    data = b''
    while True:
        piece = wire.receive(stream.socket)
        if not piece:
            return not data.endswith(b'0\r\n\r\n')
        data += piece


@case('offer constraints in JSON keep agents away, and stand in /frameworks')
def constraints(box):
    sim = start(box, agents=3)
    wanted = {'role_constraints': {'web': {'groups': [{'attribute_constraints': [
        {'selector': {'pseudoattribute_type': 'HOSTNAME'},
         'predicate': {'text_matches': {'regex': 'agent-[13]'}}}]}]}}}
    scheduler = Scheduler(sim.port)
    scheduler.subscribe(offer_constraints=wanted)
    names = sorted(offer['hostname'] for offer in scheduler.offers())
    expect(names == ['agent-1', 'agent-3'], f'offers of {names}')
    shown = get(sim.port, '/frameworks')['frameworks'][0]['offer_constraints']
    expect(shown == wanted, f'{shown}')


# ---- ZooKeeper ----

@case('it stands for leading master in ZooKeeper')
def in_zookeeper(box):
    if not zookeeper.is_installed():
        tap.note('skipped: no ZooKeeper server here')
        return
    server = zookeeper.ZooKeeper(box)
    start(box, f'--zk={server.address}/some/mesos')  # before its ZooKeeper is there
    server.start()
    wait_for(lambda: '/some/mesos/json.info_0000000000' in server.ask('dump'), 20, 'a node of ours')


# ---- the command line ----

@case('mistakes on the command line get one line and exit code 2')
def command_line(box):
    bad = box.write('bad.yaml', 'agents:\n  - {hostname: a}\n  - {hostname: a}\n')
    odd = box.write('odd.yaml', 'agents:\n  - {hostname: a, resources: "cpus:x"}\n')
    for flags, words in [(['--nosuch'], "unrecognized option '--nosuch'"),
                         (['--port=x'], "--port takes a number from 0 to 65535, not 'x'"),
                         (['--masters=6'], "--masters takes a number from 1 to 5, not '6'"),
                         (['--agents=0'], "--agents takes a number from 1 to 10000, not '0'"),
                         (['--speed=fast'], "--speed takes a number from 0.01 to 10000, not 'fast'"),
                         (['more'], "unexpected argument 'more'"),
                         (['--port=0', '--zk=nonsense'], "--zk takes HOST:PORT/PATH, not 'nonsense'"),
                         ([f'--cluster={odd}', '--port=0'], "agent 'a': bad resource 'cpus:x'"),
                         ([f'--cluster={bad}'], f"{bad}:3:5: two agents have the host name 'a'")]:
        code, text = box.run('mesos-sim', [SIM, *flags])
        expect(code == 2 and words in text and text.count('\n') == 1, f'{flags}: {code} {text!r}')
    code, text = box.run('mesos-sim', [SIM, '--cluster=/nowhere.yaml'])
    expect(code == 1 and text == 'mesos-sim: /nowhere.yaml: No such file or directory\n', f'{code} {text}')
    code, text = box.run('mesos-sim', [SIM, '--help'])
    expect(code == 0 and text.startswith('Usage: mesos-sim'), f'{code} {text}')


if __name__ == '__main__':
    tap.main()
