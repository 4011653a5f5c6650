"""The driver and masters that speak TLS: names are verified, what is wrong is said, and tried again."""
import socket
import ssl
import subprocess
import threading

from box import expect, wait_for
from driver_process import lines, start, wait_lines
from fake_master import HEARTBEAT, STREAM, FakeMaster, answer, chunk, offer, offers, record, subscribed
from tap import case, main


def openssl(box, *arguments):
    done = subprocess.run(['openssl', *arguments], cwd=box.directory, capture_output=True, text=True)
    expect(done.returncode == 0, f'openssl {arguments}: {done.stderr}')


class Authority:
    def __init__(self, box, name):
        self.box, self.name = box, name
        self.pem = box.directory / f'{name}.pem'
        openssl(box, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                '-keyout', f'{name}.key', '-out', f'{name}.pem', '-days', '2', '-subj', f'/CN={name}')

    def issue(self, name, alternative, days='2'):
        """A certificate; returns the paths of it and of its key."""
        self.box.write(f'{name}.ext', f'subjectAltName={alternative}\n')
        openssl(self.box, 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                '-keyout', f'{name}.key', '-out', f'{name}.csr', '-subj', f'/CN={name}')
        openssl(self.box, 'x509', '-req', '-in', f'{name}.csr', '-CA', f'{self.name}.pem', '-CAkey',
                f'{self.name}.key', '-CAcreateserial', '-days', days, '-extfile', f'{name}.ext', '-out',
                f'{name}.pem')
        return self.box.directory / f'{name}.pem', self.box.directory / f'{name}.key'


