"""The driver against masters that misbehave, as real ones, proxies and networks do."""
import time

from box import expect, wait_for
from driver_process import lines, start, wait_lines
from fake_master import (END, HEARTBEAT, STREAM, FakeMaster, answer, chunk, error, field, ident, offer,
                         offers, record, subscribed)
from tap import case, main

def healthy(send, number):
    send(STREAM + chunk(record(subscribed())) + chunk(record(HEARTBEAT)))


@case('requests are what a master takes, on two connections')
def requests(box):
    master = FakeMaster(healthy)
    driver = start(box, master.address)
    wait_lines(driver, 'SUBSCRIBED')
    wait_for(lambda: master.calls(), 10, 'a call')
    subscribe, call = master.requests[:2]
    expect(subscribe.line == 'POST /api/v1/scheduler HTTP/1.1', subscribe.line)
    for request in (subscribe, call):
        expect(request.headers['host'] == master.address, request.headers)
        expect(request.headers['content-type'] == 'application/x-protobuf', request.headers)
        expect(request.headers['accept'] == 'application/x-protobuf', request.headers)
        expect('authorization' not in request.headers, request.headers)
        expect('libprocess' not in request.headers.get('user-agent', ''), request.headers)
    expect('mesos-stream-id' not in subscribe.headers, 'stream id with SUBSCRIBE')
    expect(call.headers['mesos-stream-id'] == 'sid-1', call.headers)
    expect(subscribe.connection != call.connection, 'both on one connection')
    expect(not any(master.stray), f'on the stream after SUBSCRIBE: {master.stray}')


@case('calls go one at a time, in order, over one connection')
def one_at_a_time(box):
    under_way = []

    def stream(send, number):
        healthy(send, number)
        send(chunk(record(offers(*[offer(n, f'h{n}') for n in range(40)]))))

    def slow(send, number):
        under_way.append(number)
        expect(len(under_way) == 1, 'two at a time')
        time.sleep(0.005)
        under_way.pop()
        send(answer(202))

    master = FakeMaster(stream, slow)
    driver = start(box, master.address)
    wait_for(lambda: len(master.calls()) >= 41, 20, '40 declines and a reconcile')
    calls = master.calls()
    expect(len({c.connection for c in calls}) == 1, 'more than one connection for calls')
    order = [n for c in calls[1:] for n in range(40) if field(1, ident(f'O{n}')) in c.body]
    expect(order == list(range(40)), order)
    expect(not lines(driver, 'DISCONNECTED'), 'disconnected')


@case('records are read however they are cut into chunks')
def chunks(box):
    data = record(subscribed()) + record(HEARTBEAT) + record(offers(offer(1, 'h1'), offer(2, 'h2')))
    data += record(HEARTBEAT) * 3 + record(offers(offer(3, 'h3')))

    def stream(send, number):
        if number == 1:
            send(STREAM + b''.join(chunk(data[i:i + 1]) for i in range(len(data))))
        elif number == 2:
            send(STREAM + chunk(data))
        else:
            for i in range(0, len(data), 7):
                send((STREAM if i == 0 else b'') + chunk(data[i:i + 7]))
                time.sleep(0.001)
        time.sleep(0.1)
        send(END)

    driver = start(box, FakeMaster(stream).address)
    wait_lines(driver, 'OFFER', 9)
    hosts = [l.split()[2] for l in lines(driver, 'OFFER')]
    expect(hosts[:9] == ['h1', 'h2', 'h3'] * 3, hosts)


@case('an OFFERS event of 10,000 agents')
def many_offers(box):
    event = offers(*[offer(n, f'host-{n}.example.com') for n in range(10000)])

    def stream(send, number):
        healthy(send, number)
        send(chunk(record(event)))

    master = FakeMaster(stream)
    driver = start(box, master.address)
    wait_for(lambda: len(master.calls()) >= 2000, 60, 'offers are declined')
    expect(not lines(driver, 'DISCONNECTED'), 'disconnected')


BROKEN = {  # what a stream goes on with after a good beginning
    'end of body, connection kept': END,
    'the connection closed': None,
    'a record cut off': b'7\r\n1000\nab\r\n',
    'no length': chunk(b'\n'),
    'a length that is none': chunk(b'12a\n'),
    'a length beyond all bounds': chunk(b'99999999999\n'),
    'no protobuf': chunk(record(b'\xff\xff\xff')),
    'SUBSCRIBED without framework id': chunk(record(b'\x08\x01\x12\x00')),
    'no chunk': b'HTTP/1.1 500 Internal Server Error\r\n\r\n',
    'an unknown ERROR': chunk(record(error('what?'))),
}


@case('every end of a stream leads to a new subscription')
def ends(box):
    def broken(after):
        def stream(send, number):
            healthy(send, number)
            if number > 1:
                return None
            time.sleep(0.02)
            if after is not None:
                send(after)
            return None if after == END else after is not None and b'1000\nab' not in after
        return stream

    drivers = {name: start(box, FakeMaster(broken(after)).address, 'F-0000')
               for name, after in BROKEN.items()}
    for name, driver in drivers.items():
        wait_lines(driver, 'SUBSCRIBED', 2)
        expect(len(lines(driver, 'DISCONNECTED')) == 1, f'{name}: {driver.log()}')
        driver.expect_running()


@case('silence is noticed by the missing heartbeats')
def silence(box):
    def stream(send, number):
        send(STREAM + chunk(record(subscribed(heartbeat=0.1))))

    driver = start(box, FakeMaster(stream).address)
    wait_lines(driver, 'SUBSCRIBED', 3)
    expect('no heartbeat' in driver.log(), 'reason not said')


