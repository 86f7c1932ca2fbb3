"""dialtone doctor: each mistake that it knows is made, and it says so, what helps and which sentence of the guide's
troubleshooting chapter that is.

On loopback nothing is asked on the network (--no-probe); who else answers is asked on a wire of the test's own (wire.py).
"""
import json
import os
import socket
import subprocess

from house import Daemon, House, check, equal, run, serving, until
from tap import dialtone, main, skip, test
from wire import MAC, Wire, dnsmasq, isc, kea, snippet

PHONE = ('--mac', MAC, '--model', 'T46S', '--firmware', '66.84.0.15')
REACHABLE = 'Ensure that the provisioning server and network are reachable.'
TRUST = "Ensure that the certificate for the provisioning server has been uploaded to the phone's trusted certificates list."
EXIST = 'Ensure that the requested files exist on the provisioning server.'
SET_UP = 'Ensure that the provisioning server is properly set up.'
PATH = 'Ensure that the complete path to the root directory of the FTP server is authorized.'


class Report:
    """What it found, without the clock, which is this machine's own business."""

    def __init__(self, status, out, err):
        check(out, err)
        equal(err, '')
        whole = json.loads(out)
        self.status = status
        self.findings = [f for f in whole['findings'] if f['check'] != 'clock']
        self.errors = [f for f in self.findings if f['severity'] == 'error']
        equal(whole['errors'], len([f for f in whole['findings'] if f['severity'] == 'error']))
        equal(status, 1 if whole['errors'] else 0)

    def of(self, check_name, severity=None):
        return [f for f in self.findings if f['check'] == check_name and severity in (None, f['severity'])]

    def one_error(self, check_name, words, guide):
        """The only error, which says so and helps."""
        equal([f['check'] for f in self.errors], [check_name])
        f = self.errors[0]
        check(words in f'{f["about"]}: {f["what"]}', f)
        equal(f['guide'], guide)
        check(f['todo'], f)


def doctor(*words):
    done = run('doctor', '--no-probe', '--json', *words)
    return Report(done.returncode, done.stdout, done.stderr)


def fetches(url, *more):
    return doctor('--url', url, *PHONE, *more)


# --- this machine ---


@test
def where_nothing_is_wrong_it_says_so():
    with serving() as (h, d):
        h.add_office(d.tftp_at(), d.http_at())
        options = h.options(tftp__port=d.tftp, http__port=d.http, ftp__port=0)
        r = doctor('--root', h.root, *options, '--url', f'http://{d.http_at()}/desk/', *PHONE)
        equal((r.status, r.errors), (0, []))
        # Its own server runs already: not a mistake.
        taken = [f['what'] for f in r.of('port', 'note')]
        equal(taken, [f'taken by dialtone, process {d.pid}: the server runs already'] * 2)
        equal([f['severity'] for f in r.of('files')], ['ok'] * 3)
        check(any('a SIP-T46S is provisioned there' in f['what'] for f in r.of('url', 'ok')), r.findings)
        text = run('doctor', '--no-probe', '--root', h.root, *options, '--url', f'http://{d.http_at()}/desk/', *PHONE)
        equal((text.returncode, text.stderr), (0, ''))
        check('ok      url       http://127.0.0.1:' in text.stdout and text.stdout.splitlines()[-1].startswith('0 errors'), text)


@test
def a_port_that_another_program_has_is_named_with_the_program():
    with House() as h, socket.socket() as s, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
        h.write('y000000000000.boot', '#!version:1.0.0.1\n')
        s.bind(('127.0.0.1', 0))
        s.listen()
        u.bind(('127.0.0.1', 0))
        for key, other in (('http__port', s), ('tftp__port', u)):
            port = other.getsockname()[1]
            r = doctor('--root', h.root, *h.options(**{key: port}))
            r.one_error('port', f'{key.replace("__", ".")} 127.0.0.1:{port}: taken by ', SET_UP)
            check(r.errors[0]['what'].endswith(f', process {os.getpid()}'), r.errors)
        text = run('doctor', '--no-probe', '--root', h.root, *h.options(http__port=s.getsockname()[1]))
        equal(text.returncode, 1)
        check(f'guide: "{SET_UP}"' in text.stdout and 'do: end that program' in text.stdout, text.stdout)


