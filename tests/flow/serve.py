"""The real daemon, from the outside: starting, refusing to start, signals, journal, walls."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

from house import (House, Daemon, PATIENCE_S, check, equal, http_get, run, status_of, tftp_get)
from tap import dialtone, main, skip, test


class Tree(House):
    """The files that these tests ask for."""

    def __init__(self):
        super().__init__()
        self.write('00156574b16e.cfg', '#!version:1.0.0.1\naccount.1.enable = 1\n')
        self.write('sub/sip.cfg', '#!version:1.0.0.1\n')
        self.write('fw.rom', bytes(range(256)) * 2048)


# --- words -------------------------------------------------------------------------------------------------


@test
def wrong_usage_is_exit_2_and_help_and_version_are_exit_0():
    for arguments in ([], ["no-such-verb"], ["serve", "--nonsense"], ["serve", "stray"], ["serve", "-o"],
                      ["serve", "-o", "no.such.key=1"], ["serve", "-o", "tftp.port=70000"], ["help", "nothing"]):
        result = run(*arguments)
        equal((arguments, result.returncode), (arguments, 2))
        check(result.stderr.strip(), f"{arguments}: nothing said")
        equal(result.stdout, "")
    equal(run("--version").stdout.split()[0], "dialtone")
    for arguments in (["help"], ["--help"], ["help", "serve"], ["--version"]):
        equal(run(*arguments).returncode, 0)
    check("serve" in run("help").stdout, "help names the verbs")


@test
def what_print_config_prints_is_read_back_to_the_same():
    with Tree() as h:
        first = run("serve", "--root", h.root, *h.options(tftp__rate=7), "--print-config")
        equal(first.returncode, 0)
        check(f"root = {h.root}\n" in first.stdout and "tftp.rate = 7\n" in first.stdout, first.stdout)
        path = h.dir / "printed.conf"
        path.write_text(first.stdout)
        second = run("serve", "-c", path, "--print-config")
        equal(second.stdout, first.stdout)
        equal(second.stderr, "")
        equal(run("serve", "-c", path, "--check-config").returncode, 0)


@test
def a_bad_configuration_is_said_with_file_line_column_and_bounds_and_is_exit_1():
    with Tree() as h:
        path = h.dir / "bad.conf"
        path.write_text("root = /srv\nhttp.port = 65536\n")
        for mode in (["--check-config"], ["--print-config"], []):
            result = run("serve", "-c", path, *mode)
            equal(result.returncode, 1)
            check(f"{path}:2:13: error: http.port: '65536'" in result.stderr and "0 to 65535" in result.stderr,
                  result.stderr)
        missing = run("serve", "-c", h.dir / "none.conf", "--check-config")
        equal(missing.returncode, 1)
        check("No such file" in missing.stderr, missing.stderr)


# --- refusing to start -------------------------------------------------------------------------------------


@test
def a_missing_root_or_one_that_is_no_directory_is_named_and_is_exit_1():
    with Tree() as h:
        for path, why in ((h.dir / "none", "No such file or directory"), (h.dir / "secret", "Not a directory")):
            result = run("serve", "--root", path, *h.options())
            equal(result.returncode, 1)
            check(f"root {path}: {why}" in result.stderr, result.stderr)
            equal(result.stdout, "")


@test
def an_unreadable_root_is_named_and_is_exit_1():
    if os.geteuid() != 0:
        user = {}
    else:
        user = {"user": 65534, "group": 65534, "extra_groups": []}
    with Tree() as h:
        h.root.chmod(0o711)
        if user:
            os.chown(h.dir, 65534, 65534)
        else:
            h.root.chmod(0o000)
        if user and not os.access(os.path.abspath(dialtone()), os.X_OK):
            skip("the binary cannot be run by nobody")
        binary = h.dir / "dialtone"
        shutil.copy(dialtone(), binary)
        result = subprocess.run([binary, "serve", "--root", h.root, *map(str, h.options())], capture_output=True,
                                text=True, timeout=PATIENCE_S, cwd=h.dir, **user)
        equal(result.returncode, 1)
        check(f"root {h.root}: Permission denied" in result.stderr, result.stderr)


@test
def a_port_in_use_is_named_with_its_address_and_is_exit_1():
    with Tree() as h, socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(("127.0.0.1", 0))
        for key, taken in (("http.port", tcp), ("tftp.port", udp)):
            port = taken.getsockname()[1]
            result = run("serve", "--root", h.root, *h.options(**{key.replace(".", "__"): port}))
            equal(result.returncode, 1)
            check(f"127.0.0.1:{port}: Address already in use" in result.stderr, result.stderr)
        # Our own kind shares its ports among its workers, but not with a second daemon.
        with Daemon(["--root", h.root, *h.options()]) as d:
            for key, name in (("http.port", "http"), ("tftp.port", "tftp")):
                result = run("serve", "--root", h.root, *h.options(**{key.replace(".", "__"): d.ports[name]}))
                equal(result.returncode, 1)
                check("Address already in use" in result.stderr, result.stderr)


# --- running -----------------------------------------------------------------------------------------------


@test
def the_same_file_comes_over_both_protocols_and_a_change_is_seen_at_once():
    with Tree() as h, Daemon(["--root", h.root, *h.options()]) as d:
        path = h.root / "00156574b16e.cfg"
        for text in ("first\n", "second, longer\n", "3\n"):
            path.write_text(text)
            equal(http_get(d.http, "/00156574b16e.cfg"), (200, text.encode()))
            equal(tftp_get(d.tftp, "00156574b16e.cfg", 1432), ("file", text.encode()))
            equal(tftp_get(d.tftp, "00156574B16E.CFG"), ("file", text.encode()))
        path.unlink()
        equal(http_get(d.http, "/00156574b16e.cfg")[0], 404)
        equal(tftp_get(d.tftp, "00156574b16e.cfg"), ("error", 1))
        rom = (h.root / "fw.rom").read_bytes()
        equal(http_get(d.http, "/fw.rom"), (200, rom))
        equal(tftp_get(d.tftp, "/fw.rom", 1432), ("file", rom))


@test
def it_says_aloud_that_this_is_the_open_mode():
    with Tree() as h, Daemon(["--root", h.root, *h.options()]) as d:
        check(d.saw("open mode: anyone on these networks who knows a MAC"), d.err)


@test
def sigterm_and_sigint_end_it_with_exit_0_and_the_journal_is_complete():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Tree() as h, Daemon(["--root", h.root, *h.options()]) as d:
            for i in range(50):
                http_get(d.http, f"/absent-{i}.cfg")
            d.signal(number)
            equal(d.wait(), 0)
            lines = [line for line in d.out if "Z http 127.0.0.1:" in line]
            equal(len(lines), 50)
            with contextlib.closing(sqlite3.connect(h.state / "journal.db")) as db:
                equal(db.execute("SELECT count(*) FROM requests").fetchone()[0], 50)


@test
def sigterm_finishes_a_transfer_under_way_and_takes_no_new_one():
    with Tree() as h, Daemon(["--root", h.root, *h.options(run__drain_s=30)]) as d:
        (h.root / "large.rom").write_bytes(b"r" * (16 << 20))
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            s.settimeout(PATIENCE_S)
            s.connect(("127.0.0.1", d.http))
            s.sendall(b"GET /large.rom HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            first = s.recv(1000)
            d.signal(signal.SIGTERM)
            check(d.saw("stopping"), d.err)
            check(d.runs(), "it did not wait")
            refused, end = False, time.monotonic() + PATIENCE_S
            while not refused and time.monotonic() < end:
                try:
                    socket.create_connection(("127.0.0.1", d.http), 1).close()
                except ConnectionRefusedError:
                    refused = True
            check(refused, "new connections are still taken")
            total = len(first)
            while True:
                got = s.recv(1 << 20)
                if not got:
                    break
                total += len(got)
        check(total > 16 << 20, f"only {total} bytes came")
        equal(d.wait(), 0)
        check(any('large.rom" sent 200 16777216 B' in line for line in d.out), d.out)


@test
def a_second_signal_ends_transfers_and_so_does_the_bound():
    for options, second in (({"run__drain_s": 30}, True), ({"run__drain_s": 1}, False)):
        with Tree() as h, Daemon(["--root", h.root, *h.options(**options)]) as d:
            (h.root / "large.rom").write_bytes(b"r" * (16 << 20))
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                s.settimeout(PATIENCE_S)
                s.connect(("127.0.0.1", d.http))
                s.sendall(b"GET /large.rom HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                s.recv(1000)
                start = time.monotonic()
                d.signal(signal.SIGTERM)
                check(d.saw("stopping"), d.err)
                if second:
                    d.signal(signal.SIGTERM)
                equal(d.wait(), 0)
                check(time.monotonic() - start < 10, "it took too long")
            check(any('large.rom" broken 200 (' in line for line in d.out), d.out)


@test
def sighup_takes_limits_over_names_what_needs_a_restart_and_keeps_serving():
    with Tree() as h:
        (h.dir / "conf").mkdir()
        path = h.dir / "conf" / "dialtone.conf"
        path.write_text("http.idle_s = 50\nworkers = 2\n")
        os.chmod(path, 0o644)
        options = [word for word in h.options()]
        at = options.index("workers=2")
        del options[at - 1:at + 1]
        with Daemon(["--root", h.root, "-c", path, *options]) as d:
            equal(http_get(d.http, "/sub/sip.cfg")[0], 200)
            replacement = h.dir / "conf" / "new"
            replacement.write_text("http.idle_s = 1\nworkers = 3\n")
            replacement.rename(path)
            d.signal(signal.SIGHUP)
            check(d.saw("workers: changed, takes effect after a restart"), d.err)
            check(d.saw("configuration read again"), d.err)
            # http.idle_s = 1 holds for connections from now on.
            with socket.create_connection(("127.0.0.1", d.http), PATIENCE_S) as s:
                s.sendall(b"GET /sub/sip.cfg HTTP/1.1\r\nHost: x\r\n\r\n")
                end, got = time.monotonic() + 10, b"x"
                while got and time.monotonic() < end:
                    got = s.recv(65536)
                equal(got, b"")
            path.write_text("http.idle_s = none\n")
            d.signal(signal.SIGHUP)
            check(d.saw("dialtone.conf:1:15: error: http.idle_s"), d.err)
            check(d.saw("not taken over"), d.err)
            equal(http_get(d.http, "/sub/sip.cfg")[0], 200)
            equal(d.stop(), 0)


# --- the journal -------------------------------------------------------------------------------------------


@test
def every_request_is_one_line_and_one_row_that_says_who_and_what():
    with Tree() as h, Daemon(["--root", h.root, *h.options()]) as d:
        tftp_get(d.tftp, "00156574b16e.boot", 1432)
        tftp_get(d.tftp, "00156574b16e.cfg", 1432)
        http_get(d.http, "/y000000000028.cfg", "Yealink SIP-T46G 28.83.0.50 00:15:65:4a:a9:37")
        http_get(d.http, "/sub/sip.cfg", "Yealink SIP-T46G 28.83.0.50 00:15:65:4a:a9:37")
        equal(d.stop(), 0)
        lines = [line for line in d.out if re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ", line)]
        expected = [
            r"\S+ tftp 127\.0\.0\.1:\d+ 00:15:65:74:b1:6e - - MAC-oriented boot file \"00156574b16e\.boot\" absent "
            r"\(.+\) 0 B \d+ ms",
            r"\S+ tftp 127\.0\.0\.1:\d+ 00:15:65:74:b1:6e - - MAC-oriented CFG file \"00156574b16e\.cfg\" sent"
            r"( \(.+\))? 39 B \d+ ms",
            r"\S+ http 127\.0\.0\.1:\d+ 00:15:65:4a:a9:37 T46G 28\.83\.0\.50 common CFG file "
            r"\"/?y000000000028\.cfg\" absent 404( \(.+\))? 0 B \d+ ms",
            r"\S+ http 127\.0\.0\.1:\d+ 00:15:65:4a:a9:37 T46G 28\.83\.0\.50 .+ \"/?sub/sip\.cfg\" sent 200"
            r"( \(.+\))? 18 B \d+ ms",
        ]
        equal(len(lines), len(expected))
        for pattern in expected:
            check(any(re.fullmatch(pattern, line) for line in lines), f"{pattern} not in {lines}")
        with contextlib.closing(sqlite3.connect(h.state / "journal.db")) as db:
            rows = db.execute("SELECT protocol, mac, model, firmware, outcome, code, bytes FROM requests "
                              "ORDER BY outcome, protocol").fetchall()
        equal([row[:5] for row in rows],
              [("http", "00:15:65:4a:a9:37", "T46G", "28.83.0.50", "absent"),
               ("tftp", "00:15:65:74:b1:6e", None, None, "absent"),
               ("http", "00:15:65:4a:a9:37", "T46G", "28.83.0.50", "sent"),
               ("tftp", "00:15:65:74:b1:6e", None, None, "sent")])
        equal([row[6] for row in rows], [0, 0, 18, 39])
        equal((h.state.stat().st_mode & 0o7777, (h.state / "journal.db").stat().st_mode & 0o7777), (0o700, 0o600))


@test
def hostile_names_and_agents_stay_one_printable_line_R29():
    with Tree() as h, Daemon(["--root", h.root, *h.options()]) as d:
        forged = b"x\n2026-01-01T00:00:00.000Z tftp forged\x1b[2J\xff\"\\"
        tftp_get(d.tftp, forged)
        http_get(d.http, "/x%0a2026%20forged%1b%ff%22.cfg", "a\x1b[2Jb\x9b")
        http_get(d.http, "/plain.cfg", "\xe9\xff" * 40)
        equal(d.stop(), 0)
        for line in d.out:
            check(re.fullmatch(r"[ -~]+|(?:[^\x00-\x1f\x7f-\x9f\udc80-\udcff]+)", line), repr(line))
            check(not line.startswith("2026-01-01T00"), line)
        equal(len([line for line in d.out if re.match(r"\S+Z (tftp|http) ", line)]), 3)


@test
def a_journal_that_cannot_write_never_stops_the_service():
    with Tree() as h:
        h.state.mkdir(mode=0o700)
        (h.state / "journal.db").write_text("this is no database " * 100)
        with Daemon(["--root", h.root, *h.options()]) as d:
            check(d.saw("keeps no rows"), d.err)
            equal(http_get(d.http, "/sub/sip.cfg")[0], 200)
            equal(d.stop(), 0)
    with Tree() as h, Daemon(["--root", h.root, *h.options()]) as d:
        with contextlib.closing(sqlite3.connect(h.state / "journal.db", isolation_level=None)) as db:
            db.execute("BEGIN EXCLUSIVE")
            for i in range(20):
                equal(http_get(d.http, "/sub/sip.cfg")[0], 200)
            check(d.saw("rows are lost from now on"), d.err)
            db.execute("ROLLBACK")
        http_get(d.http, "/last.cfg")
        equal(d.stop(), 0)
        with contextlib.closing(sqlite3.connect(h.state / "journal.db")) as db:
            equal(db.execute("SELECT count(*) FROM requests WHERE name LIKE '%last.cfg'").fetchone()[0], 1)


# --- walls -------------------------------------------------------------------------------------------------


@test
def no_encoding_of_dot_dot_leads_out_R1():
    names = ["../secret", "/../secret", "sub/../../secret", "..", "./../secret", "sub/..//../secret", "..\\secret",
             "sub\\..\\..\\secret", "\\..\\secret", "%2e%2e/secret", "%2e%2e%2fsecret", ".%2e/secret", "..%2fsecret",
             "..%5csecret", "%252e%252e%252fsecret", "..%c0%afsecret", "%c0%ae%c0%ae/secret", "..;/secret",
             "....//secret", "..%00/secret", "secret%00.cfg", "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/etc/passwd",
             "//etc/passwd", "/proc/self/environ", "sub/%2e%2e/%2e%2e/secret", "..\u2215secret", "%u002e%u002e/secret"]
    with Tree() as h, Daemon(["--root", h.root, *h.options()]) as d:
        for name in names:
            status, body = http_get(d.http, ("/" + name.lstrip("/")).encode())
            check(status in (400, 403, 404) and b"secret outside" not in body and b"root:" not in body,
                  f"{name}: {status} {body!r}")
            status, body = http_get(d.http, ("/" + name).encode())
            check(status in (400, 403, 404), f"{name}: {status} {body!r}")
            plain = name.replace("%00", "\0")
            check(tftp_get(d.tftp, plain)[0] == "error" if "\0" not in plain else True, f"tftp {name}")
        equal(http_get(d.http, "/%73ub/sip%2ecfg")[0], 200)
        equal(http_get(d.http, "/sub/sip.cfg")[0], 200)


@test
def a_symbolic_link_never_leads_out_R2():
    with Tree() as h, Daemon(["--root", h.root, *h.options()]) as d:
        (h.root / "out.cfg").symlink_to("../secret")
        (h.root / "passwd.cfg").symlink_to("/etc/passwd")
        (h.root / "up").symlink_to("..")
        for name in ("out.cfg", "passwd.cfg", "up/secret", "up/root/sub/sip.cfg"):
            check(http_get(d.http, "/" + name)[0] in (403, 404), name)
            equal(tftp_get(d.tftp, name)[0], "error")


@test
def a_link_made_between_check_and_use_never_leads_out_R2():
    # This client asks more than a thousand times a second and never asks again.
    with Tree() as h, Daemon(["--root", h.root, *h.options(tftp__rate=0)]) as d:
        stop = threading.Event()

        def swap():
            (h.dir / "sip.cfg").write_text("secret outside of the root")
            while not stop.is_set():
                os.rename(h.root / "sub", h.root / "was")
                os.symlink("..", h.root / "sub")
                os.unlink(h.root / "sub")
                os.rename(h.root / "was", h.root / "sub")

        swapper = threading.Thread(target=swap)
        swapper.start()
        try:
            answers = set()
            end = time.monotonic() + 3
            while time.monotonic() < end:
                status, body = http_get(d.http, "/sub/sip.cfg")
                answers.add(status)
                check(b"secret outside" not in body, "the secret came out over http")
                _, got = tftp_get(d.tftp, "sub/sip.cfg")
                check(got != b"secret outside of the root", "the secret came out over tftp")
        finally:
            stop.set()
            swapper.join()
        check(answers <= {200, 403, 404}, f"{answers}")
        equal(http_get(d.http, "/sub/sip.cfg")[0], 200)


@test
def every_thread_runs_without_capabilities_behind_the_filter_R28():
    with Tree() as h:
        if os.geteuid() == 0:
            for path in (h.root, *h.root.rglob("*")):
                os.chown(path, 4321, 4322)
        with Daemon(["--root", h.root, *h.options()]) as d:
            pid = d.pid
            threads = os.listdir(f"/proc/{pid}/task")
            check(len(threads) >= 4, f"main, journal and two workers: {threads}")
            for thread in threads:
                task = f"{pid}/task/{thread}"
                for key in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                    equal(int(status_of(task, key)[0], 16), 0)
                equal(status_of(task, "NoNewPrivs"), ["1"])
                equal(status_of(task, "Seccomp"), ["2"])
                if os.geteuid() == 0:
                    equal(int(status_of(task, "CapBnd")[0], 16), 0)
                    equal(status_of(task, "Uid"), ["4321"] * 4)
                    equal(status_of(task, "Gid"), ["4322"] * 4)
                    equal(status_of(task, "Groups"), [])
            limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
            check(re.search(r"Max core file size\s+0\s+0", limits), limits)
            equal(http_get(d.http, "/sub/sip.cfg")[0], 200)
            equal(tftp_get(d.tftp, "sub/sip.cfg")[0], "file")
            # Behind the walls, too, directories can be watched.
            check(not any('not kept in memory' in line for line in d.err), d.err)
            equal(d.stop(), 0)
            with contextlib.closing(sqlite3.connect(h.state / "journal.db")) as db:
                equal(db.execute("SELECT count(*) FROM requests").fetchone()[0], 2)


@test
def it_refuses_to_serve_when_a_wall_is_missing_unless_told_to():
    with Tree() as h:
        # The tree beneath the state directory could be written.
        above = h.options(**{"state__dir": h.dir})
        result = run("serve", "--root", h.root, *above)
        equal(result.returncode, 1)
        check("still possible to write into the root" in result.stderr and "run.confine = 0" in result.stderr,
              result.stderr)
        equal(sorted(path.name for path in h.root.iterdir()), ["00156574b16e.cfg", "fw.rom", "sub"])
        with Daemon(["--root", h.root, *above, "-o", "run.confine=0"]) as d:
            equal(http_get(d.http, "/sub/sip.cfg")[0], 200)


main()
