"""dialtone phone provisions from servers that are not ours, and comes to the same result as from ours."""
import contextlib
import json
import os
import pwd
import socket

from house import OFFICE, House, Process, check, equal, need, run, until
from tap import main, skip, test

# What examples/office has: a common boot file, a MAC-oriented one, the old mechanism.
PHONES = (('T46S', '66.84.0.15', '00:15:65:74:b1:50', 'desk/', 'common-boot'),
          ('T54W', '96.85.0.5', '80:5e:c0:11:22:33', 'desk/', 'mac-boot'),
          ('T23G', '44.84.0.15', '00:15:65:74:b1:6e', 'old/', 'old'))
# dnsmasq serves TFTP on port 69 only; on one of these nobody else does.
LOOPBACKS = [f'127.0.0.{n}' for n in range(2, 20)]


def user():
    return pwd.getpwuid(os.geteuid()).pw_name


def free_port(kind):
    """One that was free a moment ago; these servers cannot say which one they took."""
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def answers_tftp(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.2)
        with contextlib.suppress(OSError):
            s.sendto(b'\0\1is-it-there\0octet\0', (host, port))
            return s.recv(600)
    return None


def answers_http(host, port):
    with contextlib.suppress(OSError), socket.create_connection((host, port), 1):
        return True
    return False


@contextlib.contextmanager
def started(words, answers, host, port):
    with Process(words) as p:
        until(lambda: answers(host, port) or not p.runs(), f'{words[0]} to answer')
        check(p.runs(), f'{words[0]}: {p.err}')
        yield f'{host}:{port}'


def atftpd(h):
    port = free_port(socket.SOCK_DGRAM)
    # It takes no relative port and writes nothing; --user is whom it becomes.
    words = [need('atftpd'), '--daemon', '--no-fork', '--port', port, '--bind-address', '127.0.0.1', '--user',
             user(), '--logfile', '-', h.root]
    return started(words, answers_tftp, '127.0.0.1', port)


def address_with_port_69():
    for host in LOOPBACKS:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            try:
                s.bind((host, 69))
                return host
            except OSError as error:
                why = error.strerror
    skip(f'dnsmasq serves TFTP on port 69 only, which cannot be bound: {why}')


def dnsmasq(h):
    program, host = need('dnsmasq'), address_with_port_69()
    words = [program, '--keep-in-foreground', '--port=0', '--enable-tftp', f'--tftp-root={h.root}',
             f'--listen-address={host}', '--bind-interfaces', '--conf-file=/dev/null', '--pid-file=',
             f'--user={user()}', '--group=', '--log-facility=-']
    return started(words, answers_tftp, host, 69)


NGINX = '''
daemon off;
master_process off;
pid {dir}/nginx.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    default_type application/octet-stream;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
'''


def nginx(h):
    port = free_port(socket.SOCK_STREAM)
    (h.dir / 'nginx.conf').write_text(NGINX.format(dir=h.dir, root=h.root, port=port))
    words = [need('nginx'), '-p', h.dir, '-c', h.dir / 'nginx.conf', '-e', 'stderr']
    return started(words, answers_http, '127.0.0.1', port)


def report_of(phone, server, *hosts):
    """The phone's own JSON, with one name for whoever served."""
    model, firmware, mac, directory, mechanism = phone
    done = run('phone', '--model', model, '--firmware', firmware, '--mac', mac, '--server', server + directory,
               '--once', '--json')
    equal((model, done.returncode, done.stderr), (model, 0, ''))
    text = done.stdout
    for host in hosts:
        text = text.replace(host, 'SERVER')
    report = json.loads(text)
    equal((model, report['outcome'], report['mechanism']), (model, 'provisioned', mechanism))
    for file in report['files']:
        # Every server has its own words for an absent file, and is named in some of the files.
        del file['why'], file['md5']
    return report


def with_our_names(h, scheme, host):
    """The office whose boot and CFG files name this server, over its protocol, for everything."""
    for path in sorted(OFFICE.rglob('*')):
        if path.is_file():
            data = path.read_bytes()
            for old in (b'tftp://127.0.0.1:16969/', b'http://127.0.0.1:18080/'):
                data = data.replace(old, f'{scheme}://{host}/'.encode())
            h.write(path.relative_to(OFFICE), data)


def provisions_as_from_ours(server, scheme):
    with House() as h, House() as ours, ours.serve() as d:
        (h.root / 'desk').mkdir()
        with server(h) as host:
            with_our_names(h, scheme, host)
            own_host = d.tftp_at() if scheme == 'tftp' else d.http_at()
            with_our_names(ours, scheme, own_host)
            for phone in PHONES:
                theirs = report_of(phone, f'{scheme}://{host}/', host)
                own = report_of(phone, f'{scheme}://{own_host}/', own_host)
                check(len(theirs['settings']) > 8, theirs)
                equal(theirs, own)


@test
def a_phone_provisions_from_atftpd():
    provisions_as_from_ours(atftpd, 'tftp')


@test
def a_phone_provisions_from_dnsmasq():
    provisions_as_from_ours(dnsmasq, 'tftp')


@test
def a_phone_provisions_from_nginx():
    provisions_as_from_ours(nginx, 'http')


@test
def an_empty_cfg_file_is_fetched_from_any_server():
    """Not ours alone: libcurl fails on the tsize of 0 that atftpd and dnsmasq answer."""
    for server, scheme in ((atftpd, 'tftp'), (nginx, 'http')):
        with House() as h, server(h) as host:
            with_our_names(h, scheme, host)
            h.write('desk/features.cfg', b'')
            report = report_of(PHONES[0], f'{scheme}://{host}/', host)
            equal([file['outcome'] for file in report['files'] if file['name'].endswith('/features.cfg')], ['used'])


main()
