"""Headless Chromium through chromedriver, with no more than the W3C WebDriver protocol over HTTP."""
import base64
import json
import shutil
import urllib.error
import urllib.request

from box import Failure, expect, free_port, wait_for

ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'  # the protocol's key of an element's id


def is_installed():
    return bool(shutil.which('chromedriver') and (shutil.which('chromium') or shutil.which('chrome')))


class Browser:
    def __init__(self, box, width=1280, height=1600, dark=False, script=True):
        self.port = free_port()
        self.session = None
        self.process = box.start('chromedriver', ['chromedriver', f'--port={self.port}'])
        wait_for(lambda: self.call('GET', '/status')['ready'], 30, 'chromedriver is ready')
        arguments = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
                     '--hide-scrollbars', '--no-first-run', f'--window-size={width},{height}',
                     f'--user-data-dir={box.directory / f"chromium-{self.port}"}']
        if dark:
            arguments.append('--blink-settings=preferredColorScheme=0')
        options = {'args': arguments, 'binary': shutil.which('chromium') or shutil.which('chrome')}
        if not script:
            options['prefs'] = {'profile.managed_default_content_settings.javascript': 2}
        answer = self.call('POST', '/session', {'capabilities': {'alwaysMatch': {
            'browserName': 'chrome', 'goog:chromeOptions': options,
            'goog:loggingPrefs': {'browser': 'ALL'}}}})
        self.session = answer['sessionId']

    def call(self, method, path, body=None):
        prefix = f'/session/{self.session}' if self.session else ''
        request = urllib.request.Request(
            f'http://127.0.0.1:{self.port}{prefix}{path}', method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={'Content-Type': 'application/json'})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)['value']
        except urllib.error.HTTPError as error:
            raise Failure(f'{method} {path}: {error.read().decode()[:500]}') from error

    def open(self, url):
        self.call('POST', '/url', {'url': url})

    def run(self, script, *arguments):
        """Runs JavaScript in the page; returns what it returns."""
        return self.call('POST', '/execute/sync', {'script': script, 'args': list(arguments)})

    def text(self, selector='body'):
        return self.run('return document.querySelector(arguments[0]).innerText', selector)

    def count(self, selector):
        return self.run('return document.querySelectorAll(arguments[0]).length', selector)

    def source(self):
        return self.call('GET', '/source')

    def click(self, selector):
        found = self.call('POST', '/element', {'using': 'css selector', 'value': selector})
        self.call('POST', f'/element/{found[ELEMENT]}/click', {})

    def complaints(self):
        """What the console says: errors, refused resources."""
        return [entry['message'] for entry in self.call('POST', '/se/log', {'type': 'browser'})
                if entry['level'] in ('SEVERE', 'WARNING')]

    def screenshot(self, path):
        data = base64.b64decode(self.call('GET', '/screenshot'))
        expect(len(data) > 5000, f'a screenshot of {len(data)} bytes')
        path.write_bytes(data)

    def close(self):
        if self.session:
            self.call('DELETE', '')
            self.session = None