@test
def a_user_without_the_right_to_a_port_is_told_before_the_server_is():
    if os.geteuid() != 0:
        skip('only root can become a user without rights here')
    with Wire() as wire, House() as h:
        h.dir.chmod(0o777)
        h.root.chmod(0o777)
        words = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all', '--bounding-set=-all',
                 dialtone(), 'doctor', '--no-probe', '--json', '--root', str(h.root)]
        with wire.at_server([*words, *h.options(listen='192.0.2.1', http__port=80, tftp__port=None, ftp__enable=0)]) as p:
            status = p.wait()
        if status in (126, 127):
            skip('another user may not run the program here')
        r = Report(status, '\n'.join(p.out), '\n'.join(p.err))
        r.one_error('port', 'http.port 192.0.2.1:80: this user may not have it', SET_UP)
        check(any('tftp.port 192.0.2.1:6969' in f['about'] and 'phones ask port 69' in f['what'] for f in r.of('port', 'warning')),
              r.findings)


@test
def an_address_that_is_not_this_machines_is_named():
    with House() as h:
        h.write('y000000000000.boot', '')
        r = doctor('--root', h.root, *h.options(listen='192.0.2.77', ftp__enable=0, tftp__enable=0))
        r.one_error('port', 'this machine does not have that address', SET_UP)


@test
def a_root_that_the_servers_user_cannot_read_is_an_error():
    with House() as h:
        h.write('desk/y000000000000.boot', '#!version:1.0.0.1\n')
        secret = h.write('desk/secret.cfg', '#!version:1.0.0.1\n')
        user = {'run__user': 'nobody'} if os.geteuid() == 0 else {}
        secret.chmod(0)
        h.state.mkdir()
        h.state.chmod(0o700)
        r = doctor('--root', h.root, *h.options(**user))
        r.one_error('files', 'root: desk/secret.cfg cannot be read by the server', PATH)
        secret.chmod(0o644)
        h.root.chmod(0o700 if user else 0)
        r = doctor('--root', h.root, *h.options(**user))
        check(any('cannot be read' in f['what'] or 'cannot be opened' in f['what'] for f in r.errors), r.errors)
        h.root.chmod(0o755)
        doctor('--root', h.dir / 'nowhere', *h.options()).one_error('files', 'nowhere: the directory of the server', PATH)


@test
def directories_that_the_server_cannot_write_are_errors():
    if os.geteuid() != 0:
        skip('the directory of another user needs root')
    with House() as h:
        h.write('y000000000000.boot', '')
        h.state.mkdir()
        h.state.chmod(0o755)
        r = doctor('--root', h.root, *h.options(run__user='nobody'))
        r.one_error('files', f'state.dir: {h.state} cannot be written', 'Check security permissions on the root directory of the FTP'
                    ' server, if necessary, change the permissions.')
        # What is root's own and private is given to that user at the start.
        h.state.chmod(0o700)
        (h.dir / 'up').write_text('')
        r = doctor('--root', h.root, *h.options(run__user='nobody', upload__dir=h.dir / 'up'))
        equal([f['what'] for f in r.errors], [f'{h.dir}/up is no directory'])


@test
def a_configuration_with_a_mistake_is_told_with_its_line():
    with House() as h:
        h.write('y000000000000.boot', '')
        conf = h.dir / 'dialtone.conf'
        conf.write_text(f'root = {h.root}\njournal = off\nhttp.prot = 80\nupload.enable = 0\n')
        r = doctor('--config', conf)
        equal([(f['check'], f['about']) for f in r.errors], [('config', f'{conf}:3')])
        bad = run('doctor', '--no-probe', '-o', 'http.prot=1')
        equal((bad.returncode, 'http.prot' in bad.stderr), (2, True))


