"""One recorded scenario against mesos-sim: sends what was sent, expects what came.

What the recording's clients and operator did is done again in the same order, each step when all
that had come before it has come again. Events must be the recorded ones, in the recorded order
within each lane (a task's updates, an agent's offers, ...): between lanes chance rules, also at
Mesos. All waits are those of the recording, divided by the simulator's speed.
"""
import base64
import collections
import gzip
import json
import queue
import re
import time

from capture import split_requests
from normalise import Difference, Names
from protowire import pack, varint
from simulator import PATIENCE
from wireio import Answer, Connection, Stream, new_inbox

GAP_MS = 200  # shorter pauses were the recorder's own slowness
HEADERS = ('content-type', 'transfer-encoding', 'location', 'www-authenticate', 'allow',
           'content-encoding', 'connection', 'server')
CALL, EVENT = 'mesos.v1.scheduler.Call', 'mesos.v1.scheduler.Event'
EXECUTOR_CALL, EXECUTOR_EVENT = 'mesos.v1.executor.Call', 'mesos.v1.executor.Event'
RELAY = '/opt/test/executor.py'


def lanes_of(event):
    """[(lane, event)]: an OFFERS event is cut into its offers."""
    kind = event.get('type')
    body = event.get(str(kind).lower(), {})
    if kind == 'OFFERS':
        offers = body['offers']
        return [(f"offers {o['agent_id']['value'][-3:]} {o.get('allocation_info')}",
                 {'type': 'OFFERS', 'offer': o}) for o in offers]
    if kind == 'UPDATE':
        return [('task ' + body['status']['task_id']['value'], event)]
    if kind == 'FAILURE':
        return [(f"failure {body.get('executor_id')}", event)]
    if kind in ('RESCIND', 'HEARTBEAT', 'MESSAGE', 'INVERSE_OFFERS', 'RESCIND_INVERSE_OFFER'):
        return [(kind, event)]
    if kind in ('LAUNCH', 'KILL', 'ACKNOWLEDGED'):
        task = body.get('task', body)['task_id']['value']
        return [(kind + ' ' + task, event)]
    return [('session', event)]


class Lane:
    def __init__(self):
        self.expected = collections.deque()  # (item number, event)
        self.early = collections.deque()


