"""Rollouts that pause themselves, over real sockets: nothing is stopped for an image that is not there."""
import json

from box import Failure, expect, holds_for, wait_for
from cluster import ELEVEN, Cluster
from tap import case, main

IMAGE = 'quobyte/quobyte-server:9.9.9'


def await_reason(cluster, code, seconds=90):
    def paused():
        plan = cluster.plan()
        if plan['paused'] and plan['reason'].get('code') == code:
            return True
        raise Failure(json.dumps(plan)[:2000])
    wait_for(paused, seconds, f'the plan pauses itself: {code}')
    return cluster.plan()


@case('a version that cannot be pulled: paused by name, all runs on; the right one puts it right')
def image_missing(box):
    cluster = Cluster(box, description={'images': {'missing': [IMAGE]}}).start()
    cluster.await_probed()
    cluster.deploy('1.1.5')
    before = {t.id for t in cluster.services()}
    cluster.post('9.9.9')
    plan = await_reason(cluster, 'image_failed')
    expect(plan['status'] == 'WAITING', f'status {plan["status"]}')
    holds_for(lambda: {t.id for t in cluster.services()} == before, 3, 'every service runs on')
    expect(not [t for t in cluster.seen.values() if t.version == '9.9.9' and t.service != 'image'],
           'a service was started at 9.9.9')
    cluster.post('1.1.6')
    cluster.await_counts(ELEVEN, 120, '1.1.6')
    cluster.await_plan_complete()


main()
