#!/usr/bin/env python3
"""Who gets into mesos-sim: basic authentication and TLS. The answers were recorded from Mesos 1.11.1."""
import base64
import http.client
import json
import pathlib
import socket
import ssl
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / 'lib'))
sys.path.insert(0, str(HERE))

import tap  # noqa: E402
import wire  # noqa: E402
from box import expect, wait_for  # noqa: E402
from simbox import SIM, start  # noqa: E402
from tap import case  # noqa: E402
from wirescheduler import Scheduler  # noqa: E402


def basic(text):
    return 'Basic ' + base64.b64encode(text.encode()).decode()


# ---- basic authentication ----

@case('schedulers need the right principal and secret for every call')
def authentication(box):
    credentials = box.write('credentials', 'sched geheim\n\n  other  word  \n')
    sim = start(box, f'--credentials={credentials}')
    path = '/api/v1/scheduler'
    for given in [None, basic('sched:wrong'), basic('nobody:geheim'), 'b' + basic('sched:geheim')[1:],
                  basic('sched:geheim').replace(' ', '  '), 'Bearer x', 'Basic %', basic('sched'),
                  basic('sched:geheim:')]:
        headers = {'Authorization': given} if given else {}
        for method, body in [('GET', None), ('POST', 'garbage')]:
            answer = wire.call(sim.port, method, path, body, headers)
            expect(answer.status == 401 and answer.text == '401 Unauthorized.' and
                   answer.headers['www-authenticate'] == 'Basic realm="mesos-master-scheduler"',
                   f'{method} as {given}: {answer}')
    for open_path in ['/health', '/master/state', '/version']:
        expect(wire.call(sim.port, 'GET', open_path).status == 200, open_path)
    scheduler = Scheduler(sim.port, headers=[('Authorization', basic('sched:geheim'))])
    scheduler.subscribe()
    scheduler.send('SUPPRESS')
    scheduler.headers = []
    expect(scheduler.call('SUPPRESS').status == 401, 'a call without authorization')
    scheduler.headers = [('Authorization', basic('other:word'))]
    answer = scheduler.call('SUPPRESS')
    expect(answer.status == 400 and answer.text ==
           "Authenticated principal 'other' does not match principal 'sched' set in `FrameworkInfo`",
           f'a call of another principal: {answer}')


@case('a file of credentials is read strictly, and its secrets are not shown')
def credential_files(box):
    for text in ['sched\n', 'a geheim\nb geheim more\n', 'a:b geheim\n', '\n']:
        path = box.write('bad', text)
        code, said = box.run('mesos-sim', [SIM, f'--credentials={path}'])
        expect(code == 2 and "a line is 'principal secret'" in said and 'geheim' not in said and
               said.count('\n') == 1, f'{text!r}: {code} {said!r}')
    code, said = box.run('mesos-sim', [SIM, '--credentials=/nowhere'])
    expect(code == 1 and said.count('\n') == 1, f'no file: {code} {said!r}')


# ---- TLS ----

def openssl(box, *words):
    done = subprocess.run(['openssl', *words], cwd=box.directory, capture_output=True, text=True,
                          check=False)
    expect(done.returncode == 0, f'openssl {words[0]}: {done.stderr}')


def certificates(box):
    """ca.pem, and server and client (each .pem and .key) that it signed."""
    key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    openssl(box, 'req', '-x509', *key, '-subj', '/CN=test ca', '-keyout', 'ca.key', '-out', 'ca.pem')
    for name in ['server', 'client']:
        openssl(box, 'req', '-x509', *key, '-subj', f'/CN={name}', '-CA', 'ca.pem', '-CAkey', 'ca.key',
                '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
                '-addext', 'basicConstraints=critical,CA:FALSE',
                '-keyout', f'{name}.key', '-out', f'{name}.pem')


def connect(port, context):
    plain = socket.create_connection(('127.0.0.1', port), timeout=10)
    return context.wrap_socket(plain, server_hostname='localhost')


def subscribe_in_tls(port, context):
    """The head of a SUBSCRIBE answer and its first record, then the connection is closed."""
    info = {'user': 'root', 'name': 'tls', 'roles': ['web'], 'capabilities': [{'type': 'MULTI_ROLE'}]}
    body = json.dumps({'type': 'SUBSCRIBE', 'subscribe': {'framework_info': info}})
    with connect(port, context) as s:
        s.sendall(f'POST /api/v1/scheduler HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
                  f'Content-Length: {len(body)}\r\n\r\n{body}'.encode())
        data = b''
        while b'SUBSCRIBED' not in data:
            piece = s.recv(65536)
            expect(piece, f'closed after {data!r}')
            data += piece
        return data


@case('the master speaks TLS, and nothing else then')
def in_tls(box):
    certificates(box)
    at = box.directory
    sim = start(box, f'--tls-cert={at}/server.pem', f'--tls-key={at}/server.key')
    trusting = ssl.create_default_context(cafile=f'{at}/ca.pem')
    connection = http.client.HTTPSConnection('localhost', sim.port, timeout=10, context=trusting)
    for _ in range(2):
        connection.request('GET', '/master/state')
        response = connection.getresponse()
        expect(response.status == 200 and json.loads(response.read())['activated_slaves'] == 1, 'state')
    connection.close()
    expect(b'200 OK' in subscribe_in_tls(sim.port, trusting), 'SUBSCRIBE')
    with connect(sim.port, trusting) as s:
        s.sendall(b'GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        answer = b''
        s.suppress_ragged_eofs = False
        while piece := s.recv(4096):
            answer += piece
        expect(b'200 OK' in answer, f'an orderly close: {answer!r}')
    try:
        connect(sim.port, ssl.create_default_context())
        expect(False, 'a client that does not know the CA was content')
    except ssl.SSLCertVerificationError:
        pass
    with socket.create_connection(('127.0.0.1', sim.port), timeout=10) as s:
        s.sendall(b'GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
        expect(not wire.receive(s).startswith(b'HTTP'), 'plain HTTP was answered')


@case('with --tls-ca clients need a certificate')
def client_certificates(box):
    certificates(box)
    at = box.directory
    sim = start(box, f'--tls-cert={at}/server.pem', f'--tls-key={at}/server.key', f'--tls-ca={at}/ca.pem')
    context = ssl.create_default_context(cafile=f'{at}/ca.pem')
    try:
        subscribe_in_tls(sim.port, context)
        expect(False, 'a client without certificate got in')
    except OSError:
        pass
    context.load_cert_chain(f'{at}/client.pem', f'{at}/client.key')
    expect(b'200 OK' in subscribe_in_tls(sim.port, context), 'SUBSCRIBE')
    wait_for(sim.running, 1, 'it still runs')


@case('wrong files for TLS are named')
def tls_files(box):
    certificates(box)
    at = box.directory
    for flags, words in [([f'--tls-cert={at}/server.pem'], 'need each other'),
                         (['--tls-ca=x'], 'need each other'),
                         (['--tls-cert=/nowhere', '--tls-key=x'], "--tls-cert '/nowhere': "),
                         ([f'--tls-cert={at}/server.pem', f'--tls-key={at}/client.key'], '--tls-key'),
                         ([f'--tls-cert={at}/server.pem', f'--tls-key={at}/server.key', '--tls-ca=/x'],
                          "--tls-ca '/x': ")]:
        code, text = box.run('mesos-sim', [SIM, '--port=0', *flags])
        expect(code == 2 and words in text and text.count('\n') == 1, f'{flags}: {code} {text!r}')


if __name__ == '__main__':
    tap.main()
