"""The command line and the files that it names: what is wrong is said in one line, with its place."""
import re

import wire
from box import expect, free_port, wait_for
from cluster import DAEMON, SIM, Cluster
from tap import case, main

GOOD = ['--master=127.0.0.1:1', '--docker_image=quobyte/quobyte-server']


def refused(box, flags, *words, code=2, program=DAEMON):
    """The program ends with this code and one line that says these words."""
    got, text = box.run('refused', [program, *flags], 20)
    expect(got == code, f'{flags}: exit code {got}, wanted {code}: {text}')
    lines = text.strip().splitlines()
    expect(len(lines) == 1, f'{flags}: {len(lines)} lines: {text}')
    for word in words:
        expect(word in lines[0], f'{flags}: {word!r} is not in {lines[0]!r}')


@case('bad flags')
def flags(box):
    state = f'--state_dir={box.directory / "state"}'
    refused(box, [*GOOD, state, '--nosuchflag=1'], 'nosuchflag')
    refused(box, [*GOOD, state, '--port=abc'], 'port', 'abc')
    refused(box, [*GOOD, state, '--port=70000'], 'port', '70000')
    refused(box, [*GOOD, state, '--port='], 'port')
    refused(box, [*GOOD, state, '--port'], 'port')
    refused(box, [*GOOD, state, '--port_range_base=1e3'], 'port_range_base')
    refused(box, [*GOOD, state, '--registry_resources=cpus:x;mem:1'], 'registry_resources')
    refused(box, [*GOOD, state, '--registry_resources=cpus:-1'], 'registry_resources')
    refused(box, [*GOOD, state, '--containerizer=rkt'], 'containerizer', 'rkt')
    refused(box, [*GOOD, state, 'stray'], 'stray')
    refused(box, ['--master=127.0.0.1:1', state], 'docker_image')
    refused(box, ['--docker_image=quobyte/quobyte-server', state], 'master')
    refused(box, [*GOOD, state, '--config=/nonexistent.yaml'], '/nonexistent.yaml')
    expect(not (box.directory / 'state').exists(), 'a refused start made the state directory')


@case('bad addresses')
def addresses(box):
    image = '--docker_image=quobyte/quobyte-server'
    state = f'--state_dir={box.directory / "state"}'
    refused(box, ['--master=127.0.0.1:notaport', image, state], 'master', 'notaport')
    refused(box, ['--master=zk://127.0.0.1', image, state], 'master')
    refused(box, ['--master=127.0.0.1:99999', image, state], 'master', '99999')
    refused(box, [*GOOD, '--zk=127.0.0.1:notaport'], 'zk', 'notaport')
    refused(box, [*GOOD, '--zk=127.0.0.1:99999'], 'zk', '99999')
    refused(box, [*GOOD, '--zk=127.0.0.1:1', '--zk_path=relative'], 'zk_path')


@case('bad YAML is refused with line and column')
def bad_yaml(box):
    state = f'--state_dir={box.directory / "state"}'
    for number, (text, line, words) in enumerate([
            ('images:\n  server: [unclosed\n', 3, []),
            ('\tmesos: 1\n', 1, []),
            ('http:\n  port: 7888\n  prot: 1\n', 3, ['prot']),
            ('http:\n  port: many\n', 2, ['port', 'many']),
            ('nosuchkey: 1\n', 1, ['nosuchkey']),
            ('services:\n  registry:\n    resources: "cpus:one"\n', 3, ['resources']),
            ('- a\n- b\n', 1, []),
            ('http:\n  port: 1\nhttp:\n  port: 2\n', 4, ['http']),
    ]):
        path = box.write(f'bad-{number}.yaml', text)
        got, said = box.run('yaml', [DAEMON, *GOOD, state, f'--config={path}', '--check-config'], 20)
        lines = said.strip().splitlines()
        expect(got == 2 and len(lines) == 1, f'{text!r}: exit code {got}: {said}')
        place = re.search(r'line (\d+), column (\d+)|:(\d+):(\d+):', lines[0])
        expect(place, f'{text!r}: no line and column in {lines[0]!r}')
        found = int(place.group(1) or place.group(3))
        # A scanner may notice an unclosed bracket only at the end of the text.
        expect(found == line or (number == 0 and found in (2, 3)), f'{text!r}: {lines[0]!r}')
        for word in words:
            expect(word in lines[0], f'{text!r}: {word!r} is not in {lines[0]!r}')


