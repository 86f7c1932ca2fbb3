"""A wire of a test's own: two network namespaces with a veth pair, and the DHCP servers that an administrator has.

The server's end has 192.0.2.1 and 2001:db8::1, the phone's end has the phone's MAC address and nothing else.
"""
import contextlib
import json
import os
import subprocess

from house import Daemon, Process, check, equal, make_namespace, need, program, until
from tap import dialtone

MAC = '00:15:65:74:b1:50'


class Wire:
    """The two ends. `with` removes both, and everything on them."""

    made = 0

    def __init__(self):
        Wire.made += 1
        self.server, self.phone = (f'dialtone-{os.getpid()}-{Wire.made}-{end}' for end in ('server', 'phone'))
        self.ends = [self.phone, self.server]

    def __enter__(self):
        make_namespace(self.server)
        ip = self._ip
        ip('netns', 'add', self.phone)
        ip('link', 'add', 'sv0', 'netns', self.server, 'type', 'veth', 'peer', 'name', 'ph0', 'netns', self.phone)
        ip('-n', self.phone, 'link', 'set', 'ph0', 'address', MAC)
        # Nobody else is on this wire: the waits for duplicate addresses only cost time.
        for end, name in ((self.server, 'sv0'), (self.phone, 'ph0')):
            self._run('ip', 'netns', 'exec', end, 'sh', '-c', f'echo 0 > /proc/sys/net/ipv6/conf/{name}/accept_dad')
            ip('-n', end, 'link', 'set', 'lo', 'up')
            ip('-n', end, 'link', 'set', name, 'up')
        ip('-n', self.server, 'addr', 'add', '192.0.2.1/24', 'dev', 'sv0')
        ip('-n', self.server, 'addr', 'add', '2001:db8::1/64', 'dev', 'sv0', 'nodad')
        until(lambda: 'fe80' in self.addresses(), 'the link-local address')
        return self

    def __exit__(self, *_):
        for end in self.ends:
            program('ip', 'netns', 'del', end)

    def _run(self, *words):
        done = program(*words)
        equal((done.returncode, done.stderr), (0, b''))
        return done.stdout.decode()

    def _ip(self, *words):
        return self._run('ip', *words)

    def add_second_server(self):
        """Another end, 192.0.2.2, on the same wire: both servers hang on a bridge then."""
        ip = self._ip
        other = self.server + '-2'
        ip('netns', 'add', other)
        self.ends.append(other)
        ip('-n', self.server, 'link', 'set', 'sv0', 'name', 'wire0')
        ip('-n', self.server, 'addr', 'flush', 'dev', 'wire0')
        ip('-n', self.server, 'link', 'add', 'sv0', 'type', 'bridge')
        ip('link', 'add', 'to2', 'netns', self.server, 'type', 'veth', 'peer', 'name', 'sv0', 'netns', other)
        for name in ('wire0', 'to2'):
            ip('-n', self.server, 'link', 'set', name, 'master', 'sv0', 'up')
        ip('-n', self.server, 'link', 'set', 'sv0', 'up')
        ip('-n', self.server, 'addr', 'add', '192.0.2.1/24', 'dev', 'sv0')
        ip('-n', other, 'link', 'set', 'sv0', 'up')
        ip('-n', other, 'addr', 'add', '192.0.2.2/24', 'dev', 'sv0')
        return other

    def addresses(self):
        """What the phone's end has."""
        return self._ip('-n', self.phone, '-o', 'addr', 'show', 'dev', 'ph0')

    def routes(self):
        return self._ip('-n', self.phone, 'route')

    def forget(self):
        """As after unplugging the phone."""
        self._ip('-n', self.phone, '-4', 'addr', 'flush', 'dev', 'ph0')

    def at_phone(self, *words):
        """dialtone with these words, at the phone's end."""
        done = program('ip', 'netns', 'exec', self.phone, dialtone(), *words)
        return done.returncode, done.stdout.decode(), done.stderr.decode(errors='replace')

    def at_server(self, words, end=None, **more):
        return Process(['ip', 'netns', 'exec', end or self.server, *words], **more)

    def serve(self, house, *words, **more):
        """dialtone serve at the server's end."""
        options = house.options(**{'listen': '192.0.2.1', 'tftp__port': 69, 'http__port': 80, **more})
        return Daemon(['--root', house.root, *options, *words], before=['ip', 'netns', 'exec', self.server])


