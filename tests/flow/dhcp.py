"""Real DHCP servers, configured with exactly what `dialtone dhcp snippet` printed, and a phone across a wire.

Every test has a wire of its own (wire.py).
"""
import json
import subprocess

from house import House, check, equal, need, program, until
from tap import dialtone, main, skip, test
from wire import MAC, SERVERS, Wire, dnsmasq, isc, snippet

STRANGER = ('--mac', '02:00:00:00:00:01', '--vendor-class', 'somebody')
PHONE = ('--mac', MAC, '--model', 'T46S', '--firmware', '66.84.0.15')


# --- the phone ---


def lease(wire, *more):
    """The report of a phone that takes a lease and looks for its server."""
    status, out, err = wire.at_phone('dhcp', 'lease', '-i', 'ph0', '--mac', MAC, '--json', *map(str, more))
    check(out, err)
    report = json.loads(out)
    equal(status, 0 if report['url'] else 1)
    return report


def probe(wire, *more):
    status, out, err = wire.at_phone('dhcp', 'probe', '-i', 'ph0', '--json', '--wait', '2', *map(str, more))
    check(out, err)
    report = json.loads(out)
    equal(status, 0 if report['url'] else 1)
    return report


def provision(wire, url):
    """A phone with empty flash that asks this URL, across the wire."""
    status, out, err = wire.at_phone('phone', '--server', url, '--once', *PHONE)
    equal((status, err), (0, ''))
    check('provisioned (common-boot): 24 settings applied' in out, out)


def a_lease_and_a_url(wire, report, url):
    equal(report['url'], url)
    address = report['lease']['address']
    check(50 <= int(address.rsplit('.', 1)[1]) <= 90 and address.startswith('192.0.2.'), address)
    check(f'inet {address}/24 ' in wire.addresses(), wire.addresses())


CASES = [('66', ()), ('43', ()), ('43.1', ()), ('128', ('--option', '128'))]


def serves_a_phone(name):
    """Lease, URL by every kind of option, and provisioning from a real server with the last of them."""
    start = SERVERS[name]
    with Wire() as wire, House() as house:
        house.add_office('192.0.2.1:69', '192.0.2.1:80')
        with wire.serve(house) as server:
            url = 'http://192.0.2.1/desk/'
            for option, asked in CASES:
                with start(wire, house, snippet(name, url, '--option', option)):
                    wire.forget()
                    report = lease(wire, *asked)
                    a_lease_and_a_url(wire, report, url)
                    equal(report['option'], int(option.split('.')[0]))
            provision(wire, report['url'])
            until(lambda: any('desk/y000000000000.boot' in line for line in server.events()),
                  'the request in the journal')


@test
def dnsmasq_with_our_snippet_gives_a_phone_its_lease_and_its_url():
    serves_a_phone('dnsmasq')


@test
def kea_with_our_snippet_gives_a_phone_its_lease_and_its_url():
    serves_a_phone('kea')


@test
def isc_dhcpd_with_our_snippet_gives_a_phone_its_lease_and_its_url():
    serves_a_phone('isc')


@test
def a_snippet_for_the_vendor_tells_its_phones_and_nobody_else():
    for name, start in SERVERS.items():
        for option in ('66', '128'):
            with Wire() as wire, House() as house:
                with start(wire, house, snippet(name, 'http://192.0.2.1/desk/', '--per-vendor', '--option', option)):
                    wanted = ('--option', '128')
                    # By option 60 alone, by the address block alone, by neither.
                    equal(probe(wire, *wanted, '--mac', '02:00:00:00:00:02')['url'], 'http://192.0.2.1/desk/')
                    equal(probe(wire, *wanted, '--vendor-class', 'other')['url'], 'http://192.0.2.1/desk/')
                    report = probe(wire, *wanted, *STRANGER)
                    equal((report['url'], len(report['answers'])), (None, 1))


@test
def the_url_comes_by_dhcpv6_too():
    url = 'http://[2001:db8::1]/desk/'
    for name, start in SERVERS.items():
        for option in ('59', '200'):
            with Wire() as wire, House() as house:
                with start(wire, house, snippet(name, url, '--v6', '--option', option), v6=True):
                    report = lease(wire, '--v6', '--option', '200')
                    equal((name, report['url'], report['option']), (name, url, int(option)))
                    equal(report['lease'], None)
                    equal(report['answers'][0]['family'], 6)


