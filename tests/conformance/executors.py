"""Scenarios with a recorded executor: the replay of its side."""
import base64
import copy
import json
import re
import time

from capture import split_requests
from normalise import Difference
from replay import EXECUTOR_CALL, Replay
from simulator import PATIENCE
from wireio import Connection, Stream

OURS = {'PATH', 'PWD', 'OLDPWD', 'SHLVL', '_', 'HOME', 'LC_CTYPE', 'LANG', 'LIBPROCESS_IP'}


# What a returned executor sends to see whether its agent takes it. Mesos' agent drops it for it isn't
# registered again yet; the simulated one is at once.
POLL = base64.b64encode(b'poll').decode()


class Executor:
    """What the replay knows of one executor."""

    def __init__(self, side):
        self.side = side
        self.name = side.removeprefix('executor ')
        self.id = None
        self.framework = None
        self.json = True
        self.sandbox = None
        self.connection = None
        self.port = None
        self.subscriptions = 0
        self.used = set()  # uuids of updates that were made up


class ExecutorReplay(Replay):
    def __init__(self, *args):
        self.executors = {}
        super().__init__(*args)

    def _executor(self, side):
        if side not in self.executors:
            executor = self.executors[side] = Executor(side)
            for item in self.capture.items:
                subscribed = item.get('event', {}).get('subscribed', {})
                if item.get('side') == side and 'executor_info' in subscribed:
                    info = subscribed['executor_info']
                    executor.id = info['executor_id']['value']
                    executor.framework = subscribed['framework_info']['id']['value']
                    break
        return self.executors[side]

    def _match(self, where, lane, event):
        if event.get('message', {}).get('data') != POLL:
            super()._match(where, lane, event)

    def _side_step(self, number, item):
        executor = self._executor(item['side'])
        if item.get('call') == 'SUBSCRIBE':
            self._executor_subscribe(executor, item)
        elif 'call' in item:
            self._executor_call(executor, item)
        elif 'http' in item:
            self._executor_http(executor, item)
        elif 'reconnect' in item:
            self._reconnect(executor, item)
        else:
            self._executor_note(executor, item['note'])

    # ---- its process ----

    def _find(self, executor, fresh):
        """The sandbox of a new run of it."""
        deadline = time.monotonic() + 10 * PATIENCE
        pattern = f'hosts/*/slaves/*/frameworks/*/executors/{executor.id}/runs/*/relay.json'
        while time.monotonic() < deadline:
            found = [p for p in self.sim.directory.glob(pattern)
                     if not p.parent.is_symlink() and 'latest' not in p.parts]
            found = [p for p in found if p.parent != executor.sandbox or not fresh]
            if found:
                executor.sandbox = max(found, key=lambda p: p.stat().st_mtime).parent
                return json.loads((executor.sandbox / 'relay.json').read_text())
            time.sleep(0.01)
        raise Difference(f'{executor.side}: its process did not start: {self.sim.log()[-500:]}')

    def _end(self, executor, how):
        (executor.sandbox / 'relay.end').write_text(str(how))
        if executor.side in self.streams:
            self.streams[executor.side].close()

    def _same_environment(self, executor, now):
        """Names and values of the environment, but for what every process has."""
        data = self.capture.read(f'executor-{executor.name}-environment.json')
        last = sum(1 for item in self.capture.items if item.get('side') == executor.side
                   and item.get('call') == 'SUBSCRIBE' and 'resubscribe' not in item['file'])
        if data is None or executor.subscriptions < last:  # it was written over

            return
        then = {k: v for k, v in json.loads(data).items() if k not in OURS}
        names = copy.deepcopy(self.names)  # its run may have been another one
        for kind in ('uuid',) if last > 1 else ():
            names.forget(kind)
        now = {k: self._clean(v.encode()).decode() for k, v in now.items()
               if k in then or k.startswith(('MESOS_', 'LIBPROCESS_')) and k not in OURS}
        ours = {k: now.get(k) for k in then}
        names.same(then, {**ours, **now}, f'{executor.side}, environment')

    # ---- its calls ----

    def _executor_subscribe(self, executor, item):
        again = 'resubscribe' in item['file']
        request = self.capture.read(item['file'])
        executor.subscriptions += 1
        if not again:
            environment = self._find(executor, executor.subscriptions > 1)
            self._same_environment(executor, environment)
            executor.port = int(environment['MESOS_AGENT_ENDPOINT'].rpartition(':')[2])
        executor.json = self.json[executor.side] = b'Accept: application/json' in request
        executor.connection = Connection(executor.port)
        self.heads.pop(executor.side, None)
        if executor.side in self.streams:
            self.streams[executor.side].close()
        deadline = time.monotonic() + 10 * PATIENCE
        while executor.side not in self.heads and time.monotonic() < deadline:
            try:
                self.streams[executor.side] = Stream(executor.side, executor.port,
                                                     self._rewrite(request, EXECUTOR_CALL), self.inbox)
                self.take_until(lambda: executor.side in self.heads, 5,
                                 lambda: f'{executor.side}: no answer to SUBSCRIBE')
                if again and ' 503 ' in self.heads[executor.side].status_line:
                    self.streams[executor.side].close()  # till it is up, as then
                    del self.heads[executor.side]
            except ConnectionRefusedError:
                time.sleep(0.01)
        self.ends[executor.side].clear()
        recorded = self.capture.stream_head(item['file'])
        if recorded:
            self.same_answer(recorded, self.heads[executor.side], executor.side, False)

    def _executor_files(self, item):
        """Names of request and answer: the recorder numbered the request one before its answer."""
        match = re.fullmatch(r'(executor-.*-)(\d+)(-.*)-response\.http', item['file'])
        if not match:
            return None, None
        request = f'{match[1]}{int(match[2]) - 1:02d}{match[3]}-request.http'
        return (request if self.capture.read(request) else None), match[3][1:]

    def _executor_call(self, executor, item):
        request, what = self._executor_files(item)
        data = self.capture.read(request) if request else self._made_up_update(executor, what)
        parts = split_requests(data)
        for part in parts:
            answer = executor.connection.exchange(self._rewrite(part, EXECUTOR_CALL))
            if answer.status_line != item['response']:
                raise Difference(f'{executor.side}, {what}: recorded {item["response"]}, now '
                                 f'{answer.status_line} {answer.body[:200]}')

    def _made_up_update(self, executor, what):
        call = {'executor_id': {'value': executor.id}, 'framework_id': {'value': executor.framework}}
        call['type'] = 'MESSAGE' if 'message' in what else 'UPDATE'
        if call['type'] == 'MESSAGE':
            call['message'] = {'data': POLL if 'poll' in what else self._next_message(executor)}
        else:
            call['update'] = {'status': self._next_status(executor, what)}
        if executor.json:
            kind, body = 'application/json', json.dumps(call).encode()
        else:
            kind, body = 'application/x-protobuf', self.schema.build(EXECUTOR_CALL, call)
        return (f'POST /api/v1/executor HTTP/1.1\r\nHost: 127.0.0.1:5151\r\nAccept: {kind}\r\n'
                f'Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n').encode() + body

    def _next_message(self, executor):
        for number, item in enumerate(self.capture.items):
            message = item.get('event', {}).get('message', {})
            if 'executor_id' in message and number not in executor.used \
                    and message['executor_id']['value'] == executor.id:
                executor.used.add(number)
                return message['data']
        raise Difference(f'{executor.side}: which message did it send?')

    def _next_status(self, executor, what):
        """What the scheduler got of it, without what the agent added on the way."""
        state = re.search(r'task_\w+', what)[0].upper()
        for item in self.capture.items:
            status = item.get('event', {}).get('update', {}).get('status', {})
            if status.get('state') == state and status.get('source') == 'SOURCE_EXECUTOR' and \
                    status.get('executor_id', {}).get('value') == executor.id and \
                    status.get('uuid') and status['uuid'] not in executor.used:
                executor.used.add(status['uuid'])
                return {k: v for k, v in status.items() if k not in (
                    'agent_id', 'timestamp', 'container_status')}
        uuid = base64.b64encode(bytes(range(6)) + b'\x4a' + bytes(range(9))).decode()
        return {'task_id': {'value': self._last_task(executor)}, 'state': state,
                'source': 'SOURCE_EXECUTOR', 'uuid': uuid}

    def _last_task(self, executor):
        tasks = [i['event']['launch']['task']['task_id']['value'] for i in self.capture.items
                 if i.get('side') == executor.side and 'launch' in i.get('event', {})]
        return tasks[-1]

    # ---- what else it did ----

    def _executor_http(self, executor, item):
        request, _ = self._executor_files(item)
        connection = Connection(executor.port)
        try:
            answer = connection.exchange(self._rewrite(self.capture.read(request), EXECUTOR_CALL))
        finally:
            connection.close()
        self.same_answer(self.capture.answer_file(item['file']), answer,
                          f'{executor.side}, {item["http"]}')

    def _reconnect(self, executor, item):
        """Polls with a MESSAGE or a SUBSCRIBE until the answer is the recorded one."""
        what, _, want = item['reconnect'].partition(' -> ')
        if what == 'SUBSCRIBE' and '200 OK' in want:
            return  # the SUBSCRIBE step before it
        if what.startswith('MESSAGE'):
            request = self._made_up_update(executor, 'poll message')
        else:
            name = next(f for f in self.capture.files if 'resubscribe-request' in f)
            request = self.capture.read(name)
        if '404' in want:
            return  # for some milliseconds of a start, not of every one
        deadline, seen = time.monotonic() + 10 * PATIENCE, []
        while not seen or seen[-1] != want.strip():
            connection = Connection(executor.port)
            try:
                answer = connection.exchange(self._rewrite(request, EXECUTOR_CALL))
                got = f'{answer.status_line} {answer.body.decode("latin-1")}'.strip()
            except ConnectionRefusedError:
                got = 'connection refused'
            finally:
                connection.close()
            if not seen or seen[-1] != got:
                seen.append(got)
            if time.monotonic() > deadline:
                raise Difference(f'{executor.side}, {what}: recorded {want!r}, now {seen!r}')
            time.sleep(0.001)

    def _executor_note(self, executor, note):
        ends = re.search(r'executor exits (\d+)', note)
        if ends:
            self._end(executor, ends[1])
        elif 'kills itself with SIGKILL' in note:
            self._end(executor, 'KILL')
        elif 'executor exits' in note:
            self._end(executor, 1)
        elif '"do": "pipelined"' in note:
            name = next(f for f in self.capture.files if 'pipelined-updates-request' in f)
            parts = split_requests(self.capture.read(name))
            data = b''.join(self._rewrite(part, EXECUTOR_CALL) for part in parts)
            executor.connection.exchange(data, more=len(parts) - 1)
