"""HTTPS from the outside: dialtone cert, curl, openssl s_client, raw sessions, SIGHUP, keys kept badly."""
import contextlib
import http.client
import os
import random
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import time

from house import (House, check, connect, equal, http_get, http_raw, need, program, read_to_end, run, some_bytes,
                   until)
from tap import main, skip, test

CFG = b'#!version:1.0.0.1\naccount.1.enable = 1\n'
MIDDLE = some_bytes(60000)
LARGE = some_bytes(3000001)
GET = b'GET /a.cfg HTTP/1.1\r\nHost: localhost\r\n\r\n'


@contextlib.contextmanager
def serving(kinds=('ecdsa', 'rsa'), **more):
    """A house with certificates and files, and its daemon."""
    with House() as h:
        h.make_certificates()
        h.write('a.cfg', CFG)
        h.write('middle.bin', MIDDLE)
        h.write('fw.rom', LARGE)
        with h.serve(**h.tls_options(kinds, **more)) as d:
            yield h, d


def client(h, version=None, **more):
    """What verifies as a phone does that has imported the CA."""
    context = ssl.create_default_context(cafile=h.dir / 'tls' / 'ca' / 'ca.pem')
    if version:
        context.minimum_version = context.maximum_version = version
    for key, value in more.items():
        getattr(context, key)(value)
    return context


def dial(d, context, receive_bytes=None, **more):
    s = connect(d.https, receive_bytes)
    try:
        return context.wrap_socket(s, server_hostname='localhost', suppress_ragged_eofs=False, **more)
    except BaseException:
        s.close()
        raise


def answer(s):
    """Status and body of the next answer on a connection."""
    got = http.client.HTTPResponse(s)
    got.begin()
    return got.status, got.read()


def ask(s, request=GET):
    s.sendall(request)
    return answer(s)


def curl(h, d, name, *words):
    return program(need('curl'), '-sS', '--cacert', h.dir / 'tls' / 'ca' / 'ca.pem', *words,
                   f'https://localhost:{d.https}/{name}')


def s_client(d, *words, say=b''):
    """All that openssl s_client prints."""
    done = subprocess.run([need('openssl'), 's_client', '-connect', f'127.0.0.1:{d.https}', '-servername', 'localhost',
                           *words], input=say, capture_output=True, timeout=30)
    return done.returncode, (done.stdout + done.stderr).decode(errors='replace')


def is_refused(d, *words):
    code, said = s_client(d, *words, say=b'Q\n')
    check(code != 0 and 'Cipher is (NONE)' in said, f'{words}: {said}')


# --- dialtone cert -----------------------------------------------------------------------------------------


@test
def cert_makes_a_ca_once_and_two_server_certificates_that_hold_the_names():
    with House() as h:
        made = h.make_certificates()
        for name, mode in (('ca/ca.pem', 0o644), ('ca/ca.key', 0o600), ('server/ecdsa.pem', 0o644),
                           ('server/ecdsa.key', 0o600), ('server/rsa.pem', 0o644), ('server/rsa.key', 0o600)):
            equal((name, stat.S_IMODE((made / name).stat().st_mode)), (name, mode))
        equal(stat.S_IMODE((made / 'ca').stat().st_mode), 0o700)
        for kind in ('ecdsa', 'rsa'):
            verified = program(need('openssl'), 'verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname',
                               'localhost', '-CAfile', made / 'ca/ca.pem', made / f'server/{kind}.pem')
            equal(verified.returncode, 0)
            verified = program(need('openssl'), 'verify', '-verify_ip', '127.0.0.1', '-CAfile', made / 'ca/ca.pem',
                               made / f'server/{kind}.pem')
            equal(verified.returncode, 0)


@test
def cert_overwrites_nothing_without_force_and_the_ca_never():
    with House() as h:
        made = h.make_certificates()
        ca, leaf, key = (made / 'ca/ca.pem', made / 'server/rsa.pem', made / 'ca/ca.key')
        before = [path.read_bytes() for path in (ca, leaf, key)]
        again = run('cert', '--dir', made, '--name', 'localhost')
        equal(again.returncode, 1)
        check('--force' in again.stderr, again.stderr)
        equal([path.read_bytes() for path in (ca, leaf, key)], before)
        h.make_certificates('--force')
        equal([path.read_bytes() for path in (ca, key)], [before[0], before[2]])
        check(leaf.read_bytes() != before[1], 'a new certificate')
        ca.write_text('nonsense')
        broken = run('cert', '--dir', made, '--name', 'localhost', '--force')
        equal(broken.returncode, 1)
        check('ca/ca.pem: is not what dialtone cert made' in broken.stderr, broken.stderr)


