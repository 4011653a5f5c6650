"""A mesos-sim of its own for each scenario, and its agents as the recorded ones were configured."""
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

PATIENCE = float(os.environ.get('QM_TEST_PATIENCE', '1'))
RESOURCES = 'ports:[{}-{}];cpus:4;mem:4096;disk:10000'
THREE = [
    {'hostname': '127.0.0.1', 'zone': 'zone-a', 'region': 'region-1',
     'resources': 'ports:[21100-21199];cpus:4;mem:4096;disk:10000',
     'attributes': {'rack': 'r1', 'ssd': 'true', 'level': '10', 'zone_ports': '[10-20]',
                    'label': 'hot'}},
    {'hostname': '127.0.0.2', 'zone': 'zone-b', 'region': 'region-1',
     'resources': 'ports:[21200-21299];things:{a,b,c};cpus:3;mem:3584;disk:10000;'
                  'cpus(db):1;mem(db):512;ports(db):[22200-22209]',
     'attributes': {'rack': 'r2', 'ssd': 'false'}},
    {'hostname': '127.0.0.3', 'zone': 'zone-c', 'region': 'region-1',
     'resources': 'ports:[21300-21399];cpus:4;mem:4096;disk:1000', 'attributes': {'rack': 'r3'},
     'disks': [{'type': 'MOUNT', 'root': '/mnt/disk1', 'size': 2000},
               {'type': 'PATH', 'root': '/mnt/disk2', 'size': 3000},
               {'type': 'PATH', 'root': '/mnt/disk2', 'size': 500, 'role': 'db'}]},
]


class Simulator:
    def __init__(self, program, agents, speed, options):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='qm-conformance-'))
        ready = self.directory / 'ready'
        cluster = self.directory / 'cluster.yaml'
        cluster.write_text(json.dumps({'agents': agents, **options.get('cluster', {})}))
        self.speed = speed
        flags = list(options.get('flags', []))
        if 'credentials' in options:
            (self.directory / 'credentials').write_text(options['credentials'])
            flags.append(f'--credentials={self.directory}/credentials')
        self.log_path = self.directory / 'log'
        with open(self.log_path, 'wb') as log:
            self.popen = subprocess.Popen(
                [str(program), '--port=0', f'--cluster={cluster}', f'--ready-file={ready}',
                 f'--dir={self.directory}/hosts', f'--speed={speed}', '--seed=7',
                 *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 20 * PATIENCE
        while not ready.exists():
            if self.popen.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError('mesos-sim did not start: ' + self.log())
            time.sleep(0.01)
        self.born = time.monotonic()
        self.port = int(ready.read_text())
        self.names = [name for name, _ in self._agents()]
        self.agent_ports = [int(port) for _, port in self._agents()]

    def _agents(self):
        return re.findall(r'^agent (\S+) http://127\.0\.0\.1:(\d+)', self.log(), re.M)

    def log(self):
        return self.log_path.read_text(errors='replace')

    def get(self, path, method='GET'):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=10)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def order(self, path):
        """A fault: what the operator or the weather did."""
        status, text = self.get('/sim/' + path, 'POST')
        if status != 200:
            raise RuntimeError(f'POST /sim/{path}: {status} {text}')

    def close(self):
        """Ends it; returns what a sanitizer had to say, '' for nothing."""
        if self.popen.poll() is None:
            self.popen.terminate()
        try:
            code = self.popen.wait(20 * PATIENCE)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            code = 'no end'
        log = self.log()
        shutil.rmtree(self.directory, ignore_errors=True)
        if code != 0 or 'Sanitizer' in log or 'runtime error:' in log:
            return f'mesos-sim: exit code {code}\n{log[-3000:]}'
        return ''
