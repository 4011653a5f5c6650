"""The wire between daemon and master breaks in every way that it can: the cluster converges all the same.

A man in the middle (wire_proxy) breaks it; what runs is asked of mesos-sim behind it.
"""
import ssl
import subprocess
import time

import wire
from box import expect, holds_for, wait_for
from cluster import ELEVEN, Cluster, Watcher, agents_named
from fake_master import field, offer
from tap import case, main
from wire_proxy import Proxy

SLOW_IMAGES = {'images': {'start_s': 0.3}}


def cluster_behind(box, tls=None, heartbeat=None, **options):
    """A cluster whose containers need a moment, and the proxy that its daemon sees as the master."""
    description = {**agents_named('agent-1', 'agent-2', 'agent-3'), **SLOW_IMAGES}
    cluster = Cluster(box, description=description, **options)
    proxy = Proxy(cluster.master_port, tls, heartbeat)
    cluster.master = proxy.address
    cluster.start()
    return cluster, proxy


def launched(cluster, count):
    def begun():
        return len([t for t in cluster.tasks() if t.service != 'prober']) >= count
    wait_for(begun, 30, f'{count} services are launched', every=0.005)


def converges(cluster, seconds=60):
    """Eleven RUNNING at the end, the plan complete, and no place was ever given two tasks."""
    cluster.await_counts(ELEVEN, seconds, '1.1.5')
    cluster.await_plan_complete()
    cluster.expect_never_doubled()
    frameworks, completed = cluster.frameworks()
    expect(len(frameworks) == 1 and not completed, f'{frameworks} {completed}')


def deployment_with(box, fault, **options):
    """The fault falls into a deployment three times."""
    cluster, proxy = cluster_behind(box, **options)
    cluster.post('1.1.5')
    with Watcher(cluster) as watcher:
        for count in (1, 4, 8):
            launched(cluster, count)
            wait_for(proxy.streams, 20, 'a stream')
            fault(proxy)
        converges(cluster)
    expect(not watcher.doubled, f'two live tasks at one place: {watcher.doubled}')
    expect(proxy.stray == 0, 'the daemon wrote on the stream')
    return cluster, proxy


def subscribed_again(cluster):
    return cluster.daemon.log().count('subscribed at Mesos master') > 1


@case('the stream is cut between two records')
def cut(box):
    cluster, _ = deployment_with(box, Proxy.cut)
    expect(subscribed_again(cluster), 'never subscribed again')


@case('the stream is cut in the middle of a record')
def cut_in_record(box):
    cluster, _ = deployment_with(box, Proxy.cut_in_record)
    expect(subscribed_again(cluster), 'never subscribed again')


@case('the stream is cut between a chunk and its CRLF')
def cut_in_chunk(box):
    cluster, _ = deployment_with(box, Proxy.cut_in_chunk)
    expect(subscribed_again(cluster), 'never subscribed again')


@case('the body ends, the connection stays open')
def end_without_fin(box):
    cluster, _ = deployment_with(box, Proxy.end_without_fin)
    expect(subscribed_again(cluster), 'never subscribed again')


@case('ERROR, then the end')
def error(box):
    def fault(proxy):
        proxy.inject(field(1, 7) + field(8, field(1, 'Something of a newer master')))
        proxy.end_without_fin()
    cluster, _ = deployment_with(box, fault)
    expect(subscribed_again(cluster), 'never subscribed again')


@case('silence: the missing heartbeats tell')
def silence(box):
    # Time passes 50 times faster for the master: a heartbeat comes every 0.3 s, and says so here.
    cluster, proxy = cluster_behind(box, heartbeat=0.5, sim_flags=['--speed=50'])
    cluster.post('1.1.5')
    launched(cluster, 3)
    expect(proxy.mute() == 1, 'no stream')
    wait_for(lambda: 'no heartbeat' in cluster.daemon.log(), 20, 'the silence is noticed')
    converges(cluster)


@case('calls are executed, their answers get lost')
def lost_answers(box):
    cluster, proxy = deployment_with(box, lambda p: p.lose_answers(1))
    expect(proxy.lost >= 2, f'{proxy.lost} answers were lost')
    expect(subscribed_again(cluster), 'never subscribed again')


@case('events of unknown type, and nothing but heartbeats')
def unknown_events(box):
    def fault(proxy):
        proxy.inject(field(1, 99) + field(99, b'new'))
        for _ in range(50):
            proxy.inject(field(1, 8))
    cluster, _ = deployment_with(box, fault)
    expect(not subscribed_again(cluster), 'unknown events ended the subscription')


def huge_offers(count, padding):
    attribute = field(1, 'a') + field(2, 3) + field(5, field(1, 'x' * padding))
    one = [offer(n, f'elsewhere-{n}') + field(6, attribute) for n in range(count)]
    return field(1, 2) + field(3, b''.join(field(1, o) for o in one))


@case('an OFFERS event of more than 10 MiB')
def many_offers(box):
    event = huge_offers(2000, 5300)
    expect(len(event) > 10 * 1024 * 1024, len(event))
    cluster, proxy = cluster_behind(box, config={'placement': {'hosts': ['agent-*']}})
    cluster.post('1.1.5')
    launched(cluster, 1)
    proxy.inject(event)
    converges(cluster)
    expect(not subscribed_again(cluster), 'the big event ended the subscription')


@case('a master that takes calls slowly, and streams late')
def slow(box):
    cluster, proxy = cluster_behind(box)
    proxy.slow(10000)
    proxy.delay(0.05)
    cluster.post('1.1.5')
    converges(cluster)
    expect(not subscribed_again(cluster), 'slowness ended the subscription')