@test
def cert_says_what_goes_into_the_configuration_and_what_into_the_phone():
    with House() as h:
        done = run('cert', '--dir', h.dir / 'tls', '--name', 'prov.example', '--ip', '::1')
        equal(done.returncode, 0)
        lines = [line for line in done.stdout.splitlines() if line.startswith('tls.')]
        (h.dir / 'x.conf').write_text('\n'.join(lines) + '\n')
        equal(run('serve', '-c', h.dir / 'x.conf', '--check-config').returncode, 0)
        check('Security > Trusted Certificates > Import Trusted Certificates' in done.stdout, done.stdout)
        check(str(h.dir / 'tls/ca/ca.pem') in done.stdout, done.stdout)


# --- reading -----------------------------------------------------------------------------------------------


@test
def curl_reads_files_of_every_size_by_both_versions_and_both_kinds_of_certificate():
    for kinds in (('ecdsa',), ('rsa',)):
        with serving(kinds) as (h, d):
            for version in ('1.2', '1.3'):
                for name, data in (('a.cfg', CFG), ('middle.bin', MIDDLE), ('fw.rom', LARGE)):
                    got = curl(h, d, name, f'--tlsv{version}', '--tls-max', version)
                    equal(got.stderr, b'')
                    check(got.stdout == data, f'{kinds} {version} {name}')


@test
def a_peer_gets_the_kind_of_certificate_that_it_can_check():
    with serving() as (_, d):
        for words, kind in ((('-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'), 'RSA-PSS'),
                            (('-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'), 'ECDSA'),
                            (('-tls1_3', '-sigalgs', 'rsa_pss_rsae_sha256'), 'RSA-PSS'),
                            (('-tls1_3', '-sigalgs', 'ecdsa_secp256r1_sha256'), 'ECDSA'),
                            (('-tls1_3',), 'ECDSA')):
            said = s_client(d, *words, say=b'Q\n')[1]
            check(f'Peer signature type: {kind}\n' in said, f'{words}: {said}')


@test
def ranges_conditions_head_and_kept_connections_are_those_of_http():
    with serving() as (h, d):
        got = curl(h, d, 'fw.rom', '-r', '1000000-1999999')
        check(got.stdout == LARGE[1000000:2000000], 'a range of a large file')
        got = curl(h, d, 'fw.rom', '-r', '0-9,2999990-')
        check(LARGE[:10] in got.stdout and LARGE[-11:] in got.stdout, 'two ranges')
        with dial(d, client(h)) as s:
            for _ in range(20):
                equal(ask(s), (200, CFG))
            s.sendall(b'HEAD /fw.rom HTTP/1.1\r\nHost: x\r\n\r\n' + GET.replace(b'a.cfg', b'none.cfg'))
            head = b''
            while b'404 Not Found' not in head:
                head += s.recv(4096)
            check(b'Content-Length: 3000001\r\n' in head, head)
        equal(d.stop(), 0)
        events = [event for event in d.events() if ' https ' in event]
        equal(len(events), 24)
        check('"/a.cfg" sent 200' in events[2] and '127.0.0.1:' in events[2], events[2])


@test
def requests_that_come_in_one_record_are_all_answered():
    with serving() as (h, d):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with dial(d, client(h, version)) as s:
                # More than the server reads at once, so that part of it waits within OpenSSL.
                s.sendall(GET * 1000 + GET.replace(b'\r\n\r\n', b'\r\nConnection: close\r\n\r\n'))
                equal(read_to_end(s).count(CFG), 1001)


@test
def a_reader_with_pauses_gets_every_byte():
    with serving() as (h, d):
        with dial(d, client(h), receive_bytes=4096) as s:
            s.sendall(GET.replace(b'a.cfg', b'fw.rom'))
            got = s.recv(10)
            time.sleep(0.3)
            while len(got) < len(LARGE):
                more = s.recv(3000)
                check(more, 'the end too early')
                got += more
        check(got.endswith(LARGE[-5000:]) and LARGE[:100000] in got, 'other bytes')


