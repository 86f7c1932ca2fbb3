#!/usr/bin/env python3
"""One phone, lived through with one flash: from the box by Zero Touch to a server that is gone, against a real DHCP server,
the real daemon, sipp and dialtone's own tools, on a wire of its own. The power goes (kill -9) between the chapters."""
import contextlib
import ctypes
import os
import re
import signal
import struct

from house import House, check, equal, need, program, run, until
from living import HEAD, LOCAL, MAC, Phone, passwd_line
from pbx import scenario
from tap import main, test
from wire import Wire, dnsmasq

SERVER = '192.0.2.1'
URL = f'http://{SERVER}/'
FACTORY = {'static.zero_touch.enable': 1, 'static.zero_touch.wait_time': 5}
RULES = ('access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.write = uploads\n'
         'access.2.prefix = /T46S_1/\naccess.2.users = paul\n')
WIZARD = ('until zero-touch', 'press ok', 'until zero-touch-network', 'press soft4', 'until zero-touch-server', f'text {URL}',
          'press down', 'press down', 'press ok')
SYNC = {'static.auto_provision.custom.sync': 1}
PROTECT = {**SYNC, 'static.auto_provision.custom.protect': 1}
CONTACTS = ('<root_group>\n<group display_name="All" ring=""/>\n</root_group>\n<root_contact>\n'
            '<contact display_name="Ann" office_number="4711" line="0" group_id_name="All"/>\n</root_contact>\n')
AUTO_DST = ('<?xml version="1.0" encoding="UTF-8"?>\n<DSTData>\n<DST szTime="+1" szZone="Germany(Berlin)" iType="1" '
            'szStart="3/5/7/2" szEnd="10/5/7/3" szOffset="60"/>\n</DSTData>\n')
WAV = b'RIFF' + struct.pack('<I', 36 + 800) + b'WAVEfmt ' + struct.pack('<IHHIIHH', 16, 1, 1, 8000, 8000, 1, 8) + \
      b'data' + struct.pack('<I', 800) + b'\x80' * 800
AES = '0123456789abcdef'


@contextlib.contextmanager
def at_the_phones_end(wire):
    """This process, and all that it starts, is on the phone's side of the wire."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open('/proc/self/ns/net', encoding='ascii') as home, open(f'/run/netns/{wire.phone}', encoding='ascii') as there:
        check(libc.setns(there.fileno(), 0) == 0, os.strerror(ctypes.get_errno()))
        try:
            yield
        finally:
            check(libc.setns(home.fileno(), 0) == 0, os.strerror(ctypes.get_errno()))


class Life:
    """What the phone has around it."""

    def __init__(self, wire, house):
        self.wire, self.h = wire, house
        self.conf = house.dir / 'd.conf'
        self.conf.write_text(RULES + passwd_line('paul', 'right-one'))
        self.conf.chmod(0o600)
        certificates = house.client_options('required', https__port=443, tls__certificate=house.dir / 'tls/server/ecdsa.pem',
                                            tls__key=house.dir / 'tls/server/ecdsa.key')
        self.options = {'workers': 1, **certificates}
        self.flash = house.dir / 'flash' / f'{MAC}.flash'
        self.central = {'account.1.label': 'Desk', **SYNC}
        self.common = {}

    def serve(self):
        return self.wire.serve(self.h, '-c', self.conf, **self.options)

    @contextlib.contextmanager
    def phone(self, *more, scale=50, server=None):
        """Powered on; at the end the power goes."""
        with Phone(self.h, server, *more, scale=scale) as p:
            yield p
            p.signal(signal.SIGKILL)
            p.wait()
            p.process.returncode = 0
        check(not any(word in line for line in p.out + p.err for word in ('right-one', AES)), 'a secret was printed')

    def write(self, **central):
        """What the administrator changes in the phone's own file; None takes a line away."""
        self.central.update({key.replace('__', '.'): value for key, value in central.items()})
        self.put()

    def put(self, *more):
        self.h.write(f'{MAC}.boot', HEAD + 'overwrite_mode = 1\ninclude:config <common.cfg>\ninclude:config <own.cfg>\n')
        self.h.write('common.cfg', cfg(self.common))
        self.h.write('own.cfg', cfg({key: value for key, value in self.central.items() if value is not None}, *more))

    def uploaded(self, text):
        path = self.h.state / 'uploads' / LOCAL
        until(lambda: path.exists() and path.read_text() == text, f'{text!r} on the server')

    def kept_files(self):
        directory = self.h.dir / 'flash' / f'{MAC}.files'
        return sorted(path.name for path in directory.iterdir()) if directory.exists() else []


