"""explain and the phone agree on every tree of the table, and do what the guide says (trees_table/).

Every case is a directory below the root of one real `dialtone serve`. Each of its steps is explained
(`dialtone explain --json`, with the phone's flash as it is before the step) and then done (`dialtone phone
--once --json`) over HTTP and over TFTP. A case without failures is run once more: nothing may change.

    trees.py [NAME ...]   the names of the only cases to run
"""
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.parse

import tap
import trees_server
import trees_table

HEADER = '#!version:1.0.0.1\n'
PHONES_AT_ONCE = 4
# Retries wait 5 s for the phone and 5 ms for us.
TIME_SCALE = '1000'
# What explain calls the server without --server.
ANY_SERVER = 'tftp://server/'


class Site:
    """The server, the one that fails, another host, and where everything lies."""

    def __init__(self, top):
        self.top = top
        self.root, self.other_root = os.path.join(top, 'root'), os.path.join(top, 'other')
        for directory in self.root, self.other_root, os.path.join(top, 'flash'):
            os.mkdir(directory)
        self.log = open(os.path.join(top, 'serve.log'), 'wb')
        self.serve = subprocess.Popen(
            [tap.dialtone(), 'serve', '--root', self.root, '-o', 'state.dir=' + os.path.join(top, 'state'),
             '-o', 'listen=127.0.0.1', '-o', 'tftp.port=0', '-o', 'http.port=0', '-o', 'ftp.enable=0', '-o', 'journal=off',
             '-o', 'workers=2', '-o', 'tftp.rate=1000000'],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.ports = {}
        for line in self.serve.stdout:
            listening = re.match(r'listening (\w+) .*:(\d+)$', line)
            if listening:
                self.ports[listening[1].lower()] = listening[2]
            if line == 'ready\n':
                break
        assert set(self.ports) == {'http', 'tftp'}, 'serve did not start: %s' % open(self.log.name).read()
        self.broken = trees_server.Server('127.0.0.1', self.root)
        self.other = trees_server.Server('127.0.0.2', self.other_root)

    def close(self):
        self.broken.stop()
        self.other.stop()
        self.serve.send_signal(signal.SIGTERM)
        status = self.serve.wait(30)
        self.serve.stdout.close()
        self.log.close()
        assert status == 0, 'serve ended with %d: %s' % (status, open(self.log.name).read())


def lines_of(text):
    """The lines of an expectation, blanks evened out."""
    lines = [re.sub(r' +<- ', ' <- ', line.strip()) for line in text.strip().split('\n')]
    lines = [re.sub(r'^(used|absent|skipped|failed|refused) +', r'\1 ', line) for line in lines]
    return [line for line in lines if line]


class Run:
    """One case over one protocol."""

    def __init__(self, site, number, case, scheme):
        self.site, self.case, self.scheme = site, case, scheme
        self.path = '%s-%03d/' % (scheme, number)
        self.directory = os.path.join(site.root, self.path)
        self.flash = os.path.join(site.top, 'flash', self.path)
        self.step = None
        self.problems = []

    # The tree and the flash.

    def base(self, scheme):
        if scheme == 'http' and self.case_is_broken():
            return 'http://127.0.0.1:%d/%s' % (self.site.broken.server_address[1], self.path)
        return '%s://127.0.0.1:%s/%s' % (scheme, self.site.ports[scheme], self.path)

    def elsewhere(self):
        return 'http://127.0.0.2:%d/%s' % (self.site.other.server_address[1], self.path)

    def case_is_broken(self):
        return any(step.broken for step in self.case.steps)

    def fill(self, text):
        rival = 'http' if self.scheme == 'tftp' else 'tftp'
        server = self.base(self.scheme)
        for name, value in (('server', server), ('rival', self.base(rival)), ('elsewhere', self.elsewhere()),
                            ('address', server.split('://')[1])):
            text = text.replace('{%s}' % name, value)
        return text

    def content(self, what):
        if isinstance(what, bytes):
            return what
        return self.fill(what if isinstance(what, str) else HEADER + ''.join(s + '\n' for s in what)).encode()

    def put(self, root, name, what):
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.islink(path) or os.path.isfile(path):
            os.unlink(path)
        if isinstance(what, trees_table.Directory):
            os.mkdir(path)
        elif isinstance(what, trees_table.Link):
            os.symlink(what.target, path)
        elif what is not None:
            with open(path, 'wb') as file:
                file.write(self.content(what))

    def prepare(self):
        os.makedirs(self.directory)
        os.mkdir(self.flash)
        for name, what in self.case.elsewhere.items():
            self.put(os.path.join(self.site.other_root, self.path), name, what)
        if self.case.before:
            mac = self.case.steps[0].mac
            kept = ''.join(re.sub('^(central|personal) ', r'\1.', self.fill(line)) + '\n' for line in self.case.before)
            with open(os.path.join(self.flash, mac.replace(':', '') + '.flash'), 'w') as file:
                file.write('%sphone.mac = %s\n%sflash.end = 1\n' % (HEADER, mac, kept))

    # The two programs.

    def ask(self, verb, *options, server=True):
        model, firmware = self.step.phone.rsplit(' ', 1)
        command = [tap.dialtone(), verb, '--json', '--model', model, '--firmware', firmware, '--mac', self.step.mac]
        command += ['--server', self.fill(self.step.url)] if server and self.step.url else []
        command += ['--pin', self.step.pin] if self.step.pin else []
        command += ['--show-secrets'] if self.step.secrets else []
        done = subprocess.run(command + list(options), capture_output=True, timeout=60)
        try:
            report = json.loads(done.stdout)
        except ValueError:
            raise AssertionError('%s: status %d, %s%s' % (verb, done.returncode, done.stdout, done.stderr)) from None
        status = 1 if report['outcome'] == 'failed' else 0
        if done.returncode != status or done.stderr:
            self.say('%s: status %d, stderr %s' % (verb, done.returncode, done.stderr))
        return self.named(report)

    def explain(self):
        copy = self.flash.rstrip('/') + '.before'
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.flash, copy)
        return self.ask('explain', '--root', self.site.root, '--flash', copy)

    def explain_alone(self, explained, first):
        """Without --server the root is the directory of the case; nothing else may change."""
        named = any('{' in str(what) for what in self.tree.values())
        if not first or named or self.scheme != 'tftp' or self.step.url != '{server}':
            return
        alone = self.ask('explain', '--root', self.directory, '--flash', self.flash, server=False)
        for key in sorted(set(explained) - {'server', 'why'}):
            self.same('explain without --server (is) and with it (wanted)', key, alone.get(key), explained[key])

    def phone(self):
        return self.ask('phone', '--once', '--time-scale', TIME_SCALE, '--flash', self.flash)

    # One way of naming.

    def name(self, name):
        """Relative to the directory of the case, as explain and as the phone name it."""
        for base in self.base('http'), self.base('tftp'), ANY_SERVER:
            if name.startswith(base):
                return urllib.parse.unquote(name[len(base):].partition('?')[0])
            if base != ANY_SERVER and name.startswith(base[:-len(self.path)]):
                return name[len(base) - len(self.path):]
        return name[len(self.path):] if name.startswith(self.path) else name

    def named(self, report):
        for setting in report['settings']:
            for place in [setting] + setting['overrode']:
                place['file'] = self.name(place['file'])
        for file in report['files']:
            file['name'] = self.name(file['name'])
            # Why a server has no file, or failed, explain cannot tell in the server's words.
            if file['outcome'] in ('absent', 'failed', 'refused'):
                file['why'] = ''
        for resource in report['resources']:
            resource['url'] = self.name(resource['url'])
            resource['why'] = ''
        for finding in report['findings']:
            finding['file'] = self.name(finding['file'])
        return report

    # What is compared.

    def say(self, text):
        self.problems.append('%s: %s' % (self.scheme, text))

    def same(self, who, what, seen, wanted):
        if seen != wanted:
            self.say('%s: %s\n    is     %s\n    wanted %s' % (who, what, show(seen), show(wanted)))

    def compare(self, who, report, expect, changed):
        overwrite = expect['overwrite']
        if overwrite is None:
            overwrite = expect['mechanism'] in ('mac-boot', 'common-boot')
        fill = lambda key: lines_of(self.fill(expect[key]))
        self.same(who, 'mechanism', report['mechanism'], expect['mechanism'])
        self.same(who, 'overwrite_mode', report['overwrite_mode'], overwrite)
        self.same(who, 'excluded_mode', report['excluded_mode'], expect['excluded'])
        self.same(who, 'outcome', report['outcome'], expect['outcome'])
        self.same(who, 'reboot', report['reboot'], expect['reboot'])
        self.same(who, 'files', print_files(report), fill('files'))
        self.same(who, 'settings', sorted(print_settings(report)), sorted(fill('settings')))
        self.same(who, 'changed', report['changed'], sorted(changed))
        self.same(who, 'resources', print_resources(report), fill('resources'))
        if expect['findings'] is not None:
            self.compare_findings(who, report, fill('findings'))
        if expect['why'] not in report['why']:
            self.say('%s: why\n    is     %s\n    wanted %s' % (who, report['why'], expect['why']))

    def compare_findings(self, who, report, wanted):
        seen = ['%s %s:%d %s' % (f['severity'], f['file'], f['line'], f['text']) for f in report['findings']]
        missed = [line for line in wanted if not any(line_fits(line, s) for s in seen)]
        unwanted = [s for s in seen if not s.startswith('note ') and not any(line_fits(line, s) for line in wanted)]
        if missed or unwanted:
            self.say('%s: findings\n    missed   %s\n    unwanted %s' % (who, show(missed), show(unwanted)))

    def compare_facts(self, who, report):
        """What follows from the tree without a word in the table."""
        phone = self.step.phone.rsplit(' ', 1)
        self.same(who, 'mac', report['phone']['mac'], self.step.mac)
        self.same(who, 'firmware', report['phone']['firmware'], phone[1])
        for setting in report['settings']:
            self.same(who, setting['key'] + ' static', setting['static'], setting['key'].startswith('static.'))
        sums = {name.lower(): hashlib.md5(self.content(what)).hexdigest() for name, what in self.tree.items()
                if isinstance(what, (bytes, str, list))}
        for file in report['files']:
            came = file['outcome'] == 'used'
            if came and file['name'].lower() in sums:
                self.same(who, 'md5 of ' + file['name'], file['md5'], sums[file['name'].lower()])
            elif file['outcome'] in ('absent', 'failed'):
                self.same(who, 'md5 of ' + file['name'], file['md5'], None)

    def changed(self, first):
        expect = self.step.expect
        if expect['changed'] is not None:
            return expect['changed'].split()
        if expect['outcome'] != 'provisioned':
            return []
        assert first and not self.case.before, 'the table must say what changed'
        return {line.split(' = ')[0] for line in lines_of(expect['settings'])}

    def take_step(self, first):
        expect, changed = self.step.expect, self.changed(first)
        self.site.broken.break_files('/' + self.path, self.step.broken)
        explained = None
        if self.step.explain or not self.step.broken:
            explained = self.explain()
            self.compare('explain', explained, {**expect, **self.step.explain},
                         self.step.explain.get('changed', ' '.join(changed)).split())
            self.compare_facts('explain', explained)
            self.explain_alone(explained, first)
        done = self.phone()
        self.compare('phone', done, expect, changed)
        self.compare_facts('phone', done)
        if explained and not self.step.explain:
            self.agree(explained, done)
        for name, tries in self.step.tries.items():
            self.same('phone', 'tries of ' + name, self.site.broken.count('/' + self.path + name), tries)

    def agree(self, explained, done):
        for key in sorted(set(explained) | set(done)):
            # A file that failed is named with the server's own words.
            if key == 'why' and done['outcome'] == 'failed':
                continue
            self.same('explain (is) and phone (wanted)', key, explained.get(key), done.get(key))

    def run_again(self):
        """Guide, "Resolving and Updating Configurations": the same files are no new update."""
        kept = [kept_line(line) for line in lines_of(self.step.expect['settings'])]
        expect = {**self.step.expect, 'outcome': 'unchanged', 'why': 'every file is the same as last time',
                  'settings': '\n'.join(kept), 'changed': '', 'reboot': False, 'resources': '', 'findings': None}
        self.step = self.step._replace(expect=expect, tries={})
        count = len(self.problems)
        self.take_step(False)
        self.problems[count:] = ['once more, ' + problem for problem in self.problems[count:]]

    def all(self):
        self.prepare()
        self.tree = {}
        for number, self.step in enumerate(self.case.steps, 1):
            count = len(self.problems)
            for name, what in self.step.tree.items():
                self.put(self.directory, name, what)
            self.tree.update(self.step.tree)
            self.take_step(number == 1)
            if len(self.case.steps) > 1:
                self.problems[count:] = ['step %d, %s' % (number, problem) for problem in self.problems[count:]]
        if self.case.again and self.step.expect['outcome'] != 'failed' and not self.step.broken:
            self.run_again()
        return self.problems


