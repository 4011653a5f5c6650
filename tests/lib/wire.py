"""HTTP as the tests need it: a polite client, and raw bytes for requests that no client sends."""
import http.client
import json
import socket


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # names in lower case
        self.body = body

    @property
    def text(self):
        return self.body.decode(errors='replace')

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f'{self.status} {self.headers} {self.body[:300]!r}'


def call(port, method, path, body=None, headers=None, seconds=15):
    """One request on a connection of its own. Content-Length is sent for every body, also b''."""
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=seconds)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()},
                      response.read())
    except http.client.HTTPException as error:
        raise OSError(f'{method} {path}: {error!r}') from error
    finally:
        connection.close()


def exchange(port, request, seconds=15):
    """Sends exact bytes, half-closes nothing, reads one answer. None when there was no answer.

    A server may answer and close before it has read all: sending goes on as long as it is taken.
    """
    with socket.create_connection(('127.0.0.1', port), timeout=seconds) as s:
        try:
            s.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read_answer(s)


def read_answer(s):
    data = b''
    while b'\r\n\r\n' not in data:
        piece = receive(s)
        if not piece:
            return None
        data += piece
    head, body = data.split(b'\r\n\r\n', 1)
    lines = head.decode('latin-1').split('\r\n')
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(':')
        headers[name.strip().lower()] = value.strip()
    wanted = int(headers.get('content-length', 0))
    while len(body) < wanted:
        piece = receive(s)
        if not piece:
            break
        body += piece
    return Answer(int(lines[0].split()[1]), headers, body)


def receive(s):
    try:
        return s.recv(65536)
    except ConnectionResetError:
        return b''
