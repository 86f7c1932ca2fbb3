"""How a phone finds its server, in the guide's order (Zero Touch > PnP > DHCP options > phone flash), across a wire:
real DHCP servers with what `dialtone dhcp snippet` printed, a real daemon with PnP, and a phone that searches.

Every test has a wire of its own (wire.py).
"""
import contextlib
import json
import re
import signal
import subprocess

from house import House, Process, check, equal, until
from tap import dialtone, main, test
from wire import MAC, SERVERS, Wire, dnsmasq, kea, snippet

HEAD = '#!version:1.0.0.1\n'
SOURCES = ['zero touch', 'PnP', 'DHCP', 'flash']
PNP, DHCP, FLASH = 'http://192.0.2.1/pnp/', 'http://192.0.2.1/dhcp/', 'http://192.0.2.1/flash/'
NO_PNP, NO_DHCP = {'static.auto_provision.pnp_enable': 0}, {'static.auto_provision.dhcp_option.enable': 0}
IN_FLASH = {'static.auto_provision.server.url': FLASH}


class Phone(Process):
    """dialtone phone --discover at the phone's end, with these settings in its flash from the start."""

    def __init__(self, wire, house, *more, flash=None, model='T46S', mac=MAC):
        bare = mac.replace(':', '')
        directory = house.dir / f'flash-{bare}'
        self.file = directory / f'{bare}.flash'
        if flash is not None:
            directory.mkdir(exist_ok=True)
            settings = ''.join(f'central.{key} = {value}\n' for key, value in sorted(flash.items()))
            self.file.write_text(f'{HEAD}phone.mac = {mac}\n{settings}flash.end = 1\n')
        super().__init__(['ip', 'netns', 'exec', wire.phone, dialtone(), 'phone', '--discover', '-i', 'ph0', '--mac', mac, '--model',
                          model, '--firmware', '66.84.0.15', '--flash', directory, *more])

    def told(self):
        """What it said of each source: {name: text}."""
        found = [re.match(r' *\d+\.\d+  (zero touch|PnP|DHCP|flash)  (.*)', line) for line in self.out]
        return {m[1]: m[2] for m in found if m}

    def times(self):
        """The clock of its lines, in seconds."""
        return [float(m[1]) for m in (re.match(r' *(\d+\.\d+)  ', line) for line in self.out) if m]

    def kept(self):
        """Its flash: {key: value} of what is central."""
        return dict(re.findall(r'^central\.(\S+) = (.*)$', self.file.read_text(), re.MULTILINE))

    def __exit__(self, wrong, *rest):
        super().__exit__(wrong, *rest)
        check(wrong or self.process.returncode in (0, 1, -signal.SIGKILL), f'exit {self.process.returncode}: {self.err}')


def script(house, *lines):
    """What a person does, one line each."""
    path = house.dir / 'keys'
    path.write_text(''.join(line + '\n' for line in lines))
    return '--keys', path


def add_trees(house, *names):
    """A directory a source: its CFG file says which it was."""
    for name in names:
        house.write(f'{name}/y000000000000.boot', HEAD + 'include:config <all.cfg>\n')
        house.write(f'{name}/all.cfg', HEAD + f'account.1.label = {name}\n')


@contextlib.contextmanager
def site(pnp=PNP, **more):
    """Wire, house and daemon; its trees are named after the sources."""
    on = {'pnp__enable': 1, 'pnp__port': 5060, 'pnp__interfaces': 'sv0', 'pnp__url': pnp} if pnp else {}
    with Wire() as wire, House() as house:
        add_trees(house, 'pnp', 'dhcp', 'flash')
        with wire.serve(house, **on, **more) as daemon:
            yield wire, house, daemon


