"""Foreign programs that fetch and put files."""
import urllib.parse

from house import need, program
from tap import skip


def url(d, scheme, name):
    return f'{scheme}://127.0.0.1:{getattr(d, scheme)}/{urllib.parse.quote(name)}'


# These take the daemon, the name, where to put it and words for the program, and return the command.


def curl(d, scheme, name, to, *words):
    return [need('curl'), '-sS', '--fail', '-o', to, *words, url(d, scheme, name)]


def curl_tftp(d, name, to, *words):
    return curl(d, 'tftp', name, to, *words)


def tftp_hpa(d, name, to, mode='octet'):
    return [need('tftp'), '-m', mode, '127.0.0.1', str(d.tftp), '-c', 'get', name, to]


def atftp(d, name, to, *options):
    words = [word for option in options for word in ('--option', option)]
    return [need('atftp'), *words, '-g', '-r', name, '-l', to, '127.0.0.1', str(d.tftp)]


def busybox(applet):
    found = need('busybox')
    if applet not in program(found, '--list').stdout.decode().split():
        skip(f'this busybox has no {applet}')
    return [found, applet]


def busybox_tftp(d, name, to, *words):
    return [*busybox('tftp'), '-g', '-r', name, '-l', to, *words, '127.0.0.1', str(d.tftp)]


# These take the daemon, the file, its name there and words for the program.


def curl_put(d, path, name, *words):
    return [need('curl'), '-sS', *words, '-T', path, f'tftp://127.0.0.1:{d.tftp}/{name}']


def hpa_put(d, path, name, mode='octet'):
    return [need('tftp'), '-m', mode, '127.0.0.1', str(d.tftp), '-c', 'put', path, name]


def atftp_put(d, path, name, *options):
    words = [word for option in options for word in ('--option', option)]
    return [need('atftp'), *words, '-p', '-l', path, '-r', name, '127.0.0.1', str(d.tftp)]


def busybox_put(d, path, name, *words):
    return [*busybox('tftp'), '-p', '-l', path, '-r', name, *words, '127.0.0.1', str(d.tftp)]