@test
def by_dhcpv6_a_snippet_for_the_vendor_tells_its_phones_and_nobody_else():
    url = 'http://[2001:db8::1]/desk/'
    for name, start in SERVERS.items():
        # dnsmasq learns the address from the wire and not from what a client says of itself.
        stranger = () if name == 'dnsmasq' else ('--mac', '02:00:00:00:00:01')
        with Wire() as wire, House() as house:
            with start(wire, house, snippet(name, url, '--v6', '--per-vendor'), v6=True):
                equal((name, probe(wire, '--v6', '--mac', MAC)['url']), (name, url))
                if stranger:
                    equal((name, probe(wire, '--v6', *stranger)['url']), (name, None))


@test
def the_guides_order_holds_custom_before_66_before_43():
    three = [('128', 'https://192.0.2.1/u128/'), ('66', 'tftp://192.0.2.1/u66/'), ('43', 'http://192.0.2.1/u43/')]
    with Wire() as wire, House() as house:
        for first in range(3):
            text = ''.join(snippet('dnsmasq', url, '--option', option) for option, url in three[first:])
            with dnsmasq(wire, house, text):
                report = probe(wire, '--option', '128')
                equal((report['option'], report['url']), (int(three[first][0]), three[first][1]))
                equal([found['option'] for found in report['answers'][0]['options']], [int(o) for o, _ in three[first:]])


@test
def a_probe_takes_nothing_and_says_everything():
    with Wire() as wire, House() as house:
        with dnsmasq(wire, house, snippet('dnsmasq', 'http://192.0.2.1/acs/', '--option', '43.1') +
                     snippet('dnsmasq', 'http://192.0.2.1/elsewhere/', '--option', '160')):
            status, out, err = wire.at_phone('dhcp', 'probe', '-i', 'ph0', '--wait', '2')
            equal(status, 0)
            check('asking on ph0 as 00:15:65:74:b1:50, vendor class yealink' in err, err)
            for words in ('OFFER from 192.0.2.1, offers 192.0.2.', 'option 43    http://192.0.2.1/acs/ (in a sub-option)  <- wins',
                          'TR-069', 'option 160', 'only when it is in their list',
                          'a phone would ask http://192.0.2.1/acs/ (option 43)'):
                check(words in out, (words, out))
            check('inet ' not in wire.addresses(), wire.addresses())
            equal((house.dir / 'leases').read_text(), '')
        # And with nobody there.
        status, out, _ = wire.at_phone('dhcp', 'probe', '-i', 'ph0', '--wait', '1')
        equal(status, 1)
        check('no DHCP server answered' in out, out)


@test
def two_servers_that_disagree_are_both_shown_and_said_to():
    with Wire() as wire, House() as house, House() as other_house:
        other = wire.add_second_server()
        with isc(wire, house, snippet('isc', 'http://192.0.2.1/desk/')), \
                dnsmasq(wire, other_house, snippet('dnsmasq', 'http://192.0.2.2/desk/'), end=other):
            report = probe(wire, '--v4')
            equal(sorted(answer['server'] for answer in report['answers']), ['192.0.2.1', '192.0.2.2'])
            for words in ('2 DHCPv4 servers answer', 'different provisioning servers'):
                check(any(words in note for note in report['notes']), report['notes'])


@test
def an_interface_with_an_address_asks_by_inform():
    with Wire() as wire, House() as house:
        with dnsmasq(wire, house, snippet('dnsmasq', 'http://192.0.2.1/desk/')):
            status, _, err = wire.at_phone('dhcp', 'probe', '-i', 'ph0', '--inform', '--v4')
            equal(status, 1)
            check('has no address' in err, err)
            wire._ip('-n', wire.phone, 'addr', 'add', '192.0.2.9/24', 'dev', 'ph0')
            report = probe(wire, '--inform', '--v4')
            equal((report['url'], report['answers'][0]['kind']), ('http://192.0.2.1/desk/', 'ACK'))


@test
def a_lease_brings_mask_and_route():
    with Wire() as wire, House() as house:
        with isc(wire, house, snippet('isc', 'tftp://192.0.2.1/desk/')):
            report = lease(wire)
            equal((report['lease']['mask'], report['lease']['router']), ('255.255.255.0', '192.0.2.1'))
            check('default via 192.0.2.1 dev ph0' in wire.routes(), wire.routes())


