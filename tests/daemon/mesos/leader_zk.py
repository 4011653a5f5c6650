"""Leader detection in a real ZooKeeper, with mesos-sim as master."""
import os

from box import expect, wait_for
from driver_process import lines, start, wait_lines
from tap import case, main
from zookeeper import ZooKeeper, is_installed

SIM = os.environ.get('QM_MESOS_SIM', 'mesos-sim')


def start_sim(box, name, zookeeper):
    ready = box.directory / f'{name}.ready'
    sim = box.start(name, [SIM, '--port', '0', '--agents', '1', '--dir', box.directory / name,
                           '--zk', f'{zookeeper.address}/mesos', '--ready-file', ready])
    port = int(wait_for(lambda: ready.exists() and ready.read_text().strip(), 20, f'{name} runs'))
    return sim, port


def connected_to(driver, port):
    states = lines(driver, 'STATE')
    return bool(states) and f':{port} subscribed' in states[-1]


@case('the leader is found, followed, and kept while ZooKeeper is away')
def follow(box):
    zookeeper = ZooKeeper(box)
    driver = start(box, f'zk://{zookeeper.address}/mesos')
    wait_lines(driver, 'STATE')  # ZooKeeper is not there yet: nothing blocks, nothing ends
    zookeeper.start()
    first, first_port = start_sim(box, 'first', zookeeper)
    wait_for(lambda: connected_to(driver, first_port), 40, 'subscribed at the first')

    zookeeper.stop()
    zookeeper.start()
    expect(len(lines(driver, 'DISCONNECTED')) == 0, 'left a master that is there')

    second, second_port = start_sim(box, 'second', zookeeper)
    first.kill9()
    wait_for(lambda: connected_to(driver, second_port), 60, 'subscribed at the second')


@case('a session that expires is replaced')
def expire(box):
    zookeeper = ZooKeeper(box)
    zookeeper.start()
    driver = start(box, f'zk://{zookeeper.address}/mesos')
    wait_for(lambda: 'no node of this path' in driver.log(), 20, 'no master was ever there')
    zookeeper.stop()
    zookeeper.directory.rename(box.directory / 'forgotten')  # a server that knows no session
    zookeeper.start()
    _, port = start_sim(box, 'sim', zookeeper)
    wait_for(lambda: connected_to(driver, port), 60, 'subscribed')
    expect('the session has expired' in driver.log(), 'no session expired')


@case('credentials are used and never shown')
def credentials(box):
    zookeeper = ZooKeeper(box)
    zookeeper.start()
    driver = start(box, f'zk://user:geheim@{zookeeper.address}/mesos')
    _, port = start_sim(box, 'sim', zookeeper)
    wait_for(lambda: connected_to(driver, port), 40, 'subscribed with credentials')
    expect('geheim' not in driver.log(), 'password in the log')


if __name__ == '__main__':
    if is_installed():
        main()
    else:
        print('1..0 # SKIP no ZooKeeper server is installed')
