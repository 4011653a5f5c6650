"""The driver as a process (driver-fixture) and what it printed."""
import os

from box import wait_for

FIXTURE = os.environ.get('QM_DRIVER_FIXTURE', 'driver-fixture')


def start(box, *arguments, environment=None):
    return box.start('driver', [FIXTURE, *arguments], environment)


def lines(process, word):
    return [l for l in process.log().splitlines() if l.startswith(word)]


def wait_lines(process, word, count=1, seconds=20):
    return wait_for(lambda: len(lines(process, word)) >= count and lines(process, word), seconds,
                    f'{count} x {word}')