def finds(wire, house, winner, flash=None, label=None, more=(), **which):
    """One start of a phone: `winner` wins, what it brought is fetched, and the source is the only one that does. The phone."""
    with Phone(wire, house, '--once', *more, flash=IN_FLASH if flash is None else flash, **which) as phone:
        equal((phone.wait(), phone.err), (0, []))
    equal([name for name in SOURCES if phone.told().get(name, '').endswith(': this one')], [winner])
    # What stands behind the winner is not asked.
    equal(list(phone.told())[-1], winner)
    equal(phone.kept()['account.1.label'], label or {'PnP': 'pnp', 'DHCP': 'dhcp', 'flash': 'flash'}[winner])
    return phone


@test
def pnp_wins_over_dhcp_and_each_that_is_switched_off_lets_the_next_one_win():
    for name in ('dnsmasq', 'kea'):
        with site() as (wire, house, daemon), SERVERS[name](wire, house, snippet(name, DHCP)):
            phone = finds(wire, house, 'PnP')
            equal(phone.told()['PnP'], f'{PNP} (from 192.0.2.1:5060): this one')
            equal(phone.told()['zero touch'], 'none (static.zero_touch.enable is 0)')
            # The exchange is over on both sides.
            until(lambda: any(f'provisioning URL "{PNP}" sent 200' in line for line in daemon.events()), 'the journal')
            phone = finds(wire, house, 'DHCP', {**IN_FLASH, **NO_PNP})
            equal(phone.told()['PnP'], 'none (static.auto_provision.pnp_enable is 0)')
            equal(phone.told()['DHCP'], f'{DHCP} (option 66): this one')
            phone = finds(wire, house, 'flash', {**IN_FLASH, **NO_PNP, **NO_DHCP})
            equal(phone.told()['DHCP'], 'none (static.auto_provision.dhcp_option.enable is 0)')
            equal(phone.told()['flash'], f'{FLASH} (static.auto_provision.server.url): this one')


@test
def a_pnp_server_that_is_silent_lets_dhcp_win():
    with site(pnp=None) as (wire, house, _), kea(wire, house, snippet('kea', DHCP)):
        phone = finds(wire, house, 'DHCP')
        equal(phone.told()['PnP'], 'none (nobody answered)')
        # One clock from power on to the end: the search is a part of the start.
        equal(phone.times(), sorted(phone.times()))
        check(phone.times()[-1] > 5, phone.out)


@test
def a_dhcp_server_without_the_option_lets_flash_win():
    with site(pnp=None) as (wire, house, _), dnsmasq(wire, house, ''):
        phone = finds(wire, house, 'flash')
        check(re.fullmatch(r'none \(\d answers?, none with a usable URL\)', phone.told()['DHCP']), phone.told())


@test
def a_network_where_everybody_is_silent_leaves_flash():
    with site(pnp=None) as (wire, house, _):
        wire._ip('-n', wire.phone, 'addr', 'add', '192.0.2.9/24', 'dev', 'ph0')
        phone = finds(wire, house, 'flash')
        equal((phone.told()['PnP'], phone.told()['DHCP']), ('none (nobody answered)', 'none (no answer)'))


@test
def the_custom_option_goes_before_66_and_66_before_43():
    three = [('128', 'http://192.0.2.1/u128/'), ('66', 'http://192.0.2.1/u66/'), ('43', 'http://192.0.2.1/u43/')]
    custom = {**NO_PNP, 'static.auto_provision.dhcp_option.list_user_options': '128'}
    with site(pnp=None) as (wire, house, _):
        add_trees(house, 'u128', 'u66', 'u43')
        for first, (option, url) in enumerate(three):
            text = ''.join(snippet('dnsmasq', u, '--option', o) for o, u in three[first:])
            with dnsmasq(wire, house, text):
                phone = finds(wire, house, 'DHCP', custom, 'u' + option)
                equal(phone.told()['DHCP'], f'{url} (option {option}): this one')