@test
def an_answer_that_ends_the_connection_ends_tls_too():
    with serving() as (h, d):
        with dial(d, client(h)) as s:
            s.sendall(GET.replace(b'\r\n\r\n', b'\r\nConnection: close\r\n\r\n'))
            # Without close_notify this raises.
            check(read_to_end(s).endswith(CFG), 'the file')
        with dial(d, client(h)) as s:
            equal(ask(s)[0], 200)
            d.signal(signal.SIGTERM)
            equal(s.recv(1), b'')
        equal(d.wait(), 0)


@test
def sessions_are_resumed_whatever_thread_answers():
    with serving(tls__workers=4) as (h, d):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = client(h, version)
            with dial(d, context) as s:
                equal(ask(s)[0], 200)
                check(not s.session_reused, 'nothing to resume yet')
                session = s.session
            for _ in range(12):
                with dial(d, context, session=session) as s:
                    equal(ask(s), (200, CFG))
                    check(s.session_reused, f'{version} is not resumed')
                    session = s.session


# --- what is refused ---------------------------------------------------------------------------------------


@test
def r6_old_versions_and_suites_that_are_not_forward_secret_are_refused():
    with serving() as (_, d):
        for version in ('-tls1', '-tls1_1'):
            is_refused(d, version, '-cipher', 'ALL:@SECLEVEL=0')
        for suite in ('AES128-GCM-SHA256', 'AES256-SHA', 'ECDHE-RSA-AES128-SHA', 'ECDHE-ECDSA-AES128-SHA256',
                      'DHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-SHA384'):
            is_refused(d, '-tls1_2', '-cipher', suite + ':@SECLEVEL=0')
        for good in ('ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'):
            code, said = s_client(d, '-tls1_2', '-cipher', good, say=b'Q\n')
            check(code == 0 and f'Cipher is {good}' in said and 'Compression: NONE' in said, said)
        check(d.saw('the peer speaks only older versions of TLS', d.out), d.out)
        check(d.saw('the peer speaks only older cipher suites', d.out), d.out)


@test
def r6_tls_min_version_1_3_refuses_1_2():
    with serving(tls__min_version='1.3') as (_, d):
        is_refused(d, '-tls1_2')
        equal(s_client(d, '-tls1_3', say=b'Q\n')[0], 0)


@test
def r6_renegotiation_is_refused():
    with serving() as (_, d):
        said = s_client(d, '-tls1_2', say=b'R\n' + GET)[1]
        check('Secure Renegotiation IS supported' in said and 'RENEGOTIATING' in said, said)
        check('no renegotiation' in said and '200 OK' not in said, said)


@test
def r6_a_session_meant_for_another_protocol_ends_in_the_handshake():
    with serving() as (h, d):
        for words, chosen in ((['h2'], None), (['ftp'], None), (['h2', 'http/1.1'], 'http/1.1')):
            context = client(h)
            context.set_alpn_protocols(words)
            try:
                with dial(d, context) as s:
                    equal(s.selected_alpn_protocol(), chosen)
            except ssl.SSLError as error:
                check(chosen is None and 'alert no application protocol' in str(error).lower().replace('_', ' '), f'{words}: {error}')


def refusal(h, **more):
    options = h.options(**h.tls_options(**more))
    done = run('serve', '--root', h.root, *options)
    equal(done.returncode, 1)
    return done.stderr


@test
def r6_a_key_that_others_may_read_or_own_is_refused_with_its_name():
    with House() as h:
        key = h.make_certificates() / 'server/rsa.key'
        for mode in (0o640, 0o604, 0o620):
            key.chmod(mode)
            said = refusal(h)
            check(f'{key}: mode 0{mode:o} lets others' in said and 'chmod 600' in said, said)
        key.chmod(0o600)
        if os.geteuid() != 0:
            skip('only root can give a key to a stranger')
        os.chown(key, 12345, 12345)
        said = refusal(h)
        check(f'{key}: the private key belongs to user 12345' in said, said)


