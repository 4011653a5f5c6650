"""A real ZooKeeper server for tests: Debian's jars, an own port, an own data directory."""
import pathlib
import shutil
import socket

from box import expect, free_port, wait_for

JARS = pathlib.Path('/usr/share/java')
NEEDED = ['zookeeper', 'zookeeper-jute', 'slf4j-api', 'slf4j-simple', 'netty-buffer', 'netty-common',
          'netty-codec', 'netty-handler', 'netty-resolver', 'netty-transport',
          'netty-transport-native-epoll', 'netty-transport-native-unix-common', 'commons-cli',
          'metrics-core', 'snappy-java', 'log4j-1.2']


def is_installed():
    return shutil.which('java') is not None and (JARS / 'zookeeper.jar').exists()


class ZooKeeper:
    def __init__(self, box, port=None):
        self.box = box
        self.port = port or free_port()
        self.process = None
        self.directory = box.directory / f'zookeeper-{self.port}'

    @property
    def address(self):
        return f'127.0.0.1:{self.port}'

    def start(self):
        """Starts it and waits until it serves. Its data survive stop() and start()."""
        data = self.directory / 'data'
        data.mkdir(parents=True, exist_ok=True)
        config = self.directory / 'zoo.cfg'
        config.write_text(f'tickTime=500\ndataDir={data}\nclientPort={self.port}\n'
                          'clientPortAddress=127.0.0.1\nadmin.enableServer=false\n'
                          '4lw.commands.whitelist=ruok,srvr,dump\nmaxSessionTimeout=120000\n')
        jars = ':'.join(str(JARS / f'{name}.jar') for name in NEEDED)
        self.process = self.box.start('zookeeper', [
            'java', '-Xmx96m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', jars,
            '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
            'org.apache.zookeeper.server.ZooKeeperServerMain', config])
        wait_for(self.serves, 40, 'ZooKeeper serves')
        return self

    def serves(self):
        self.process.expect_running()
        return self.ask('ruok') == 'imok'

    def ask(self, word):
        """One of ZooKeeper's four letter words."""
        with socket.create_connection(('127.0.0.1', self.port), timeout=5) as s:
            s.sendall(word.encode())
            answer = b''
            while True:
                piece = s.recv(4096)
                if not piece:
                    return answer.decode()
                answer += piece

    def stop(self):
        """kill -9: what was acknowledged is on disk."""
        expect(self.process is not None, 'ZooKeeper was not started')
        self.process.kill9()