@case('a redirect is followed to host and port')
def redirect(box):
    leader = FakeMaster(healthy)
    follower = FakeMaster(lambda send, n: send(answer(
        307, '', f'Location: //{leader.address}/master/api/v1/scheduler')))
    driver = start(box, follower.address)
    wait_lines(driver, 'SUBSCRIBED')
    expect(leader.subscribes()[0].line == 'POST /api/v1/scheduler HTTP/1.1', 'path')
    expect(leader.subscribes()[0].body == follower.subscribes()[0].body, 'another body')


@case('wrong credentials are said, tried again, and never shown')
def credentials(box):
    def stream(send, number):
        if number < 3:
            send(answer(401, '401 Unauthorized.', 'WWW-Authenticate: Basic realm="x"'))
        else:
            healthy(send, number)

    master = FakeMaster(stream)
    driver = start(box, master.address, '', 'princ', 'geheim')
    wait_lines(driver, 'SUBSCRIBED')
    wait_for(lambda: master.calls(), 10, 'a call')
    for request in master.requests:
        expect(request.headers['authorization'] == 'Basic cHJpbmM6Z2VoZWlt', request.headers)
    said = [l for l in driver.log().splitlines() if 'does not accept our principal' in l and
            'STATE' not in l]
    expect(len(said) == 1, said)
    expect('geheim' not in driver.log() and 'cHJpbmM6' not in driver.log(), 'secret in the log')


@case('a framework id goes into both places')
def framework_id(box):
    master = FakeMaster(healthy)
    start(box, master.address, 'F-0000')
    wait_for(lambda: master.subscribes(), 10, 'SUBSCRIBE')
    expect(master.subscribes()[0].body.count(b'\x0a\x06F-0000') == 2, master.subscribes()[0].body)


@case('a master that has us no more is subscribed to again')
def forgotten(box):
    def call(send, number):
        send(answer(403, 'Framework is not subscribed') if number == 1 else answer(202))

    driver = start(box, FakeMaster(healthy, call).address)
    wait_lines(driver, 'SUBSCRIBED', 2)


@case('a call that was not executed is sent again, one without answer is not')
def again(box):
    bodies = []

    def call(send, number):
        if number == 1:
            send(answer(503, 'No leader elected'))
        elif number == 2:
            return False  # executed or not: nobody knows
        else:
            send(answer(202))
        return None

    master = FakeMaster(healthy, call)
    driver = start(box, master.address)
    wait_lines(driver, 'SUBSCRIBED', 2)
    wait_for(lambda: len(master.calls()) == 3, 10, 'three calls')
    bodies = [c.body for c in master.calls()]
    expect(bodies[0] == bodies[1], 'not the same call again')


@case('a connection for calls that is closed while idle is opened again')
def idle(box):
    def stream(send, number):
        healthy(send, number)
        for n in range(5):
            time.sleep(0.15)
            send(chunk(record(offers(offer(n, f'h{n}')))))

    def call(send, number):
        send(answer(202))
        return False

    master = FakeMaster(stream, call)
    driver = start(box, master.address)
    wait_for(lambda: len(master.calls()) == 6, 20, 'a reconcile and five declines')
    expect(len({c.connection for c in master.calls()}) == 6, 'not a new connection each')
    expect(not lines(driver, 'DISCONNECTED'), driver.log())


ENDS = [
    ('Framework has been removed', 5),
    ('Framework failed over', 6),
    ('Not authorized to register framework  with roles { web }', 7),
    ("Changing framework's principal is not allowed.", 7),
]


@case('ends for good have a line of advice and a code')
def for_good(box):
    for text, code in ENDS:
        master = FakeMaster(lambda send, n, t=text: send(STREAM + chunk(record(error(t))) + END))
        driver = start(box, master.address)
        expect(driver.wait(20) == code, f'{text}: {driver.popen.returncode}')
        ended = lines(driver, 'ENDED')
        expect(len(ended) == 1 and text in ended[0], driver.log())
        expect(len(master.subscribes()) == 1, 'tried again')


@case('a list goes on to the next, a bad name does not block')
def list_of_masters(box):
    master = FakeMaster(healthy)
    deaf = FakeMaster(lambda send, n: False)
    driver = start(box, f'no-such-host.invalid:5050,127.0.0.1:1,{deaf.address},{master.address}')
    wait_lines(driver, 'STATE')
    wait_lines(driver, 'SUBSCRIBED', 1, 60)


@case('an unreachable master is mentioned once')
def unreachable(box):
    driver = start(box, '127.0.0.1:1')
    wait_for(lambda: any('cannot connect' in l for l in lines(driver, 'STATE')), 10, 'the reason')
    time.sleep(3)  # some tries more
    said = [l for l in driver.log().splitlines() if 'warning' in l]
    expect(len(said) == 1, said)


@case('masters that speak something else are not taken for masters')
def others(box):
    answers = [
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMesos-Stream-Id: a\r\n'
        b'Content-Length: 2\r\n\r\n{}',
        b'HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n',
        b'220 smtp.example.com ESMTP\r\n',
        b'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
        b'HTTP/1.1 200 OK\r\n' + b'X: ' + b'y' * 200000 + b'\r\n\r\n',
        b'\0' * 1000,
    ]

    def other(text):
        def stream(send, number):
            if number > 1:
                healthy(send, number)
                return None
            send(text)
            return False
        return stream

    for driver in [start(box, FakeMaster(other(text)).address) for text in answers]:
        wait_lines(driver, 'SUBSCRIBED', 1, 60)
        expect(not lines(driver, 'DISCONNECTED'), 'was subscribed before')


if __name__ == '__main__':
    main()
