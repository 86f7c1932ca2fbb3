"""A phone that lives, with a control port, for the flow tests; and what servers of its tests share."""
import http.client
import json
import re
import subprocess

from house import Daemon, Process, check, equal, until
from tap import dialtone

MAC = '00156574b150'
HEAD = '#!version:1.0.0.1\n'
LOCAL = f'{MAC}-local.cfg'
BOOT = 'y000000000000.boot'
# The guide's waits are minutes of a phone's life.
SCALE = 50


class Phone(Process):
    """dialtone phone with a control port; its flash is the house's."""

    def __init__(self, h, server, *more, mac=MAC, model='T46S', firmware='66.81.0.15', scale=SCALE):
        words = [dialtone(), 'phone', '--mac', mac, '--model', model, '--firmware', firmware, '--flash', h.dir / 'flash',
                 '--time-scale', scale, '--control', '127.0.0.1:0', *(['--server', server] if server else []), *more]
        super().__init__(words)
        self.at = until(lambda: next((m[1] for m in (re.search(r'control  http://(\S+)/api/', line)
                                                     for line in self.out) if m), None), 'the control port')

    def ask(self, method, path, body=None):
        """(status, what it answers)."""
        connection = http.client.HTTPConnection(self.at, timeout=30)
        connection.request(method, '/api/' + path, body if body is None else json.dumps(body),
                           {} if body is None else {'Content-Type': 'application/json'})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def get(self, path):
        status, answer = self.ask('GET', path)
        equal(status, 200)
        return answer

    def post(self, path, **body):
        equal(self.ask('POST', path, body), (200, {'ok': True}))

    def change(self, key, value):
        """A personal setting; a run that goes on is waited for."""
        until(lambda: self.ask('POST', 'setting', {'key': key, 'value': value})[0] == 200, f'{key} set')

    def state(self):
        return self.get('state')

    def shows(self, name):
        return until(lambda: (lambda s: s if s['name'] == name else None)(self.get('screen')), f'the screen {name}')

    def idle(self):
        return until(lambda: (lambda s: s if s['state'] == 'idle' and s['last_run'] else None)(self.state()), 'idle')

    def provision(self):
        """One more run, to its end."""
        before = self.idle()['runs']
        self.post('provision')
        until(lambda: self.state()['runs'] > before, 'another run')
        return self.idle()

    def settings(self):
        return until(lambda: (lambda a: a[1] if a[0] == 200 else None)(self.ask('GET', 'settings')), 'its settings')

    def __exit__(self, wrong, *rest):
        super().__exit__(wrong, *rest)
        check(wrong or self.process.returncode in (0, 1), f'exit {self.process.returncode}: {self.err}')


def write_boot(h, *cfg, overwrite=1):
    h.write(BOOT, HEAD + f'overwrite_mode = {overwrite}\n' + 'include:config <all.cfg>\n')
    h.write('all.cfg', HEAD + ''.join(line + '\n' for line in cfg))


def passwd_line(name, password):
    return subprocess.run([dialtone(), 'passwd', name], input=password + '\n', capture_output=True, text=True,
                          timeout=60).stdout


def serve_rules(h, rules, **more):
    conf = h.dir / 'd.conf'
    conf.write_text(rules)
    conf.chmod(0o600)
    return Daemon(['-c', conf, '--root', h.root, *h.options(**more)])
