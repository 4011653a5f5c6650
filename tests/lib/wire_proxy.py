"""A man in the middle of daemon and master: passes bytes on, and breaks things on order.

The daemon connects to `address`; everything goes to the master's port. A connection whose first request
is SUBSCRIBE is a stream, known by the missing Mesos-Stream-Id header; what the master streams can be
changed chunk by chunk. Faults hold until `heal()` or for the streams of their moment only:

    cut()                     every stream: closed between two records
    cut_in_record()           closed in the middle of a record, with a whole chunk
    cut_in_chunk()            closed between a chunk's data and its CRLF
    end_without_fin()         end of body, and the connection stays open
    mute()                    every stream: nothing passes any more, and nobody is told
    inject(event)             a whole record between two others
    delay(seconds)            what the master streams comes so much later
    slow(bytes_per_second)    calls are read so slowly
    lose_answers(count)       so many calls are executed, but their answers are lost
    refuse() / heal()         nobody gets through to the master / everything as it was
"""
import socket
import struct
import threading
import time


class Chunks:
    """Takes apart what a master sends after the head of a stream: whole chunks' data."""

    def __init__(self):
        self.data = b''

    def feed(self, data):
        self.data += data
        while b'\r\n' in self.data:
            line, rest = self.data.split(b'\r\n', 1)
            length = int(line, 16)
            if len(rest) < length + 2:
                return
            yield rest[:length]
            self.data = rest[length + 2:]


def chunk(data):
    return b'%x\r\n' % len(data) + data + b'\r\n'


def record(event):
    return b'%d\n' % len(event) + event


class Connection:
    def __init__(self, proxy, client):
        self.proxy, self.client = proxy, client
        self.master = None
        self.stream = False
        self.muted = False
        self.lock = threading.Lock()  # of what is sent to the client

    def close(self):
        for s in (self.client, self.master):
            if s is None:
                continue
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def say(self, data):
        with self.lock:
            if not self.muted:
                self.client.sendall(data)

    # ---- daemon to master ----

    def read_request(self, data):
        """(a whole request, what came after it); None at the end."""
        while b'\r\n\r\n' not in data:
            piece = self.client.recv(65536)
            if not piece:
                return None
            data += piece
        head, rest = data.split(b'\r\n\r\n', 1)
        length = 0
        for line in head.split(b'\r\n'):
            if line.lower().startswith(b'content-length:'):
                length = int(line.split(b':')[1])
        while len(rest) < length:
            piece = self.client.recv(65536)
            if not piece:
                return None
            rest += piece
        return head + b'\r\n\r\n' + rest[:length], rest[length:]

    def serve(self):
        rest = b''
        try:
            self.master = socket.create_connection(('127.0.0.1', self.proxy.port_of_master), timeout=60)
            while got := self.read_request(rest):
                request, rest = got
                head = request.split(b'\r\n\r\n')[0].lower()
                self.stream = head.startswith(b'post') and b'\r\nmesos-stream-id:' not in head
                if self.stream:
                    self.master.settimeout(None)
                    self.master.sendall(request)
                    self.pass_stream()
                    return
                if not self.pass_call(request):
                    return
        except (OSError, ValueError):
            pass
        finally:
            self.close()
            self.client.close()
            if self.master is not None:
                self.master.close()
            self.proxy.forget(self)

    def pass_call(self, request):
        rate = self.proxy.rate
        if rate:
            time.sleep(min(len(request) / rate, 1))
        self.master.sendall(request)
        answer = b''
        while b'\r\n\r\n' not in answer:
            piece = self.master.recv(65536)
            if not piece:
                return False
            answer += piece
        head, body = answer.split(b'\r\n\r\n', 1)
        length = 0
        for line in head.split(b'\r\n'):
            if line.lower().startswith(b'content-length:'):
                length = int(line.split(b':')[1])
        while len(body) < length:
            piece = self.master.recv(65536)
            if not piece:
                return False
            body += piece
        if request.startswith(b'POST') and self.proxy.take_loss():
            return False
        self.client.sendall(head + b'\r\n\r\n' + body)
        return True

    # ---- master to daemon ----

    def pass_stream(self):
        data = b''
        while b'\r\n\r\n' not in data:
            piece = self.master.recv(65536)
            if not piece:
                return
            data += piece
        head, rest = data.split(b'\r\n\r\n', 1)
        self.say(head + b'\r\n\r\n')
        if b'chunked' not in head:
            self.say(rest)
        threading.Thread(target=self.watch_client, daemon=True).start()
        chunks = Chunks()
        while True:
            for content in chunks.feed(rest):
                if self.proxy.lag:
                    time.sleep(self.proxy.lag)
                if self.proxy.heartbeat and b'\x08\x01\x12' in content[:16]:
                    content = content.replace(b'\x11' + struct.pack('<d', 15.0),
                                              b'\x11' + struct.pack('<d', self.proxy.heartbeat))
                self.say(chunk(content))
                if not content:
                    return
                self.proxy.records += 1
            rest = self.master.recv(65536)
            if not rest:
                return

    def watch_client(self):
        """A stream's client says nothing: what comes is the end, which the master must hear of."""
        try:
            while self.client.recv(65536):
                self.proxy.stray += 1
        except OSError:
            pass
        if not self.muted:
            self.close()