@test
def by_ipv6_the_custom_option_goes_before_59():
    two = [('200', 'http://[2001:db8::1]/u200/'), ('59', 'http://[2001:db8::1]/u59/')]
    flash = {**NO_PNP, 'static.network.ip_address_mode': 1, 'static.auto_provision.dhcp_option.list_user6_options': '200'}
    with site(pnp=None, listen='192.0.2.1, 2001:db8::1') as (wire, house, _):
        add_trees(house, 'u200', 'u59')
        wire._ip('-n', wire.phone, 'addr', 'add', '2001:db8::9/64', 'dev', 'ph0', 'nodad')
        with dnsmasq(wire, house, ''.join(snippet('dnsmasq', u, '--v6', '--option', o) for o, u in two), v6=True):
            phone = finds(wire, house, 'DHCP', flash, 'u200')
            equal(phone.told()['DHCP'], f'{two[0][1]} (IPv6 option 200): this one')
        with kea(wire, house, snippet('kea', two[1][1], '--v6', '--option', '59'), v6=True):
            phone = finds(wire, house, 'DHCP', flash, 'u59')
            equal(phone.told()['DHCP'], f'{two[1][1]} (IPv6 option 59): this one')


@test
def a_phone_asks_for_its_lease_again_after_a_reboot_and_though_pnp_wins():
    with site() as (wire, house, _), kea(wire, house, snippet('kea', DHCP)) as server, \
            Phone(wire, house, *script(house, 'until updating', 'until idle', 'reboot', 'wait 60'), flash=IN_FLASH) as phone:
        until(lambda: len([line for line in server.err if re.search('DHCP4_LEASE_(ALLOC|REUSE) ', line)]) == 1, 'the lease')
        first = wire.addresses()
        check('inet 192.0.2.' in first, first)
        until(lambda: len([line for line in server.err if re.search('DHCP4_LEASE_(ALLOC|REUSE) ', line)]) == 2, 'the lease again')
        until(lambda: any('reboots: the user' in line for line in phone.out[:-4]) and 'idle; no further' in phone.out[-2], 'idle')
        equal(wire.addresses(), first)
        equal(phone.times(), sorted(phone.times()))


# --- zero touch ---

ZERO_TOUCH = {**IN_FLASH, 'static.zero_touch.enable': 1, 'static.zero_touch.wait_time': 1}


@contextlib.contextmanager
def guarded_site():
    """As site(), and what is beneath /zero wants a user."""
    with Wire() as wire, House() as house:
        add_trees(house, 'pnp', 'zero')
        conf = house.dir / 'serve.conf'
        line = subprocess.run([dialtone(), 'passwd', 'desk', '--weak'], input='secret-of-desk\n', capture_output=True, text=True,
                              check=True).stdout
        conf.write_text('access.1.prefix = /zero\naccess.1.users = desk\n' + line)
        conf.chmod(0o600)
        more = {'pnp__enable': 1, 'pnp__port': 5060, 'pnp__interfaces': 'sv0', 'pnp__url': PNP}
        with wire.serve(house, '-c', conf, **more) as daemon:
            yield wire, house, daemon


WIZARD = ('until zero-touch', 'press ok', 'until zero-touch-network', 'press soft4', 'until zero-touch-server',
          'text http://192.0.2.1/zero/', 'press down', 'text desk', 'press down', 'text secret-of-desk',
          'press ok')


@test
def zero_touch_ok_network_next_address_user_password_ok():
    flash = {key: value for key, value in ZERO_TOUCH.items() if key not in IN_FLASH}
    with guarded_site() as (wire, house, daemon), dnsmasq(wire, house, ''):
        phone = finds(wire, house, 'zero touch', flash, 'zero', more=script(house, *WIZARD))
        equal(phone.told()['zero touch'], 'http://192.0.2.1/zero/ (entered): this one')
        until(lambda: any('zero/y000000000000.boot' in line for line in daemon.events()), 'the journal')
        kept = phone.kept()
        equal([kept.get('static.auto_provision.server.' + key) for key in ('url', 'username', 'password')],
              ['http://192.0.2.1/zero/', 'desk', 'secret-of-desk'])


