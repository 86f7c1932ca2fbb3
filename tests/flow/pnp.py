"""PnP: what deployed phones send to the group gets its URL from a real daemon, and nobody else gets anything (R17).

On loopback multicast; interfaces that come and go are two network namespaces with a veth pair, made by the test.
"""
import contextlib
import ctypes
import os
import re
import socket
import sqlite3
import time

from house import House, Daemon, PATIENCE_S, check, equal, make_namespace, need, program, resident_kib, run, serving, until
from tap import main, test

GROUP = '224.0.1.75'
URL = 'https://192.0.2.1/$PN/'
MAC = '00156574b16e'
W52P = 'ua-profile;profile-type="device";vendor="yealink";model="W52P";version="25.81.0.10"'
SNOM = 'ua-profile;profile-type="device";vendor="snom";model="snom320";version="8.7.5.35"'
# Silence is what lasts so long: the daemon answers within a millisecond or never.
SILENCE_S = 0.3


def pnp(**more):
    return {'pnp__enable': 1, 'pnp__port': 0, 'pnp__interfaces': 'lo', 'pnp__url': URL, **more}


class Phone:
    """One who asks: a socket on an address of its own."""

    number = 1681692777

    def __init__(self, daemon, host='127.0.0.1', port=0, made=None):
        self.port = daemon.ports['pnp']
        self.socket = made or socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, port))
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(host))
        self.host, self.own = self.socket.getsockname()
        Phone.number += 1
        self.id = Phone.number

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def subscribe(self, user='MAC' + MAC, event=W52P, via='', contact=None, agent='Yealink W52P 25.81.0.10'):
        contact = contact or f'<sip:{user}@{self.host}:{self.own}>'
        return (f'SUBSCRIBE sip:{user}@{GROUP} SIP/2.0\r\n'
                f'Via: SIP/2.0/UDP {self.host}:{self.own};branch=z9hG4bK{self.id}{via}\r\n'
                f'From: <sip:{user}@{GROUP}>;tag={self.id}\r\nTo: <sip:{user}@{GROUP}>\r\n'
                f'Call-ID: {self.id}@{self.host}\r\nCSeq: 1 SUBSCRIBE\r\nContact: {contact}\r\nMax-Forwards: 70\r\n'
                f'User-Agent: {agent}\r\nExpires: 0\r\nEvent: {event}\r\nAccept: application/url\r\n'
                'Content-Length: 0\r\n\r\n').encode()

    def send(self, data, to=GROUP):
        self.socket.sendto(data, (to, self.port))

    def receive(self, wait_s=PATIENCE_S):
        """One datagram as Message; None after the wait."""
        self.socket.settimeout(wait_s)
        try:
            return Message(*self.socket.recvfrom(65536))
        except TimeoutError:
            return None

    def ask(self, data=None, to=GROUP):
        """The answer and the NOTIFY."""
        self.send(data or self.subscribe(), to)
        answer, notify = self.receive(), self.receive()
        equal((answer.start, notify.start.split()[0]), ('SIP/2.0 200 OK', 'NOTIFY'))
        return answer, notify

    def acknowledge(self, notify, status='200 OK'):
        lines = [f'SIP/2.0 {status}', *(f'{name}: {notify[name]}' for name in ('Via', 'From', 'To', 'Call-ID', 'CSeq'))]
        self.socket.sendto('\r\n'.join(lines + ['Content-Length: 0', '', '']).encode(), notify.source)

    def is_silent(self):
        return self.receive(SILENCE_S) is None


class Message:
    """A message of the daemon's, which is strict where phones are not."""

    def __init__(self, data, source):
        self.data, self.source = data, source
        head, self.body = data.decode().split('\r\n\r\n', 1)
        self.start, *lines = head.split('\r\n')
        self.fields = dict(line.split(': ', 1) for line in lines)

    def __getitem__(self, name):
        return self.fields[name]


def event_of(daemon, text):
    """The journal's line that holds the text."""
    return until(lambda: next((line for line in daemon.events() if text in line), None), text)


# --- the shapes of phones ---


