"""The dashboard as a person sees it: real Chromium, real pages. $QM_SCREENSHOTS keeps the pictures."""
import os
import pathlib
import re
import sys

import browser
from box import Failure, expect, holds_for, wait_for
from cluster import BUILD, Cluster
from tap import case, main


def fixture(box, *hosts):
    """The front end over a planner made of paper; returns its process and address."""
    process = box.start('front-fixture', [BUILD / 'tests/daemon/front-fixture', *hosts])

    def address():
        process.expect_running()
        found = re.search(r'http://\S+', process.log())
        return found and found[0]
    return process, wait_for(address, 20, 'the front end tells its address')


def picture(page, box, name):
    directory = pathlib.Path(os.environ.get('QM_SCREENSHOTS', box.directory))
    page.screenshot(directory / f'{name}.png')


def expect_text(page, *texts):
    shown = page.text()
    for text in texts:
        expect(text in shown, f'the page does not say {text!r}: {shown[:3000]}')


def expect_quiet(page):
    complaints = [c for c in page.complaints() if 'favicon' not in c]
    expect(not complaints, f'the console complains: {complaints}')


def mark(page):
    """Marks the present content; fresh_content() is true when it was replaced."""
    page.run('document.querySelector("main").marked = true')


def fresh_content(page):
    return page.run('return !document.querySelector("main").marked')


@case('a fresh deployment says how to begin')
def fresh(box):
    _, url = fixture(box)
    page = browser.Browser(box)
    page.open(url)
    expect_text(page, 'Target version', 'none', 'curl -X POST', 'No agent has been seen yet')
    expect_quiet(page)
    picture(page, box, 'fresh')
    page.close()


@case('an upgrade of 120 hosts is readable')
def many_hosts(box):
    _, url = fixture(box, 120)
    page = browser.Browser(box, height=2600)
    page.open(url)
    expect(page.text('#target-version') == '1.1.6', page.text('#target-version'))
    expect_text(page, 'upgrade from 1.1.5 is in progress', 'Needs attention', 'rack-11',
                'healthy for 61 of 180 s', 'connected to 10.0.0.1:5050', '8192 MiB')
    expect(page.count('details.phase-box') == 6, 'a phase is missing')
    expect(page.run('return document.querySelector("#phase-metadata progress").value') == 7, 'progress')
    shown = page.text()
    expect('node-119' not in shown, 'far hosts are not folded')
    expect(page.run('return document.documentElement.scrollHeight') < 4000, 'the page is too long')
    expect(page.run('return document.documentElement.scrollWidth <= window.innerWidth'), 'too wide')
    expect(page.count('script') == 1, 'text of the cluster became a script')
    expect(page.count('[src], link[href]:not([href^="data:"])') == 0, 'something is fetched')
    expect_quiet(page)
    picture(page, box, 'upgrade')
    page.close()


@case('the page refreshes itself and keeps open what was opened')
def refreshes(box):
    process, url = fixture(box, 60)
    page = browser.Browser(box)
    page.open(url)
    page.click('#hosts-rack-0 > summary')
    page.click('#phase-metadata > summary')
    wait_for(lambda: page.run('return document.getElementById("hosts-rack-0").open'), 10, 'it opens')
    mark(page)
    wait_for(lambda: fresh_content(page), 30, 'the content is fetched again')
    expect(page.run('return document.getElementById("hosts-rack-0").open'), 'it folded by itself')
    expect(not page.run('return document.getElementById("phase-metadata").open'), 'it opened itself')
    expect_text(page, 'node-003.example.com')
    expect_quiet(page)
    picture(page, box, 'opened')
    process.kill9()
    wait_for(lambda: 'does not answer' in page.text('header'), 30, 'the page says that it is stale')
    picture(page, box, 'stale')
    page.close()


@case('dark, and narrow as a telephone')
def dark_and_narrow(box):
    _, url = fixture(box, 12)
    page = browser.Browser(box, width=500, height=1600, dark=True)
    page.open(url)
    ground = page.run('return getComputedStyle(document.body).backgroundColor')
    expect(sum(map(int, re.findall(r'\d+', ground)[:3])) < 150, f'not dark: {ground}')
    expect(page.run('return document.documentElement.scrollWidth <= window.innerWidth'), 'too wide')
    expect_quiet(page)
    picture(page, box, 'dark')
    page.close()


@case('without scripts all is there, and the page reloads')
def no_script(box):
    _, url = fixture(box, 60)
    page = browser.Browser(box, script=False)
    page.open(url)
    source = page.source()
    for text in ('1.1.6', 'node-059.example.com', 'http-equiv="refresh"'):
        expect(text in source, f'without scripts the page lacks {text!r}')
    page.close()


@case('headings, tables and bars have names for those who listen')
def accessible(box):
    _, url = fixture(box, 30)
    page = browser.Browser(box)
    page.open(url)
    expect(page.count('h1') == 1 and page.count('main') == 1, 'one heading, one main part')
    expect(page.run('return document.documentElement.lang') == 'en', 'the language')
    expect(page.count('section:not([aria-labelledby])') == 0, 'a section without a name')
    expect(page.count('progress:not([aria-label])') == 0, 'a bar without a name')
    expect(page.run('''return [...document.querySelectorAll('[aria-labelledby]')].every(
        e => document.getElementById(e.getAttribute('aria-labelledby')))'''), 'a name is missing')
    ids = page.run('return [...document.querySelectorAll("[id]")].map(e => e.id)')
    expect(len(ids) == len(set(ids)), f'ids twice: {[i for i in ids if ids.count(i) > 1]}')
    page.close()


@case('the page of a real daemon, from nothing to all services and back')
def real_daemon(box):
    cluster = Cluster(box).start()
    page = browser.Browser(box)
    page.open(f'http://127.0.0.1:{cluster.port}/')
    expect_text(page, 'curl -X POST')
    cluster.deploy('1.1.5')

    def deployed():
        shown = page.text()
        if all(t in shown for t in ('1.1.5', 'all services run', 'agent-1', 'agent-2', 'agent-3',
                                    'registry 1.1.5', 'data 1.1.5', '3 of 3')):
            return True
        raise Failure(shown)
    wait_for(deployed, 30, 'the page shows the deployment without being reloaded by hand')
    expect_quiet(page)
    picture(page, box, 'deployed')
    holds_for(lambda: 'all services run' in page.text(), 4, 'it stays so')
    cluster.post('')
    wait_for(lambda: page.text('#target-version') == 'none', 30, 'the page shows the shut down')
    page.close()


if browser.is_installed():
    main()
else:
    print('1..0 # SKIP no chromedriver')
    sys.exit(0)