@case('--check-config, --version, --help')
def questions(box):
    config = box.write('good.yaml', 'images: {server: quobyte/quobyte-server}\nmaster: 127.0.0.1:5050\n')
    code, text = box.run('check', [DAEMON, f'--config={config}', '--check-config'], 20)
    expect(code == 0, f'--check-config: {code}: {text}')
    code, text = box.run('version', [DAEMON, '--version'], 20)
    expect(code == 0 and re.search(r'\d+\.\d+\.\d+', text), f'--version: {code}: {text}')
    code, text = box.run('help', [DAEMON, '--help'], 20)
    expect(code == 0, f'--help: {code}: {text}')
    for flag in ('master', 'zk', 'zk_path', 'port', 'docker_image', 'mesos_dns_domain', 'reset',
                 'restrict_hosts', 'registry_resources', 'config', 'state_dir', 'bind',
                 'service_command', 'containerizer', 'prober_uri', 'prober_command',
                 'framework_image', 'failover_timeout_s', 'client_mount_point'):
        expect(f'--{flag}' in text, f'--help does not name --{flag}')


@case('flags: dashes or underscores, with = or without; the command line wins over the file')
def forms(box):
    cluster = Cluster(box)
    config = box.write('forms.yaml', 'http: {port: 1}\nframework_name: from-file\n')
    box.write('state/keep', '')
    cluster.daemon = box.start('quobyte-mesosd', [
        DAEMON, '--master', cluster.master, '--docker-image', 'quobyte/quobyte-server', '--bind=127.0.0.1',
        f'--port={cluster.port}', '--state-dir', box.directory / 'state', '--config', config,
        '--registry_dns_name=_r._tcp.q', '--mesos-dns-domain', 'example'])

    def shown():
        cluster.daemon.expect_running()
        return cluster.get('/v1/config').status == 200
    wait_for(shown, 20, 'it serves')
    text = cluster.get('/v1/config').text
    for value in ('from-file', '_r._tcp.q', str(cluster.port), 'example'):
        expect(value in text, f'{value} is not in /v1/config: {text}')


@case('an unreachable ZooKeeper: the daemon keeps trying and says so')
def unreachable_zookeeper(box):
    port = free_port()
    cluster = Cluster(box)
    cluster.state_flags = [f'--zk=127.0.0.1:{port}']
    cluster.daemon = box.start('quobyte-mesosd', cluster.daemon_command())
    wait_for(lambda: str(port) in cluster.daemon.log(), 30, 'the log names the ZooKeeper address')
    cluster.daemon.expect_running()
    code = cluster.daemon.terminate(20)
    expect(code == 0, f'SIGTERM while it waits for ZooKeeper: exit code {code}')


@case('a port that is taken')
def taken_port(box):
    cluster = Cluster(box).start()
    command = [c for c in cluster.daemon_command() if not str(c).startswith('--state_dir')]
    code, text = box.run('second', [*command, f'--state_dir={box.directory / "state-2"}'], 20)
    expect(code not in (0, 2) and code > 0, f'exit code {code}: {text}')
    expect(str(cluster.port) in text, f'{text}')
    expect(wire.call(cluster.port, 'GET', '/v1/health').status == 200, 'the first one serves on')


@case('mesos-sim refuses a cluster file with a duplicate host')
def duplicate_host(box):
    path = box.write('double.yaml', 'agents:\n  - hostname: a\n  - hostname: b\n  - hostname: a\n')
    code, text = box.run('mesos-sim', [SIM, f'--port={free_port()}', f'--cluster={path}'], 20)
    expect(code > 0, f'exit code {code}: {text}')
    lines = text.strip().splitlines()
    expect(len(lines) == 1 and "'a'" in lines[0] and ':4:' in lines[0], f'{text}')


@case('mesos-sim refuses bad options')
def bad_sim_options(box):
    for flag, word in (('--port=abc', 'abc'), ('--agents=0', '0'), ('--agents=x', 'x'),
                       ('--speed=-1', '-1'), ('--nosuch', 'nosuch'), ('--cluster=/none.yaml', '/none')):
        code, text = box.run('mesos-sim', [SIM, flag], 20)
        lines = text.strip().splitlines()
        expect(code > 0 and len(lines) == 1 and word in lines[0], f'{flag}: {code}: {text}')


main()