@test
def a_w52p_gets_its_url_in_the_form_that_it_is_known_to_take():
    with serving(**pnp()) as (_, d), Phone(d) as phone:
        answer, notify = phone.ask()
        equal(answer['Via'], f'SIP/2.0/UDP 127.0.0.1:{phone.own};branch=z9hG4bK{phone.id}')
        equal(answer['From'], f'<sip:MAC{MAC}@{GROUP}>;tag={phone.id}')
        check(re.fullmatch(rf'<sip:MAC{MAC}@{GROUP}>;tag=\w+', answer['To']), answer['To'])
        equal((answer['Call-ID'], answer['CSeq'], answer['Expires']), (f'{phone.id}@127.0.0.1', '1 SUBSCRIBE', '0'))
        equal(answer['Contact'], f'<sip:127.0.0.1:{phone.port}>')
        equal(notify.start, f'NOTIFY sip:MAC{MAC}@127.0.0.1:{phone.own} SIP/2.0')
        equal((notify['To'], notify['From']), (answer['From'], answer['To']))
        equal((notify['Call-ID'], notify['CSeq']), (answer['Call-ID'], '2 NOTIFY'))
        equal((notify['Event'], notify['Subscription-State']), ('ua-profile', 'terminated;reason=noresource'))
        equal((notify['Content-Type'], notify['Content-Length'], notify.body), ('application/url', str(len(URL)), URL))
        phone.acknowledge(notify)
        line = event_of(d, ' pnp ')
        check(f'127.0.0.1:{phone.own} 00:15:65:74:b1:6e W52P 25.81.0.10 provisioning URL "{URL}" sent 200' in line, line)


@test
def the_journal_has_a_row_of_each_exchange():
    with serving(**pnp()) as (h, d):
        with Phone(d) as phone, Phone(d, '127.0.2.1') as other:
            phone.acknowledge(phone.ask()[1])
            event_of(d, ' sent 200 ')
            other.send(other.subscribe('MAC%3a0004132590fe', SNOM, agent='snom320/8.7.5.35'))
            event_of(d, ' absent ')
        equal(d.stop(), 0)
        with contextlib.closing(sqlite3.connect(h.state / 'journal.db')) as database:
            rows = database.execute('SELECT protocol, mac, model, firmware, name, meaning, outcome, code, reason FROM requests'
                                    ' ORDER BY id').fetchall()
        equal(rows, [('pnp', '00:15:65:74:b1:6e', 'W52P', '25.81.0.10', URL, 'provisioning URL', 'sent', 200, None),
                     ('pnp', '00:04:13:25:90:fe', None, None, 'MAC:0004132590fe', 'PnP request', 'absent', None,
                      'another brand, and no rule is for it')])


SHAPES = [
    {'user': f'MAC%3a{MAC}'}, {'user': f'MAC%3A{MAC.upper()}'}, {'user': 'MAC' + MAC.upper()}, {'via': ';rport'},
    {'event': 'ua-profile;vendor="Yealink";model="T46S"'}, {'event': 'ua-profile;vendor="OEM"'}, {'event': 'ua-profile'},
    {'contact': '<sip:127.0.0.1>'}, {'agent': 'x'},
]


@test
def every_shape_of_phones_is_answered():
    with serving(**pnp()) as (_, d):
        for n, shape in enumerate(SHAPES):
            with Phone(d, f'127.0.2.{n + 1}') as phone:
                notify = phone.ask(phone.subscribe(**shape))[1]
                equal(notify.body, URL)
                phone.acknowledge(notify)
        until(lambda: len([line for line in d.events() if ' sent 200 ' in line]) == len(SHAPES), 'the journal')


@test
def a_script_without_branch_tags_and_empty_line_is_answered():
    with serving(**pnp()) as (_, d), Phone(d) as phone:
        text = (f'SUBSCRIBE sip:MAC{MAC}@{GROUP} SIP/2.0\nv: SIP/2.0/UDP 127.0.0.1\nf: <sip:MAC{MAC}@{GROUP}>\n'
                f't: <sip:MAC{MAC}@{GROUP}>\ni: 1\nCSeq: 7 SUBSCRIBE\no: ua-profile\n')
        notify = phone.ask(text.encode())[1]
        equal((notify.body, notify['CSeq']), (URL, '8 NOTIFY'))


SCENARIO = f'''<?xml version="1.0" encoding="UTF-8"?>
<scenario name="phone">
<send retrans="500"><![CDATA[
SUBSCRIBE sip:MAC{MAC}@{GROUP} SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:MAC{MAC}@{GROUP}>;tag=[call_number]
To: <sip:MAC{MAC}@{GROUP}>
Call-ID: [call_id]
CSeq: 1 SUBSCRIBE
Contact: <sip:MAC{MAC}@[local_ip]:[local_port]>
Max-Forwards: 70
Expires: 0
Event: {W52P}
Content-Length: 0

]]></send>
<recv response="200"/>
<recv request="NOTIFY"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
'''