def kept_line(line):
    """A setting of the table when it comes from flash: only a personal one still overrides another there."""
    winner, _, losers = line.partition(' over ')
    personal = '-local.cfg:' in winner or (winner.endswith(' <- flash') and losers)
    held = [winner, losers.split(' over ')[0]] if personal and losers else [winner]
    return ' over '.join(re.sub(' <- .*', ' <- flash', one) for one in held)


def line_fits(wanted, seen):
    """`severity file:line` as it stands, the text only in part."""
    severity, place, text = wanted.split(' ', 2)
    return seen.startswith('%s %s ' % (severity, place)) and text in seen


def print_files(report):
    return ['%s %s' % (f['outcome'], f['name']) for f in report['files']]


def print_resources(report):
    return ['%s %s %s' % (r['outcome'], r['key'], r['url']) for r in report['resources']]


def print_origin(place):
    return place['file'] if place['file'] == 'flash' else '%s:%d' % (place['file'], place['line'])


def print_settings(report):
    return ['%s = %s' % (s['key'], ' over '.join('%s <- %s' % (p['value'], print_origin(p))
                                                 for p in [s] + s['overrode'])) for s in report['settings']]


def show(thing):
    return '\n           '.join(map(str, thing)) if isinstance(thing, list) else str(thing)


def schemes_of(case):
    if any(step.broken for step in case.steps):
        return ['http']
    return [case.only] if case.only else ['http', 'tftp']


def run_case(site, number, case):
    problems = []
    for scheme in schemes_of(case):
        problems += Run(site, number, case, scheme).all()
    return problems


def make_test(case, future):
    def test():
        problems = future().result()
        assert not problems, '\n' + '\n'.join(problems)
    test.__name__ = case.name
    tap.test(test)


def main():
    table = trees_table.cases()
    futures = {}
    with tempfile.TemporaryDirectory(prefix='dialtone-trees-') as top:
        os.chmod(top, 0o755)
        site = Site(top)
        pool = concurrent.futures.ThreadPoolExecutor(PHONES_AT_ONCE)
        for number, case in enumerate(table, 1):
            if not sys.argv[1:] or case.name in sys.argv[1:]:
                futures[number] = pool.submit(run_case, site, number, case)
            make_test(case, lambda number=number: futures[number])

        @tap.test
        def the_server_ends_as_it_should():
            pool.shutdown()
            site.close()
        try:
            tap.main()
        finally:
            if site.serve.poll() is None:
                pool.shutdown()
                site.close()


if __name__ == '__main__':
    main()
