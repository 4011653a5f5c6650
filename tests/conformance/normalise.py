"""Comparing what was recorded with what comes now.

What differs from run to run is replaced by a named placeholder on both sides, all else must be
equal, type for type (4 is not 4.0). Placeholders are bound: where <framework> stood for one id, it
must stand for the same one ever after, and no other.

<master> <framework> <agent> <offer>  ids made by a master       <uuid>  any other UUID
<time>  moments and clocks            <port>  of a master, an agent     <pid>  of a process
"""
import json
import re

UUID = r'[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}'
TOKEN = re.compile(rf'({UUID})(?:-(S\d+|O\d+|\d{{4,}}))?|(?<=127\.0\.0\.1:)(\d{{2,5}})\b')
KINDS = {'S': 'agent', 'O': 'offer', '': 'uuid'}
TIMES = {'timestamp', 'start_time', 'elected_time', 'registered_time', 'reregistered_time',
         'unregistered_time', 'unreachable_time', 'unavailability', 'estimated_drain_start_time'}
BASE64_UUID = re.compile(r'[A-Za-z0-9+/]{22}==')


class Difference(Exception):
    """The first place where the two are not alike."""


def parts(text):
    """[(kind or '', text)]: the text cut at all that has a placeholder."""
    out, at = [], 0
    for match in TOKEN.finditer(text):
        suffix = match[2] or ''
        kind = 'port' if match[3] else KINDS.get(suffix[:1], 'framework')
        out += [('', text[at:match.start()]), (kind, match[0])]
        at = match.end()
    return out + [('', text[at:])]


def shown(text):
    """The text with placeholders, for people."""
    return ''.join(f'<{kind}>' if kind else piece for kind, piece in parts(text))


class Names:
    """Which recorded id is which one now."""

    def __init__(self):
        self.ordered = False  # fields must come in the recorded order, too: protobuf
        self.now = {}  # (kind, recorded) -> now
        self.then = {}  # (kind, now) -> recorded

    def bind(self, kind, recorded, now, where='binding'):
        known = self.now.setdefault((kind, recorded), now)
        back = self.then.setdefault((kind, now), recorded)
        if known != now:
            raise Difference(f'{where}: <{kind}> {recorded} is {known}, but here {now}')
        if back != recorded:
            raise Difference(f'{where}: <{kind}> {now} stands for {back}, but here for {recorded}')

    def forget(self, kind):
        """After a restart old numbers may be given again."""
        for table in (self.now, self.then):
            for key in [k for k in table if k[0] == kind]:
                del table[key]

    def translate(self, text):
        """A recorded text with the ids of now; what has no counterpart stays."""
        out = []
        for kind, piece in parts(text):
            out.append(self.now.get((kind, piece), piece) if kind else piece)
        return ''.join(out)

    def same_text(self, recorded, now, where):
        a, b = parts(recorded), parts(now)
        if [p if k == '' else k for k, p in a] != [p if k == '' else k for k, p in b]:
            raise Difference(f'{where}:\n  recorded: {shown(recorded)}\n  now:      {shown(now)}')
        for (kind, then), (_, actual) in zip(a, b):
            if kind:
                self.bind(kind, then, actual, where)

    def same(self, recorded, now, where=''):
        """Raises Difference at the first place that is not alike."""
        if type(recorded) is not type(now):
            raise Difference(f'{where}:\n  recorded: {recorded!r}\n  now:      {now!r}')
        if isinstance(recorded, dict):
            self._same_keys(recorded, now, where)
            for key in recorded.keys() & now.keys():
                self._same_field(key, recorded[key], now[key], f'{where}.{key}' if where else key)
        elif isinstance(recorded, list):
            if len(recorded) != len(now):
                raise Difference(f'{where}: {len(recorded)} items were recorded, now {len(now)}:\n'
                                 f'  recorded: {recorded!r}\n  now:      {now!r}')
            for i, (a, b) in enumerate(zip(recorded, now)):
                self.same(a, b, f'{where}[{i}]')
        elif isinstance(recorded, str):
            self.same_text(recorded, now, where)
        elif recorded != now:
            raise Difference(f'{where}:\n  recorded: {recorded!r}\n  now:      {now!r}')

    def _same_keys(self, recorded, now, where):
        recorded = {key: recorded[key] for key in recorded if not key.startswith('?')}
        for key in recorded:
            if key not in now:
                raise Difference(f'{where}: {key} is missing; recorded: {str(recorded[key])[:300]}')
        for key in now:
            if key not in recorded:
                raise Difference(f'{where}: {key} was not recorded; now: {str(now[key])[:300]}')
        if self.ordered and list(recorded) != list(now):
            raise Difference(f'{where}: order of fields\n  recorded: {list(recorded)}\n'
                             f'  now:      {list(now)}')

    def _same_field(self, key, recorded, now, where):
        if key in TIMES:
            if shape(recorded) != shape(now):
                raise Difference(f'{where}:\n  recorded: {recorded!r}\n  now:      {now!r}')
        elif key == 'status' and recorded == 256256:
            self.same(256, now, where)  # Mesos' way to say that the executor's file is missing
        elif key == 'executor_pid' and isinstance(now, int):
            pass
        elif key == 'port' and type(recorded) is type(now) is int:
            self.bind('port', str(recorded), str(now), where)
        elif key == 'uuid' and all(isinstance(x, str) and BASE64_UUID.fullmatch(x)
                                   for x in (recorded, now)):
            self.bind('uuid64', recorded, now, where)
        elif key.endswith(('resources', 'resources_full', 'tasks', 'executor_ids')) and isinstance(recorded, list) and isinstance(now, list):
            self.same(in_order(recorded), in_order(now), where)
        else:
            self.same(recorded, now, where)


def in_order(resources):
    """Mesos' own order depends on what was allocated and freed before: it says nothing."""
    return sorted(resources, key=lambda r: json.dumps(r, sort_keys=True))


def shape(value):
    """Keys and types without the values."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value)
