"""An executor for tests: runs each task for an instant, sends what it is told back, ends on SHUTDOWN."""
import base64
import json
import os
import socket
import sys
import uuid


def connect():
    host, port = os.environ['MESOS_AGENT_ENDPOINT'].split(':')
    return socket.create_connection((host, int(port)), timeout=60)


def post(connection, body):
    body = {'executor_id': {'value': os.environ['MESOS_EXECUTOR_ID']},
            'framework_id': {'value': os.environ['MESOS_FRAMEWORK_ID']}, **body}
    text = json.dumps(body).encode()
    connection.sendall(b'POST /api/v1/executor HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\n'
                       b'Accept: application/json\r\nContent-Length: %d\r\n\r\n' % len(text) + text)


def call(body):
    connection = connect()
    post(connection, body)
    print(connection.recv(4096).split(b'\r\n')[0].decode(), body['type'], flush=True)
    connection.close()


def update(task, state):
    call({'type': 'UPDATE', 'update': {'status': {
        'task_id': task['task_id'], 'state': state, 'source': 'SOURCE_EXECUTOR',
        'executor_id': {'value': os.environ['MESOS_EXECUTOR_ID']},
        'uuid': base64.b64encode(uuid.uuid4().bytes).decode()}}})


def events():
    connection = connect()
    post(connection, {'type': 'SUBSCRIBE', 'subscribe': {}})
    stream = connection.makefile('rb')
    while stream.readline() not in (b'\r\n', b''):
        pass
    while True:
        size = int(stream.readline() or b'0', 16)
        if size == 0:
            return
        yield json.loads(stream.read(size).partition(b'\n')[2])
        stream.readline()


for event in events():
    print(event['type'], flush=True)
    if event['type'] == 'LAUNCH':
        update(event['launch']['task'], 'TASK_RUNNING')
        if event['launch']['task']['name'].startswith('short'):
            update(event['launch']['task'], 'TASK_FINISHED')
    elif event['type'] == 'KILL':
        update({'task_id': event['kill']['task_id']}, 'TASK_KILLED')
    elif event['type'] == 'MESSAGE':
        call({'type': 'MESSAGE', 'message': event['message']})
    elif event['type'] == 'SHUTDOWN':
        sys.exit(0)
