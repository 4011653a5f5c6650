"""With whom the driver does not subscribe at all, and what it says to a master about itself."""
import json
import time

from box import expect, wait_for
from driver_process import lines, start, wait_lines
from fake_master import (HEARTBEAT, STREAM, FakeMaster, answer, chunk, field, offer, offers, record,
                         subscribed)
from tap import case, main

LOOK = {'FIXTURE_LOOK': '1'}
UPDATE_FRAMEWORK = 17


def master_of(version):
    def stream(send, number):
        send(STREAM + chunk(record(subscribed(version=version))) + chunk(record(HEARTBEAT)))
    return stream


def framework(name='fixture', connected=False, tasks=(), unreachable=(), **more):
    return {'id': 'F-1234', 'name': name, 'connected': connected, 'active': connected,
            'tasks': [{'state': s} for s in tasks],
            'unreachable_tasks': [{'state': s} for s in unreachable], **more}


def knows(*frameworks, completed=()):
    text = json.dumps({'frameworks': frameworks, 'completed_frameworks': completed})
    return lambda send, n: send(answer(200, text, 'Content-Type: application/json'))


@case('masters before 1.4 are refused, with their version')
def too_old(box):
    for version in ('1.3.2', '0.28.2'):
        master = FakeMaster(master_of(version))
        driver = start(box, master.address)
        expect(driver.wait(20) == 9, f'{version}: {driver.popen.returncode}')
        ended = lines(driver, 'ENDED')
        expect(len(ended) == 1 and version in ended[0] and '1.4' in ended[0], driver.log())
        expect(not lines(driver, 'SUBSCRIBED'), 'the planner was told')
        expect(len(master.subscribes()) == 1 and not master.calls(), master.requests)


@case('masters from 1.4 on, forks and such without version are taken')
def new_enough(box):
    for version in ('1.4.0', '1.11.1', '2.0.0', '1.9.0-fork.7', 'unheard-of', None):
        driver = start(box, FakeMaster(master_of(version)).address)
        wait_lines(driver, 'SUBSCRIBED')


def updates(master):
    return [c for c in master.calls() if field(2, UPDATE_FRAMEWORK) in c.body[:20]]


@case('an old framework says its registration once more, from Mesos 1.9 on')
def update(box):
    for version, framework_id, wanted in [('1.9.0', 'F-0000', 1), ('1.11.1', 'F-0000', 1),
                                          ('1.8.1', 'F-0000', 0), (None, 'F-0000', 0),
                                          ('1.11.1', '', 0)]:
        master = FakeMaster(master_of(version))
        start(box, master.address, framework_id)
        # The fixture reconciles when it is subscribed: that call comes after the other one.
        wait_for(lambda: any(field(2, 9) in c.body[:20] for c in master.calls()), 10, 'RECONCILE')
        expect(len(updates(master)) == wanted, f'{version} {framework_id}: {updates(master)}')


@case('what a master does not take over is said')
def update_refused(box):
    text = ("FrameworkInfo update is not valid: Updating 'FrameworkInfo.user' is unsupported; attempted "
            "to update from 'root' to 'quobyte'")

    def call(send, number):
        send(answer(400, text) if number == 1 else answer(202))

    master = FakeMaster(master_of('1.11.1'), call)
    driver = start(box, master.address, 'F-0000')
    wait_for(lambda: len(master.calls()) >= 2, 10, 'two calls')
    wait_for(lambda: 'UPDATE_FRAMEWORK' in driver.log() and "to 'quobyte'" in driver.log(), 10,
             'the warning')
    expect(not lines(driver, 'DISCONNECTED'), driver.log())


@case('a live framework of our name: no subscription, but its id and what to do')
def namesake(box):
    for other, n in [(framework(connected=True), 0), (framework(tasks=['TASK_RUNNING'] * 3), 3),
                     (framework(tasks=['TASK_RUNNING', 'TASK_FAILED'],
                                unreachable=['TASK_UNREACHABLE']), 2)]:
        master = FakeMaster(master_of('1.11.1'), on_get=knows(framework('other', True), other))
        driver = start(box, master.address, environment=LOOK)
        expect(driver.wait(20) == 8, driver.popen.returncode)
        ended = lines(driver, 'ENDED')
        for word in ('F-1234', f'{n} tasks', '--framework_id=F-1234', '--new'):
            expect(len(ended) == 1 and word in ended[0], f'{word}: {ended}')
        expect(not master.subscribes(), 'subscribed')


