#!/usr/bin/env python3
"""The real phone against the real server through wires that lose, double, delay and reorder datagrams, and that delay,
dribble and cut connections: it is provisioned with exactly the right settings or fails with a reason and applies nothing,
and what it uploads is on the server whole or not at all."""
import concurrent.futures
import contextlib
import ctypes
import os
import random
import re
import socket

from house import Daemon, House, check, equal, make_namespace, program, until
from living import BOOT, HEAD, Phone, passwd_line, serve_rules
from relays import UDP_HOST, TcpWire, UdpWire
from tap import dialtone, main, test

GROUP = '224.0.1.75'
# They mostly wait.
AT_ONCE = 16
RULES = 'access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.write = uploads\n'
# Of a real phone the first is five seconds.
PATIENCE = {'static.auto_provision.attempt_expired_time': '2',
            'static.auto_provision.retry_delay_after_file_transfer_failed': '1',
            'static.auto_provision.custom.sync': '1', 'static.auto_provision.custom.protect': '1'}


def mac_of(seed):
    return f'00156574c{seed:03x}'


def common(label):
    """Settings of a file of several blocks, of other values for another label."""
    draw = random.Random(label)
    return {**PATIENCE, **{f'features.number_{i}': f'{label} {draw.getrandbits(200):x}' for i in range(100)}}


def cfg(settings):
    return HEAD + ''.join(f'{key} = {value}\n' for key, value in settings.items())


def write_trees(h, seeds):
    for label in ('old', 'new'):
        h.write(f'{label}/{BOOT}', HEAD + 'overwrite_mode = 1\ninclude:config <all.cfg>\ninclude:config <$MAC.cfg>\n')
        h.write(f'{label}/all.cfg', cfg(common(label)))
        for seed in seeds:
            h.write(f'{label}/{mac_of(seed)}.cfg', cfg({'account.1.label': f'{label} {seed}'}) + '# filler\n' * 300)


class Trial:
    """One seed: a phone that has its old settings from a good wire asks for the new ones through a bad one."""

    def __init__(self, h, seed, words=()):
        self.h, self.seed, self.mac, self.words = h, seed, mac_of(seed), words

    def phone(self, server):
        return Phone(self.h, server, *self.words, mac=self.mac)

    def live(self, good, wire, bad):
        """What the run came to, and the upload; `bad` makes a URL of the wire's port."""
        with self.phone(good) as p:
            equal(p.idle()['last_run']['outcome'], 'provisioned')
            check(p.settings() == self.settings('old'), p.out)
        with wire, self.phone(bad(wire.port)) as p:
            return self.provisioned(p), self.uploaded(p)

    def provisioned(self, p):
        """Whether it got there; half of it is never there."""
        last = p.idle()['last_run']
        check(last['outcome'] in ('provisioned', 'failed'), last)
        check(last['outcome'] == 'provisioned' or len(last['why']) > 10, last)
        now, meant = p.settings(), self.settings('old' if last['outcome'] == 'failed' else 'new')
        check(now == meant, f"seed {self.seed}: {last}, but {len(now.items() ^ meant.items())} differences: {p.out}")
        return last['outcome']

    def settings(self, label):
        return {**common(label), 'account.1.label': f'{label} {self.seed}'}

    def uploaded(self, p):
        """Whether the server has what was changed on the phone; what it has is always a whole file."""
        files = [None]
        for number in (1, 2):
            value = f'{self.seed} {number} ' + 'x' * 3000
            p.change('features.personal', value)
            files.append((HEAD + f'features.personal = {value}\n').encode())
        said = until(lambda: self.end_of_upload(p, files), 'the end of the upload')
        return 'stored' if said.endswith(': stored') else 'not stored'

    def end_of_upload(self, p, files):
        """Its line, or None while there is none; when the phone says that it is stored it is there, or it was the one before."""
        path = self.h.state / 'uploads' / 'new' / f'{self.mac}-local.cfg'
        lines = [line for line in p.out if '  upload ' in line]
        there = path.read_bytes() if path.exists() else None
        check(there in files, f'not a file that was sent: {there}')
        if not lines or 'once more' in lines[-1] or (lines[-1].endswith(': stored') and there != files[-1]):
            return None
        check(len(lines[-1].split('-local.cfg: ')[-1]) > 5, lines)
        return lines[-1]


