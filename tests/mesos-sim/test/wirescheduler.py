"""A v1 scheduler for tests: JSON over raw sockets, so that a test sees the very bytes of the stream."""
import json
import socket

from box import expect
import wire


class Stream:
    """A SUBSCRIBE answer: its head, its chunks, its records."""

    def __init__(self, port, path, body, headers=()):
        self.socket = socket.create_connection(('127.0.0.1', port), timeout=20)
        request = f'POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
        for name, value in headers:
            request += f'{name}: {value}\r\n'
        text = json.dumps(body).encode()
        self.socket.sendall(f'{request}Content-Length: {len(text)}\r\n\r\n'.encode() + text)
        self.buffer = b''
        self.head = self.until(b'\r\n\r\n').decode()
        expect(self.head.startswith('HTTP/1.1 200 '), f'no stream: {self.head}')
        self.headers = dict(line.split(': ', 1) for line in self.head.split('\r\n')[1:] if line)

    def more(self):
        piece = self.socket.recv(65536)
        expect(piece, f'the stream was closed; unread: {self.buffer[-300:]!r}')
        self.buffer += piece

    def until(self, end):
        while end not in self.buffer:
            self.more()
        part, self.buffer = self.buffer.split(end, 1)
        return part

    def take(self, size):
        while len(self.buffer) < size:
            self.more()
        part, self.buffer = self.buffer[:size], self.buffer[size:]
        return part

    def chunk(self):
        """The bytes of the next chunk; b'' for the last one."""
        size = self.until(b'\r\n')
        expect(size == b'%x' % int(size, 16), f'chunk size {size!r} is not plain lower-case hex')
        data = self.take(int(size, 16))
        expect(self.take(2) == b'\r\n', 'no CRLF after the chunk')
        return data

    def event(self):
        """The next event; None at the end of the body. Each chunk must be exactly one record."""
        data = self.chunk()
        if not data:
            return None
        length, _, record = data.partition(b'\n')
        expect(int(length) == len(record), f'a chunk is not one record: {data[:200]!r}')
        return json.loads(record)

    def close(self):
        self.socket.close()


class Scheduler:
    def __init__(self, port, info=None, path='/api/v1/scheduler', headers=()):
        self.headers = headers
        self.port = port
        self.path = path
        self.info = {'user': 'root', 'name': 'test', 'roles': ['web'], 'failover_timeout': 600,
                     'checkpoint': True, 'capabilities': [{'type': 'MULTI_ROLE'},
                                                          {'type': 'PARTITION_AWARE'}],
                     **(info or {})}
        self.stream = None
        self.id = None

    def subscribe(self, **more):
        call = {'type': 'SUBSCRIBE', 'subscribe': {'framework_info': self.info, **more}}
        if self.id:
            self.info['id'] = call['framework_id'] = {'value': self.id}
        self.stream = Stream(self.port, self.path, call, self.headers)
        subscribed = self.stream.event()
        expect(subscribed['type'] == 'SUBSCRIBED', f'first event: {subscribed}')
        self.id = subscribed['subscribed']['framework_id']['value']
        return subscribed

    def call(self, kind, **more):
        body = {'type': kind, 'framework_id': {'value': self.id}, **more}
        return wire.call(self.port, 'POST', self.path, json.dumps(body),
                         {**dict(self.headers), 'Content-Type': 'application/json',
                          'Mesos-Stream-Id': self.stream.headers['Mesos-Stream-Id']})

    def send(self, kind, **more):
        answer = self.call(kind, **more)
        expect(answer.status == 202, f'{kind}: {answer}')

    def wait(self, kind):
        """The next event of this kind; others are dropped."""
        while True:
            event = self.stream.event()
            expect(event is not None, f'end of the stream while waiting for {kind}')
            if event['type'] == kind:
                return event.get(kind.lower())

    def offers(self):
        return self.wait('OFFERS')['offers']

    def update(self):
        """The next status update, which is acknowledged."""
        status = self.wait('UPDATE')['status']
        if 'uuid' in status:
            self.send('ACKNOWLEDGE', acknowledge={'agent_id': status['agent_id'],
                                                  'task_id': status['task_id'],
                                                  'uuid': status['uuid']})
        return status

    def launch(self, offer, *tasks):
        self.send('ACCEPT', accept={'offer_ids': [offer['id']], 'filters': {'refuse_seconds': 0},
                                    'operations': [{'type': 'LAUNCH',
                                                    'launch': {'task_infos': list(tasks)}}]})

    @staticmethod
    def task(offer, name, cpus=0.1, mem=32, **more):
        return {'name': name, 'task_id': {'value': name}, 'agent_id': offer['agent_id'],
                'resources': [{'name': 'cpus', 'type': 'SCALAR', 'scalar': {'value': cpus}},
                              {'name': 'mem', 'type': 'SCALAR', 'scalar': {'value': mem}}], **more}