@test
def no_address_is_taken_where_the_interface_is_somebody_elses():
    with Wire() as wire:
        status, _, err = wire.at_phone('dhcp', 'lease', '-i', 'ph0', '--mac', '00:15:65:00:00:01')
        equal(status, 1)
        check("ph0 is not the phone's own" in err, err)
        check('inet ' not in wire.addresses(), wire.addresses())


@test
def r19_hostile_values_reach_neither_a_shell_nor_a_terminal():
    with Wire() as wire, House() as house:
        bait = house.dir / 'owned'
        hostile = [f'66,"x`touch {bait}`;$(touch {bait})|x"', f'128,"http://h/$(touch {bait})/%n%s%1000000d"',
                   '129,68:74:74:70:3a:2f:2f:68:2f:1b:5b:32:4a:0d:0a:58', '43,01:ff:68:74:74:70', '130,00:00']
        asked = [word for option in ('129', '130') for word in ('--option', option)]
        with dnsmasq(wire, house, ''.join(f'dhcp-option-force={option}\n' for option in hostile)):
            status, out, err = wire.at_phone('dhcp', 'probe', '-i', 'ph0', '--wait', '2', *asked)
            equal(status, 1)
            check(not [c for c in out + err if ord(c) < 32 and c != '\n'], out)
            for words in ('has control bytes inside', 'not a URL and not a host', 'neither a URL as plain text', 'empty',
                          'learns no provisioning server'):
                check(words in out, (words, out))
            report = probe(wire, '--option', '128')
            equal(report['url'], f'http://h/$(touch {bait})/%n%s%1000000d/')
            check(not bait.exists(), 'a shell has run')


@test
def without_rights_the_message_says_which_are_missing():
    setpriv = need('setpriv')
    with Wire() as wire:
        done = program('ip', 'netns', 'exec', wire.phone, setpriv, '--reuid=65534', '--regid=65534', '--clear-groups',
                       dialtone(), 'dhcp', 'probe', '-i', 'ph0')
        if done.returncode in (126, 127):
            skip('another user may not run the program here')
        equal(done.returncode, 1)
        check(b'CAP_NET_RAW' in done.stderr, done.stderr)
        status, _, err = wire.at_phone('dhcp', 'probe', '-i', 'nothing0')
        equal(status, 1)
        check('no such Ethernet interface' in err, err)


@test
def wrong_usage_is_said_before_anything_is_asked():
    for words, message in [((), 'what to do'), (('snippet', '--url', 'http://h/'), '--for names'),
                           (('snippet', '--for', 'kea'), '--url says'),
                           (('snippet', '--for', 'kea', '--url', 'sip:x'), 'is not a URL'),
                           (('snippet', '--for', 'kea', '--url', 'http://h/\nX'), 'is not a URL'),
                           (('snippet', '--for', 'kea', '--url', 'http://h/' + 'x' * 250), 'longer than'),
                           (('snippet', '--for', 'isc', '--url', 'http://h/', '--option', '67'), '--option is one of'),
                           (('snippet', '--for', 'windows', '--url', 'http://h/', '--v6', '--per-vendor'), 'IPv4 only'),
                           (('probe', '--option', '5'), '--option is a custom option'),
                           (('probe', '--stay'), 'no option --stay'), (('probe', '--wait', '0'), '--wait is'),
                           (('lease',), '-i and --mac')]:
        done = subprocess.run([dialtone(), 'dhcp', *words], capture_output=True, text=True, check=False)
        equal(done.returncode, 2)
        check(message in done.stderr and 'usage:' in done.stderr, (words, done.stderr))


@test
def every_server_quotes_a_url_in_its_own_way():
    url = """http://h/a'b"c\\d,e$PN"""
    for server, line in {'dnsmasq': r'''66,"http://h/a'b\"c\\d,e$PN"''', 'isc': r'''"http://h/a'b\"c\\d,e$PN";''',
                         'kea': f'"csv-format": false, "data": "{url.encode().hex()}"',
                         'windows': r"""-Value 'http://h/a''b"c\d,e$PN'""", 'mikrotik': '0x' + url.encode().hex(),
                         'openwrt': r"""'66,"http://h/a'\''b\"c\\d,e$PN"'"""}.items():
        check(line in snippet(server, url), (server, snippet(server, url)))


main()
