"""Exact bytes on sockets: single exchanges, and event streams that are read beside everything else."""
import queue
import socket
import threading


def parse_head(data):
    """Status line and headers (names in lower case) of an answer."""
    lines = data.decode('latin-1').split('\r\n')
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(':')
        headers[name.strip().lower()] = value.strip()
    return lines[0], headers


class Answer:
    """status_line, headers, body; `open`: the server left the connection open."""

    def __init__(self, data, is_open=True):
        head, _, self.body = data.partition(b'\r\n\r\n')
        self.status_line, self.headers = parse_head(head) if head else ('', {})
        self.open = is_open
        if 'content-length' in self.headers:
            self.body = self.body[:int(self.headers['content-length'])]


def receive(s):
    try:
        return s.recv(1 << 20)
    except (ConnectionResetError, BrokenPipeError):
        return b''


def complete(data):
    head, separator, body = data.partition(b'\r\n\r\n')
    if not separator:
        return False
    headers = parse_head(head)[1]
    if headers.get('transfer-encoding') == 'chunked':
        return body.endswith(b'0\r\n\r\n')
    return len(body) >= int(headers.get('content-length', 0))


class Connection:
    """A connection for calls, opened anew when the server closed it."""

    def __init__(self, port):
        self.port = port
        self.socket = None

    def send(self, data):
        if self.socket is None:
            self.socket = socket.create_connection(('127.0.0.1', self.port), timeout=10)
        self.socket.sendall(data)

    def exchange(self, request, seconds=10, more=0, raw=False, silent=False):
        """Sends the bytes, reads one answer (after `more` others, which must be there).

        An endless answer is cut off after half a second. raw: all bytes; silent: None for nothing.
        """
        if self.socket is not None and self._was_closed():
            self.close()
        if self.socket is None:
            self.socket = socket.create_connection(('127.0.0.1', self.port), timeout=seconds)
        s, data = self.socket, b''
        s.settimeout(seconds)
        try:
            s.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass
        while not complete(data) or data.count(b'HTTP/1.1 ') <= more:
            if b'transfer-encoding: chunked' in data.lower():
                s.settimeout(0.5)
            try:
                piece = receive(s)
            except socket.timeout:
                if silent and not data:
                    return None
                if not data:
                    raise
                break
            if not piece:
                self.close()
                return Answer(data, False)
            data += piece
        return data if raw else Answer(data)

    def _was_closed(self):
        self.socket.setblocking(False)
        try:
            return not self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None


class Stream:
    """A subscription: puts ('head', Answer), ('record', bytes), ('end', how) with its name in a queue.

    Reads chunks and RecordIO strictly: one record a chunk, as Mesos writes them.
    """

    def __init__(self, name, port, request, inbox):
        self.name = name
        self.inbox = inbox
        self.ours = False
        self.ended = False
        self.raw = b''
        self.socket = socket.create_connection(('127.0.0.1', port), timeout=10)
        self.socket.sendall(request)
        self.socket.settimeout(None)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def close(self):
        self.ours = True
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(5)
        self.socket.close()

    def _put(self, what, value):
        self.inbox.put((self.name, what, value))

    def _fill(self, until):
        while not until():
            piece = receive(self.socket)
            if not piece:
                return False
            self.raw += piece
        return True

    def _read(self):
        try:
            self._read_all()
        except (OSError, ValueError) as error:
            if not self.ours:
                self._put('end', f'unreadable: {error!r}')

    def _read_all(self):
        if not self._fill(lambda: b'\r\n\r\n' in self.raw):
            return self._put('end', 'tcp connection closed')
        head, _, self.raw = self.raw.partition(b'\r\n\r\n')
        answer = Answer(head + b'\r\n\r\n')
        self._put('head', answer)
        if 'content-length' in answer.headers:
            length = int(answer.headers['content-length'])
            self._fill(lambda: len(self.raw) >= length)
            return self._put('end', 'no stream: ' + self.raw[:300].decode('latin-1'))
        return self._chunks()

    def _chunks(self):
        while self._fill(lambda: b'\r\n' in self.raw):
            line, _, rest = self.raw.partition(b'\r\n')
            if line.startswith(b'HTTP/1.1 '):  # an answer in the middle of the stream
                self._fill(lambda: b'\r\n\r\n' in self.raw)
                head, _, self.raw = self.raw.partition(b'\r\n\r\n')
                self._put('answer', Answer(head + b'\r\n\r\n'))
                continue
            size = int(line, 16)
            if f'{size:x}'.encode() != line:
                raise ValueError(f'chunk size {line!r}')
            self.raw = rest
            if not self._fill(lambda: len(self.raw) >= size + 2):
                break
            chunk, tail, self.raw = self.raw[:size], self.raw[size:size + 2], self.raw[size + 2:]
            if tail != b'\r\n':
                raise ValueError(f'{tail!r} after a chunk')
            if size == 0:
                self.ended = True
                self._put('end', 'end of body (zero chunk)')
                continue
            length, _, record = chunk.partition(b'\n')
            if str(len(record)).encode() != length:
                raise ValueError(f'record length {length!r} before {len(record)} bytes')
            self._put('record', record)
        if not self.ours and not self.ended:
            self._put('end', 'tcp connection closed')


def new_inbox():
    return queue.Queue()
