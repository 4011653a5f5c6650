"""Protocol buffers by their .proto files: bytes to plain values and back.

Written for these tests, beside the library that the product uses: what both sides understand in the
same way is on the wire as Mesos defines it. Only what Mesos' v1 API needs: proto2, no groups.
"""
import base64
import re
import struct

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
INTEGERS = {'int32', 'int64', 'uint32', 'uint64', 'bool'}


class Schema:
    def __init__(self, paths):
        self.messages = {}  # full name -> {number: (name, type, repeated)}
        self.enums = {}  # full name -> {number: name}
        for path in paths:
            self._read(path.read_text())

    def _read(self, text):
        text = re.sub(r'//[^\n]*|/\*.*?\*/', '', text, flags=re.S)
        package = re.search(r'^\s*package\s+([\w.]+)\s*;', text, re.M)[1]
        tokens = re.findall(r'"[^"]*"|[\w.]+|[{}=;<>,\[\]-]', text)
        self._block(tokens, 0, package, None)

    def _block(self, tokens, at, scope, fields):
        """Reads statements until the closing brace; returns the place after it."""
        while at < len(tokens) and tokens[at] != '}':
            word = tokens[at]
            if word in ('message', 'enum'):
                name = f'{scope}.{tokens[at + 1]}'
                inner = (self.messages if word == 'message' else self.enums).setdefault(name, {})
                reader = self._block if word == 'message' else self._values
                at = reader(tokens, at + 3, name, inner)
            elif word == 'oneof':
                at = self._block(tokens, at + 3, scope, fields)
            elif word in ('optional', 'required', 'repeated'):
                at = self._field(tokens, at + 1, scope, fields, word == 'repeated')
            elif word == 'map':
                entry = f'{scope}.{tokens[at + 6].title()}Entry'
                self.messages[entry] = {1: ('key', tokens[at + 2], False, scope),
                                        2: ('value', tokens[at + 4], False, scope)}
                fields[int(tokens[at + 8])] = (tokens[at + 6], '.' + entry, True, scope)
                at = tokens.index(';', at) + 1
            elif fields is not None and at + 2 < len(tokens) and tokens[at + 2] == '=':
                at = self._field(tokens, at, scope, fields, False)
            else:
                at = tokens.index(';', at) + 1
        return at + 1

    def _field(self, tokens, at, scope, fields, repeated):
        fields[int(tokens[at + 3])] = (tokens[at + 1], tokens[at], repeated, scope)
        return tokens.index(';', at) + 1

    def _values(self, tokens, at, _name, values):
        while tokens[at] != '}':
            if tokens[at] != 'option' and tokens[at + 1] == '=':
                values.setdefault(int(tokens[at + 2]), tokens[at])
            at = tokens.index(';', at) + 1
        return at + 1

    def resolve(self, name, scope):
        if name.startswith('.'):
            return name[1:]
        while scope:
            full = f'{scope}.{name}'
            if full in self.messages or full in self.enums:
                return full
            scope = scope.rpartition('.')[0]
        return name

    def tree(self, message, data):
        """[(number, wire type, value)]; nested messages are lists, all else integers or bytes."""
        fields, tree, at = self.messages[message], [], 0
        while at < len(data):
            key, at = read_varint(data, at)
            number, wire = key >> 3, key & 7
            if wire == VARINT:
                value, at = read_varint(data, at)
            elif wire in (FIXED64, FIXED32):
                size = 8 if wire == FIXED64 else 4
                value, at = data[at:at + size], at + size
            elif wire == BYTES:
                size, at = read_varint(data, at)
                if at + size > len(data):
                    raise ValueError('a field that is longer than its message')
                value, at = data[at:at + size], at + size
                full = self.resolve(fields[number][1], fields[number][3]) if number in fields else ''
                if full in self.messages:
                    value = self.tree(full, value)
            else:
                raise ValueError(f'wire type {wire}')
            tree.append((number, wire, value))
        return tree

    def values(self, message, tree):
        """What Mesos' own JSON shows of it; numbers in place of unknown names."""
        fields, out = self.messages[message], {}
        for number, wire, value in tree:
            name, kind, repeated, scope = fields.get(number, (f'?{number}', 'bytes', True, ''))
            value = self._value(self.resolve(kind, scope), wire, value)
            if repeated:
                out.setdefault(name, []).append(value)
            else:
                out[name] = value
        return out

    def _value(self, kind, wire, value):
        if isinstance(value, list):
            return self.values(kind, value)
        if kind in self.enums:
            return self.enums[kind].get(value, value)
        if kind == 'bool':
            return bool(value)
        if kind in INTEGERS:
            return value - (1 << 64) if kind.startswith('int') and value >> 63 else value
        if kind == 'double':
            return struct.unpack('<d', value)[0]
        if kind == 'string':
            return value.decode()
        return base64.b64encode(value).decode() if isinstance(value, bytes) else value

    def build(self, message, values):
        """The bytes of a message given as `values()` gives it."""
        out = b''
        for number, (name, kind, repeated, scope) in sorted(self.messages[message].items()):
            if name in values:
                for value in values[name] if repeated else [values[name]]:
                    out += self._build_field(number, self.resolve(kind, scope), value)
        return out

    def _build_field(self, number, kind, value):
        if kind in self.messages:
            data = self.build(kind, value)
        elif kind in self.enums:
            numbers = {n: v for v, n in self.enums[kind].items()}
            return varint(number << 3) + varint(numbers[value])
        elif kind in INTEGERS:
            return varint(number << 3) + varint(int(value) & (1 << 64) - 1)
        elif kind == 'double':
            return varint(number << 3 | FIXED64) + struct.pack('<d', value)
        else:
            data = value.encode() if kind == 'string' else base64.b64decode(value)
        return varint(number << 3 | BYTES) + varint(len(data)) + data


def pack(tree, change):
    """The bytes of a tree, each string or byte field as `change` gives it back."""
    out = b''
    for number, wire, value in tree:
        out += varint(number << 3 | wire)
        if wire == VARINT:
            out += varint(value)
        elif wire == BYTES:
            data = pack(value, change) if isinstance(value, list) else change(value)
            out += varint(len(data)) + data
        else:
            out += value
    return out


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value & (1 << 64) - 1, at


def varint(value):
    out = b''
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])