@test
def sipp_as_a_phone_finds_the_dialog_in_order():
    sipp = need('sipp')
    with serving(**pnp(pnp__unicast=1, pnp__rate=100)) as (h, d):
        (h.dir / 'phone.xml').write_text(SCENARIO)
        # One call at a time: sipp's calls share a port, and a source has one exchange.
        done = program(sipp, '-sf', h.dir / 'phone.xml', '-i', '127.0.0.1', '-t', 'u1', '-m', '10', '-l', '1', '-timeout', '20s',
                       '-nostdin', f'127.0.0.1:{d.ports["pnp"]}', cwd=h.dir)
        check(done.returncode == 0, done.stdout[-2000:] + done.stderr)
        until(lambda: len([line for line in d.events() if ' sent 200 ' in line]) == 10, 'the journal')


# --- rules ---


@test
def other_brands_get_a_url_only_by_a_rule():
    rule = {'pnp.1.vendor': 'snom, fanvil', 'pnp.1.url': 'http://192.0.2.1/snom/{mac}.xml'}
    with serving(**pnp()) as (_, d), Phone(d) as phone:
        phone.send(phone.subscribe('MAC%3a0004132590fe', SNOM, agent='snom320/8.7.5.35'))
        event_of(d, '00:04:13:25:90:fe - - PnP request "MAC:0004132590fe" absent (another brand, and no rule is for it)')
        check(phone.is_silent(), 'an answer')
    with serving(**pnp(), **rule) as (_, d), Phone(d) as phone:
        notify = phone.ask(phone.subscribe('MAC%3a0004132590fe', SNOM, agent='snom320/8.7.5.35'))[1]
        equal(notify.body, 'http://192.0.2.1/snom/{mac}.xml')


@test
def a_rule_is_for_a_model_or_for_beginnings_of_mac_addresses():
    rules = {'pnp.1.mac': '80:5e:c0', 'pnp.1.url': 'https://one/', 'pnp.2.model': 'W52P', 'pnp.2.url': 'https://two/'}
    with serving(**pnp(), **rules) as (_, d):
        for n, (user, expected) in enumerate((('MAC805ec0112233', 'https://one/'), ('MAC' + MAC, 'https://two/'))):
            with Phone(d, f'127.0.2.{n + 1}') as phone:
                equal(phone.ask(phone.subscribe(user))[1].body, expected)


@test
def r17_a_password_in_the_url_is_refused_before_anything_is_served():
    bad = run('serve', '--check-config', '-o', 'pnp.url=http://user:secret@192.0.2.1/')
    equal(bad.returncode, 2)
    check('everybody on the network would read it' in bad.stderr and 'secret' not in bad.stderr, bad.stderr)
    fine = run('serve', '--check-config', '-o', 'pnp.url=https://user:secret@192.0.2.1/')
    equal(fine.returncode, 0)
    check('warning' in fine.stderr and 'secret' not in fine.stderr, fine.stderr)
    nowhere = run('serve', '--check-config', '-o', 'pnp.enable=1')
    check('neither pnp.url nor a rule' in nowhere.stderr, nowhere.stderr)


# --- R17 ---


@test
def r17_a_silent_source_gets_little_and_nothing_after_icmp():
    with serving(**pnp()) as (_, d):
        with Phone(d) as phone:
            data = phone.subscribe()
            answer, notify = phone.ask(data)
            start = time.monotonic()
            again = phone.receive()
            equal(again.data, notify.data)
            check(0.3 < time.monotonic() - start < 5, 'the second NOTIFY comes half a second after the first')
            phone.send(data)
            equal(phone.receive().data, answer.data)
            sent = len(answer.data) * 2 + len(notify.data) * 2
            check(sent <= 10 * len(data), f'{sent} bytes for {len(data)}')
        # The socket is closed: the next one is not delivered, which ends it.
        line = event_of(d, ' pnp ')
        check('stopped (nobody takes it there (ICMP))' in line, line)


@test
def r17_everything_goes_to_the_packets_source():
    with serving(**pnp()) as (_, d), Phone(d, '127.0.2.1') as victim, Phone(d, '127.0.2.2') as phone:
        phone.host, phone.own = victim.host, victim.own
        answer, notify = phone.ask(phone.subscribe(via=';rport'))
        check(';received=127.0.2.2;rport=' in answer['Via'], answer['Via'])
        equal(notify.start, f'NOTIFY sip:MAC{MAC}@127.0.2.1:{victim.own} SIP/2.0')
        check(victim.is_silent(), 'an answer to whom only Via and Contact name')