@test
def certificates_that_cannot_be_used_are_named_before_anything_is_served():
    with House() as h:
        server = h.make_certificates() / 'server'
        rsa, ecdsa = server / 'rsa.pem', server / 'ecdsa.pem'
        for more, words in (({'tls__certificate': server / 'none.pem', 'tls__key': server / 'rsa.key'},
                             f'{server}/none.pem: No such file'),
                            ({'tls__certificate': rsa, 'tls__key': server / 'ecdsa.key'}, 'is not the key'),
                            ({'tls__certificate': server / 'rsa.key', 'tls__key': server / 'rsa.key'},
                             'rsa.key: no certificate in PEM'),
                            ({'tls__certificate': rsa, 'tls__key': rsa}, 'rsa.pem: mode 0644'),
                            ({'tls__certificate': rsa, 'tls__key': ''}, 'as many files as each other'),
                            ({'tls__certificate': f'{rsa},{ecdsa}', 'tls__key': server / 'rsa.key'}, 'as many files'),
                            ({'tls__certificate': f'{rsa}, {rsa}', 'tls__key': f'{server}/rsa.key,{server}/rsa.key'},
                             'rsa.pem: cannot be used'),
                            ({'tls__certificate': server, 'tls__key': server / 'rsa.key'}, 'is no regular file')):
            options = h.options(https__port=0, **more)
            done = run('serve', '--root', h.root, *options)
            equal((done.returncode, more), (1, more))
            check(words in done.stderr, f'{words}: {done.stderr}')


@test
def a_chain_is_sent_as_it_stands_in_the_file():
    with House() as h:
        made = h.make_certificates()
        leaf = made / 'server/rsa.pem'
        leaf.write_bytes(leaf.read_bytes() + (made / 'ca/ca.pem').read_bytes())
        h.write('a.cfg', CFG)
        with h.serve(**h.tls_options(('rsa',))) as d:
            said = s_client(d, '-showcerts', say=b'Q\n')[1]
            equal(said.count('BEGIN CERTIFICATE'), 2)