def cfg(settings, *more):
    return HEAD + ''.join(f'{key} = {value}\n' for key, value in settings.items()) + ''.join(line + '\n' for line in more)


def holds(p, **settings):
    now = p.settings()
    for key, value in settings.items():
        equal((key, now.get(key.replace('__', '.'))), (key, value))


# --- the chapters ---


def it_is_unpacked(life):
    """Zero Touch: somebody enters the server; the network parameters come by DHCP."""
    flash = life.h.dir / 'flash'
    flash.mkdir()
    life.flash.write_text(f'{HEAD}phone.mac = 00:15:65:74:b1:50\n' +
                          ''.join(f'central.{key} = {value}\n' for key, value in FACTORY.items()) + 'flash.end = 1\n')
    keys = life.h.dir / 'keys'
    keys.write_text(''.join(line + '\n' for line in WIZARD))
    life.write()
    with dnsmasq(life.wire, life.h, ''), life.phone('--discover', '-i', 'ph0', '--keys', keys) as p:
        equal(p.idle()['last_run']['outcome'], 'provisioned')
        check(p.saw(f'zero touch  {URL} (entered): this one', p.out), p.out)
        holds(p, account__1__label='Desk', static__auto_provision__server__url=URL)


def its_user_changes_something(life):
    """The change goes to the server and outlives the power."""
    with life.phone() as p:
        equal(p.idle()['last_run']['outcome'], 'unchanged')
        p.change('account.1.label', "Paul's")
        p.change('static.auto_provision.repeat.minutes', '77')
        life.uploaded(HEAD + "account.1.label = Paul's\n")
    with life.phone() as p:
        holds(p, account__1__label="Paul's")


def the_centre_changes_the_same(life):
    with life.phone() as p:
        p.idle()
        life.central.update(PROTECT)
        life.write(account__1__label='Other')
        equal(p.provision()['last_run']['outcome'], 'provisioned')
        holds(p, account__1__label="Paul's")
        life.central['static.auto_provision.custom.protect'] = 0
        life.write(account__1__label='Third')
        equal(p.provision()['last_run']['outcome'], 'provisioned')
        holds(p, account__1__label='Third')
        equal(p.provision()['last_run']['outcome'], 'unchanged')
    with life.phone() as p:
        p.idle()
        holds(p, account__1__label='Third')


def resource_files_come_and_go(life):
    files = {'contact.xml': CONTACTS, 'Ring1.wav': WAV, 'AutoDST.xml': AUTO_DST}
    for name, data in files.items():
        life.h.write(name, data)
    resources = {'local_contact.data.url': URL + 'contact.xml', 'ringtone.url': URL + 'Ring1.wav',
                 'auto_dst.url': URL + 'AutoDST.xml'}
    life.central.update(resources)
    life.put()
    with life.phone() as p:
        p.idle()
        equal(life.kept_files(), ['auto_dst.url', 'local_contact.data.url', 'ringtone.url=Ring1.wav'])
    equal((life.h.dir / 'flash' / f'{MAC}.files' / 'ringtone.url=Ring1.wav').read_bytes(), WAV)
    for key in resources:
        del life.central[key]
    life.put('local_contact.data.delete = http://localhost/all', 'ringtone.delete = http://localhost/Ring1.wav')
    with life.phone() as p:
        p.idle()
        equal(life.kept_files(), ['auto_dst.url'])
    life.put()


def it_gets_new_firmware(life):
    life.h.write('T46S-66.81.0.30.rom', b'\0' * 200000)
    life.write(static__firmware__url=URL + 'T46S-66.81.0.30.rom')
    with life.phone() as p:
        until(lambda: p.state()['firmware'] == '66.81.0.30' and p.state()['state'] == 'idle', 'the new firmware')
        holds(p, account__1__label='Third')
    with life.phone() as p:
        p.idle()
        equal(p.state()['firmware'], '66.81.0.30')