@test
def r17_an_address_has_a_rate_whatever_its_ports():
    with serving(**pnp(pnp__rate=2)) as (_, d), contextlib.ExitStack() as stack:
        phones = [stack.enter_context(Phone(d)) for _ in range(60)]
        for phone in phones:
            phone.send(phone.subscribe())
        answered = [phone for phone in phones if phone.receive(SILENCE_S / 10) or phone is phones[0]]
        check(8 <= len(answered) <= 14, f'{len(answered)} of 60 answered')
        event_of(d, 'refused (too many requests from this address)')
        with Phone(d, '127.0.2.1') as other:
            equal(other.ask()[1].body, URL)


def hostile(phone):
    good = phone.subscribe()
    lines = good.split(b'\r\n')
    yield from (b'', b'\r\n\r\n', b'\0' * 60000, b'\xff' * 2000, b'SUBSCRIBE', b'SUBSCRIBE sip:a SIP/2.0', b'SIP/2.0 200 OK\r\n\r\n')
    yield from (good[:cut] for cut in range(20, 200, 7))
    yield good + b'x' * 1400
    yield good.replace(b'Call-ID', b'Call\0ID')
    yield good.replace(b'MAC', b'\x1b[2J')
    yield good.replace(b'CSeq: 1', b'CSeq: 99999999999999999999')
    yield good.replace(b'Content-Length: 0', b'Content-Length: -1')
    yield good.replace(b'Content-Length: 0', b'Content-Length: 4294967295')
    yield good.replace(b'Event: ua-profile', b'Event: presence')
    yield good.replace(b'SUBSCRIBE', b'NOTIFY')
    yield good.replace(b'SUBSCRIBE', b'OPTIONS')
    yield good.replace(b'SIP/2.0\r\nVia', b'SIP/9.9\r\nVia')
    yield b'\r\n'.join(lines[:1] + [b'v: SIP/2.0/UDP h;' + b'x' * 60] * 16 + lines[1:])
    yield b'\r\n'.join(lines[:1] + [b'X: y'] * 100 + lines[1:])
    yield b'\r\n'.join([lines[0]] + [line for line in lines[1:] if not line.startswith(b'Via')])
    yield b'\r\n'.join([lines[0]] + [line for line in lines[1:] if not line.startswith(b'From')])
    yield b'SUBSCRIBE sip:' + b'%' * 1200 + b' SIP/2.0\r\n\r\n'
    yield good.replace(b'<sip:', b'<' * 500 + b'sip:', 1)
    yield good.replace(b'"yealink"', b'"' * 300)


@test
def hostile_datagrams_get_silence_and_the_daemon_goes_on():
    with serving(**pnp(pnp__rate=1000)) as (_, d), Phone(d, '127.0.2.1') as enemy, Phone(d) as phone:
        for data in hostile(enemy):
            enemy.send(data)
        check(enemy.is_silent(), 'an answer')
        before = resident_kib(d.pid)
        for n in range(2000):
            enemy.send(os.urandom(n % 1400))
        equal(phone.ask()[1].body, URL)
        check(resident_kib(d.pid) < before + 4096, 'it grew')
        # Each refusal is a line, and a burst of them is few.
        refused = [line for line in until(lambda: d.events(), 'the journal') if ' refused ' in line]
        check(0 < len(refused) <= 40, f'{len(refused)} lines')
        check(all(line.isprintable() for line in refused), 'a control byte in the journal')


@test
def what_is_sent_to_this_host_alone_is_answered_only_when_asked_to():
    with serving(**pnp()) as (_, d), Phone(d) as phone:
        phone.send(phone.subscribe(), '127.0.0.1')
        event_of(d, 'refused (not sent to the group, and pnp.unicast is 0)')
        check(phone.is_silent(), 'an answer')
    with serving(**pnp(pnp__unicast=1)) as (_, d), Phone(d) as phone:
        equal(phone.ask(to='127.0.0.1')[1].body, URL)


# --- starting and stopping ---


@test
def pnp_is_off_unless_asked_for():
    with serving() as (_, d):
        check('pnp' not in d.ports, d.ports)


@test
def pnp_alone_can_be_served_by_several_workers_and_each_phone_is_answered_once():
    with serving(**pnp(tftp__enable=0, http__enable=0, ftp__enable=0, workers=4)) as (_, d), Phone(d) as phone:
        phone.acknowledge(phone.ask()[1])
        check(phone.is_silent(), 'more than two datagrams')