@test
def plain_http_on_the_port_of_https_is_told_so_in_plain_text():
    with serving() as (_, d):
        for method in (b'GET', b'HEAD', b'POST'):
            got = http_raw(d.https, method + b' /a.cfg HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
            check(got.startswith(b'HTTP/1.1 400 ') and b'plain HTTP on the port of HTTPS' in got, got)
        check(d.saw('refused 400 (plain HTTP on the port of HTTPS)', d.out), d.out)
        check(CFG not in http_raw(d.https, some_bytes(100)), 'not a word to noise')
        check(d.saw(' https ', d.out), d.out)


def client_hello(h):
    """What a client sends first."""
    out = ssl.MemoryBIO()
    session = client(h).wrap_bio(ssl.MemoryBIO(), out, server_hostname='localhost')
    with contextlib.suppress(ssl.SSLWantReadError):
        session.do_handshake()
    return out.read()


@test
def broken_handshakes_and_records_harm_nobody():
    chance = random.Random(7)
    with serving(tls__workers=1) as (h, d):
        hello = client_hello(h)
        with dial(d, client(h)) as good:
            for turn in range(300):
                broken = bytearray(hello)
                for _ in range(chance.choice((1, 3, 30))):
                    broken[chance.randrange(len(broken))] = chance.randrange(256)
                with connect(d.https) as s:
                    s.sendall(broken[:chance.choice((len(broken), chance.randrange(1, len(broken))))])
                    if turn % 3 == 0:
                        s.sendall(chance.randbytes(100))
            for _ in range(50):
                # Past the handshake, so that what is broken is a record.
                with dial(d, client(h)) as s:
                    raw = socket.socket(fileno=os.dup(s.fileno()))
                    with raw, contextlib.suppress(OSError):
                        raw.sendall(b'\x17\x03\x03' + chance.randbytes(chance.randrange(1, 200)))
            equal(ask(good), (200, CFG))


@test
def a_handshake_that_never_ends_is_cut_after_http_head_s():
    with serving(http__head_s=1, tls__workers=1) as (h, d):
        hello = client_hello(h)
        begun = time.monotonic()
        peers = [connect(d.https) for _ in range(3)]
        peers[0].sendall(hello[:20])
        peers[1].sendall(hello)
        peers[2].sendall(hello[:1])
        with dial(d, client(h)) as s:
            equal(ask(s), (200, CFG))
        for s in peers:
            read_to_end(s)
            s.close()
        check(0.8 < time.monotonic() - begun < 10, f'{time.monotonic() - begun} s')
        with dial(d, client(h)) as s:
            equal(ask(s), (200, CFG))


# --- SIGHUP ------------------------------------------------------------------------------------------------


def certificate(d):
    """What a new connection is shown."""
    said = s_client(d, '-tls1_3', say=b'Q\n')[1]
    return re.search(r'-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----', said, re.DOTALL)[0]


@test
def sighup_takes_new_certificates_and_connections_stay():
    with serving() as (h, d):
        before = certificate(d)
        context = client(h)
        with dial(d, context) as s:
            equal(ask(s), (200, CFG))
            session = s.session
            h.make_certificates('--force')
            d.signal(signal.SIGHUP)
            check(d.saw('tls: certificates read again'), d.err)
            until(lambda: certificate(d) != before, 'the new certificate')
            equal(ask(s), (200, CFG))
        with dial(d, context, session=session) as s:
            equal(ask(s), (200, CFG))
            check(s.session_reused, 'a ticket outlives the certificates')


@test
def sighup_with_broken_certificates_keeps_the_old_ones_and_says_why():
    with serving() as (h, d):
        before = certificate(d)
        (h.dir / 'tls/server/ecdsa.pem').write_text('nonsense')
        d.signal(signal.SIGHUP)
        check(d.saw('the certificates stay as they were'), d.err)
        check(d.saw('ecdsa.pem: no certificate in PEM'), d.err)
        equal(certificate(d), before)


@test
def sighup_after_root_was_given_up_says_that_the_keys_cannot_be_read():
    if os.geteuid() != 0:
        skip('only root can give up root')
    with serving(run__user='nobody') as (h, d):
        before = certificate(d)
        h.make_certificates('--force')
        d.signal(signal.SIGHUP)
        check(d.saw('the certificates stay as they were'), d.err)
        check(d.saw('the server gave up root'), d.err)
        equal(certificate(d), before)


@test
def keys_of_the_servers_user_are_taken_and_read_again():
    if os.geteuid() != 0:
        skip('only root can become another user')
    with House() as h:
        h.write('a.cfg', CFG)
        made = h.make_certificates()
        for path in (made / 'server').iterdir():
            shutil.chown(path, 'nobody')
        with h.serve(**h.tls_options(run__user='nobody')) as d:
            d.signal(signal.SIGHUP)
            check(d.saw('tls: certificates read again'), d.err)
            with dial(d, client(h)) as s:
                equal(ask(s), (200, CFG))


# --- phones ------------------------------------------------------------------------------------------------


def phone(h, d, **environment):
    return run('phone', '--mac', '001565112233', '--model', 'T46S', '--firmware', '66.84.0.15', '--once', '--time-scale', 100, '--flash',
               h.dir / 'flash', '--server', f'https://localhost:{d.https}/desk/', env={**os.environ, **environment})


@test
def a_phone_with_the_ca_is_provisioned_by_https():
    with serving() as (h, d):
        h.write('desk/y000000000000.boot', '#!version:1.0.0.1\ninclude:config "sip.cfg"\n')
        h.write('desk/sip.cfg', CFG)
        done = phone(h, d, SSL_CERT_FILE=str(h.dir / 'tls/ca/ca.pem'))
        equal(done.returncode, 0)
        check('provisioned (common-boot): 1 settings applied' in done.stdout, done.stdout)
        check(d.saw('T46S 66.84.0.15', d.out), d.out)


@test
def a_phone_without_the_ca_refuses_and_the_journal_says_why():
    with serving() as (h, d):
        done = phone(h, d)
        check(done.returncode == 1, done.stdout)
        check(d.saw('stopped (the peer does not trust the certificate: is the CA imported there?)', d.out), d.out)
        check(not any(' sent ' in event for event in d.events()), d.events())


@test
def plain_http_and_tftp_are_served_beside_it():
    with serving() as (_, d):
        equal(http_get(d.http, '/a.cfg'), (200, CFG))


@test
def https_has_threads_of_its_own():
    def threads(**more):
        with serving(workers=2, **more) as (_, d):
            return len(os.listdir(f'/proc/{d.pid}/task'))

    one = threads(tls__workers=1)
    equal(threads(tls__workers=4) - one, 3)
    # Also where nothing but HTTPS is served.
    with serving(tls__workers=1, tftp__enable=0, http__enable=0, ftp__enable=0) as (h, d):
        equal(list(d.ports), ['https'])
        with dial(d, client(h)) as s:
            equal(ask(s), (200, CFG))


@test
def without_a_certificate_https_is_off():
    with House() as h:
        with h.serve() as d:
            equal(sorted(d.ports), ['ftp', 'http', 'tftp'])
        with h.serve(https__port=0) as d:
            equal(sorted(d.ports), ['ftp', 'http', 'tftp'])
            check(d.saw('HTTPS is not served'), d.err)


main()