@test
def what_the_wizard_was_told_is_in_flash_though_the_power_goes_at_once():
    flash = {key: value for key, value in ZERO_TOUCH.items() if key not in IN_FLASH}
    with guarded_site() as (wire, house, daemon), dnsmasq(wire, house, ''):
        with Phone(wire, house, *script(house, *WIZARD), flash=flash) as phone:
            until(lambda: 'zero touch' in phone.told(), 'the end of the wizard')
            # The first request comes after the address was kept, so power may go from here on.
            until(lambda: any('zero/' in line for line in daemon.events()), 'the first request')
            phone.signal(signal.SIGKILL)
            phone.wait()
        kept = phone.kept()
        equal([kept.get('static.auto_provision.server.' + key) for key in ('url', 'username', 'password')],
              ['http://192.0.2.1/zero/', 'desk', 'secret-of-desk'])
        equal(kept.get('static.network.internet_port.type'), '0')


@test
def nobody_at_the_phone_is_pnp_after_the_wait():
    with site() as (wire, house, _), dnsmasq(wire, house, snippet('dnsmasq', DHCP)):
        phone = finds(wire, house, 'PnP', ZERO_TOUCH, more=script(house, 'until zero-touch', 'until idle'))
        equal(phone.told()['zero touch'], 'none (nobody pressed OK)')
        check(any('Press OK within 1 s' in line for line in phone.out), phone.out)


# --- R18 ---


@test
def r18_https_in_flash_is_not_given_up_for_plain_http_by_pnp():
    flash = {'static.auto_provision.server.url': 'https://192.0.2.1/flash/', 'static.security.trust_certificates': 0}
    with Wire() as wire, House() as house:
        add_trees(house, 'pnp', 'flash')
        house.make_certificates()
        more = {'pnp__enable': 1, 'pnp__port': 5060, 'pnp__interfaces': 'sv0', 'pnp__url': PNP}
        with wire.serve(house, **house.tls_options(**{**more, 'https__port': 443})), dnsmasq(wire, house, ''):
            phone = finds(wire, house, 'flash', {**flash, **NO_DHCP})
            check(phone.told()['PnP'].startswith(f'{PNP} (refused: flash has an https URL'), phone.told())


# --- the guide's example of wildcards ---

T42G, T46G = '00:15:65:43:ec:97', '00:15:65:43:ec:98'


def asked_by(daemon, before):
    """Names that were asked for since, in their order."""
    return [m[1] for m in (re.search(r' tftp .*? "([^"]+)" ', line) for line in daemon.events()[before:]) if m]


def start_of(wire, house, daemon, model, mac, label, flash=None):
    """A start of this phone; the names that it asked for."""
    wire._ip('-n', wire.phone, 'link', 'set', 'ph0', 'address', mac)
    before = len(daemon.events())
    phone = finds(wire, house, 'DHCP', {**NO_PNP, **(flash or {})}, label, model=model, mac=mac)
    names = until(lambda: (lambda n: n if any(name.endswith('.cfg') for name in n) else None)(asked_by(daemon, before)),
                  'the CFG file in the journal')
    return phone, names


@test
def the_guides_example_of_wildcards_t42g_and_t46g_by_option_66():
    with site(pnp=None) as (wire, house, daemon), \
            dnsmasq(wire, house, snippet('dnsmasq', 'tftp://192.0.2.1/$PN')):
        add_trees(house, 'T42G', 'T46G', 'Floor2')
        house.write('T46G/00156543ec98.boot', HEAD + 'include:config <own.cfg>\n')
        house.write('T46G/own.cfg', HEAD + 'account.1.label = own\n')
        phone, names = start_of(wire, house, daemon, 'T42G', T42G, 'T42G')
        equal(phone.told()['DHCP'], 'tftp://192.0.2.1/$PN/ (option 66): this one')
        equal(names, ['T42G/00156543ec97.boot', 'T42G/y000000000000.boot', 'T42G/all.cfg'])
        equal(start_of(wire, house, daemon, 'T46G', T46G, 'own')[1], ['T46G/00156543ec98.boot', 'T46G/own.cfg'])
        # "If the default value is different from the directory name, you need to configure the value of this parameter".
        equal(start_of(wire, house, daemon, 'T46G', T46G, 'Floor2',
                       {'static.auto_provision.url_wildcard.pn': 'Floor2'})[1],
              ['Floor2/00156543ec98.boot', 'Floor2/y000000000000.boot', 'Floor2/all.cfg'])


