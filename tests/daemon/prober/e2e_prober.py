#!/usr/bin/env python3
"""quobyte-mesos-prober as a process: by hand, and as an executor of mesos-sim's agents."""
import base64
import json
import os
import pathlib
import re
import shlex
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TESTS / 'lib'))
sys.path.insert(0, str(TESTS / 'mesos-sim/test'))

import tap  # noqa: E402
import wire  # noqa: E402
from box import expect, holds_for, wait_for  # noqa: E402
from tap import case  # noqa: E402
from wirescheduler import Scheduler  # noqa: E402

BUILD = pathlib.Path(os.environ.get('QM_BUILD_ROOT', 'build')).resolve()
SIM = BUILD / 'tests/mesos-sim/mesos-sim'
PROBER = BUILD / 'daemon/quobyte-mesos-prober'
EXECUTOR = {'executor_id': {'value': 'prober-1'}}
KINDS = ['untyped', 'registry', 'metadata', 'data']


# ---- the probe messages, by hand: another reading of probe.proto than the product's ----

def fields(data):
    """(number, value) of a protobuf message; value is int or bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            expect(key & 7 == 2, f'wire type {key & 7}')
            length = varint()
            yield key >> 3, data[at:at + length]
            at += length


def device(data):
    names = {1: 'type', 2: 'bootstrap', 3: 'mount', 4: 'filesystem', 5: 'serial', 6: 'model', 7: 'id',
             8: 'warning', 9: 'size_mib', 10: 'free_mib'}
    found = {names[n]: v.decode() if isinstance(v, bytes) else v for n, v in fields(data)}
    return {**found, 'type': KINDS[found['type']]}


class Report:
    def __init__(self, data):
        self.sequence = None
        self.boot_id = self.warning = ''
        self.devices, self.listening = {}, []
        self.has_mount_point = False
        for number, value in fields(data):
            if number == 1:
                self.sequence = value
            elif number == 2:
                self.boot_id = value.decode()
            elif number == 3:
                found = device(value)
                self.devices[found['mount']] = found
            elif number == 4:
                self.listening.append(value)
            elif number == 5:
                self.has_mount_point = bool(value)
            elif number == 6:
                self.warning = value.decode()


def request(sequence, ports=(), mount_point=''):
    def varint(value):
        text = b''
        while value > 127:
            text += bytes([value & 127 | 128])
            value >>= 7
        return text + bytes([value])
    text = b'\x08' + varint(sequence) if sequence else b''
    for port in ports:
        text += b'\x10' + varint(port)
    if mount_point:
        text += b'\x1a' + varint(len(mount_point)) + mount_point.encode()
    return base64.b64encode(text).decode()


# ---- a framework with a prober ----

class Site:
    """mesos-sim with one agent, and a framework that runs a prober there."""

    def __init__(self, box, checkpoint=True, data=None, fetched=False):
        ready = box.directory / 'ready'
        self.hosts = box.directory / 'hosts'
        self.sim = box.start('mesos-sim', [SIM, '--port=0', '--agents=1', f'--ready-file={ready}',
                                           f'--dir={self.hosts}', '--verbose'])
        wait_for(lambda: ready.exists() or self.sim.expect_running(), 20, 'mesos-sim is ready')
        self.port = int(ready.read_text())
        self.scheduler = Scheduler(self.port, {'checkpoint': checkpoint})
        self.scheduler.subscribe()
        self.pids = box.directory / 'pids'
        self.launch(data, fetched)

    def launch(self, data, fetched):
        # The shell notes which process it becomes: tests look at it from outside.
        program = './quobyte-mesos-prober' if fetched else shlex.quote(str(PROBER))
        command = f'echo $$ >> {shlex.quote(str(self.pids))}; exec {program} --log_level=debug'
        info = {**EXECUTOR, 'command': {'value': command}}
        if fetched:
            info['command']['uris'] = [{'value': str(PROBER), 'executable': True}]
        offer = self.scheduler.offers()[0]
        self.agent_id = offer['agent_id']
        more = {'data': data} if data else {}
        self.scheduler.launch(offer, Scheduler.task(offer, 'prober', executor=info, **more))
        status = self.scheduler.update()
        expect(status['state'] == 'TASK_RUNNING', f'first update: {status}')
        self.pid = int(self.pids.read_text().split()[-1])

    def report(self, wanted=lambda report: True):
        """The next report that is as wanted."""
        while True:
            report = Report(base64.b64decode(self.scheduler.wait('MESSAGE')['data']))
            if wanted(report):
                return report

    def tell(self, data):
        self.scheduler.send('MESSAGE', message={'agent_id': self.agent_id, **EXECUTOR, 'data': data})

    def fault(self, path):
        answer = wire.call(self.port, 'POST', f'/sim/agents/agent-1/{path}')
        expect(answer.status == 200, f'{path}: {answer}')

    def alive(self):
        # Once dead it may wait as a zombie for somebody to look.
        try:
            state = pathlib.Path(f'/proc/{self.pid}/stat').read_text().rsplit(') ', 1)[1][0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        return state != 'Z'

    def log(self):
        return '\n'.join(p.read_text(errors='replace') for p in self.hosts.rglob('stderr'))

    def marker(self, mount, name='QUOBYTE_DEV_SETUP'):
        return self.hosts / 'agent-1' / mount.lstrip('/') / name


@case('reports all devices at its start')
def first_report(box):
    site = Site(box)
    report = site.report()
    kinds = sorted((d['type'], d['bootstrap'], d['warning']) for d in report.devices.values())
    expect(kinds == [('data', 0, ''), ('metadata', 0, ''), ('registry', 1, '')], f'devices: {kinds}')
    expect(all(d['serial'] and d['size_mib'] for d in report.devices.values()), f'{report.devices}')
    expect(re.fullmatch('[0-9a-f-]{36}', report.boot_id), f'boot id {report.boot_id!r}')
    expect(report.warning == '', report.warning)


@case('runs where the fetcher brings it')
def fetched(box):
    site = Site(box, fetched=True)
    expect(len(site.report().devices) == 3, 'three devices')
    program = os.readlink(f'/proc/{site.pid}/exe')
    expect(program.startswith(str(site.hosts)), f'it is the copy in the sandbox: {program}')


@case('reports by itself what is tagged, registered and untagged')
def changes(box):
    site = Site(box)
    mount = next(m for m, d in site.report().devices.items() if d['type'] == 'data')
    site.marker(mount, 'QUOBYTE_DEV_ID').write_text('device.id=17\n')
    site.report(lambda r: r.devices[mount].get('id') == '17')
    site.marker(mount).unlink()
    site.marker(mount, 'QUOBYTE_DEV_ID').unlink()
    site.report(lambda r: mount not in r.devices)

    (site.hosts / 'agent-1/mnt/new disk').mkdir()
    with open(site.hosts / 'agent-1/mounts', 'a') as table:
        table.write('/dev/new /mnt/new\\040disk xfs rw 0 0\n')
    # Mounted first, tagged later: both are to be noticed.
    wait_for(lambda: 'found 2 devices' in site.log() or not site.alive(), 20, 'a scan')
    site.marker('/mnt/new disk').write_text('device.serial=NEW\ndevice.type=DATA_DEVICE\n')
    report = site.report(lambda r: '/mnt/new disk' in r.devices)
    expect(report.devices['/mnt/new disk']['type'] == 'data', f'{report.devices}')
    expect(report.devices['/mnt/new disk']['serial'] == 'NEW', f'{report.devices}')


@case('answers what it is asked, by its task and by messages')
def questions(box):
    site = Site(box, data=request(0, [7861], '/quobyte'))
    expect(not site.report().has_mount_point, 'there is no mount point yet')
    (site.hosts / 'agent-1/quobyte').mkdir()
    net = site.hosts / 'agent-1/proc/1/net'
    net.mkdir(parents=True)
    (net / 'tcp').write_text('  sl  local_address\n   0: 00000000:1EB5 00000000:0000 0A 0\n'
                             '   1: 00000000:1EB6 00000000:0000 0A 0\n')
    site.tell(request(41))
    report = site.report(lambda r: r.sequence == 41)
    expect(report.has_mount_point and report.listening == [7861], f'{vars(report)}')
    site.tell(request(42, [7862, 7863]))
    report = site.report(lambda r: r.sequence == 42)
    expect(not report.has_mount_point and report.listening == [7862], f'{vars(report)}')
    site.tell(base64.b64encode(b'\xff\xff\xff nonsense').decode())
    site.tell(request(43))
    site.report(lambda r: r.sequence == 43)


@case('a kill ends its task and then the program')
def kill(box):
    site = Site(box)
    site.scheduler.send('KILL', kill={'task_id': {'value': 'prober'}, 'agent_id': site.agent_id})
    status = site.scheduler.update()
    expect(status['state'] == 'TASK_KILLED' and status['source'] == 'SOURCE_EXECUTOR', f'{status}')
    failure = site.scheduler.wait('FAILURE')
    expect(failure['status'] == 0, f'{failure}')
    wait_for(lambda: not site.alive(), 10, 'the program ends')


@case('a shutdown ends everything within the grace period')
def shutdown(box):
    site = Site(box)
    site.scheduler.send('SHUTDOWN', shutdown={'agent_id': site.agent_id, **EXECUTOR})
    expect(site.scheduler.update()['state'] == 'TASK_KILLED', 'its task is reported as killed')
    failure = site.scheduler.wait('FAILURE')
    expect(failure['status'] == 0, f'{failure}')


@case('SIGTERM is a shutdown')
def sigterm(box):
    site = Site(box)
    os.kill(site.pid, 15)
    expect(site.scheduler.update()['state'] == 'TASK_KILLED', 'its task is reported as killed')
    expect(site.scheduler.wait('FAILURE')['status'] == 0, 'exit status')


@case('a teardown of the framework ends it')
def teardown(box):
    site = Site(box)
    site.scheduler.send('TEARDOWN')
    wait_for(lambda: not site.alive(), 15, 'the program ends')


@case('outlives a restart of its agent and reports again')
def agent_restart(box):
    site = Site(box)
    site.report()
    site.fault('kill')
    wait_for(lambda: 'Mesos agent' in site.log(), 10, 'the loss is logged')
    site.fault('restart')
    site.report()
    site.tell(request(7))
    site.report(lambda r: r.sequence == 7)
    expect(site.alive(), 'it is still the same process')
    expect(len(site.pids.read_text().split()) == 1, 'it was started once')


@case('without checkpoint it ends with its agent')
def no_checkpoint(box):
    site = Site(box, checkpoint=False)
    site.report()
    site.fault('kill')
    wait_for(lambda: not site.alive(), 10, 'the program ends')


@case('an agent that forgot us ends it')
def new_agent_id(box):
    site = Site(box)
    site.report()
    site.fault('restart?new_id=1')
    wait_for(lambda: not site.alive(), 20, 'the program ends')


@case('by hand: --scan prints the devices of any host')
def scan(box):
    site = Site(box)
    place = [f'--root={site.hosts}/agent-1', f'--mounts={site.hosts}/agent-1/mounts']
    code, text = box.run('scan', [PROBER, '--scan', *place])
    expect(code == 0 and len(text.splitlines()) == 4, f'{code}: {text}')
    code, text = box.run('json', [PROBER, '--scan', '--json'],
                         environment={'QUOBYTE_PROBER_ROOT': f'{site.hosts}/agent-1',
                                      'QUOBYTE_PROBER_MOUNTS': f'{site.hosts}/agent-1/mounts'})
    devices = [json.loads(line) for line in text.splitlines()]
    expect(code == 0 and sorted(d['type'] for d in devices) == ['data', 'metadata', 'registry'], text)
    code, text = box.run('nowhere', [PROBER, '--scan', '--root', '/nowhere'])
    expect(code == 1 and '/nowhere' in text, f'{code}: {text}')


@case('the command line is checked')
def usage(box):
    code, text = box.run('version', [PROBER, '--version'])
    expect(code == 0 and re.fullmatch(r'quobyte-mesos-prober \d+\.\d+\.\d+\n', text), f'{code}: {text}')
    code, text = box.run('help', [PROBER, '--help'])
    expect(code == 0 and '--scan' in text, f'{code}: {text}')
    for arguments, words in [(['--nonsense'], 'nonsense'), (['--root'], 'root'), (['more'], 'more'),
                             (['--log-level=loud'], 'log_level'), ([], 'MESOS_AGENT_ENDPOINT')]:
        code, text = box.run('usage', [PROBER, *arguments])
        expect(code == 2 and words in text and len(text.splitlines()) <= 2, f'{arguments}: {code}: {text}')
    code, text = box.run('environment', [PROBER], environment={
        'MESOS_AGENT_ENDPOINT': '127.0.0.1:5051', 'MESOS_FRAMEWORK_ID': 'f', 'MESOS_EXECUTOR_ID': 'e',
        'MESOS_RECOVERY_TIMEOUT': 'long'})
    expect(code == 2 and 'MESOS_RECOVERY_TIMEOUT' in text, f'{code}: {text}')


if __name__ == '__main__':
    tap.main()
