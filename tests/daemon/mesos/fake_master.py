"""A master that does what a test tells it: scripted answers on real sockets, protobuf by hand."""
import socket
import threading


def varint(n):
    out = b''
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    """A bytes, text or integer field of protobuf."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def double(number, value):
    import struct
    return varint(number << 3 | 1) + struct.pack('<d', value)


def ident(text):
    return field(1, text)


def master_info(version):
    address = field(1, 'M') + field(2, 1) + field(3, 5050)
    return address + (field(6, version) if version else b'')


def subscribed(framework_id='F-0000', heartbeat=15.0, version=None):
    body = field(1, ident(framework_id)) + double(2, heartbeat)
    if version:
        body += field(3, master_info(version))
    return field(1, 1) + field(2, body)


def offer(n, host):
    cpus = field(1, 'cpus') + field(2, 0) + field(3, double(1, 4.0))
    return (field(1, ident(f'O{n}')) + field(2, ident('F-0000')) + field(3, ident(f'S{n}')) +
            field(4, host) + field(5, cpus))


def offers(*all_offers):
    return field(1, 2) + field(3, b''.join(field(1, o) for o in all_offers))


def error(text):
    return field(1, 7) + field(8, field(1, text))


HEARTBEAT = field(1, 8)


def record(event):
    return b'%d\n' % len(event) + event


def chunk(data):
    return b'%x\r\n' % len(data) + data + b'\r\n'


STREAM = (b'HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nMesos-Stream-Id: sid-1\r\n'
          b'Transfer-Encoding: chunked\r\n\r\n')
END = b'0\r\n\r\n'


def answer(status, body='', *headers):
    head = [f'HTTP/1.1 {status} X', f'Content-Length: {len(body)}', *headers]
    return ('\r\n'.join(head) + '\r\n\r\n' + body).encode()


class Request:
    def __init__(self, connection, head, body):
        lines = head.decode().split('\r\n')
        self.connection = connection
        self.line = lines[0]
        self.headers = {k.lower(): v for k, v in (l.split(': ', 1) for l in lines[1:])}
        self.body = body

    @property
    def is_get(self):
        return self.line.startswith('GET ')

    @property
    def is_subscribe(self):
        return not self.is_get and 'mesos-stream-id' not in self.headers


class FakeMaster:
    """Calls on_subscribe(send, number) for each SUBSCRIBE and on_call(send, number) for each call; both
    may return False to hang up. `send` takes bytes. on_get(send, number) answers GET; tls is an
    ssl.SSLContext."""

    def __init__(self, on_subscribe, on_call=None, on_get=None, tls=None):
        self.tls = tls
        self.on_get = on_get or (lambda send, n: send(answer(404)))
        self.on_subscribe = on_subscribe
        self.on_call = on_call or (lambda send, n: send(answer(202)))
        self.requests = []
        self.stray = []  # whatever came on a connection after its SUBSCRIBE
        self.lock = threading.Lock()
        self.server = socket.create_server(('127.0.0.1', 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def address(self):
        return f'127.0.0.1:{self.port}'

    def subscribes(self):
        return [r for r in self.requests if r.is_subscribe]

    def calls(self):
        return [r for r in self.requests if not r.is_subscribe and not r.is_get]

    def gets(self):
        return [r for r in self.requests if r.is_get]

    def accept(self):
        connection = 0
        while True:
            s, _ = self.server.accept()
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection += 1
            threading.Thread(target=self.serve, args=(s, connection), daemon=True).start()

    def serve(self, s, connection):
        data = b''
        try:
            if self.tls:
                s = self.tls.wrap_socket(s, server_side=True)
            while True:
                while b'\r\n\r\n' not in data:
                    piece = s.recv(65536)
                    if not piece:
                        return
                    data += piece
                head, data = data.split(b'\r\n\r\n', 1)
                request = Request(connection, head, b'')
                length = int(request.headers.get('content-length', '0'))
                while len(data) < length:
                    data += s.recv(65536)
                request.body, data = data[:length], data[length:]
                with self.lock:
                    self.requests.append(request)
                    if request.is_get:
                        kind, handle = self.gets(), self.on_get
                    elif request.is_subscribe:
                        kind, handle = self.subscribes(), self.on_subscribe
                    else:
                        kind, handle = self.calls(), self.on_call
                    number = len(kind)
                if handle(s.sendall, number) is False:
                    return
                if request.is_subscribe:
                    self.stray.append(data)
                    while piece := s.recv(65536):
                        self.stray.append(piece)
                    return
        except OSError:
            pass
        finally:
            s.close()