def context(certificate, clients=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(*map(str, certificate))
    if clients:
        c.verify_mode = ssl.CERT_REQUIRED
        c.load_verify_locations(str(clients.pem))
    return c


class Plain:
    """Answers 400 to whatever comes first."""

    def __init__(self):
        self.server = socket.create_server(('127.0.0.1', 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            s, _ = self.server.accept()
            with s:
                s.recv(65536)
                s.sendall(answer(400, 'Bad Request'))


def healthy(send, number):
    send(STREAM + chunk(record(subscribed())) + chunk(record(HEARTBEAT)) +
         chunk(record(offers(*[offer(n, f'h{n}') for n in range(5)]))))


def expect_refused(driver, *words):
    """One line says all the words, once, though it is tried again."""
    def said():
        return [l for l in driver.log().splitlines() if 'warning' in l and all(w in l for w in words)]
    wait_for(said, 10, f'a line with {words}')
    wait_for(lambda: driver.log().count('backing off') >= 1, 10, 'it backs off')
    expect(len(said()) == 1, said())
    expect(not lines(driver, 'SUBSCRIBED'), 'subscribed nevertheless')
    driver.expect_running()


@case('a master of a trusted authority is spoken to, calls too')
def trusted(box):
    ca = Authority(box, 'ca')
    master = FakeMaster(healthy, tls=context(ca.issue('master', 'DNS:localhost,IP:127.0.0.1')))
    for host in ('localhost', '127.0.0.1'):
        driver = start(box, f'https://{host}:{master.port}', environment={'FIXTURE_CA': str(ca.pem)})
        wait_lines(driver, 'SUBSCRIBED')
        wait_lines(driver, 'OFFER', 5)
    wait_for(lambda: len(master.calls()) == 12, 10, 'two reconciles and ten declines')
    expect(len({c.connection for c in master.requests}) == 4, 'not two connections each')


@case('connections that are closed while idle are opened again')
def idle(box):
    ca = Authority(box, 'ca')

    def call(send, number):
        send(answer(202))
        return False

    master = FakeMaster(healthy, call, tls=context(ca.issue('master', 'IP:127.0.0.1')))
    driver = start(box, f'https://127.0.0.1:{master.port}', environment={'FIXTURE_CA': str(ca.pem)})
    wait_lines(driver, 'SUBSCRIBED', 1)
    wait_for(lambda: len(master.calls()) >= 6, 20, f'all calls')


@case('a stranger is not trusted')
def stranger(box):
    ca, other = Authority(box, 'ca'), Authority(box, 'other')
    master = FakeMaster(healthy, tls=context(other.issue('master', 'DNS:localhost')))
    driver = start(box, f'https://localhost:{master.port}', environment={'FIXTURE_CA': str(ca.pem)})
    expect_refused(driver, f'localhost:{master.port}', 'not accepted', 'unable to get local issuer')
    expect(not master.requests, 'something was sent')


@case('a certificate for another host is not accepted, by name or address')
def other_host(box):
    ca = Authority(box, 'ca')
    master = FakeMaster(healthy, tls=context(ca.issue('master', 'DNS:mesos.example.com,IP:192.0.2.1')))
    for host in ('localhost', '127.0.0.1'):
        driver = start(box, f'https://{host}:{master.port}', environment={'FIXTURE_CA': str(ca.pem)})
        expect_refused(driver, 'is for mesos.example.com', '192.0.2.1', f'not for {host}')
    expect(not master.requests, 'something was sent')


@case('without a CA file the authorities of the host count, and ours is none of them')
def host_authorities(box):
    ca = Authority(box, 'ca')
    master = FakeMaster(healthy, tls=context(ca.issue('master', 'DNS:localhost')))
    driver = start(box, f'https://localhost:{master.port}')
    expect_refused(driver, 'not accepted')


@case('a client certificate is shown where it is asked for')
def client(box):
    ca = Authority(box, 'ca')
    certificate, key = ca.issue('daemon', 'DNS:daemon')
    master = FakeMaster(healthy, tls=context(ca.issue('master', 'DNS:localhost'), clients=ca))
    environment = {'FIXTURE_CA': str(ca.pem), 'FIXTURE_CERT': str(certificate), 'FIXTURE_KEY': str(key)}
    driver = start(box, f'https://localhost:{master.port}', environment=environment)
    wait_lines(driver, 'SUBSCRIBED')
    bare = start(box, f'https://localhost:{master.port}', environment={'FIXTURE_CA': str(ca.pem)})
    expect_refused(bare, 'wants a certificate of us')


@case('https of a master that speaks http, and the other way round')
def mixed(box):
    ca = Authority(box, 'ca')
    plain = Plain()
    driver = start(box, f'https://localhost:{plain.port}', environment={'FIXTURE_CA': str(ca.pem)})
    expect_refused(driver, 'TLS failed: wrong version number')
    secure = FakeMaster(healthy, tls=context(ca.issue('master', 'DNS:localhost')))
    driver = start(box, f'localhost:{secure.port}')
    wait_for(lambda: 'backing off' in driver.log(), 20, 'a try that failed')
    expect(not lines(driver, 'SUBSCRIBED'), 'subscribed')


@case('a certificate that becomes good is taken without a restart')
def mended(box):
    ca = Authority(box, 'ca')
    bad = context(ca.issue('bad', 'DNS:mesos.example.com'))
    master = FakeMaster(healthy, tls=bad)
    driver = start(box, f'https://localhost:{master.port}', environment={'FIXTURE_CA': str(ca.pem)})
    expect_refused(driver, 'is for mesos.example.com')
    master.tls = context(ca.issue('good', 'DNS:localhost'))
    wait_lines(driver, 'SUBSCRIBED')


@case('files that cannot be used are refused at the start')
def files(box):
    box.write('rubbish.pem', 'rubbish')
    ca = Authority(box, 'ca')
    for environment, word in [
            ({'FIXTURE_CA': '/nonexistent.pem'}, 'mesos.tls.ca_file'),
            ({'FIXTURE_CA': str(box.directory / 'rubbish.pem')}, 'mesos.tls.ca_file'),
            ({'FIXTURE_CERT': str(box.directory / 'rubbish.pem')}, 'mesos.tls.cert_file'),
            ({'FIXTURE_CERT': str(ca.pem), 'FIXTURE_KEY': '/nonexistent'}, 'mesos.tls.key_file'),
            ({'FIXTURE_CERT': str(ca.pem)}, 'mesos.tls.key_file'),
            ({'FIXTURE_KEY': str(ca.pem)}, 'mesos.tls.cert_file')]:
        driver = start(box, 'https://localhost:5050', environment=environment)
        expect(driver.wait(10) == 2, f'{environment}: {driver.log()}')
        expect(len(driver.log().splitlines()) == 1 and word in driver.log(), driver.log())
    driver = start(box, 'localhost:5050', environment={'FIXTURE_CA': str(ca.pem)})
    expect(driver.wait(10) == 2 and 'mesos.tls.enabled' in driver.log(), driver.log())


if __name__ == '__main__':
    main()