def it_hears_check_sync(life):
    """From sipp at the server's address, and from dialtone notify."""
    place = re.search(r'inet (192\.0\.2\.\d+)/', life.wire.addresses())[1]

    def sipp(event):
        (life.h.dir / 'pbx.xml').write_text(scenario(event, 200))
        done = program('ip', 'netns', 'exec', life.wire.server, need('sipp'), '-sf', life.h.dir / 'pbx.xml', '-i', SERVER, '-m',
                       1, '-timeout', '20s', '-nostdin', f'{place}:5060', cwd=life.h.dir)
        equal(done.returncode, 0)
    life.write(sip__notify_reboot_enable=0, account__1__label='By sipp')
    with life.phone('--sip', f'{place}:5060') as p:
        p.idle()
        life.write(account__1__label='Told')
        runs = p.state()['runs']
        sipp('check-sync')
        until(lambda: p.state()['runs'] > runs, 'the run')
        p.idle()
        equal(p.state()['power_ons'], 1)
        holds(p, account__1__label='Told')
        life.write(account__1__label='Rebooted')
        sipp('check-sync;reboot=true')
        until(lambda: p.state()['power_ons'] == 2, 'the reboot')
        p.idle()
        holds(p, account__1__label='Rebooted')
        life.write(account__1__label='Notified')
        runs = p.state()['runs']
        done = program('ip', 'netns', 'exec', life.wire.server, os.environ['DIALTONE'], 'notify', '--to', f'sip:1001@{place}:5060')
        equal(done.returncode, 0)
        until(lambda: p.state()['runs'] > runs, 'the run')
        p.idle()
        holds(p, account__1__label='Notified')


def an_activation_code_is_dialled(life):
    life.h.write(f'T46S_1/{MAC}.boot', HEAD + 'overwrite_mode = 0\ninclude:config <mine.cfg>\n')
    life.h.write('T46S_1/mine.cfg', HEAD + 'features.mine = 1\n')
    life.central.update({'static.autoprovision.1.code': '*123', 'static.autoprovision.1.url': URL + 'T46S_1/'})
    life.put()
    # As it is: two seconds of "Wrong user name or password!" are to be seen.
    with life.phone(scale=2) as p:
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
            p.post('press', keys=['ok'])
            if password == 'wrong-one':
                equal(p.shows('wrong-login')['lines'], ['Wrong user name or password!'])
                p.shows('idle')
        until(lambda: p.settings().get('features.mine') == '1', 'its files')
        equal(p.settings()['static.autoprovision.1.password'], '********')


def a_pin_is_asked_for(life):
    """Without a boot file: the PIN CFG is in the place of the MAC-oriented one."""
    (life.h.root / f'{MAC}.boot').unlink()
    life.h.write('y000000000066.cfg', cfg({'static.custom_mac_cfg.url': URL + '$pin.cfg'}))
    life.h.write('A31.cfg', cfg({'account.1.label': 'A31'}))
    with life.phone(scale=1) as p:
        for pin in ('A99', 'A31'):
            until(lambda: (lambda s: s['name'] == 'pin' and s['fields'][0]['value'] == '')(p.get('screen')), 'the PIN')
            p.post('text', text=pin)
            p.post('press', keys=['ok'])
        equal(p.idle()['last_run']['outcome'], 'provisioned')
        holds(p, account__1__label='A31')
    (life.h.root / 'y000000000066.cfg').unlink()
    life.central['static.custom_mac_cfg.url'] = ''
    life.put()


def files_are_encrypted(life):
    """The key comes in a file that is not; in another key nothing is applied."""
    life.common = {'static.auto_provision.aes_key_16.com': AES}
    life.write(account__1__label='Sealed')
    plain, right, wrong = (life.h.dir / name for name in ('own.cfg', 'right', 'wrong'))
    plain.write_bytes((life.h.root / 'own.cfg').read_bytes())
    right.write_text(AES)
    wrong.write_text(AES[::-1])

    def seal(key):
        equal(run('encrypt', '--aes-common', key, '--out', life.h.dir / 'sealed', plain).returncode, 0)
        life.h.write('own.cfg', (life.h.dir / 'sealed' / 'own.cfg').read_bytes())
    seal(right)
    with life.phone() as p:
        equal(p.idle()['last_run']['outcome'], 'provisioned')
        holds(p, account__1__label='Sealed', static__auto_provision__aes_key_16__com='********')
        plain.write_text(plain.read_text().replace('Sealed', 'Foreign'))
        seal(wrong)
        last = p.provision()['last_run']
        equal(last['outcome'], 'failed')
        check('the key is wrong' in last['why'], last)
        holds(p, account__1__label='Sealed')
    life.write(account__1__label='Open')