@test
def a_port_that_is_taken_is_said():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(('0.0.0.0', 0))
        with House() as h:
            done = run('serve', '--root', h.root, *h.options(**pnp(pnp__port=other.getsockname()[1])))
            equal(done.returncode, 1)
            check('pnp: cannot listen on 0.0.0.0:' in done.stderr and '(pnp.port)' in done.stderr, done.stderr)


@test
def stopping_does_not_wait_for_phones_that_are_silent():
    with serving(**pnp(run__drain_s=30)) as (_, d), Phone(d) as phone:
        phone.ask()
        start = time.monotonic()
        equal(d.stop(), 0)
        check(time.monotonic() - start < 10, 'it waited')
        event_of(d, 'stopped (server stopped)')


@test
def stopping_does_not_wait_for_what_is_only_remembered():
    with serving(**pnp(run__drain_s=30)) as (_, d), Phone(d) as phone:
        phone.acknowledge(phone.ask()[1])
        event_of(d, ' sent 200 ')
        start = time.monotonic()
        equal(d.stop(), 0)
        check(time.monotonic() - start < 10, 'it waited')


# --- interfaces that come and go ---


class Wire:
    """Two network namespaces; the veth pair between them is plugged in and out."""

    made = 0

    def __init__(self):
        Wire.made += 1
        self.server, self.phone = (f'dialtone-pnp-{os.getpid()}-{Wire.made}-{end}' for end in ('server', 'phone'))

    def __enter__(self):
        make_namespace(self.server)
        self.ip('netns', 'add', self.phone)
        return self

    def __exit__(self, *_):
        for end in (self.phone, self.server):
            program('ip', 'netns', 'del', end)

    def ip(self, *words):
        done = program('ip', *words)
        equal((done.returncode, done.stderr), (0, b''))

    def plug(self, name, number):
        self.ip('link', 'add', name, 'netns', self.server, 'type', 'veth', 'peer', 'name', name, 'netns', self.phone)
        for end, host in ((self.server, 1), (self.phone, 2)):
            self.ip('-n', end, 'addr', 'add', f'198.18.{number}.{host}/24', 'dev', name)
            self.ip('-n', end, 'link', 'set', name, 'up')

    def unplug(self, name):
        self.ip('-n', self.server, 'link', 'del', name)

    def serve(self, house, **more):
        options = house.options(**pnp(**more))
        return Daemon(['--root', house.root, *options], before=['ip', 'netns', 'exec', self.server])

    def phone_at(self, daemon, number):
        """A phone on the wire; the socket stays in the namespace that it was made in."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open('/proc/self/ns/net', encoding='ascii') as home, open(f'/run/netns/{self.phone}', encoding='ascii') as there:
            check(libc.setns(there.fileno(), 0) == 0, os.strerror(ctypes.get_errno()))
            try:
                return Phone(daemon, f'198.18.{number}.2', made=socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            finally:
                check(libc.setns(home.fileno(), 0) == 0, os.strerror(ctypes.get_errno()))


@test
def an_interface_that_comes_later_goes_and_comes_again_is_listened_on():
    with Wire() as wire, House() as h, wire.serve(h, listen='*', pnp__interfaces='office') as d:
        check(d.saw('no network interface to listen on yet'), d.err)
        for turn in (1, 2, 3):
            wire.plug('office', turn)
            until(lambda: len([line for line in d.err if 'listening on office' in line and 'no longer' not in line]) == turn,
                  'the interface')
            with wire.phone_at(d, turn) as phone:
                answer, notify = phone.ask()
                equal((notify.body, answer['Contact']), (URL, f'<sip:198.18.{turn}.1:{phone.port}>'))
                phone.acknowledge(notify)
            wire.unplug('office')
            until(lambda: len([line for line in d.err if 'no longer listening on office' in line]) == turn, 'its end')


@test
def only_the_interfaces_that_are_named_are_listened_on():
    with Wire() as wire, House() as h:
        wire.plug('office', 1)
        wire.plug('guests', 2)
        with wire.serve(h, listen='*', pnp__interfaces='office') as d:
            with wire.phone_at(d, 2) as guest, wire.phone_at(d, 1) as phone:
                guest.send(guest.subscribe())
                equal(phone.ask()[1].body, URL)
                check(guest.is_silent(), 'an answer to the other network')
        with wire.serve(h, listen='*', pnp__interfaces='') as d, wire.phone_at(d, 2) as guest:
            equal(guest.ask()[1].body, URL)


main()
