"""The contract of /v1/version and its neighbours, byte by byte, with requests that no client sends."""
import socket
import time

import wire
from box import expect, wait_for
from cluster import Cluster
from tap import case, main


def post(body, *headers, path='/v1/version', method='POST', length=True):
    lines = [f'{method} {path} HTTP/1.1', 'Host: localhost', *headers]
    if length:
        lines.append(f'Content-Length: {len(body)}')
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


BAD = [  # name, request, status
    ('a command after the version', post(b'1.1.5; rm -rf /'), 400),
    ('1 MB', post(b'1' * 1_000_000), 413),
    ('10 MB', post(b'1' * 10_000_000), 413),
    ('4097 bytes', post(b'1' * 4097), 413),
    ('4096 bytes', post(b'1' * 4096), 400),
    ('6 MB of a form', post(b'a=b&' * 1_500_000,
                            'Content-Type: application/x-www-form-urlencoded'), 413),
    ('a NUL byte', post(b'\0'), 400),
    ('a NUL byte within', post(b'1.1\0.5'), 400),
    ('blanks', post(b'   '), 400),
    ('a line end alone', post(b'\r\n'), 400),
    ('blanks around', post(b' 1.1.5 '), 400),
    ('two lines', post(b'1.1.5\n1.1.6'), 400),
    ('129 characters', post(b'1' * 129), 400),
    ('a dot first', post(b'.1'), 400),
    ('a dash first', post(b'-1'), 400),
    ('a slash', post(b'1/2'), 400),
    ('a colon', post(b'1:2'), 400),
    ('not ASCII', post('1.1.5\u00e9'.encode()), 400),
    ('a form', post(b'version=1.1.5', 'Content-Type: application/x-www-form-urlencoded'), 400),
    ('no Content-Length', post(b'', length=False), 400),
    ('chunks', post(b'5\r\n1.1.5\r\n0\r\n\r\n', 'Transfer-Encoding: chunked', length=False), 400),
    ('no chunks', post(b'0\r\n\r\n', 'Transfer-Encoding: chunked', length=False), 400),
    ('PUT', post(b'1.1.9', method='PUT'), 405),
    ('DELETE', post(b'', method='DELETE'), 405),
    ('PUT of a health', post(b'', path='/v1/health', method='PUT'), 405),
    ('a longer path', post(b'1.1.9', path='/v1/versionXYZ'), 404),
    ('a path below', post(b'1.1.9', path='/v1/version/'), 404),
    ('nowhere', b'GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n', 404),
    ('a foreign Origin', post(b'1.1.9', 'Origin: http://evil.example'), 403),
    ('a foreign site', post(b'1.1.9', 'Sec-Fetch-Site: cross-site'), 403),
    ('a foreign Origin shuts down', post(b'', 'Origin: http://evil.example'), 403),
]


def expect_one_line(answer, name):
    text = answer.text.rstrip('\r\n')
    expect(text and '\n' not in text and '\r' not in text and len(text) < 300, f'{name}: {answer}')
    expect('/work' not in text and '0x' not in text, f'{name}: {answer}')


def refuses(cluster, target):
    """Every bad request gets its status and one line; the target stays."""
    for name, request, status in BAD:
        answer = wire.exchange(cluster.port, request)
        expect(answer is not None, f'{name}: no answer')
        expect(answer.status == status, f'{name}: wanted {status}, got {answer}')
        expect_one_line(answer, name)
        if status == 405:
            allowed = answer.headers.get('allow', '')
            expect('GET' in allowed, f'{name}: Allow is {allowed!r}')
            expect('health' in name or 'POST' in allowed, f'{name}: Allow is {allowed!r}')
        cluster.daemon.expect_running()
        expect(cluster.version() == target, f'after {name} the target is {cluster.version()!r}')


@case('bad requests on a fresh daemon change nothing')
def bad_fresh(box):
    cluster = Cluster(box).start()
    refuses(cluster, '')
    expect(not cluster.services(), 'a bad request started services')
    expect(cluster.plan()['kind'] in ('', 'none', None), f'{cluster.plan()}')