def certificates_are_trusted_and_no_more(life, daemon):
    """HTTPS with the phone's own certificate: first it is revoked, then the server has one of another authority."""
    tls = life.h.dir / 'tls'
    words = ('--device-cert', life.h.device(MAC)[0], '--device-key', life.h.device(MAC)[1])
    life.h.write('ca.pem', (tls / 'ca/ca.pem').read_bytes())
    life.write(static__trusted_certificates__url=URL + 'ca.pem', static__auto_provision__server__url=f'https://{SERVER}/')
    with life.phone(*words) as p:
        p.idle()
    with life.phone(*words) as p:
        check(p.idle()['last_run']['outcome'] in ('provisioned', 'unchanged'), p.out)
        until(lambda: any('https ' in line and 'certificate 00:15:65:74:b1:50' in line for line in daemon.events()), 'the journal')
        equal(run('cert', '--dir', tls, '--revoke', MAC).returncode, 0)
        daemon.signal(signal.SIGHUP)
        check(daemon.saw('configuration read again'), daemon.err)
        last = p.provision()['last_run']
        equal(last['outcome'], 'failed')
        check("the phone's own certificate is revoked" in last['why'], last)
        holds(p, account__1__label='Open')


def the_authority_is_another_one(life):
    """What was imported does not know it; by plain HTTP the phone is given the new one."""
    tls = life.h.dir / 'tls'
    tls.rename(life.h.dir / 'old-tls')
    life.h.make_certificates('--ip', SERVER)
    life.h.make_devices(MAC)
    words = ('--device-cert', life.h.device(MAC)[0], '--device-key', life.h.device(MAC)[1])
    with life.serve(), life.phone(*words) as p:
        last = p.idle()['last_run']
        equal(last['outcome'], 'failed')
        check('is not trusted' in last['why'], last)
        holds(p, account__1__label='Open')
    life.h.write('next-ca.pem', (tls / 'ca/ca.pem').read_bytes())
    life.write(static__trusted_certificates__url=URL + 'next-ca.pem')
    with life.serve():
        with life.phone(*words, server=URL) as p:
            equal(p.idle()['last_run']['outcome'], 'provisioned')
        with life.phone(*words) as p:
            check(p.idle()['last_run']['outcome'] in ('provisioned', 'unchanged'), p.out)


def the_server_is_gone_for_a_while(life):
    words = ('--device-cert', life.h.device(MAC)[0], '--device-key', life.h.device(MAC)[1])
    with life.phone(*words) as p:
        equal(p.idle()['last_run']['outcome'], 'failed')
        check('Network unavailable' in p.get('screen')['lines'], p.get('screen'))
        p.change('account.1.label', 'Alone')
        life.write(features__back=1)
        with life.serve():
            equal(p.provision()['last_run']['outcome'], 'provisioned')
            check('Network unavailable' not in p.get('screen')['lines'], p.get('screen'))
            holds(p, features__back='1')


@test
def one_phone_lives_from_its_box_to_a_server_that_is_gone():
    with Wire() as wire, House() as h:
        h.make_certificates('--ip', SERVER)
        h.make_devices(MAC)
        life = Life(wire, h)
        with at_the_phones_end(wire):
            with life.serve() as d:
                for chapter in (it_is_unpacked, its_user_changes_something, the_centre_changes_the_same,
                                resource_files_come_and_go, it_gets_new_firmware, it_hears_check_sync,
                                an_activation_code_is_dialled, a_pin_is_asked_for, files_are_encrypted):
                    chapter(life)
                certificates_are_trusted_and_no_more(life, d)
            the_authority_is_another_one(life)
            the_server_is_gone_for_a_while(life)
        equal(life.flash.stat().st_mode & 0o777, 0o600)


main()