class Proxy:
    def __init__(self, port_of_master, tls=None, heartbeat=None):
        self.port_of_master = port_of_master
        self.heartbeat = heartbeat  # seconds that SUBSCRIBED shall name instead of 15
        self.tls = tls  # an ssl.SSLContext: the daemon must speak TLS with us
        self.connections = []
        self.lock = threading.Lock()
        self.records = 0  # that were passed on
        self.stray = 0    # pieces that a client wrote on a stream
        self.lag = self.rate = 0
        self.losses = self.lost = 0
        self.refusing = False
        self.server = socket.create_server(('127.0.0.1', 0))
        self.port = self.server.getsockname()[1]
        self.address = f'127.0.0.1:{self.port}'
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.server.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.refusing:
                client.close()
            else:
                threading.Thread(target=self.begin, args=(client,), daemon=True).start()

    def begin(self, client):
        try:
            if self.tls:
                client = self.tls.wrap_socket(client, server_side=True)
        except OSError:
            return
        connection = Connection(self, client)
        with self.lock:
            self.connections.append(connection)
        connection.serve()

    def forget(self, connection):
        with self.lock:
            if connection in self.connections:
                self.connections.remove(connection)

    def take_loss(self):
        with self.lock:
            if self.losses == 0:
                return False
            self.losses -= 1
            self.lost += 1
            return True

    def streams(self):
        with self.lock:
            return [c for c in self.connections if c.stream]

    def to_streams(self, data, then_close):
        """Sends bytes as they are to every stream; returns how many there were."""
        streams = self.streams()
        for c in streams:
            try:
                c.say(data)
            except OSError:
                pass
            if then_close:
                c.close()
        return len(streams)

    # ---- faults ----

    def cut(self):
        return self.to_streams(b'', True)

    def cut_in_record(self):
        return self.to_streams(chunk(b'1000\n\x08\x02'), True)

    def cut_in_chunk(self):
        return self.to_streams(chunk(record(b'\x08\x08'))[:-2], True)

    def end_without_fin(self):
        streams = self.streams()
        for c in streams:
            with c.lock:
                try:
                    c.client.sendall(b'0\r\n\r\n')
                except (BrokenPipeError, ConnectionResetError):
                    pass  # it hung up already: that is the end, too
                c.muted = True
        return len(streams)

    def mute(self):
        streams = self.streams()
        for c in streams:
            with c.lock:
                c.muted = True
        return len(streams)

    def inject(self, event):
        return self.to_streams(chunk(record(event)), False)

    def delay(self, seconds):
        self.lag = seconds

    def slow(self, bytes_per_second):
        self.rate = bytes_per_second

    def lose_answers(self, count):
        with self.lock:
            self.losses = count

    def refuse(self):
        self.refusing = True
        with self.lock:
            connections = list(self.connections)
        for c in connections:
            c.close()

    def heal(self):
        self.lag = self.rate = self.losses = 0
        self.refusing = False