@test
def multicast_is_tried_on_the_interfaces_that_are_named():
    with House() as h:
        h.write('y000000000000.boot', '')
        more = {'pnp__enable': 1, 'pnp__port': 0, 'pnp__url': 'http://127.0.0.1:9/'}
        r = doctor('--root', h.root, *h.options(**more, pnp__interfaces='lo'))
        equal([(f['about'], f['severity']) for f in r.of('multicast')][:1], [('lo', 'ok')])
        r = doctor('--root', h.root, *h.options(**more, pnp__interfaces='lo, nothing0'))
        check(any(f['about'] == 'nothing0' and f['what'] == 'there is no such interface' for f in r.of('multicast', 'error')), r.errors)


@test
def wrong_usage_is_said():
    for words, message in ((('--wait', '0'), '--wait is'), (('--mac', MAC), 'all three are needed'), (('x',), 'one word too many'),
                           (('--nothing',), 'no option'), (('--model', 'T1', '--mac', MAC, '--firmware', '1'), 'no model')):
        done = run('doctor', *words)
        equal(done.returncode, 2)
        check(message in done.stderr and 'usage:' in done.stderr, done.stderr)


# --- URLs ---


@test
def a_url_that_answers_404_is_an_error_for_a_phone_of_yours():
    with serving() as (h, d):
        r = fetches(f'http://{d.http_at()}/nothing/')
        r.one_error('url', 'SIP-T46S would not be provisioned', EXIST)
        # All the names that this phone has asked for.
        names = [f['what'].split()[0] for f in r.of('url', 'note')]
        equal(names, ['00156574b150.boot', 'y000000000000.boot', 'y000000000066.cfg', '00156574b150.cfg'])
        # For a phone that was only made up it may be meant so.
        made_up = doctor('--url', f'http://{d.http_at()}/nothing/')
        equal((made_up.status, len(made_up.of('url', 'warning'))), (0, 1))


@test
def a_url_where_nobody_listens_is_an_error():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        fetches(f'http://127.0.0.1:{s.getsockname()[1]}/').one_error('url', '00156574b150.boot: connection refused', REACHABLE)


@test
def a_url_that_wants_a_password_is_an_error():
    with House() as h:
        h.write('y000000000000.boot', '')
        conf = h.dir / 'd.conf'
        line = subprocess.run([dialtone(), 'passwd', 'desk', '--weak'], input='of-desk\n', capture_output=True, text=True, check=True)
        conf.write_text('access.1.prefix = /\naccess.1.users = desk\n' + line.stdout)
        conf.chmod(0o600)
        with Daemon(['-c', conf, '--root', h.root, *h.options()]) as d:
            fetches(f'http://{d.http_at()}/').one_error('url', 'asks for a user name and password',
                                                       'Ensure that authentication credentials configured on the IP phone are correct.')


@test
def a_certificate_that_phones_do_not_trust_is_an_error_in_the_guides_words():
    with House() as h:
        h.add_office('127.0.0.1:1', '127.0.0.1:1')
        tls = h.make_certificates()
        with h.serve(**h.tls_options()) as d:
            url = f'https://127.0.0.1:{d.https}/old/'
            fetches(url).one_error('url', "the server's certificate is not trusted", TRUST)
            r = fetches(url, '--trusted', tls / 'ca.pem')
            equal([f for f in r.errors if 'certificate' in f['what']], [])
        fetches('https://127.0.0.1:1/', '--trusted', h.dir / 'secret').one_error('url', str(h.dir / 'secret'), TRUST)


# --- who else answers ---


