"""What single scenarios do beside calls: the recorded clients' and operators' odd deeds."""
import re
import time

from normalise import Difference
from replay import CALL
from wireio import Answer, Connection


def restart_master(replay, match):
    """The recording's master was away for a second; here it comes back by itself, and the agent,
    which then took some seconds to find it, is cut off till that time."""
    replay.sim.order(f'agents/{replay.sim.names[0]}/partition')
    replay.sim.order('master/restart')
    replay.names.forget('offer')


def sigterm_master(replay, match):
    replay.sim.popen.terminate()


# ---- A08: odd framing ----

def expect_100(replay, match):
    """Nothing comes before the body; the answer comes after it."""
    request = replay.rewritten('01-expect-100-request.http')
    head, _, body = request.partition(b'\r\n\r\n')
    connection = Connection(replay.sim.port)
    answer = connection.exchange(head + b'\r\n\r\n', seconds=1, silent=True)
    if answer is not None:
        raise Difference(f'an interim answer: {answer.status_line}')
    same(replay, '01-expect-100-response.http', connection.exchange(body), 'Expect: 100-continue')
    connection.close()


def pipelined(replay, match):
    request = replay.rewritten('02-pipelined-4-request.http')
    connection = Connection(replay.sim.port)
    data = connection.exchange(request, more=3, raw=True)
    recorded = replay.capture.read('02-pipelined-4-response.http')
    for i, (then, now) in enumerate(zip(answers(recorded), answers(data), strict=True)):
        replay.same_answer(then, now, f'pipelined request {i}')
    connection.close()


def answers(data):
    out = []
    while data:
        head, _, rest = data.partition(b'\r\n\r\n')
        answer = Answer(head + b'\r\n\r\n' + rest)
        out.append(answer)
        data = rest[len(answer.body):]
    return out


def same(replay, recorded, now, where):
    replay.same_answer(Answer(replay.capture.read(recorded)), now, where)


def big_body(replay, match):
    """The same call with as much padding as then; protobuf: a field that nobody knows."""
    number, name, size = {'2 MB JSON': ('09', '2MB-json', 2_000_000),
                          '2 MB protobuf': ('10', '2MB-protobuf', 2_000_000),
                          '70 MB protobuf': ('11', '70MB-protobuf', 70_000_000)}[match[0]]
    body = replay.big_call('json' in name, size)
    connection = Connection(replay.sim.port)
    same(replay, f'{number}-{name}-body-response.http', connection.exchange(body, seconds=60),
         match[0])
    connection.close()


def big_header(replay, match):
    connection = Connection(replay.sim.port)
    try:
        answer = connection.exchange(b'GET /health HTTP/1.1\r\nHost: x\r\nX-Pad: ' +
                                     b'x' * int(match[1]) + b'\r\n\r\n')
        got = answer.status_line
    except (ConnectionResetError, BrokenPipeError):
        got = ''
    want = '' if 'reset-by-server' in match.string else 'HTTP/1.1 200 OK'
    if got != want:
        raise Difference(f'a header of {match[1]} bytes: recorded {want!r}, now {got!r}')
    connection.close()


def small_pieces(replay, match):
    request = replay.suppress()
    connection = Connection(replay.sim.port)
    for at in range(0, len(request) - 40, 40):
        connection.send(request[at:at + 40])
        time.sleep(0.002)
    answer = connection.exchange(request[(len(request) - 1) // 40 * 40:]
                                 if len(request) % 40 else request[-40:])
    if answer.status_line != 'HTTP/1.1 202 Accepted':
        raise Difference(f'a request in pieces of 40 bytes: {answer.status_line} {answer.body}')
    connection.close()


# ---- A10: calls on the connection of the stream ----

def on_the_stream(replay, match):
    """The answer comes in the middle of the stream; before it, at a TEARDOWN, the end of body."""
    stream = list(replay.streams)[-1]
    name = next(f for f in replay.capture.files if re.fullmatch(
        r'0[258]-\w+-on-subscribe-connection(-json|-pb)?-request\.http', f)
        and f[3:].removesuffix('-request.http') == stream)
    replay.streams[stream].socket.sendall(replay.rewritten(name))
    replay.take_until(lambda: replay.answers, 5, lambda: f'{stream}: no answer in the stream')
    _, answer = replay.answers.pop()
    then = Answer(b'HTTP/1.1 202 Accepted\r\nDate: x\r\nContent-Length: 0\r\n\r\n')
    replay.same_answer(then, answer, f'{stream}, answer in the stream')


SCENARIOS_OF_THEIR_OWN = [
    (r'Expect: 100-continue', expect_100),
    (r'pipelined: 4', pipelined),
    (r'2 MB JSON|2 MB protobuf|70 MB protobuf', big_body),
    (r'with a (\d+)-byte header', big_header),
    (r'40-byte pieces', small_pieces),
    (r'(SUPPRESS|TEARDOWN) sent on the SUBSCRIBE connection', on_the_stream),
]
