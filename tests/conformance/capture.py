"""A recorded scenario: its time line, its requests, the answers, the streams."""
import gzip
import json
import re

from wireio import Answer


class Capture:
    def __init__(self, directory, schema, until=1 << 60):
        self.directory = directory
        self.name = directory.name
        self.schema = schema
        self.files = sorted(p.name for p in directory.iterdir())
        with open(directory / 'events.jsonl') as lines:
            self.items = [json.loads(line) for line in lines]
        self.items = [item for item in self.items if item.get('t_ms', until) < until]
        self.used = set()
        self.answered = {item['file'].replace('-response.http', '-request.http')
                         for item in self.items if 'response' in item and 'file' in item}
        self._pair_answers()
        self.spoken = self._spoken_of()
        self._ends_in_notes()
        self._messages_before_their_effect()
        self._protobuf_events()

    def read(self, name):
        path = self.directory / name
        if path.exists():
            return path.read_bytes()
        path = path.with_name(path.name + '.gz')
        return gzip.decompress(path.read_bytes()) if path.exists() else None

    def _ends_in_notes(self):
        """The end of a stream that the recorder only told of."""
        stream, out = None, []
        for item in self.items:
            stream = item.get('stream', stream) if item.get('call') == 'SUBSCRIBE' else stream
            out.append(item)
            if item.get('note', '').startswith('after TEARDOWN on a second') and \
                    item['note'].endswith("0\\r\\n\\r\\n'"):
                out.append({'t_ms': item['t_ms'], 'stream': stream,
                            'end': 'end of body (zero chunk)'})
        self.items = out

    def _messages_before_their_effect(self):
        """An executor's MESSAGE was logged with its answer; the scheduler may have got it before."""
        for at, item in enumerate(self.items):
            if 'side' in item and item.get('call') == {'type': 'MESSAGE'}:
                effect = next((n for n in range(max(0, at - 4), at) if 'stream' in self.items[n]
                               and 'message' in self.items[n].get('event', {})), at)
                self.items.insert(effect, self.items.pop(at))

    def _pair_answers(self):
        """The answer of each call: the next one of its stream, calls go one at a time."""
        waiting = {}
        self.answers = {}
        for item in self.items:
            if 'call' in item and item['call'] != 'SUBSCRIBE' and 'stream' in item:
                waiting[item['stream']] = id(item)
            elif 'response' in item and item.get('stream') in waiting:
                self.answers[waiting.pop(item['stream'])] = item

    def _spoken_of(self):
        """All offer ids that calls and RESCINDs name."""
        texts = [self.read(f).decode('latin-1') for f in self.files if f.endswith('-request.http')]
        texts += [json.dumps(i) for i in self.items if 'call' in i or 'rescind' in i.get('event', {})]
        return set(re.findall(r'[-\w]{36}-O\d+', ' '.join(texts)))

    def answer_of(self, call):
        return self.answers.get(id(call), {})

    def _protobuf_events(self):
        """The events of protobuf streams as this suite decodes their bytes."""
        for name in self.files:
            match = re.fullmatch(r'(?:executor-(.+?)-)?\d+-(.*)-?stream\.(bin|http)(?:\.gz)?', name)
            if name.endswith('-whole-connection-pb.bin'):
                data = re.sub(rb'HTTP/1.1 202.*?\r\n\r\n', b'', self.read(name), flags=re.S)
                self._decode('stream', 'suppress-on-subscribe-connection-pb',
                             split_records(dechunk(data)))
            if not match:
                continue
            data = self.read(name.removesuffix('.gz'))
            if match[3] == 'http':
                if b'\r\nContent-Type: application/x-protobuf\r\n' not in data:
                    continue
                data = dechunk(data)
            executor = match[1] is not None
            stream = 'executor ' + match[1] if executor else match[2].removesuffix('-')
            where = 'side' if executor else 'stream'
            self._decode(where, stream, split_records(data))

    def _decode(self, where, stream, records):
        """Puts the decoded records in the place of the recorder's own decoding."""
        kind = 'mesos.v1.executor.Event' if where == 'side' else 'mesos.v1.scheduler.Event'
        items = [i for i in self.items if i.get(where) == stream and 'event' in i
                 and '_protobuf' not in i]
        for number, item in enumerate(items):
            if number < len(records):
                item['event'] = self.schema.values(kind, self.schema.tree(kind, records[number]))
            elif where == 'stream':
                item['event'] = self._restored(kind, item['event'])
            else:
                break  # of the executor's next stream
            item['_protobuf'] = True

    def _restored(self, kind, event):
        """An event that came after the last kept byte, as the recorder's JSON has it."""
        return self.schema.values(kind, self.schema.tree(kind, self.schema.build(kind, event)))

    def request_file(self, item, stream):
        """The request of a call: named by the item, or the next unused one with its tag."""
        if 'file' in item and item['file'].endswith('-request.http'):
            return item['file']
        tag = item.get('tag', '')
        answer = self.answer_of(item)
        if 'file' in answer:
            return answer['file'].replace('-response.http', '-request.http')
        for name in self.files:
            if name not in self.used and name not in self.answered and re.fullmatch(
                    rf'\d+-{re.escape(tag)}(-{re.escape(stream)})?-request\.http', name):
                self.used.add(name)
                return name
        return None

    def answer_file(self, request_name):
        """The recorded answer to a request, None where it is not kept."""
        data = self.read(request_name.replace('-request.http', '-response.http'))
        return Answer(data) if data else None

    def stream_head(self, request_name):
        base = request_name.replace('-subscribe-request.http', '-stream').replace(
            '-resubscribe-request.http', '-resubscribe-stream')
        if request_name.startswith('executor-'):
            base = request_name.replace('-request.http', '-stream')
        data = self.read(base + '.head.http') or self.read(base + '.http')
        if data is None:  # the whole connection under the number of the next request
            number = int(request_name[:2]) + 1
            name = next((f for f in self.files if f.startswith(f'{number:02d}-whole-connection')), '')
            data = self.read(name) if name else None
        return Answer(data.partition(b'\r\n\r\n')[0] + b'\r\n\r\n') if data else None


def split_records(data):
    out = []
    while data:
        length, _, data = data.partition(b'\n')
        out.append(data[:int(length)])
        data = data[int(length):]
    return out


def dechunk(data):
    rest, out = data.partition(b'\r\n\r\n')[2], b''
    while rest:
        line, _, rest = rest.partition(b'\r\n')
        size = int(line, 16)
        out, rest = out + rest[:size], rest[size + 2:]
    return out


def split_requests(data):
    """The requests of one send."""
    out = []
    while data:
        head, _, rest = data.partition(b'\r\n\r\n')
        length = re.search(rb'(?im)^content-length: (\d+)', head)
        size = len(head) + 4 + (int(length[1]) if length else 0)
        out.append(data[:size])
        data = data[size:]
    return out