class Replay:
    def __init__(self, capture, sim, options, relay, schema):
        self.capture = capture
        self.sim = sim
        self.options = options
        self.relay = str(relay)
        self.schema = schema
        self.names = Names()
        self.inbox = new_inbox()
        self.streams = {}
        self.heads = {}
        self.ends = collections.defaultdict(list)
        self.done = set()  # times of what happens by itself
        self.acknowledged = set()  # uuids, where the time line doesn't name them
        self.pids = {}  # task -> its executor's process
        self.answers = []  # that came in the middle of streams
        self.calls = {}
        self.json = {}  # stream -> its body type is JSON
        self.framework = {}  # stream -> recorded framework id
        self.stream_id = {}  # stream -> recorded stream id
        self.lanes = collections.defaultdict(Lane)
        self.waiting = {}  # item number -> how many lane entries are still to come
        self.actions = options.get('actions', [])
        self.pace = options.get('pace', sim.speed)
        self.since = (time.monotonic(), 0)
        self.sides = {}
        if 'before' in options:
            options['before'](self, None)
        self._bind_cluster()
        self._expect_events()
        if not any('offers ' in lane for _, lane in self.lanes):  # recorded without agents
            for name in sim.names:
                sim.order(f'agents/{name}/deactivate')

    # ---- names that are known beforehand ----

    def _bind_cluster(self):
        text = '\n'.join(json.dumps(item) for item in self.capture.items)
        master = self.options.get('master_port', 5150)
        self.names.bind('port', str(master), str(self.sim.port))
        first = self.options.get('agent_port')
        ports = sorted({int(p) for p in re.findall(r'"port": (51[5-9]\d)\b', text)} - {master})
        first = self.first_port = first or (ports[0] if ports else 5151)
        for i, port in enumerate(self.sim.agent_ports):
            self.names.bind('port', str(first + i), str(port))
        status, body = self.sim.get('/slaves')
        now = {s['port']: s['id'] for s in json.loads(body)['slaves']}
        self.agent_ids = [now[p] for p in self.sim.agent_ports if p in now]
        for agent, port in re.findall(r'"agent_id": \{"value": "([-\w]+-S\d+)"\}, "hostname": '
                                      r'"[^"]*", "url": \{"scheme": "http", "address": '
                                      r'\{"hostname": "[^"]*", "ip": "[^"]*", "port": (\d+)', text):
            known = self.names.now.get(('port', port))
            if known and int(known) in now:
                self.names.bind('agent', agent, now[int(known)])
        agents = re.findall(r'"([-\w]{36})-S0"', text)
        if agents and self.agent_ids:
            self.names.bind('uuid', agents[0], self.agent_ids[0].rpartition('-')[0])

    # ---- what is to come ----

    def _expect_events(self):
        for number, item in enumerate(self.capture.items):
            where = item.get('stream', item.get('side'))
            if 'event' not in item or number in self.options.get('skip', ()):
                continue
            pieces = [(lane, event) for lane, event in lanes_of(item['event'])
                      if not self._is_free(number, event)]
            if not pieces:
                continue
            self.waiting[number] = len(pieces)
            for lane, event in pieces:
                self.lanes[where, lane].expected.append((number, event))

    def _arrived(self, where, record):
        if self.json.get(where, True):
            event = json.loads(self._clean(record))
        else:
            kind = EXECUTOR_EVENT if where.startswith('executor ') else EVENT
            change = lambda text: self._clean(text) if isinstance(text, bytes) else text  # noqa: E731
            tree = self.schema.tree(kind, record)
            event = self.schema.values(kind, self.schema.tree(kind, pack(tree, change)))
        for lane, piece in lanes_of(event):
            if lane.startswith('offers '):
                now = piece['offer']['agent_id']['value']
                lane = lane.replace(now[-3:], self.names.then.get(('agent', now), now)[-3:], 1)
            self._match(where, lane, piece)

    def _clean(self, data):
        """The places of this machine as they were on the recorder's."""
        for i in range(len(self.sim.names), 0, -1):
            data = data.replace(f'{self.sim.directory}/hosts/{self.sim.names[i - 1]}/'.encode(),
                                f'/srv/mesos/a{self.first_port - 5151 + i}/'.encode())
        for name in self.sim.names[1:]:
            data = data.replace(name.encode(), b'127.0.0.1')
        for now, then in self.options.get('settings', ()):
            data = data.replace(now.encode(), then.encode())
        return data.replace(self.relay.encode(), RELAY.encode())

    def _is_free(self, number, event):
        """With free offers: one that nothing depends on, whose taker and time were chance."""
        if event['type'] != 'OFFERS' or not self.options.get('free_offers'):
            return False
        items, name = self.capture.items, event['offer']['id']['value']
        stream, t_ms = items[number]['stream'], items[number]['t_ms']
        first = any(i.get('stream') == stream and 'subscribed' in i.get('event', {})
                    and t_ms - i['t_ms'] < 100 for i in items[:number])
        return not first and name not in self.capture.spoken

    def _match_freely(self, where, lane, event):
        """An offer that isn't the next expected one is passed over."""
        before = dict(self.names.now), dict(self.names.then)
        number, recorded = self.lanes[where, lane].expected[0]
        try:
            self.names.same(recorded, event)
        except Difference:
            self.names.now, self.names.then = before
            return
        self.lanes[where, lane].expected.popleft()
        self._came(number)

    def _came(self, number):
        self.waiting[number] -= 1
        if not self.waiting[number]:
            del self.waiting[number]

    def _match(self, where, lane, event):
        if self.options.get('free_offers') and event['type'] in ('OFFERS', 'RESCIND'):
            if self.lanes[where, lane].expected:
                self._match_freely(where, lane, event)
            return
        self.names.ordered = not self.json.get(where, True)
        queue_of = self.lanes[where, lane].expected
        if not queue_of:
            if lane != 'HEARTBEAT':
                raise Difference(f'{where}: came, but was not recorded: '
                                 f'{json.dumps(event)[:900]}')
            return
        number, recorded = queue_of.popleft()
        self.names.same(recorded, event, f'{where}, event {number}')
        status = event.get('update', {}).get('status', {})
        if 'container_status' in status:
            self.pids[status['task_id']['value']] = status['container_status'].get('executor_pid')
        self._came(number)

    def _take(self, seconds):
        where, what, value = self.inbox.get(timeout=max(seconds, 0.001))
        if what == 'record':
            self._arrived(where, value)
        elif what == 'head':
            self.heads[where] = value
        elif what == 'answer':
            self.answers.append((where, value))
        else:
            self.ends[where].append(value)

    def take_until(self, condition, seconds, what):
        deadline = time.monotonic() + seconds * PATIENCE
        while not condition():
            try:
                self._take(deadline - time.monotonic())
            except queue.Empty:
                if time.monotonic() >= deadline:
                    raise Difference(what()) from None

    def _wait_events(self, before, slack_ms, t_ms):
        def due():
            return [n for n in self.waiting if n < before and
                    self.capture.items[n]['t_ms'] <= t_ms - slack_ms and
                    self.capture.items[n]['event'].get('type') != 'HEARTBEAT']
        start, then = self.since
        pause = max(0, t_ms - then) / 1000 / self.pace if t_ms < 1 << 50 else 0
        self.take_until(lambda: not due(), self.options.get('patience', 6) + pause / PATIENCE,
                         lambda: 'did not come again: ' +
                         json.dumps(self.capture.items[min(due())])[:900])

    # ---- the time line ----

    def run(self):
        items = self.capture.items
        for number, item in enumerate(items):
            if number in self.options.get('skip', ()) or not self._is_step(item):
                continue
            # these were logged when their answer was there, and what they caused may come before it
            passive = 'http' in item or 'side' in item and 'note' not in item
            slack = 60 if passive else 0
            self._at(number, item['t_ms'])
            self._wait_events(number, slack, item['t_ms'])
            self._pause(item['t_ms'])
            self._step(number, item)
        self._wait_events(len(items), 0, 1 << 60)
        try:
            while True:
                self._take(0.05)
        except queue.Empty:
            pass
        self._check_ends()

    def _at(self, number, t_ms):
        """What happened by itself then, at its time."""
        for when, action in self.options.get('at', ()):
            if when <= t_ms and when not in self.done:
                self.done.add(when)
                self._wait_events(number, t_ms - when, t_ms)
                self._pause(when)
                action(self, None)

    @staticmethod
    def _is_step(item):
        return any(key in item for key in ('call', 'http', 'note', 'probe', 'reconnect'))

    def _pause(self, t_ms):
        """As long after the step before as in the recording; events are taken meanwhile."""
        start, before = self.since
        if t_ms - before > self.options.get('gap_ms', GAP_MS):
            until = start + (t_ms - before) / 1000 / self.pace
            while time.monotonic() < until:
                try:
                    self._take(until - time.monotonic())
                except queue.Empty:
                    break
        self.since = (time.monotonic(), t_ms)

    def _step(self, number, item):
        if 'side' in item:
            self._side_step(number, item)
        elif 'call' in item:
            self._call(number, item)
        elif 'http' in item:
            self._http(item)
        elif 'note' in item:
            self._note(number, item)
        elif 'probe' in item:
            self._probe(item)

    # ---- calls ----

    def _rewrite(self, request, body_type):
        """The bytes of a recorded request with the ids and ports of now."""
        head, separator, body = request.partition(b'\r\n\r\n')
        text = self.names.translate(head.decode('latin-1'))
        protobuf = re.search(r'(?i)content-type: application/x-protobuf', text)
        length = re.search(r'(?im)^content-length: (\d+)', text)
        exact = length and int(length[1]) == len(body)
        if protobuf and body:
            try:
                body = self._rewrite_protobuf(body, body_type)
            except (ValueError, IndexError, KeyError):
                pass  # garbage stays what it is
        elif re.search('(?i)transfer-encoding: chunked', text):
            body = self._rewrite_chunks(body)
        elif re.search('(?i)content-encoding: gzip', text):
            try:
                body = gzip.compress(self._rewrite_json(gzip.decompress(body).decode()).encode())
            except (OSError, EOFError):
                pass  # what is broken stays so
        elif body:
            body = self._rewrite_json(body.decode('latin-1')).encode('latin-1')
        if exact:
            text = text[:length.start(1)] + str(len(body)) + text[length.end(1):]
        return text.encode('latin-1') + separator + body

    def rewritten(self, name):
        return b''.join(self._rewrite(part, CALL)
                        for part in split_requests(self.capture.read(name)))

    def suppress(self, stream=None):
        """A SUPPRESS of a stream's framework (of the first one), as bytes."""
        stream = stream or next(iter(self.framework))
        return self._rewrite(self._made_up(stream, {'call': 'SUPPRESS'}), CALL)

    def big_call(self, as_json, size):
        """The same with padding that nobody knows."""
        request = self._rewrite(self._made_up(next(iter(self.framework)), {'call': 'SUPPRESS'}), CALL)
        head, _, body = request.partition(b'\r\n\r\n')
        if as_json:
            body = body[:-1] + b',"pad":"' + b'x' * size + b'"}'
        else:
            head = head.replace(b'application/json', b'application/x-protobuf')
            call = json.loads(body)
            body = self.schema.build(CALL, call) + varint(99 << 3 | 2) + varint(size) + b'x' * size
        head = re.sub(rb'Content-Length: \d+', b'Content-Length: %d' % len(body), head)
        return head + b'\r\n\r\n' + body

    def _rewrite_chunks(self, body):
        """The same sizes but for the last one; trailers stay."""
        sizes, content = [], b''
        while True:
            line, _, body = body.partition(b'\r\n')
            size = int(line, 16)
            if size == 0:
                break
            sizes.append(size)
            content, body = content + body[:size], body[size + 2:]
        content, out = self._rewrite_json(content.decode('latin-1')).encode('latin-1'), b''
        for i, size in enumerate(sizes):
            piece = content[:size] if i + 1 < len(sizes) else content
            content = content[len(piece):]
            out += f'{len(piece):x}'.encode() + b'\r\n' + piece + b'\r\n'
        return out + b'0\r\n' + body

    def _rewrite_json(self, text):
        text = self.names.translate(text).replace(RELAY, self.relay)
        return re.sub(r'"[A-Za-z0-9+/]{22}=="', lambda m: '"' + self.names.now.get(
            ('uuid64', m[0][1:-1]), m[0][1:-1]) + '"', text)

    def _rewrite_protobuf(self, body, kind):
        def change(value):
            if len(value) == 16:
                known = self.names.now.get(('uuid64', base64.b64encode(value).decode()))
                if known:
                    return base64.b64decode(known)
            text = value.decode('latin-1')
            return self.names.translate(text).replace(RELAY, self.relay).encode('latin-1')
        return pack(self.schema.tree(kind, body), change)

    def _made_up(self, stream, item):
        """A call whose bytes were not kept, from what the time line says of it."""
        call = {'type': item['call'], 'framework_id': {'value': self.framework[stream]}}
        for key in ('acknowledge', 'decline'):
            if key in item:
                call[key] = item[key]
        if call['type'] == 'ACKNOWLEDGE' and 'acknowledge' not in call:
            call['acknowledge'] = self._unacknowledged(stream, item)
        if self.json[stream]:
            kind, body = 'application/json', json.dumps(call).encode()
        else:
            ordered = {k: call[k] for k in call}
            kind, body = 'application/x-protobuf', self.schema.build(CALL, ordered)
        return (f'POST /api/v1/scheduler HTTP/1.1\r\nHost: 127.0.0.1:5150\r\nAccept: {kind}\r\n'
                f'Content-Type: {kind}\r\nMesos-Stream-Id: {self.stream_id[stream]}\r\n'
                f'Content-Length: {len(body)}\r\n\r\n').encode() + body

    def _unacknowledged(self, stream, call):
        """The oldest update of the stream before the call that has no acknowledgement yet."""
        for item in self.capture.items:
            if item is call:
                break
            status = item.get('event', {}).get('update', {}).get('status', {})
            if item.get('stream') == stream and status.get('uuid') and \
                    status['uuid'] not in self.acknowledged:
                self.acknowledged.add(status['uuid'])
                return {key: status[key] for key in ('agent_id', 'task_id', 'uuid')}
        raise Difference(f'{stream}: nothing to acknowledge at {call}')

    def _call(self, number, item):
        stream = item['stream']
        if item['call'] == 'SUBSCRIBE':
            self._subscribe(item, stream)
            return
        name = self.capture.request_file(item, stream)
        request = self.capture.read(name) if name else self._made_up(stream, item)
        answer = self._connection('master').exchange(self._rewrite(request, CALL))
        recorded = self.capture.answer_file(name) if name else None
        if recorded is None:
            recorded = self._recorded_line(item)
        self.same_answer(recorded, answer, f'{stream}, {item.get("tag", item["call"])}')

    def _recorded_line(self, call):
        """The answer of the time line as an Answer: its head is that of all such answers."""
        item = self.capture.answer_of(call)
        if not item:
            return None
        body = item.get('body', '').encode()
        kind = b'Content-Type: text/plain; charset=utf-8\r\n' if body else b''
        return Answer(item['response'].encode() + b'\r\nDate: x\r\nContent-Length: ' +
                      str(len(body)).encode() + b'\r\n' + kind + b'\r\n' + body)

    def _connection(self, target):
        if target not in self.calls:
            port = self.sim.port if target == 'master' else target
            self.calls[target] = Connection(port)
        return self.calls[target]

    def _subscribe(self, item, stream):
        request = self.capture.read(item['file'])
        port = self.sim.port
        self.json[stream] = self._wants_json(item['file'])
        deadline = time.monotonic() + 10 * PATIENCE
        while True:  # a master that starts may refuse the connection
            try:
                self.streams[stream] = Stream(stream, port, self._rewrite(request, CALL), self.inbox)
                break
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        self.take_until(lambda: stream in self.heads or self.ends[stream], 10,
                         lambda: f'{stream}: no answer to SUBSCRIBE')
        while self.heads.get(stream) is not None and self.heads[stream].status_line[9:12] in (
                '404', '503') and time.monotonic() < deadline:  # as in the recording: till it is up
            self.streams[stream].close()
            self.take_until(lambda: self.ends[stream], 5, lambda: f'{stream}: no body')
            del self.heads[stream]
            self.ends[stream].clear()
            self.streams[stream] = Stream(stream, port, self._rewrite(request, CALL), self.inbox)
            self.take_until(lambda: stream in self.heads, 10, lambda: f'{stream}: no answer')
        self._learn(stream, item['file'])

    def _wants_json(self, request_name):
        head = self.capture.stream_head(request_name)
        return head is None or head.headers.get('content-type') != 'application/x-protobuf'

    def _learn(self, stream, request_name):
        """Compares the head of a stream and keeps its ids."""
        recorded = self.capture.stream_head(request_name)
        if stream not in self.heads:
            raise Difference(f'{stream}: {self.ends[stream]}')
        if recorded is not None:
            self.same_answer(recorded, self.heads[stream], f'{stream}, answer to SUBSCRIBE', False)
            self.stream_id[stream] = recorded.headers.get('mesos-stream-id')
        for other in self.capture.items:
            if other.get('stream') == stream and 'subscribed' in other.get('event', {}):
                self.framework[stream] = other['event']['subscribed']['framework_id']['value']
                break

    def same_answer(self, recorded, now, where, with_body=True):
        if recorded is None:
            return
        if recorded.status_line != now.status_line:
            raise Difference(f'{where}:\n  recorded: {recorded.status_line!r} {recorded.body[:200]}\n'
                             f'  now:      {now.status_line!r} {now.body[:200]}')
        for name in HEADERS:
            self.names.same(recorded.headers.get(name), now.headers.get(name), f'{where}, {name}')
        for name in ('date', 'mesos-stream-id', 'content-length'):
            if (name in recorded.headers) != (name in now.headers):
                raise Difference(f'{where}: header {name}: recorded '
                                 f'{recorded.headers.get(name)}, now {now.headers.get(name)}')
        if 'mesos-stream-id' in recorded.headers:
            self.names.bind('uuid', recorded.headers['mesos-stream-id'],
                            now.headers['mesos-stream-id'], where)
        if with_body:
            self._same_body(recorded, now, where)

    def _same_body(self, recorded, now, where):
        if 'content-length' in now.headers and int(now.headers['content-length']) != len(now.body):
            raise Difference(f'{where}: Content-Length {now.headers["content-length"]}, '
                             f'{len(now.body)} bytes of body')
        body = self._clean(now.body)
        if recorded.headers.get('transfer-encoding') == 'chunked':
            return
        if recorded.headers.get('content-type', '').startswith('application/json'):
            compare = self.options.get('compare_json')
            then, now = json.loads(recorded.body), json.loads(body)
            if compare:
                then, now = compare(where, then, now)
            self.names.same(then, now, where + ', body')
        else:
            self.names.same(recorded.body.decode('latin-1'), body.decode('latin-1'), where + ', body')

    # ---- single exchanges ----

    def _target(self, request):
        host = re.search(rb'(?im)^host: 127\.0\.0\.1:(\d+)', request)
        port = self.names.now.get(('port', host[1].decode())) if host else None
        return int(port) if port else self.sim.port

    def _http(self, item):
        if item['http'] in self.options.get('leave_out', ()):
            return
        name = item['file'].replace('-response.http', '-request.http')
        operator = self.options.get('operator', {}).get(item['http'])
        if operator:
            self.sim.order(operator)
            return
        request = self.capture.read(name)
        kind = EXECUTOR_CALL if b'/api/v1/executor ' in request.split(b'\r\n')[0] else CALL
        connection = Connection(self._target(request))
        try:
            answer = connection.exchange(self._rewrite(request, kind))
        finally:
            connection.close()
        self.same_answer(self.capture.answer_file(name), answer, f'request {item["http"]}')
        if item.get('connection') == 'closed-by-server' and answer.open:
            raise Difference(f'request {item["http"]}: the connection is still open')

    def _probe(self, item):
        """Polls until the answer is the recorded one."""
        request = self.capture.read(self.options['probe'])
        want = item['answer'].strip()

        def answer():
            connection = Connection(self.sim.port)
            try:
                got = connection.exchange(self._rewrite(request, CALL))
            except ConnectionRefusedError:
                return 'connection refused'
            finally:
                connection.close()
            return f'{got.status_line} {got.body.decode("latin-1")}'.strip()
        deadline = time.monotonic() + 10 * PATIENCE
        seen = []
        while not seen or seen[-1] != want:
            got = answer()
            if not seen or seen[-1] != got:
                seen.append(got)
            if time.monotonic() > deadline:
                raise Difference(f'probe: recorded {want!r}, now {seen!r}')
            time.sleep(0.001)

    # ---- what else happened ----

    def _note(self, number, item):
        note = item['note']
        if note == 'client closes the stream connection' and 'stream' in item:
            self.take_until(lambda: len(self.ends[item['stream']]) >= self._ends_before(number),
                             3, lambda: f'{item["stream"]} did not end')
            if item['stream'] in self.streams:
                self.streams[item['stream']].close()
            return
        for pattern, action in self.actions:
            match = re.search(pattern, note)
            if match:
                action(self, match)

    def _ends_before(self, number):
        stream = self.capture.items[number]['stream']
        return sum(1 for item in self.capture.items[:number] if item.get('stream') == stream
                   and 'end' in item and 'after end of body' not in item['end'])

    def _check_ends(self):
        """How each stream ended; what comes after our own closing is not the server's doing."""
        for stream in self.streams:
            if stream.startswith('executor '):
                continue
            recorded, closed = [], False
            for item in self.capture.items:
                if item.get('stream', item.get('side')) != stream:
                    continue
                closed = closed or item.get('note') == 'client closes the stream connection'
                if 'end' in item and not closed and 'after end of body' not in item['end']:
                    recorded.append(item['end'])
            self.take_until(lambda: len(self.ends[stream]) >= len(recorded), 3,
                             lambda: f'{stream}: recorded ends {recorded}, now {self.ends[stream]}')
            if recorded != self.ends[stream]:
                raise Difference(f'{stream}: recorded ends {recorded}, now {self.ends[stream]}')

    def close(self):
        for stream in self.streams.values():
            stream.close()
        for connection in self.calls.values():
            connection.close()

    # ---- the executor's side ----

    def _side_step(self, number, item):
        raise Difference('no executor here')
