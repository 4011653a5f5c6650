#!/usr/bin/env python3
"""The operator API of mesos-sim, with answers recorded from Mesos 1.11.1."""
import json
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / 'lib'))
sys.path.insert(0, str(HERE))

import tap  # noqa: E402
import wire  # noqa: E402
from box import expect, wait_for  # noqa: E402
from simbox import get, start  # noqa: E402
from tap import case  # noqa: E402
from wirescheduler import Scheduler, Stream  # noqa: E402

JSON = {'Content-Type': 'application/json'}


def order(sim, kind, path='/api/v1', **more):
    return wire.call(sim.port, 'POST', path, json.dumps({'type': kind, **more}), JSON)


def expect_answer(answer, status, text, what):
    expect((answer.status, answer.text) == (status, text), f'{what}: {answer}')


def agent_id(sim, name):
    return next({'value': s['id']} for s in get(sim.port, '/slaves')['slaves'] if s['hostname'] == name)


@case('questions and mistakes get the recorded answers')
def questions(box):
    sim = start(box)
    invalid = 'Failed to validate master::Call: '
    for body, status, text in [
            ('{"type":"GET_HEALTH"}', 200, '{"type":"GET_HEALTH","get_health":{"healthy":true}}'),
            ('{"type":"GET_VERSION"}', 200,
             '{"type":"GET_VERSION","get_version":{"version_info":{"version":"1.11.1",'
             '"build_date":"2026-11-22","build_time":0.0,"build_user":"root"}}}'),
            ('{}', 400, f"{invalid}Expecting 'type' to be present"),
            ('{"type":"TEARDOWN"}', 400, f"{invalid}Expecting 'teardown' to be present"),
            ('{"type":"TEARDOWN","teardown":{"framework_id":{"value":"x"}}}', 400,
             'No framework found with specified ID'),
            ('{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"nosuch"}}}', 400, 'Unknown agent'),
            ('{"type":"MARK_AGENT_GONE","mark_agent_gone":{"agent_id":{"value":"x"}}}', 404,
             "Agent 'x' not found"),
            ('[]', 400, invalid + "Expecting 'type' to be present")]:
        for path in ['/api/v1', '/master/api/v1', '/api/v1/nosuch']:
            answer = wire.call(sim.port, 'POST', path, body, JSON)
            if body != '[]':
                expect_answer(answer, status, text, f'{path} {body}')
            expect(answer.status == status, f'{path} {body}: {answer}')
    expect_answer(wire.call(sim.port, 'GET', '/api/v1'), 405, "405 Method Not Allowed. Expecting one of "
                  "{ 'POST' }, but received 'GET'.", 'GET')
    expect_answer(wire.call(sim.port, 'POST', '/api/v1', '{"type":"GET_HEALTH"}',
                            {**JSON, 'Accept': 'text/html'}), 406, "Expecting 'Accept' to allow "
                  "'application/x-protobuf' or 'application/json'", 'Accept')


@case('a SUBSCRIBE at a mistyped path gets a stream of operator events')
def mistyped(box):
    sim = start(box)
    stream = Stream(sim.port, '/api/v1/schedular', {'type': 'SUBSCRIBE', 'subscribe': {
        'framework_info': {'user': 'root', 'name': 'lost'}}})
    expect('Mesos-Stream-Id' not in stream.headers, f'{stream.headers}')
    first = stream.event()
    expect(first['type'] == 'SUBSCRIBED' and 'get_state' in first['subscribed'], f'{first}')
    expect(stream.event() == {'type': 'HEARTBEAT'}, 'no heartbeat')
    expect(not get(sim.port, '/frameworks')['frameworks'], 'it became a framework')


@case('agents are drained, deactivated, reactivated and marked gone; frameworks torn down')
def orders(box):
    sim = start(box, agents=2)
    scheduler = Scheduler(sim.port)
    scheduler.subscribe()
    offer = next(o for o in scheduler.offers() if o['hostname'] == 'agent-1')
    scheduler.launch(offer, scheduler.task(offer, 'one', command={'value': 'exec sleep 1000'}))
    while scheduler.update()['state'] != 'TASK_RUNNING':
        pass
    agent = agent_id(sim, 'agent-1')
    expect_answer(order(sim, 'DRAIN_AGENT', drain_agent={
        'agent_id': agent, 'max_grace_period': {'seconds': 2, 'nanos': 0}}), 200, '', 'drain')
    status = scheduler.update()
    expect(status['state'] == 'TASK_KILLED' and status['reason'] == 'REASON_AGENT_DRAINING', f'{status}')

    def drained():
        agents = order(sim, 'GET_AGENTS').json()['get_agents']['agents']
        return any(a.get('drain_info') == {'state': 'DRAINED'} and a['deactivated'] and not a['active']
                   for a in agents if a['agent_info']['id'] == agent)
    wait_for(drained, 10, 'the agent is drained')
    for kind in ['REACTIVATE_AGENT', 'DEACTIVATE_AGENT', 'REACTIVATE_AGENT']:
        expect_answer(order(sim, kind, **{kind.lower(): {'agent_id': agent}}), 200, '', kind)
    expect_answer(order(sim, 'MARK_AGENT_GONE', mark_agent_gone={'agent_id': agent}), 200, '', 'gone')
    wait_for(lambda: [s['hostname'] for s in get(sim.port, '/slaves')['slaves']] == ['agent-2'], 10, 'gone')
    frameworks = order(sim, 'GET_FRAMEWORKS').json()['get_frameworks']['frameworks']
    expect(frameworks[0]['framework_info']['id']['value'] == scheduler.id, f'{frameworks}')
    expect_answer(order(sim, 'TEARDOWN', teardown={'framework_id': {'value': scheduler.id}}), 200, '',
                  'teardown')
    expect_answer(wire.call(sim.port, 'POST', '/master/teardown', f'frameworkId={scheduler.id}'), 400,
                  'No framework found with specified ID', 'a second teardown')
    other = Scheduler(sim.port)
    other.subscribe()
    expect_answer(wire.call(sim.port, 'POST', '/teardown', f'frameworkId={other.id}'), 200, '', 'teardown')


@case('a maintenance schedule is kept, shown and replaced')
def maintenance(box):
    sim = start(box, agents=2)
    scheduler = Scheduler(sim.port)
    scheduler.subscribe()
    scheduler.offers()
    when = {'start': {'nanoseconds': int(time.time() + 600) * 10**9},
            'duration': {'nanoseconds': 3600 * 10**9}}
    schedule = {'windows': [{'machine_ids': [{'hostname': 'agent-2'}], 'unavailability': when}]}
    answer = wire.call(sim.port, 'POST', '/maintenance/schedule', json.dumps(schedule))
    expect_answer(answer, 200, '', 'schedule')
    offer = scheduler.offers()[0]
    expect(offer['hostname'] == 'agent-2' and offer['unavailability'] == when, f'{offer}')
    scheduler.wait('INVERSE_OFFERS')
    expect(get(sim.port, '/maintenance/schedule') == schedule, 'the schedule is another one')
    expect_answer(wire.call(sim.port, 'POST', '/maintenance/schedule', '{}'), 200, '', 'empty schedule')
    expect('unavailability' not in scheduler.offers()[0], 'maintenance did not end')
    expect(get(sim.port, '/maintenance/schedule') == {}, 'a schedule is left')


if __name__ == '__main__':
    tap.main()