def live_all(seeds, trial):
    """Several at a time: they mostly wait. Counts what they came to."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        done = dict(zip(seeds, pool.map(trial, seeds)))
    for kind in ('provisioned', 'failed', 'stored', 'not stored'):
        print(f'# {kind}:', ' '.join(str(seed) for seed in seeds if kind in done[seed]))
    return done


@contextlib.contextmanager
def serving(seeds, rules=RULES, **more):
    with House() as h:
        write_trees(h, seeds)
        with serve_rules(h, rules, **more) as d:
            yield h, d


def chances(seed):
    """Most wires are bad, some are hopeless."""
    return {'lose': 0.5, 'double': 0.2, 'late': 0.3} if seed % 5 == 4 else {'lose': 0.05, 'double': 0.1, 'late': 0.1}


@test
def tftp_is_right_or_fails_through_loss_doubles_delay_and_reorder():
    seeds = range(16)
    with serving(seeds) as (h, d):
        def trial(seed):
            wire = UdpWire(('127.0.0.1', d.tftp), seed, **chances(seed))
            return Trial(h, seed).live(f'http://{d.http_at()}/old/', wire, lambda port: f'tftp://{UDP_HOST}:{port}/new/')
        live_all(seeds, trial)


def cuts(seed):
    return {'cut': 0.9, 'slow': 0.3} if seed % 5 == 4 else {'cut': 0.2, 'slow': 0.3}


@test
def http_is_right_or_fails_through_cuts_delays_and_dribbles():
    seeds = range(24)
    with serving(seeds) as (h, d):
        def trial(seed):
            wire = TcpWire(d.http, seed, **cuts(seed))
            return Trial(h, seed).live(f'http://{d.http_at()}/old/', wire, lambda port: f'http://127.0.0.1:{port}/new/')
        live_all(seeds, trial)


@test
def https_is_right_or_fails_through_cuts_delays_and_dribbles():
    seeds = range(16)
    with House() as h:
        h.make_certificates()
        write_trees(h, seeds)
        with serve_rules(h, RULES, **h.tls_options()) as d:
            def trial(seed):
                wire = TcpWire(d.https, seed, **cuts(seed))
                return Trial(h, seed, ('--trusted', h.dir / 'tls/ca/ca.pem')).live(
                    f'http://{d.http_at()}/old/', wire, lambda port: f'https://127.0.0.1:{port}/new/')
            live_all(seeds, trial)


@test
def ftp_is_right_or_fails_through_cuts_delays_and_dribbles():
    seeds = range(16)
    users = ''.join(passwd_line(mac_of(seed), 'its-own-one') for seed in seeds)
    with serving(seeds, RULES + users) as (h, d):
        def trial(seed):
            wire = TcpWire(d.ftp, seed, ftp=True, **cuts(seed))
            return Trial(h, seed).live(f'http://{d.http_at()}/old/', wire,
                                       lambda port: f'ftp://{mac_of(seed)}:its-own-one@127.0.0.1:{port}/new/')
        live_all(seeds, trial)


# --- PnP ---


class Room:
    """A network namespace with one interface, which a multicast datagram comes back from."""

    def __init__(self):
        self.name = f'dialtone-{os.getpid()}-pnp'

    def __enter__(self):
        make_namespace(self.name)
        for words in ('link set lo up', 'link add dt0 type veth peer name dt1', 'link set dt0 up', 'link set dt1 up',
                      'addr add 192.0.2.1/24 dev dt0'):
            equal(program('ip', '-n', self.name, *words.split()).stderr, b'')
        return self

    def __exit__(self, *_):
        program('ip', 'netns', 'del', self.name)

    def words(self):
        return ['ip', 'netns', 'exec', self.name]

    def socket(self, port=0, host='192.0.2.1'):
        """It stays in the namespace that it was made in."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open('/proc/self/ns/net', encoding='ascii') as home, open(f'/run/netns/{self.name}', encoding='ascii') as there:
            check(libc.setns(there.fileno(), 0) == 0, os.strerror(ctypes.get_errno()))
            try:
                made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                made.bind((host, port))
                if host != '192.0.2.1':
                    membership = socket.inet_aton(GROUP) + socket.inet_aton('192.0.2.1')
                    made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
                return made
            finally:
                check(libc.setns(home.fileno(), 0) == 0, os.strerror(ctypes.get_errno()))


def find_by_pnp(h, room, seed):
    """`phone --discover` once: its MAC is the wire's seed. What it came to."""
    flash = h.dir / 'flash'
    done = program(*room.words(), dialtone(), 'phone', '--discover', '-i', 'dt0', '--mac', mac_of(seed), '--model', 'T46S',
                   '--firmware', '66.81.0.15', '--flash', flash, '--once', '--time-scale', 1000)
    said = done.stdout.decode() + done.stderr.decode()
    kept = dict(re.findall(r'^central\.(\S+) = (.*)$', (flash / f'{mac_of(seed)}.flash').read_text(), re.MULTILINE))
    if done.returncode == 0:
        equal((seed, {key: kept[key] for key in kept if key.startswith(('account.', 'features.'))}),
              (seed, {key: value for key, value in Trial(h, seed).settings('new').items() if not key.startswith('static.')}))
        check('PnP  http://192.0.2.1/new/ (from ' in said, said)
        return 'provisioned'
    check('PnP  none (' in said and 'account.1.label' not in kept, said)
    return 'failed'


@test
def pnp_finds_its_server_or_says_that_there_was_none_through_loss_doubles_delay_and_reorder():
    seeds = range(20)
    with Room() as room, House() as h:
        write_trees(h, seeds)
        (h.dir / 'flash').mkdir()
        for seed in seeds:
            colons = ':'.join(mac_of(seed)[i:i + 2] for i in range(0, 12, 2))
            (h.dir / 'flash' / f'{mac_of(seed)}.flash').write_text(
                f'{HEAD}phone.mac = {colons}\ncentral.static.auto_provision.dhcp_option.enable = 0\nflash.end = 1\n')
        options = h.options(listen='192.0.2.1', http__port=80, tftp__port=None, ftp__port=None, pnp__enable=1, pnp__port=5070,
                            pnp__interfaces='dt0', pnp__unicast=1, pnp__rate=1000, pnp__url='http://192.0.2.1/new/')
        front = room.socket(5060, GROUP)
        wire = UdpWire(('192.0.2.1', 5070), 1, lose=0.35, double=0.2, late=0.2, front=front, made=room.socket,
                       name=lambda data: re.search(rb'(?i)mac(?:%3a|:)?([0-9a-f]{12})', data)[1])
        with Daemon(['--root', h.root, *options], before=room.words()), wire:
            with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
                done = list(pool.map(lambda seed: find_by_pnp(h, room, seed), seeds))
        print('# provisioned:', done.count('provisioned'), 'failed:', done.count('failed'), 'datagrams lost:', wire.lost)
        check(done.count('provisioned') > len(done) / 2 and wire.lost > 10, done)


main()
