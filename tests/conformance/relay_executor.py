"""An executor that only exists: the test speaks to the agent in its place.

It shows its environment in relay.json of its sandbox and lives until the test writes how it shall
end (an exit code, or KILL) into relay.end, or until its agent ends it.
"""
import json
import os
import pathlib
import signal
import sys
import time

sandbox = pathlib.Path(os.environ['MESOS_SANDBOX'])
if 'exit3' in sys.argv[3:]:
    sys.exit(3)
(sandbox / 'relay.new').write_text(json.dumps(dict(os.environ)))
(sandbox / 'relay.new').rename(sandbox / 'relay.json')
signal.signal(signal.SIGTERM, signal.SIG_DFL)
while not (sandbox / 'relay.end').exists():
    time.sleep(0.02)
end = (sandbox / 'relay.end').read_text()
if end == 'KILL':
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit(int(end))
