"""The operator's hand over sockets: pause, resume, rollback, drain, forget, safe-to-stop."""
import wire
from box import expect, holds_for, wait_for
from cluster import ELEVEN, Cluster, agents_named
from tap import case, main


def order(cluster, path, status=200):
    answer = wire.call(cluster.port, 'POST', path, seconds=30)
    expect(answer.status == status, f'POST {path}: {answer}')
    return answer.json()


def deployed(box, **options):
    cluster = Cluster(box, description=agents_named('agent-1', 'agent-2', 'agent-3'), **options)
    cluster.start()
    cluster.deploy()
    cluster.await_plan_complete()
    return cluster


def refuse(cluster, path, status, word):
    answer = wire.call(cluster.port, 'POST', path, seconds=30)
    expect(answer.status == status, f'POST {path}: {answer}')
    error = answer.json()
    expect(error['error'] and word in error['message'], f'POST {path}: {error}')
    expect('\n' not in answer.text.rstrip('\n'), f'POST {path}: {answer}')


@case('pause, resume and rollback')
def pause_and_rollback(box):
    cluster = deployed(box)
    order(cluster, '/v1/plan/pause?for=2h&why=storage+is+busy')
    cluster.post('1.1.6')
    plan = cluster.plan()
    expect(plan['paused'] and plan['paused_why'] == 'storage is busy' and plan['paused_until_ms'],
           f'plan: {plan}')
    expect(plan['reason']['code'] == 'paused' and '/v1/plan/resume' in plan['reason']['remedy'],
           f'reason: {plan["reason"]}')
    page = cluster.get('/').text
    expect('storage is busy' in page, 'the dashboard tells the pause')
    holds_for(lambda: not cluster.services(version='1.1.6'), 1, 'paused means quiet')
    order(cluster, '/v1/plan/resume')
    refuse(cluster, '/v1/plan/resume', 409, 'nothing')
    wait_for(lambda: cluster.counts('1.1.6'), 30, 'something runs at 1.1.6')
    answer = wire.call(cluster.port, 'POST', '/v1/version', body=b'1.1.7')
    expect(answer.status == 409 and '1.1.5' in answer.text and '1.1.6' in answer.text,
           f'a third version: {answer}')
    order(cluster, '/v1/plan/rollback?why=wrong+one')
    expect(cluster.version() == '1.1.5', f'target {cluster.version()}')
    expect(cluster.plan()['kind'] == 'rollback', f'plan: {cluster.plan()}')
    cluster.await_plan_complete()
    cluster.await_counts(ELEVEN, 60, '1.1.5')
    events = cluster.get_json('/v1/state')['events']
    expect([e['order'] for e in events] == ['version', 'pause', 'version', 'resume', 'rollback'] and
           events[-1]['why'] == 'wrong one' and '127.0.0.1' in events[-1]['source'],
           f'events: {events}')


@case('bad orders change nothing')
def bad_orders(box):
    cluster = Cluster(box)
    cluster.start()
    refuse(cluster, '/v1/plan/pause?for=soon', 400, 'duration')
    refuse(cluster, '/v1/plan/steps/api.1/retry?plan=x', 400, 'plan')
    refuse(cluster, '/v1/plan/steps/api.77/retry', 404, 'no such step')
    refuse(cluster, '/v1/hosts/nowhere/drain', 404, 'no such host')
    refuse(cluster, '/v1/plan/rollback', 409, 'nothing to go back to')
    answer = wire.call(cluster.port, 'GET', '/v1/plan/pause')
    expect(answer.status == 405 and answer.headers['allow'] == 'POST', f'{answer}')
    answer = wire.call(cluster.port, 'POST', '/v1/plan/pause',
                       headers={'Origin': 'http://evil.example'})
    expect(answer.status == 403, f'{answer}')
    expect(not cluster.plan()['paused'], 'not paused')
    expect(cluster.get_json('/v1/state')['events'] == [], 'nothing happened')


@case('drain and readmit; forget a host whose agent was killed for good')
def drain_and_forget(box):
    cluster = deployed(box, sim_flags=['--speed=20'])
    cluster.await_probed()

    def left(host):
        return [t for t in cluster.services() if t.host == host]
    wait_for(lambda: cluster.get('/v1/hosts/agent-3/safe-to-stop').status == 200, 30,
             'safe to stop')
    order(cluster, '/v1/hosts/agent-3/drain?why=new+disks')
    wait_for(lambda: not left('agent-3'), 60, 'agent-3 is empty')
    host = [h for h in cluster.get_json('/v1/hosts')['hosts'] if h['name'] == 'agent-3'][0]
    expect(host['drained'] and host['drained_why'] == 'new disks', f'host: {host}')
    expect(host['reason']['code'] == 'drained' and '/readmit' in host['reason']['remedy'],
           f'host: {host}')
    expect('new disks' in cluster.get('/').text, 'the dashboard tells the drain')
    answer = cluster.get('/v1/hosts/agent-1/safe-to-stop')
    expect(answer.status == 409 and answer.json()['reason']['text'], f'{answer}')
    held = order(cluster, '/v1/hosts/agent-2/drain', 202)
    expect(held['reason']['text'], f'held: {held}')
    order(cluster, '/v1/hosts/agent-2/readmit')
    refuse(cluster, '/v1/hosts/agent-3/forget', 409, 'connected')
    order(cluster, '/v1/hosts/agent-3/readmit')
    cluster.await_counts(ELEVEN, 60)
    cluster.fault('agents/agent-3/kill')

    def lost():
        hosts = cluster.get_json('/v1/hosts')['hosts']
        return [h for h in hosts if h['name'] == 'agent-3' and not h['connected']]
    wait_for(lost, 120, 'agent-3 is lost')
    order(cluster, '/v1/hosts/agent-3/forget')
    wait_for(lambda: 'agent-3' not in [h['name'] for h in cluster.get_json('/v1/hosts')['hosts']],
             30, 'agent-3 is forgotten')
    cluster.post('1.1.6')
    cluster.await_plan_complete()


if __name__ == '__main__':
    main()