def snippet(server, url, *more):
    done = subprocess.run([dialtone(), 'dhcp', 'snippet', '--for', server, '--url', url, *map(str, more)],
                          capture_output=True, text=True, check=False)
    equal((done.returncode, done.stderr), (0, ''))
    return done.stdout


# --- the servers: what an administrator has already, and the snippet in it ---


@contextlib.contextmanager
def dnsmasq(wire, house, text, v6=False, end=None):
    conf = house.dir / 'dnsmasq.conf'
    conf.write_text('port=0\ninterface=sv0\nno-ping\ndhcp-authoritative\nuser=root\nlog-facility=-\nlog-dhcp\n'
                    f'dhcp-leasefile={house.dir}/leases\n' +
                    ('dhcp-range=2001:db8::100,2001:db8::200,64,1h\n' if v6 else 'dhcp-range=192.0.2.50,192.0.2.90,1h\n') +
                    'dhcp-option=3,192.0.2.1\n' + text)
    with wire.at_server([need('dnsmasq'), '--keep-in-foreground', f'--conf-file={conf}'], end=end) as server:
        check(server.saw('IP range'), server.err)
        yield server


@contextlib.contextmanager
def kea(wire, house, text, v6=False, lifetime_s=600):
    n = 6 if v6 else 4
    part, conf = house.dir / 'snippet.json', house.dir / 'kea.json'
    part.write_text(text)
    more = {'interfaces-config': {'interfaces': ['sv0']}, 'lease-database': {'type': 'memfile', 'persist': False},
            'valid-lifetime': lifetime_s,
            f'subnet{n}': [{'subnet': '2001:db8::/64', 'interface': 'sv0', 'pools': [{'pool': '2001:db8::100-2001:db8::200'}]}
                           if v6 else
                           {'subnet': '192.0.2.0/24', 'pools': [{'pool': '192.0.2.50-192.0.2.90'}]}],
            'loggers': [{'name': f'kea-dhcp{n}', 'severity': 'INFO', 'output_options': [{'output': 'stderr'}]}]}
    if v6:
        more['server-id'] = {'type': 'LL', 'htype': 1, 'identifier': '020000000001', 'persist': False}
    conf.write_text(f'{{ "Dhcp{n}": {{ <?include "{part}"?> , {json.dumps(more)[1:-1]} }} }}')
    env = dict(os.environ, KEA_PIDFILE_DIR=str(house.dir), KEA_LOCKFILE_DIR=str(house.dir))
    with wire.at_server([need(f'kea-dhcp{n}'), '-c', conf], env=env) as server:
        check(server.saw(f'DHCP{n}_STARTED'), server.err)
        yield server


@contextlib.contextmanager
def isc(wire, house, text, v6=False):
    conf, leases = house.dir / 'dhcpd.conf', house.dir / 'dhcpd.leases'
    leases.write_text('')
    conf.write_text('authoritative;\ndefault-lease-time 600;\nping-check false;\n' + text +
                    ('subnet6 2001:db8::/64 { range6 2001:db8::100 2001:db8::200; }\n' if v6 else
                     'subnet 192.0.2.0 netmask 255.255.255.0 { range 192.0.2.50 192.0.2.90; option routers 192.0.2.1; }\n'))
    for path in (house.dir, conf, leases):
        path.chmod(0o777)
    with wire.at_server([need('dhcpd'), '-6' if v6 else '-4', '-f', '-d', '-user', 'root', '-group', 'root', '-cf', conf,
                         '-lf', leases, '-pf', house.dir / 'dhcpd.pid', 'sv0']) as server:
        check(server.saw('Server starting service'), server.err)
        yield server


SERVERS = {'dnsmasq': dnsmasq, 'kea': kea, 'isc': isc}
