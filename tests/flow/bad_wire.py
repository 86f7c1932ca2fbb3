#!/usr/bin/env python3
"""The real phone against the real server through wires that lose, double, delay and reorder datagrams, and that delay,
dribble and cut connections: it is provisioned with exactly the right settings or fails with a reason and applies nothing,
and what it uploads is on the server whole or not at all."""
import concurrent.futures
import contextlib
import random

from house import House, check, equal, until
from living import BOOT, HEAD, Phone, serve_rules
from relays import TcpWire, UdpWire
from tap import main, test

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
            equal(p.settings(), self.settings('old'))
        with wire, self.phone(bad(wire.port)) as p:
            return self.provisioned(p), self.uploaded(p)

    def provisioned(self, p):
        """Whether it got there; half of it is never there."""
        last = p.idle()['last_run']
        check(last['outcome'] in ('provisioned', 'failed'), last)
        check(last['outcome'] == 'provisioned' or len(last['why']) > 10, last)
        equal(p.settings(), self.settings('old' if last['outcome'] == 'failed' else 'new'))
        return last['outcome']

    def settings(self, label):
        return {**common(label), 'account.1.label': f'{label} {self.seed}'}

    def uploaded(self, p):
        """Whether the server has what was changed on the phone; what it has is always a whole file."""
        files = [None]
        for number in (1, 2):
            value, said_before = f'{self.seed} {number} ' + 'x' * 3000, len(p.out)
            p.change('features.personal', value)
            files.append((HEAD + f'features.personal = {value}\n').encode())
        said = until(lambda: next((line for line in p.out[said_before:] if '  upload ' in line and 'once more' not in line), None),
                     'the end of the upload')
        path = self.h.state / 'uploads' / 'new' / f'{self.mac}-local.cfg'
        there = path.read_bytes() if path.exists() else None
        if said.endswith(': stored'):
            check(there == files[-1], f'stored, but there is {there}: {said} {list((self.h.state).rglob(chr(42)))}')
            return 'stored'
        check(there in files, f'not a file that was sent: {there}')
        check(len(said.split('-local.cfg: ')[-1]) > 10, said)
        return 'not stored'


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
            return Trial(h, seed).live(f'http://{d.http_at()}/old/', wire, lambda port: f'tftp://127.0.0.1:{port}/new/')
        live_all(seeds, trial)


main()
