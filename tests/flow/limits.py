"""Limits that an operator sets, at the real daemon: bytes a second, times, connections, descriptors, events."""
import contextlib
import ftplib
import os
import resource
import socket
import ssl
import threading
import time

from house import House, Tftp, check, connect, equal, http_get, read_to_end, serving, some_bytes, tftp_get, until
from tap import main, skip, test

RATE, SIZE = 2_000_000, 3_000_000


def tls_to(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connect(port))


def by_http(d, data):
    equal(http_get(d.http, '/f.rom'), (200, data))


def by_https(d, data):
    with tls_to(d.https) as s:
        s.sendall(b'GET /f.rom HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        check(read_to_end(s).endswith(data), 'not whole')


def by_ftp(d, data):
    with ftplib.FTP() as ftp:
        ftp.connect('127.0.0.1', d.ftp, 30)
        ftp.login()
        got = []
        ftp.retrbinary('RETR f.rom', got.append)
        check(b''.join(got) == data, 'not whole')


def seconds(call, *arguments):
    began = time.monotonic()
    call(*arguments)
    return time.monotonic() - began


@test
def bytes_a_second_hold_for_each_connection_and_keep_nobody_else_waiting():
    with House() as h:
        h.make_certificates()
        data = h.write('f.rom', some_bytes(SIZE)).read_bytes()
        with h.serve(**h.tls_options(('ecdsa',)), http__rate_bytes=RATE, ftp__rate_bytes=RATE) as d:
            took = {}
            fetches = (by_http, by_https, by_ftp, by_http)
            threads = [threading.Thread(target=lambda n=n, f=f: took.__setitem__(n, seconds(f, d, data)))
                       for n, f in enumerate(fetches)]
            for thread in threads:
                thread.start()
            time.sleep(0.2)
            h.write('small.cfg', b'small')
            check(seconds(http_get, d.http, '/small.cfg') < 1, 'somebody else waited')
            for thread in threads:
                thread.join()
        equal(len(took), 4)
        for n, f in enumerate(fetches):
            # The first half second's worth goes out at once: what fits into the socket's buffer of the peer.
            check(0.5 * SIZE / RATE < took[n] < 10, f'{f.__name__}: {took[n]:.2f} s')


@test
def r12_whoever_is_silent_for_too_long_is_let_go_by_every_protocol():
    with House() as h:
        h.make_certificates()
        h.write('f.cfg', b'f')
        with h.serve(**h.tls_options(('ecdsa',)), http__head_s=1, http__idle_s=1, ftp__login_s=1, ftp__idle_s=2) as d:
            with contextlib.ExitStack() as stack:
                silent = {'http head': connect(d.http), 'https handshake': connect(d.https), 'https head': tls_to(d.https),
                          'https idle': tls_to(d.https), 'ftp login': connect(d.ftp), 'ftp idle': connect(d.ftp)}
                for s in silent.values():
                    stack.enter_context(s)
                # Who says nothing at all is not even accepted (TCP_DEFER_ACCEPT).
                silent['https handshake'].sendall(b'\x16\x03\x01\x02')
                silent['http head'].sendall(b'GET /f.cfg HTT')
                silent['https head'].sendall(b'GET /f.cfg HTT')
                silent['https idle'].sendall(b'GET /f.cfg HTTP/1.1\r\nHost: x\r\n\r\n')
                silent['ftp idle'].sendall(b'USER anonymous\r\nPASS\r\n')
                t = stack.enter_context(Tftp(d.tftp))
                t.ask('f.cfg', timeout=1)
                began, said = time.monotonic(), {}
                for name, s in silent.items():
                    said[name] = read_to_end(s)
                check(time.monotonic() - began < 8, 'it took too long')
                check(said['http head'].startswith(b'HTTP/1.1 408'), said)
                check(said['https head'].startswith(b'HTTP/1.1 408'), said)
                check(said['https idle'].endswith(b'\r\n\r\nf'), said)
                for name in ('ftp login', 'ftp idle'):
                    check(said[name].splitlines()[-1].startswith(b'421'), said)
            equal(http_get(d.http, '/f.cfg'), (200, b'f'))


@test
def failed_handshakes_do_not_fill_the_journal():
    with House() as h:
        h.make_certificates()
        with h.serve(**h.tls_options(('ecdsa',))) as d:
            for _ in range(60):
                with connect(d.https) as s:
                    s.sendall(b'\x16\x03\x01\0\5\1\0\0\1\0')
                    read_to_end(s)
                with connect(d.ftp) as s:
                    s.sendall(b'AUTH TLS\r\n')
                    got = b''
                    while b'234' not in got:
                        got += s.recv(1000)
                    s.sendall(b'\x16\x03\x01\0\5\1\0\0\1\0')
                    read_to_end(s)
            check(d.saw('https: 1 failed handshakes were left out') and d.saw('ftp: 1 failed handshakes were left out'), d.err)
        for protocol in ('https', 'ftp'):
            count = sum(f' {protocol} ' in line for line in d.events())
            # Of each of two workers some twenty.
            check(20 <= count <= 50, f'{protocol}: {count} events')


@test
def R11_out_of_descriptors_the_server_rests_and_goes_on():
    with serving(workers=1) as (h, d):
        h.write('f.cfg', b'f')
        equal(http_get(d.http, '/f.cfg'), (200, b'f'))
        try:
            resource.prlimit(d.pid, resource.RLIMIT_NOFILE)
        except PermissionError:
            skip('only root may change another process')
        old = resource.prlimit(d.pid, resource.RLIMIT_NOFILE)
        used = max(map(int, os.listdir(f'/proc/{d.pid}/fd')))
        resource.prlimit(d.pid, resource.RLIMIT_NOFILE, (used + 6, old[1]))
        with contextlib.ExitStack() as stack:
            idle = [stack.enter_context(connect(d.http)) for _ in range(20)]
            for s in idle:
                s.sendall(b'GET ')
            # The longest idle make room for whoever comes.
            equal(http_get(d.http, '/f.cfg'), (200, b'f'))
            equal(tftp_get(d.tftp, 'f.cfg'), ('file', b'f'))
            check(d.saw('cannot accept connections: Too many open files'), d.err)
        resource.prlimit(d.pid, resource.RLIMIT_NOFILE, old)
        until(lambda: http_get(d.http, '/f.cfg') == (200, b'f'), 'service as before')
        with ftplib.FTP() as ftp:
            ftp.connect('127.0.0.1', d.ftp, 30)
            ftp.login()


main()
