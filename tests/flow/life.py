#!/usr/bin/env python3
"""A phone that lives: provisioned, used, changed, upgraded, rebooted; driven by its control API and by key scripts against
the real daemon."""
import json
import os
import pty
import re
import signal
import subprocess
import termios
import threading

from house import House, check, equal, http_get, is_sanitized, need_terminals, run, serving, tftp_get, until
from living import HEAD, LOCAL, MAC, Phone, passwd_line, serve_rules, write_boot
from tap import dialtone, main, test

PROTECT = ['static.auto_provision.custom.protect = 1', 'static.auto_provision.custom.sync = 1']


@test
def a_phone_lives_through_provisioning_personal_settings_and_central_changes():
    with serving() as (h, d):
        write_boot(h, 'account.1.label = Central', 'account.1.enable = 1', *PROTECT)
        with Phone(h, f'http://{d.http_at()}/') as p:
            equal(p.idle()['last_run']['outcome'], 'provisioned')
            check('Central' in p.get('screen')['lines'], p.get('screen'))
            # A personal change is uploaded at once, and the static one never.
            p.change('account.1.label', "Paul's")
            p.change('static.auto_provision.repeat.minutes', '77')
            until(lambda: http_get(d.http, '/' + LOCAL) == (200, (HEAD + "account.1.label = Paul's\n").encode()),
                  'the MAC-local CFG file on the server')
            # Protected: central provisioning does not touch it.
            write_boot(h, 'account.1.label = Other', 'account.1.enable = 1', *PROTECT)
            equal(p.provision()['last_run']['outcome'], 'provisioned')
            equal(p.settings()['account.1.label'], "Paul's")
            # Not protected any more: it does.
            write_boot(h, 'account.1.label = Third', 'static.auto_provision.custom.protect = 0')
            equal(p.provision()['last_run']['outcome'], 'provisioned')
            equal(p.settings()['account.1.label'], 'Third')
            equal(p.provision()['last_run']['outcome'], 'unchanged')


@test
def the_mac_local_file_goes_up_by_put_post_ftp_and_tftp():
    # FTP has no User-Agent: a login with its MAC as the name says whose file it is.
    rules = 'access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.write = uploads\n' + passwd_line(MAC, 'its-own-one')
    with House() as h, serve_rules(h, rules) as d:
        servers = [('http', 0, f'http://{d.http_at()}/'), ('post', 1, f'http://{d.http_at()}/'),
                   ('ftp', 0, f'ftp://{MAC}:its-own-one@127.0.0.1:{d.ftp}/'), ('tftp', 0, f'tftp://{d.tftp_at()}/')]
        with Phone(h, servers[0][2]) as p:
            for name, method, path in servers:
                write_boot(h, *PROTECT, f'static.auto_provision.custom.upload_method = {method}',
                           f'static.auto_provision.custom.sync.path = {path}')
                p.provision()
                p.change('features.something', name)
                expect = (HEAD + f'features.something = {name}\n').encode()
                until(lambda: http_get(d.http, '/' + LOCAL) == (200, expect), f'the upload by {name}')
                equal(tftp_get(d.tftp, LOCAL), ('file', expect))


@test
def what_a_reboot_needs_is_rebooted_for_and_nothing_else():
    with serving() as (h, d):
        write_boot(h, 'account.1.label = Desk')
        with Phone(h, f'http://{d.http_at()}/') as p:
            equal(p.idle()['power_ons'], 1)
            write_boot(h, 'account.1.label = Desk', 'static.network.vlan.internet_port_enable = 1')
            p.provision()
            until(lambda: p.state()['power_ons'] == 2 and p.state()['state'] == 'idle', 'a reboot')
            equal(p.idle()['last_run']['outcome'], 'unchanged')
            p.post('reboot')
            until(lambda: p.state()['power_ons'] == 3, 'the reboot that was asked for')
            equal(p.settings()['account.1.label'], 'Desk')


@test
def firmware_is_upgraded_and_the_run_comes_again():
    with serving() as (h, d):
        h.write('y000000000066.cfg', HEAD + 'static.firmware.url = T46S-66.81.0.30.rom\n')
        h.write(f'{MAC}.cfg', HEAD + 'account.1.label = Desk\n')
        h.write('T46S-66.81.0.30.rom', b'\0' * 100000)
        with Phone(h, f'http://{d.http_at()}/') as p:
            until(lambda: p.state()['firmware'] == '66.81.0.30' and p.state()['state'] == 'idle', 'the new firmware')
            equal(p.settings()['account.1.label'], 'Desk')
            check(p.saw('upgraded (old): firmware 66.81.0.30 in place of 66.81.0.15, reboot', p.out), p.out)
        # It is in flash.
        with Phone(h, f'http://{d.http_at()}/') as p:
            equal(p.idle()['last_run']['outcome'], 'unchanged')
            equal(p.state()['firmware'], '66.81.0.30')