@case('dead frameworks of our name, and live ones of others, are in nobody\'s way')
def no_namesake(box):
    for known in (knows(), knows(framework('fixture-2', True, ['TASK_RUNNING'])),
                  knows(framework(tasks=['TASK_KILLED'])),
                  knows(completed=[framework(tasks=['TASK_RUNNING'])])):
        master = FakeMaster(master_of('1.11.1'), on_get=known)
        driver = start(box, master.address, environment=LOOK)
        wait_lines(driver, 'SUBSCRIBED')
        expect(len(master.gets()) == 1, master.gets())


@case('with a framework id nobody is asked')
def known_id(box):
    master = FakeMaster(master_of('1.11.1'), on_get=knows(framework(connected=True)))
    driver = start(box, master.address, 'F-1234', environment=LOOK)
    wait_lines(driver, 'SUBSCRIBED')
    expect(not master.gets(), 'asked')


@case('the question follows redirects, waits for a master, and goes with credentials')
def question(box):
    leader = FakeMaster(master_of('1.11.1'), on_get=lambda send, n: (
        send(answer(503, 'No leader elected')) if n < 3 else knows()(send, n)))
    follower = FakeMaster(master_of('1.11.1'), on_get=lambda send, n: send(answer(
        307, '', f'Location: //{leader.address}/master/frameworks')))
    driver = start(box, follower.address, '', 'princ', 'geheim', environment=LOOK)
    wait_lines(driver, 'SUBSCRIBED', 1, 30)
    expect(not follower.subscribes() and len(leader.subscribes()) == 1, 'asked one, took another')
    for request in follower.gets() + leader.gets():
        expect(request.headers.get('authorization') == 'Basic cHJpbmM6Z2VoZWlt', request.headers)
    expect('geheim' not in driver.log(), 'secret in the log')


@case('a master that does not let us look is subscribed to with a warning')
def not_allowed(box):
    master = FakeMaster(master_of('1.11.1'), on_get=lambda send, n: send(answer(403, 'Forbidden')))
    driver = start(box, master.address, environment=LOOK)
    wait_lines(driver, 'SUBSCRIBED')
    expect('does not let us see its frameworks' in driver.log(), driver.log())


@case('a list of masters, the first of which is away or talks rubbish')
def rubbish(box):
    other = FakeMaster(master_of('1.11.1'), on_get=lambda send, n: send(answer(200, '{"frameworks": 1}')))
    master = FakeMaster(master_of('1.11.1'), on_get=knows())
    driver = start(box, f'127.0.0.1:1,{other.address},{master.address}', environment=LOOK)
    wait_lines(driver, 'SUBSCRIBED', 1, 30)
    expect(len(master.subscribes()) == 1 and not other.subscribes(), 'the wrong one')


STRANGE = {  # what newer masters may send: nothing of it ends the subscription
    'an event of type 99': field(1, 99) + field(99, b'x'),
    'an event without type': field(50, 'x'),
    'an event of type 0': field(1, 0),
    'a known type without its content': field(1, 2),
    'an unknown field in a known event': field(1, 8) + field(1000, 'y'),
    'a status of unknown state, source and reason': field(1, 4) + field(4, field(1, (
        field(1, field(1, 't')) + field(2, 77) + field(9, 55) + field(10, 99)))),
    'an offer with a resource of unknown type': field(1, 2) + field(3, field(1, offer(900, 'odd') + field(
        5, field(1, 'x') + field(2, 9)))),
}


@case('unknown events, fields and numbers are lived with')
def strange(box):
    def stream(send, number):
        send(STREAM + chunk(record(subscribed(version='1.11.1'))))
        for event in STRANGE.values():
            send(chunk(record(event)))
        send(chunk(record(offers(offer(1, 'after')))))

    master = FakeMaster(stream)
    driver = start(box, master.address)
    wait_for(lambda: any('after' in l for l in lines(driver, 'OFFER')), 20, 'the offer after them')
    expect(len(lines(driver, 'OFFER')) == 2, lines(driver, 'OFFER'))
    expect(not lines(driver, 'DISCONNECTED'), driver.log())


@case('a master that reads slowly gets all calls, one after the other')
def slow_reader(box):
    def stream(send, number):
        send(STREAM + chunk(record(subscribed(version='1.11.1'))))
        send(chunk(record(offers(*[offer(n, 'h') for n in range(2000)]))))

    def call(send, number):
        time.sleep(0.2 if number < 10 else 0)
        send(answer(202))

    master = FakeMaster(stream, call)
    driver = start(box, master.address)
    wait_for(lambda: len(master.calls()) == 2001, 40, 'all calls')
    expect(not lines(driver, 'DISCONNECTED'), driver.log())


if __name__ == '__main__':
    main()