@test
def a_foreign_pnp_server_is_an_error_where_this_one_does_pnp():
    with Wire() as wire, House() as h, House() as other:
        h.write('y000000000000.boot', '#!version:1.0.0.1\n')
        wire._ip('-n', wire.phone, 'addr', 'add', '192.0.2.66/24', 'dev', 'ph0')
        own = {'pnp__enable': 1, 'pnp__port': 5060, 'pnp__interfaces': 'sv0', 'pnp__url': 'http://192.0.2.1/'}
        foreign = other.options(listen='192.0.2.66', pnp__enable=1, pnp__port=5060, pnp__interfaces='ph0', http__port=80,
                                tftp__enable=0, ftp__enable=0, pnp__url='http://192.0.2.66/theirs/')
        words = [dialtone(), 'doctor', '--json', '-i', 'sv0', '--wait', '2', '--root', str(h.root),
                 *h.options(listen='192.0.2.1', http__port=80, tftp__port=69, **own), *PHONE]

        def visit():
            with wire.at_server(words) as p:
                status = p.wait()
            return Report(status, '\n'.join(p.out), '\n'.join(p.err))

        with wire.serve(h, **{**own, 'pnp__interfaces': 'lo'}):
            visit().one_error('pnp', 'sv0: the server runs on this machine and does not answer here', REACHABLE)
        with wire.serve(h, **own):
            r = visit()
            equal((r.status, [f['what'] for f in r.of('pnp')]), (0, ['this machine answers phones by PnP with http://192.0.2.1/']))
            with wire.at_server([dialtone(), 'serve', '--root', other.root, *foreign], end=wire.phone) as p:
                check(until(lambda: 'ready' in p.out, 'the foreign server'), p.err)
                r = visit()
                equal(sorted(f['what'] for f in r.of('pnp')),
                      ['another server answers phones by PnP with http://192.0.2.66/theirs/',
                       'this machine answers phones by PnP with http://192.0.2.1/'])
                equal([f['about'] for f in r.of('pnp', 'error')], ['192.0.2.66:5060'])
                equal(r.of('pnp', 'error')[0]['guide'], 'Ensure that the auto provisioning feature is configured properly.')
                # What phones would get there is looked at too.
                check(any('192.0.2.66/theirs/ (PnP)' in f['about'] for f in r.of('url')), r.findings)


@test
def two_dhcp_servers_that_disagree_are_an_error_and_every_answer_is_told():
    with Wire() as wire, House() as house, House() as other_house:
        other = wire.add_second_server()

        def visit():
            status, out, err = wire.at_phone('doctor', '--json', '-i', 'ph0', '--wait', '3', *PHONE)
            return Report(status, out, err)

        with isc(wire, house, snippet('isc', 'tftp://192.0.2.1/')):
            r = visit()
            equal([f['what'] for f in r.of('dhcp')], ['phones take tftp://192.0.2.1/ from option 66'])
            with dnsmasq(wire, other_house, snippet('dnsmasq', 'http://192.0.2.2/desk/'), end=other):
                r = visit()
        equal(sorted(f['what'] for f in r.of('dhcp', 'ok')),
              ['phones take http://192.0.2.2/desk/ from option 66', 'phones take tftp://192.0.2.1/ from option 66'])
        equal([f['what'] for f in r.of('dhcp', 'error')],
              ['DHCP servers name different provisioning servers; which one a phone takes is chance'])
        equal(r.of('dhcp', 'error')[0]['guide'], 'Ensure that settings are correct on the DHCP server.')


@test
def a_network_without_anybody_is_no_error_and_its_url_is_tried():
    with Wire() as wire, House() as house:
        status, out, err = wire.at_phone('doctor', '--json', '-i', 'ph0', '--wait', '1', *PHONE)
        r = Report(status, out, err)
        equal((status, [f['severity'] for f in r.of('dhcp')]), (0, ['note']))
        check(any('it could not be asked' in f['what'] for f in r.of('pnp', 'warning')), r.findings)
        status, out, err = wire.at_phone('doctor', '--json', '-i', 'nothing0', *PHONE)
        Report(status, out, err).one_error('network', 'nothing0: ', REACHABLE)
        with kea(wire, house, snippet('kea', 'http://192.0.2.9/')):
            wire._ip('-n', wire.phone, 'addr', 'add', '192.0.2.70/24', 'dev', 'ph0')
            house.add_office('192.0.2.1:69', '192.0.2.1:80')
            with wire.serve(house):
                status, out, err = wire.at_phone('doctor', '--json', '-i', 'ph0', '--wait', '2', '--url', 'http://192.0.2.1/desk/',
                                                 *PHONE)
                r = Report(status, out, err)
                check(any('192.0.2.1/desk/ (--url)' in f['about'] and 'is provisioned there' in f['what'] for f in r.of('url')),
                      r.findings)
                check(all('192.0.2.9/ (DHCP)' in f['about'] for f in r.errors) and r.errors, r.errors)


main()