@test
def the_pin_is_entered_on_the_screen():
    with serving() as (h, d):
        h.write('y000000000066.cfg', HEAD + f'static.custom_mac_cfg.url = http://{d.http_at()}/$pin.cfg\n')
        h.write('A31.cfg', HEAD + 'account.1.label = A31\n')
        with Phone(h, f'http://{d.http_at()}/', scale=1) as p:
            for pin in ('A99', 'A31'):
                until(lambda: (lambda s: s['name'] == 'pin' and s['fields'][0]['value'] == '')(p.get('screen')), 'the PIN')
                p.post('text', text=pin)
                p.post('press', keys=['ok'])
            equal(p.idle()['last_run']['outcome'], 'provisioned')
            equal(p.settings()['account.1.label'], 'A31')



@test
def an_activation_code_asks_for_a_password_and_takes_the_right_one():
    with House() as h:
        write_boot(h, 'static.autoprovision.1.code = *123', 'static.autoprovision.1.url = {}', overwrite=0)
        h.write(f'T46S_1/{MAC}.boot', HEAD + 'overwrite_mode = 0\ninclude:config <mine.cfg>\n')
        h.write('T46S_1/mine.cfg', HEAD + 'account.1.label = Mine\n')
        with serve_rules(h, 'access.1.prefix = /T46S_1/\naccess.1.users = paul\n' + passwd_line('paul', 'right-one')) as d:
            h.write('all.cfg', HEAD + 'static.autoprovision.1.code = *123\n'
                    f'static.autoprovision.1.url = http://{d.http_at()}/T46S_1/\n')
            # Waits as they are: two seconds of "Wrong user name or password!" are to be seen.
            with Phone(h, f'http://{d.http_at()}/', scale=1) as p:
                until(lambda: p.state()['power_ons'] == 2, 'the reboot that activation codes need')
                p.idle()
                for password in ('wrong-one', 'right-one'):
                    p.post('press', keys=['*', '1', '2', '3', 'ok'])
                    p.shows('activation')
                    p.post('press', keys=['soft4'])
                    p.shows('login')
                    p.post('text', text='paul')
                    p.post('press', keys=['down'])
                    p.post('text', text=password)
                    check('wrong-one' not in json.dumps(p.get('screen')), p.get('screen'))
                    p.post('press', keys=['ok'])
                    if password == 'wrong-one':
                        equal(p.shows('wrong-login')['lines'], ['Wrong user name or password!'])
                        p.shows('idle')
                until(lambda: p.settings().get('account.1.label') == 'Mine', 'its files')
                equal(p.settings()['static.autoprovision.1.password'], '********')
                check(not any('right-one' in line for line in p.out + p.err), 'a password was printed')


@test
def user_and_password_come_from_the_command_line_and_a_file():
    with House() as h:
        write_boot(h, 'account.1.label = Desk')
        secret = h.dir / 'password'
        secret.write_text('right-one\nsecond line\n')
        words = ['phone', '--mac', MAC, '--model', 'T46S', '--firmware', '66.81.0.15', '--once']
        with serve_rules(h, 'access.1.prefix = /\naccess.1.users = paul\n' + passwd_line('paul', 'right-one')) as d:
            words += ['--server', f'http://{d.http_at()}/']
            equal(run(*words, '--user', 'paul', '--password-file', secret).returncode, 0)
            secret.write_text('wrong-one\n')
            done = run(*words, '--user', 'paul', '--password-file', secret, '--time-scale', 1000)
            equal(done.returncode, 1)
            check('HTTP 401' in done.stdout and 'wrong-one' not in done.stdout + done.stderr, done)
        secret.write_text('\n')
        for wrong in (['--user', 'paul', '--password-file', secret], ['--password-file', secret],
                      ['--user', 'paul', '--password-file', h.dir / 'none']):
            equal(run(*words, *wrong).returncode, 2)


@test
def a_server_that_is_gone_for_a_while_is_found_again():
    with House() as h:
        write_boot(h, 'account.1.label = Desk')
        with h.serve() as d:
            port = d.http
        with Phone(h, f'http://127.0.0.1:{port}/') as p:
            equal(p.idle()['last_run']['outcome'], 'failed')
            check('Network unavailable' in p.get('screen')['lines'], p.get('screen'))
            with h.serve(http__port=port):
                equal(p.provision()['last_run']['outcome'], 'provisioned')
                check('Network unavailable' not in p.get('screen')['lines'], p.get('screen'))
            equal(p.provision()['last_run']['outcome'], 'failed')
            equal(p.settings()['account.1.label'], 'Desk')


