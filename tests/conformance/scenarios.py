"""Which scenarios are replayed, how fast, and what stands for the operator's and the weather's part."""
import functools
import pathlib

from executors import ExecutorReplay
from simulator import THREE
from special import SCENARIOS_OF_THEIR_OWN, restart_master, sigterm_master

HERE = pathlib.Path(__file__).resolve().parent
SCENARIOS = {}
LEFT_OUT = {}  # name -> why; README.md says it, too


def scenario(name, **options):
    SCENARIOS[name] = options


def every(prefix, **options):
    for path in sorted((HERE / 'captures').glob(prefix + '*')):
        if path.is_dir() and path.name not in SCENARIOS and path.name not in LEFT_OUT:
            scenario(path.name, **options)


def agent(action, index=0):
    return lambda replay, match: replay.sim.order(f'agents/{replay.sim.names[index]}/{action}')


# Subscribing, errors, framing
scenario('A01-subscribe-protobuf-and-json', speed=10)
scenario('A10-calls-on-the-subscribe-connection', speed=4, actions=SCENARIOS_OF_THEIR_OWN)
every('A', actions=SCENARIOS_OF_THEIR_OWN, leave_out={
    'gzip-request-body', 'gzip-request-truncated', 'gzip-announced-plain-body',  # no gzip
    'state-with-accept-encoding-gzip',
    'deeper-path',  # the operator API's event stream, which mesos-sim doesn't have
})

# Offers
three = functools.partial(every, agents=THREE,
                          cluster={'master': {'region': 'region-1', 'zone': 'zone-0'}})
LEFT_OUT['B30-reserve-create-launch-in-one-accept'] = 'reservations and volumes'
LEFT_OUT['B30-reserve-create-launch-in-one-accept-with-principal'] = 'reservations and volumes'
LEFT_OUT['B10-launch-group-default-executor'] = 'the default executor is not simulated'
LEFT_OUT['B10-docker-container-type'] = 'an agent without docker; the simulated ones play it'
# The offer must come within the second that the old command executor still lives.
three('B10-task-id-reused-at-once', speed=0.5, gap_ms=20)
three('B')

# Tasks
scenario('C02-unacknowledged-update-retry', speed=8)
LEFT_OUT['C13-command-executor-killed'] = 'a simulated command task is one process'
LEFT_OUT['S01-state-endpoints'] = 'the shape of /state is checked by mesos-sim\'s own tests'
LEFT_OUT['C03-health-checks'] = 'health is played by faults, checks are not run'
every('C')

# Agents; the recorded master gave up after 3 pings of 1 s, the simulated one after 5 of 15 s
gone = {'speed': 24, 'pace': 1, 'free_offers': True}
scenario('D01-agent-killed-then-unreachable-then-back', agents=2, **gone, before=agent('gone', 1),
         actions=[('kill -9 of the agent', agent('kill')),
                  ('second agent', agent('restart?new_id=1', 1)),
                  ('agent 1 restarted', agent('restart'))])
scenario('D02-agent-killed-and-restarted-quickly', free_offers=True,
         actions=[('kill -9 of the agent', agent('kill')), ('started again', agent('restart'))])
scenario('D03-agent-stopped-by-SIGTERM', **gone,
         actions=[('SIGTERM', agent('kill')), ('started again', agent('restart'))])
scenario('D04-agent-frozen-then-back', **gone,
         actions=[('SIGSTOP', agent('partition')), ('SIGCONT', agent('heal'))])
scenario('D06-host-reboot-of-the-agent', free_offers=True,
         actions=[('simulated reboot', agent('reboot'))])

# Drain, maintenance; the operator API's calls are faults here
OPERATOR = {'drain-unknown', 'get-agents-draining', 'get-agents-drained', 'get-agents-gone',
            'get-agents', 'get-agents-after', 'slaves-draining'}
scenario('E02-drain-agent', free_offers=True, leave_out=OPERATOR, operator={
    'drain': 'agents/127.0.0.1/drain?max_grace_s=2', 'reactivate': 'agents/127.0.0.1/reactivate',
    'deactivate': 'agents/127.0.0.1/deactivate', 'reactivate-2': 'agents/127.0.0.1/reactivate'})
scenario('E02-drain-agent-mark-gone', free_offers=True, leave_out=OPERATOR, operator={
    'drain': 'agents/127.0.0.1/drain?max_grace_s=2&mark_gone=1'})

scenario('E03-maintenance-inverse-offers', until=12040, leave_out={
    'get-maintenance-status', 'get-maintenance-schedule', 'get-maintenance-status-after-accept',
    'get-maintenance-status-down', 'post-machine-up', 'machine-up-again'}, operator={
    'post-maintenance-schedule': 'agents/127.0.0.1/maintenance?start_s=3600&duration_s=3600',
    'post-empty-schedule': 'agents/127.0.0.1/maintenance?end=1',
    'post-maintenance-schedule-again': 'agents/127.0.0.1/maintenance?start_s=3600&duration_s=3600'})

# Authentication
scenario('H01-basic-authentication', credentials='sched pass-word\nother x\n')

# Masters
scenario('F01-master-restart-in_memory', actions=[('master started again', restart_master)],
         probe='03-probe-suppress-request.http', cluster={'registry': 'in_memory'},
         at=[(4700, agent('heal'))])
scenario('F01-master-restart-replicated_log', actions=[('master started again', restart_master)],
         probe='03-probe-suppress-request.http', cluster={'registry': 'replicated_log'},
         at=[(8700, agent('heal'))])
scenario('F03-master-stopped-by-SIGTERM', actions=[('SIGTERM to the master', sigterm_master)])
scenario('F04-master-restart-agent-with-static-master-address', speed=8,
         cluster={'registry': 'in_memory'}, actions=[('master started again', restart_master)],
         at=[(75700, agent('heal'))], free_offers=True)

# Executors
LEFT_OUT['X14-executor-environment-with-domain-socket'] = 'no domain sockets'
executor = functools.partial(every, replay=ExecutorReplay, leave_out={
    'get-executors'})  # the operator API
executor('X09', speed=20, pace=1, free_offers=True, settings=[('1mins', '3secs')])  # --executor_registration_timeout
executor('X10', speed=5 / 3, settings=[('5secs', '3secs')])  # --executor_shutdown_grace_period
executor('X11', free_offers=True)
executor('X', actions=[('kill -9 of the agent', agent('kill')),
                       ('agent (process )?started again', agent('restart'))])