@case('updates are held back, come late, and twice')
def late_updates(box):
    cluster, _ = cluster_behind(box)
    cluster.fault('updates/duplicate')
    cluster.post('1.1.5')
    launched(cluster, 1)
    cluster.fault('updates/hold')
    holds_for(lambda: cluster.daemon.running(), 1, 'the daemon waits')
    cluster.fault('updates/release')
    converges(cluster)


@case('the master cannot be reached for a while, and restarts meanwhile')
def away(box):
    cluster, proxy = cluster_behind(box)
    cluster.deploy('1.1.5')
    before = {t.id for t in cluster.services()}
    proxy.refuse()
    wait_for(lambda: 'connected' in cluster.get('/v1/health?verbose').text, 10, 'it serves')
    cluster.fault('master/restart')
    time.sleep(1)  # some tries that fail
    proxy.heal()
    wait_for(lambda: subscribed_again(cluster), 40, 'it is subscribed again')
    wait_for(lambda: {t.id for t in cluster.services()} == before, 40, 'the same tasks are known')
    cluster.await_plan_complete()
    cluster.expect_never_doubled()


def certificate(box):
    """A certificate for localhost that is its own authority: (certificate, key)."""
    files = box.directory / 'proxy.pem', box.directory / 'proxy.key'
    done = subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
         '-keyout', files[1], '-out', files[0], '-days', '2', '-subj', '/CN=localhost', '-addext',
         'subjectAltName=DNS:localhost,IP:127.0.0.1'], capture_output=True, text=True)
    expect(done.returncode == 0, done.stderr)
    return files


@case('over TLS, and again over TLS after the stream was cut')
def tls(box):
    pem, key = certificate(box)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    cluster, proxy = cluster_behind(box, tls=context,
                                    flags=['--mesos_tls', f'--mesos_tls_ca_file={pem}'])
    cluster.post('1.1.5')
    converges(cluster)
    expect(proxy.cut() == 1, 'no stream')
    wait_for(lambda: subscribed_again(cluster), 20, 'it is subscribed again')
    cluster.await_plan_complete()
    converges(cluster)


def tasks_of(cluster):
    """As the daemon lists them."""
    tasks = cluster.get_json('/v1/tasks')
    return tasks if isinstance(tasks, list) else tasks['tasks']


def lose_state(cluster):
    cluster.daemon.kill9()
    cluster.state_flags = [f'--state_dir={cluster.box.directory / "state" / "other"}']


@case('the state is lost: it does not begin a second time; the framework is adopted')
def state_lost(box):
    cluster = Cluster(box).start()
    cluster.deploy('1.1.5')
    before = {t.id for t in cluster.services()}
    framework = cluster.frameworks()[0][0]['id']
    lose_state(cluster)
    code, text = box.run('stateless', cluster.daemon_command(), 20)
    expect(code == 8, f'exit code {code}: {text}')
    for word in (framework, f'--framework_id={framework}', '--new', '14 tasks'):
        expect(word in text, f'{word!r} is not said: {text}')
    cluster.start_daemon(f'--framework_id={framework}')
    wait_for(lambda: [f['id'] for f in cluster.frameworks()[0] if f['active']] == [framework], 20,
             'it is subscribed under the old id')

    wait_for(lambda: before <= {t['id'] for t in tasks_of(cluster)}, 30,
             'the daemon knows the running tasks')
    cluster.post('1.1.5')
    holds_for(lambda: {t.id for t in cluster.services()} == before, 3, 'the same tasks run on')
    cluster.expect_never_doubled()
    cluster.daemon.terminate()
    cluster.start_daemon()  # the id is saved: no flag any more
    wait_for(lambda: [f['id'] for f in cluster.frameworks()[0] if f['active']] == [framework], 20,
             'again')


def teardown(cluster, framework):
    """As an operator does it, or a failover timeout."""
    answer = wire.call(cluster.master_port, 'POST', '/master/teardown',
                       body=f'frameworkId={framework}'.encode(),
                       headers={'Content-Type': 'application/x-www-form-urlencoded'})
    return answer.status == 200


@case('the framework was removed: code 5; begun anew only where nothing runs')
def removed(box):
    cluster = Cluster(box).start()
    cluster.deploy('1.1.5')
    framework = cluster.frameworks()[0][0]['id']
    cluster.daemon.terminate()
    expect(teardown(cluster, framework), 'no teardown')
    for flags in ([], ['--on_removed=start_anew']):
        code, text = box.run('removed', cluster.daemon_command(*flags), 20)
        expect(code == 5 and 'Framework has been removed' in text, f'exit code {code}: {text}')
    lose_state(cluster)  # nothing is recorded, and nothing is known of the old one but its end
    cluster.start_daemon('--on_removed=start_anew')
    cluster.deploy('1.1.6')
    # After a shut down no service is recorded: now it may begin anew, and keeps what it was told.
    cluster.post('')
    wait_for(lambda: not cluster.counts(), 30, 'nothing runs')
    second = next(f['id'] for f in cluster.frameworks()[0] if f['active'])
    wait_for(lambda: not [t for t in tasks_of(cluster) if t['service'] != 'prober'], 20, 'no records')
    expect(teardown(cluster, second), 'no teardown')
    wait_for(lambda: [f['id'] for f in cluster.frameworks()[0] if f['active']] not in ([], [second]),
             30, 'registered under another id')
    cluster.deploy('1.1.7')


if __name__ == '__main__':
    main()