@test
def in_a_call_it_waits_for_the_end_of_it():
    with serving() as (h, d):
        write_boot(h, 'account.1.label = Desk')
        with Phone(h, f'http://{d.http_at()}/') as p:
            runs = p.idle()['runs']
            p.post('dial', number='4711')
            p.post('provision')
            check(p.saw('in a call', p.out), p.out)
            equal(p.state()['runs'], runs)
            p.post('call', active=False)
            until(lambda: p.state()['runs'] == runs + 1, 'the run')


@test
def a_key_script_lives_a_phone_to_its_end():
    with serving() as (h, d):
        write_boot(h, 'account.1.label = Desk', 'account.1.enable = 1')
        script = h.dir / 'keys'
        script.write_text('# a user\nuntil idle\nwait 1\nshow\npress 4 7 1 1\nshow\npress x\nset features.dnd.enable = 1\n'
                          'provision\nwait 1\nuntil idle\nshow\nno such thing\nend\n')
        done = run('phone', '--mac', MAC, '--model', 'T46S', '--firmware', '66.81.0.15', '--server',
                   f'http://{d.http_at()}/', '--keys', script)
        equal(done.returncode, 0)
        check('screen   dial: Dial | Number: 4711 | [Cancel] [Delete] [OK]' in done.stdout, done.stdout)
        check(re.search(r'screen   idle: \d\d:\d\d  DND \| Desk', done.stdout), done.stdout)
        check("keys, line 13: 'no such thing' cannot be done" in done.stderr, done.stderr)


class Terminal:
    """dialtone phone on a terminal of its own: what it wrote, and the last screen that it drew."""

    def __init__(self, *words):
        need_terminals()
        self.master, self.slave = pty.openpty()
        self.text = ''
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen([dialtone(), 'phone', *map(str, words)], stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while True:
            try:
                self.text += os.read(self.master, 65536).decode(errors='replace')
            except OSError:
                return

    def screen(self):
        frames = re.findall(r'\+-+\+\r\n(.*?)\+-+\+\r\n', self.text, re.DOTALL)
        return frames[-1] if frames else ''

    def types(self, keys, shown):
        os.write(self.master, keys.encode())
        return until(lambda: shown in self.screen(), f'{shown!r} on the screen after {keys!r}: {self.screen()}')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.slave)
        os.close(self.master)


@test
def on_a_terminal_it_draws_its_screen_and_takes_keys():
    with serving() as (h, d):
        write_boot(h, 'account.1.label = Desk', 'account.1.enable = 1')
        with Terminal('--mac', MAC, '--model', 'T46S', '--firmware', '66.81.0.15', '--server',
                      f'http://{d.http_at()}/') as t:
            until(lambda: '| Desk ' in t.screen(), 'the idle screen')
            check('provisioned' in t.text and '\033[' in t.text, t.text)
            t.types('4', 'Number: 4_')
            t.types('711', 'Number: 4711_')
            t.types('\x7f', 'Number: 471_')
            t.types('\033', '| Desk ')
            t.types('\033OS', '1 Auto Provision Now')
            t.types('1', 'Updating, please wait')
            until(lambda: 'auto provision now' in t.text and '| Desk ' in t.screen(), 'the run')
            t.types('\033[13~', 'DND')
            equal(termios.tcgetattr(t.slave)[3] & termios.ECHO, 0)
            t.process.send_signal(signal.SIGTERM)
            equal(t.process.wait(30), 0)
            equal(termios.tcgetattr(t.slave), t.before)


@test
def killed_in_the_middle_it_starts_with_what_it_had():
    with serving() as (h, d):
        write_boot(h, 'account.1.label = Desk', *PROTECT)
        for number in range(5):
            with Phone(h, f'http://{d.http_at()}/') as p:
                p.idle()
                if number:
                    equal(p.settings()['features.something'], str(number - 1))
                p.change('features.something', str(number))
                p.signal(signal.SIGKILL)
                p.wait()
                p.process.returncode = 0


@test
def provisioned_and_waiting_it_takes_less_than_8_megabytes():
    with serving() as (h, d):
        write_boot(h, 'account.1.label = Desk')
        with Phone(h, f'http://{d.http_at()}/', scale=1) as p:
            p.idle()

            def resident():
                status = open(f'/proc/{p.pid}/status', encoding='ascii').read()
                return int(re.search(r'VmRSS:\s+(\d+) kB', status)[1])
            if is_sanitized():
                return
            until(lambda: resident() < 8 * 1024, f'less than 8 MB, not {resident()} KiB')
            print(f'# {resident()} KiB resident')


main()