@case('bad requests on a running deployment change nothing')
def bad_running(box):
    cluster = Cluster(box).start()
    cluster.deploy('1.1.5')
    before = {t.id: t.state for t in cluster.services()}
    number = cluster.plan().get('number')
    refuses(cluster, '1.1.5')
    expect({t.id: t.state for t in cluster.services()} == before, 'a bad request changed services')
    expect(cluster.plan().get('number') == number, f'a new plan: {cluster.plan()}')


@case('GET answers exactly the target; line ends of a POST are trimmed')
def exact(box):
    cluster = Cluster(box).start()
    answer = cluster.get('/v1/version')
    expect(answer.body == b'' and answer.headers.get('content-length') == '0', f'{answer}')
    for text, target in ((b'1.1.5', '1.1.5'), (b'1.1.6\n', '1.1.6'), (b'1.1.7\r\n', '1.1.7'),
                         (b'x' * 128, 'x' * 128), (b'_1', '_1'), (b'a.b-c_D9', 'a.b-c_D9')):
        answer = wire.exchange(cluster.port, post(text), 30)
        expect(answer and answer.status == 200 and answer.text.strip() == target, f'{text}: {answer}')
        expect(cluster.get('/v1/version').body == target.encode(), f'{cluster.get("/v1/version")}')
    answer = wire.exchange(cluster.port, post(b'1.1.8', 'Sec-Fetch-Site: same-origin'), 30)
    expect(answer and answer.status == 200, f'the dashboard\'s own POST: {answer}')
    answer = wire.exchange(cluster.port, post(b''), 30)
    expect(answer and answer.status == 200 and answer.body == b'', f'a shut down: {answer}')
    expect(cluster.version() == '', f'{cluster.version()!r}')
    answer = wire.exchange(cluster.port, post(b''), 30)
    expect(answer and answer.status == 200, f'a second shut down: {answer}')


@case('JSON pages are JSON, health is text')
def pages(box):
    cluster = Cluster(box).start()
    cluster.deploy('1.1.5')
    for name in ('plan', 'hosts', 'services', 'tasks', 'offers', 'state', 'config'):
        answer = cluster.get(f'/v1/{name}')
        expect(answer.status == 200 and 'json' in answer.headers.get('content-type', ''), f'{answer}')
        expect(answer.json() is not None, f'{answer}')
    plan = cluster.plan()
    for key in ('kind', 'from', 'target', 'status', 'paused', 'reason', 'phases'):
        expect(key in plan, f'/v1/plan has no {key}: {plan}')
    for phase in plan['phases']:
        expect({'name', 'service', 'status', 'steps'} <= set(phase), f'{phase}')
        for step in phase['steps']:
            expect({'id', 'service', 'host', 'version', 'status', 'reasons'} <= set(step), f'{step}')
    verbose = cluster.get('/v1/health?verbose')
    expect(verbose.status == 200 and len(verbose.text.splitlines()) > 1, f'{verbose}')
    expect(cluster.get('/v1/health?strict').status == 200, 'strict health of a complete deployment')


@case('slow and broken clients hold nobody up')
def slow_clients(box):
    cluster = Cluster(box).start()
    idle = [socket.create_connection(('127.0.0.1', cluster.port)) for _ in range(50)]
    half = socket.create_connection(('127.0.0.1', cluster.port))
    half.sendall(b'POST /v1/version HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n1.')
    started = time.monotonic()
    expect(cluster.version() == '', 'half a request set a target')
    expect(time.monotonic() - started < 5, 'idle clients hold others up')
    half.close()
    for s in idle:
        s.close()
    flood = socket.create_connection(('127.0.0.1', cluster.port))
    try:
        for i in range(20000):
            flood.sendall(b'X-%d: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n' % i
                          if i else b'GET / HTTP/1.1\r\n')
    except OSError:
        pass  # it hung up: fine
    flood.close()
    wait_for(lambda: cluster.version() == '', 10, 'it still answers after endless headers')
    with socket.create_connection(('127.0.0.1', cluster.port)) as nonsense:
        nonsense.sendall(b'\x16\x03\x01\x02\x00\x01nonsense\r\n\r\n')
    cluster.daemon.expect_running()
    expect(cluster.version() == '', 'nonsense set a target')


main()
