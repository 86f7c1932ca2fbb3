"""Foreign programs that put a file over TFTP. Each takes the daemon, the file, its name there and words for the
program, and returns the command."""
from house import need, program
from tap import skip


def curl_put(d, path, name, *words):
    return [need('curl'), '-sS', *words, '-T', path, f'tftp://127.0.0.1:{d.tftp}/{name}']


def hpa_put(d, path, name, mode='octet'):
    return [need('tftp'), '-m', mode, '127.0.0.1', str(d.tftp), '-c', 'put', path, name]


def atftp_put(d, path, name, *options):
    words = [word for option in options for word in ('--option', option)]
    return [need('atftp'), *words, '-p', '-l', path, '-r', name, '127.0.0.1', str(d.tftp)]


def busybox_put(d, path, name, *words):
    found = need('busybox')
    if 'tftp' not in program(found, '--list').stdout.decode().split():
        skip('this busybox has no tftp')
    return [found, 'tftp', '-p', '-l', path, '-r', name, *words, '127.0.0.1', str(d.tftp)]