@test
def the_guides_example_of_a_complete_name_only_that_file_is_asked_for():
    with site(pnp=None) as (wire, house, daemon), \
            dnsmasq(wire, house, snippet('dnsmasq', 'tftp://192.0.2.1/$PN/$MAC.boot')):
        add_trees(house, 'T42G', 'T46G')
        for name, label in (('T42G/00156543ec97', 'a42'), ('T46G/00156543ec98', 'a46')):
            house.write(f'{name}.boot', HEAD + f'include:config <{label}.cfg>\n')
            house.write(f'{name.split("/")[0]}/{label}.cfg', HEAD + f'account.1.label = {label}\n')
        equal(start_of(wire, house, daemon, 'T42G', T42G, 'a42')[1], ['T42G/00156543ec97.boot', 'T42G/a42.cfg'])
        equal(start_of(wire, house, daemon, 'T46G', T46G, 'a46')[1], ['T46G/00156543ec98.boot', 'T46G/a46.cfg'])
        # No other name is tried in its place.
        (house.root / 'T42G/00156543ec97.boot').unlink()
        before = len(daemon.events())
        wire._ip('-n', wire.phone, 'link', 'set', 'ph0', 'address', T42G)
        with Phone(wire, house, '--once', flash=NO_PNP, model='T42G', mac=T42G) as phone:
            equal(phone.wait(), 1)
        equal(until(lambda: asked_by(daemon, before), 'the journal'), ['T42G/00156543ec97.boot'])


# --- dialtone discover ---

WHO = ('--mac', MAC, '--model', 'T46S', '--firmware', '66.84.0.15')


@test
def discover_shows_each_source_in_order_what_it_answered_and_which_wins():
    with site() as (wire, house, _), dnsmasq(wire, house, snippet('dnsmasq', DHCP)):
        directory = house.dir / 'flash'
        directory.mkdir()
        (directory / '00156574b150.flash').write_text(
            f'{HEAD}phone.mac = {MAC}\ncentral.static.auto_provision.server.url = http://a:b@192.0.2.1/flash/\nflash.end = 1\n')
        status, out, err = wire.at_phone('discover', '-i', 'ph0', '--flash', str(directory), *WHO)
        equal((status, err), (0, ''))
        lines = [line for line in out.splitlines() if re.match(r'[* ] (zero touch|PnP|DHCP|flash) ', line)]
        equal(lines, ['  zero touch not asked (static.zero_touch.enable is 0)', f'* PnP        {PNP}  (from 192.0.2.1:5060)',
                      f'  DHCP       {DHCP}  (option 66)', '  flash      http://192.0.2.1/flash/  (static.auto_provision.server.url)'])
        check(re.search(rf'ACK from 192.0.2.1, gives 192.0.2.\d+\n +option 66 +{DHCP}.* <- wins\n', out), out)
        status, out, err = wire.at_phone('discover', '-i', 'ph0', '--json', *WHO)
        equal((status, err), (0, ''))
        equal(json.loads(out), [
            {'source': 'zero touch', 'asked': False, 'url': None, 'why': 'static.zero_touch.enable is 0', 'refused': False,
             'wins': False},
            {'source': 'PnP', 'asked': True, 'url': PNP, 'why': 'from 192.0.2.1:5060', 'refused': False, 'wins': True},
            {'source': 'DHCP', 'asked': True, 'url': DHCP, 'why': 'option 66', 'refused': False, 'wins': False},
            {'source': 'flash', 'asked': True, 'url': None, 'why': 'static.auto_provision.server.url is not set', 'refused': False,
             'wins': False}])


main()
