"""The servers that are measured: each is started on the loopback, pinned to a processor, and asked how much
processor time its whole process tree has used."""

import contextlib
import glob
import os
import pwd
import re
import signal
import socket
import subprocess
import time

START_S = 10
STOP_S = 5
DESCRIPTORS = 20000
# Above any number of clients that is measured.
TRANSFERS = 4000
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class StartError(Exception):
    """The server cannot be run here; the text says why."""


def free_port(host, kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def free_host(port):
    """A loopback address on which nobody has the UDP port; 127.0.0.1 may well be taken by the machine's own."""
    for last in range(2, 255):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((f"127.0.0.{last}", port))
                return f"127.0.0.{last}"
            except PermissionError as error:
                raise StartError(f"port {port} needs root: {error}") from error
            except OSError:
                continue
    raise StartError(f"no loopback address has port {port} free")


def version_of(command, pattern):
    try:
        made = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return None
    found = re.search(pattern, made.stdout + made.stderr)
    return found.group(1) if found else None


def stat_fields(pid):
    """Fields of /proc/PID/stat from the third on (proc(5)); the name before them may hold anything."""
    with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
        return file.read().rpartition(")")[2].split()


def children_of(pid):
    """Empty for a process that ended meanwhile; a thread that ended has left its children to another."""
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                    found += [int(child) for child in file.read().split()]
    except FileNotFoundError:
        pass
    return found


def process_tree(pid):
    """The process and everything below it."""
    found = [pid]
    for parent in found:
        found += children_of(parent)
    return found


def process_cpu_us(pid):
    clock = (~pid << 3) | 2  # what clock_getcpuclockid(3) makes of a process on Linux
    reaped = sum(int(ticks) for ticks in stat_fields(pid)[13:15])
    return time.clock_gettime_ns(clock) / 1000 + reaped * 1e6 / TICKS_PER_S


def cpu_us(pid):
    """Processor time of the process tree since it started, in microseconds.

    Living processes are read from their CPU clock, which counts all threads, ended ones too, in nanoseconds:
    the same sum as utime + stime without its steps of 10 ms. Children already reaped are known in those steps
    only (cutime + cstime)."""
    total = process_cpu_us(pid)
    for child in process_tree(pid)[1:]:
        # One that has just ended is in its parent's sum from now on.
        with contextlib.suppress(OSError):
            total += process_cpu_us(child)
    return total


def processor_used_us(cpu):
    """Time that this processor has spent on anything since the machine started, in microseconds."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = next(line.split()[1:] for line in file if line.startswith(f"cpu{cpu} "))
    user, nice, system, _idle, _iowait, *rest = (int(ticks) for ticks in fields[:8])
    return (user + nice + system + sum(rest)) * 1e6 / TICKS_PER_S


class Server:
    """One server process. A subclass names its program and writes its configuration."""

    name = ""
    protocols = ()
    version = None
    sessions = 100  # of FTP, idle at once, when their memory is measured

    def __init__(self, root, work, cpu):
        self.root = root  # the tree that is served
        self.work = os.path.join(work, self.name.replace(" ", "-"))
        self.cpu = cpu
        self.address = {}  # protocol -> (host, port)
        self.process = None
        os.makedirs(self.work)

    def command(self):
        raise NotImplementedError

    def log(self):
        return os.path.join(self.work, "output")

    def output(self):
        with open(self.log(), encoding="utf-8", errors="replace") as file:
            return file.read()

    def start(self):
        command = self.command()
        cpu = {self.cpu}
        with open(self.log(), "wb") as log:
            try:
                self.process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.work,
                    start_new_session=True, preexec_fn=lambda: os.sched_setaffinity(0, cpu))
            except OSError as error:
                raise StartError(f"{self.name}: {error}") from error
        end = time.monotonic() + START_S
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise StartError(f"{self.name} did not start: {self.output().strip() or 'it said nothing'}")
            time.sleep(0.02)

    def ready(self):
        """All addresses are bound, as the kernel's own tables have it."""
        return all(is_bound(protocol, *address) for protocol, address in self.address.items())

    def memory_kib(self):
        """Of the whole process tree, what several share counted once (proc(5): Pss)."""
        total = 0
        for pid in process_tree(self.process.pid):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                    total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        return total

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def cpu_us(self):
        return cpu_us(self.process.pid)

    def stop(self):
        if not self.alive():
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def is_bound(protocol, host, port):
    table = "/proc/net/udp" if protocol == "tftp" else "/proc/net/tcp"
    wanted = f"{int.from_bytes(socket.inet_aton(host), 'little'):08X}:{port:04X}"
    with open(table, encoding="ascii") as file:
        return any(line.split()[1] == wanted for line in file)


class Dnsmasq(Server):
    name = "dnsmasq"
    protocols = ("tftp",)

    def command(self):
        self.address["tftp"] = (free_host(69), 69)  # it knows no other port
        return ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--no-resolv", "--no-hosts",
                "--user=root", "--pid-file=", "--quiet-tftp", "--bind-interfaces",
                f"--listen-address={self.address['tftp'][0]}", "--enable-tftp", f"--tftp-root={self.root}",
                f"--tftp-max={TRANSFERS}"]

    @staticmethod
    def find_version():
        return version_of(["dnsmasq", "--version"], r"ersion (\S+)")


class Atftpd(Server):
    name = "atftpd"
    protocols = ("tftp",)
    # Two descriptors a transfer, and it waits with select(): at 1,024 descriptors it aborts.
    transfers = 500

    def command(self):
        host = "127.0.0.3"
        self.address["tftp"] = (host, free_port(host, socket.SOCK_DGRAM))
        return ["atftpd", "--daemon", "--no-fork", "--user", "root.root", "--bind-address", host,
                "--port", str(self.address["tftp"][1]), "--maxthread", str(self.transfers), "--verbose=0",
                "--logfile", "/dev/null", self.root]

    @staticmethod
    def find_version():
        return version_of(["atftpd", "--version"], r"atftp-(\S+)")


NGINX = """\
daemon off;
user root;
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {work}/pid;
error_log {work}/error warn;
events {{
    use epoll;
    worker_connections 8192;
    accept_mutex off;
}}
http {{
    access_log off;
    default_type application/octet-stream;
    sendfile {sendfile};
    tcp_nopush {sendfile};
    tcp_nodelay on;
    etag off;
    server_tokens off;
    keepalive_timeout 60;
    keepalive_requests {keepalive_requests};
    open_file_cache max=1000 inactive=60s;
    open_file_cache_valid 60s;
    open_file_cache_errors on;
    client_body_temp_path {work}/t1;
    proxy_temp_path {work}/t2;
    fastcgi_temp_path {work}/t3;
    uwsgi_temp_path {work}/t4;
    scgi_temp_path {work}/t5;
    server {{
        listen 127.0.0.1:{port} backlog=4096 deferred;
        root {root};
    }}
    server {{
        listen 127.0.0.1:{tls_port} ssl backlog=4096 deferred;
        root {root};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate {keys}/ecdsa.pem;
        ssl_certificate_key {keys}/ecdsa.key;
        ssl_certificate {keys}/rsa.pem;
        ssl_certificate_key {keys}/rsa.key;
        ssl_session_tickets on;
        ssl_session_timeout 2h;
    }}
}}
"""


def make_keys(work):
    """The same two certificates for every server that speaks TLS: ECDSA P-256 and RSA 2048."""
    keys = os.path.join(work, "keys")
    if os.path.isdir(keys):
        return keys
    os.makedirs(keys)
    for kind, words in (("ecdsa", ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")), ("rsa", ("rsa:2048",))):
        subprocess.run(["openssl", "req", "-x509", "-newkey", *words, "-nodes", "-sha256", "-days", "30", "-subj",
                        "/CN=localhost", "-keyout", f"{keys}/{kind}.key", "-out", f"{keys}/{kind}.pem"],
                       check=True, capture_output=True)
        os.chmod(f"{keys}/{kind}.key", 0o600)
    return keys


class Nginx(Server):
    name = "nginx"
    protocols = ("http", "https")
    sendfile = "on"
    keepalive_requests = 100000000

    def command(self):
        port = free_port("127.0.0.1", socket.SOCK_STREAM)
        self.address["http"] = ("127.0.0.1", port)
        tls_port = free_port("127.0.0.1", socket.SOCK_STREAM)
        self.address["https"] = ("127.0.0.1", tls_port)
        path = os.path.join(self.work, "nginx.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(NGINX.format(work=self.work, root=self.root, port=port, tls_port=tls_port,
                                    keys=make_keys(os.path.dirname(self.work)), sendfile=self.sendfile,
                                    descriptors=DESCRIPTORS, keepalive_requests=self.keepalive_requests))
        return ["nginx", "-p", self.work, "-e", os.path.join(self.work, "error"), "-c", path]

    @staticmethod
    def find_version():
        return version_of(["nginx", "-v"], r"nginx/(\S+)")


class Unpacked:
    """Debian packages that cannot be installed beside each other: fetched once and unpacked, nothing installed."""

    directory = os.path.abspath("build/bench-peers")
    packages = ("vsftpd", "pure-ftpd", "pure-ftpd-common", "proftpd-core", "libmemcached11", "libmemcachedutil2",
                "libhashkit2", "libpcre2-posix3")

    @classmethod
    def make(cls):
        if os.path.exists(os.path.join(cls.directory, "done")):
            return
        os.makedirs(cls.directory, exist_ok=True)
        try:
            subprocess.run(["apt-get", "download", "-qq", *cls.packages], cwd=cls.directory, check=True,
                           capture_output=True, text=True, timeout=120)
            for package in glob.glob(os.path.join(cls.directory, "*.deb")):
                subprocess.run(["dpkg", "-x", package, cls.directory], check=True, capture_output=True, timeout=60)
        except (OSError, subprocess.SubprocessError) as error:
            raise StartError(f"the FTP servers cannot be fetched: {getattr(error, 'stderr', '') or error}") from error
        with open(os.path.join(cls.directory, "done"), "w", encoding="ascii"):
            pass

    @classmethod
    def path(cls, name):
        return os.path.join(cls.directory, "usr/sbin", name)

    @classmethod
    def libraries(cls):
        return ":".join(glob.glob(os.path.join(cls.directory, "usr/lib/*-linux-gnu")))


class FtpPeer(Server):
    protocols = ("ftp",)
    program = ""
    passive_ports = (0, 0)

    def command(self):
        Unpacked.make()
        self.address["ftp"] = ("127.0.0.1", free_port("127.0.0.1", socket.SOCK_STREAM))
        return ["env", f"LD_LIBRARY_PATH={Unpacked.libraries()}", *self.words(Unpacked.path(self.program))]

    def words(self, program):
        raise NotImplementedError

    def write(self, name, text):
        path = os.path.join(self.work, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


VSFTPD = """\
listen=YES
background=NO
listen_address=127.0.0.1
listen_port={port}
anonymous_enable=YES
local_enable=NO
anon_root={root}
secure_chroot_dir={work}
xferlog_enable=NO
isolate_network=NO
max_clients=0
max_per_ip=0
pasv_min_port={first}
pasv_max_port={last}
"""


class Vsftpd(FtpPeer):
    name = "vsftpd"
    program = "vsftpd"
    passive_ports = (10000, 14095)

    def words(self, program):
        first, last = self.passive_ports
        return [program, self.write("conf", VSFTPD.format(port=self.address["ftp"][1], root=self.root, work=self.work,
                                                          first=first, last=last))]

    @staticmethod
    def find_version():
        return version_of(["dpkg-deb", "-f", *glob.glob(os.path.join(Unpacked.directory, "vsftpd_*.deb")), "Version"],
                          r"(\S+)")


class PureFtpd(FtpPeer):
    name = "pure-ftpd"
    program = "pure-ftpd"
    passive_ports = (14100, 18195)

    def words(self, program):
        """Its anonymous root is the home of the user ftp: the tree is mounted there, for this process alone."""
        try:
            home = pwd.getpwnam("ftp").pw_dir
        except KeyError as error:
            raise StartError("pure-ftpd needs a user ftp on this machine: adduser --system ftp") from error
        os.makedirs(home, exist_ok=True)
        first, last = self.passive_ports
        serve = (f"mount --bind {self.root} {home} && exec {program} -S 127.0.0.1,{self.address['ftp'][1]} -e "
                 f"-c {TRANSFERS} -C {TRANSFERS} -H -4 -p {first}:{last} -g {self.work}/pid -f none")
        return ["unshare", "-m", "sh", "-c", serve]

    @staticmethod
    def find_version():
        return version_of(["dpkg-deb", "-f", *glob.glob(os.path.join(Unpacked.directory, "pure-ftpd_*.deb")),
                           "Version"], r"(\S+)")


PROFTPD = """\
ServerName bench
ServerType standalone
DefaultAddress 127.0.0.1
SocketBindTight on
Port {port}
User nobody
Group nogroup
UseIPv6 off
UseReverseDNS off
MaxInstances {transfers}
PidFile {work}/pid
ScoreboardFile {work}/score
DelayEngine off
TransferLog none
SystemLog none
WtmpLog off
PassivePorts {first} {last}
RequireValidShell off
<Anonymous {root}>
  User ftp
  Group nogroup
  UserAlias anonymous ftp
  RequireValidShell off
  MaxClients {transfers}
</Anonymous>
"""


class Proftpd(FtpPeer):
    name = "proftpd"
    program = "proftpd"
    passive_ports = (24200, 28295)

    def words(self, program):
        first, last = self.passive_ports
        return [program, "-n", "-q", "-c", self.write("conf", PROFTPD.format(
            port=self.address["ftp"][1], root=self.root, work=self.work, transfers=TRANSFERS, first=first, last=last))]

    @staticmethod
    def find_version():
        return version_of(["dpkg-deb", "-f", *glob.glob(os.path.join(Unpacked.directory, "proftpd-core_*.deb")),
                           "Version"], r"(\S+)")


class Dialtone(Server):
    name = "dialtone"
    protocols = ("tftp", "http", "https", "ftp")
    sessions = 1000  # in one process; the others have a process or two each
    program = "build/dialtone"
    journal = "off"

    def command(self):
        state = os.path.join(self.work, "state")
        os.makedirs(state, exist_ok=True)
        keys = make_keys(os.path.dirname(self.work))
        return [os.path.abspath(self.program), "serve", "--root", self.root, "-o", "tftp.port=0",
                "-o", "http.port=0", "-o", "ftp.port=0", "-o", "ftp.passive_ports=20000-24095",
                "-o", "listen=127.0.0.1", "-o", f"state.dir={state}",
                "-o", "workers=1", "-o", f"journal={self.journal}", "-o", "https.port=0", "-o", "tls.workers=1",
                "-o", f"tls.certificate={keys}/ecdsa.pem, {keys}/rsa.pem",
                "-o", f"tls.key={keys}/ecdsa.key, {keys}/rsa.key"]

    def ready(self):
        """It says itself which ports it got, and when it answers."""
        lines = self.output().splitlines()
        for line in lines:
            said = re.fullmatch(r"listening (tftp|https?|ftp) ([0-9.]+):(\d+)", line)
            if said:
                self.address[said.group(1)] = (said.group(2), int(said.group(3)))
        return "ready" in lines and all(protocol in self.address for protocol in self.protocols)

    @classmethod
    def find_version(cls):
        return version_of([os.path.abspath(cls.program), "--version"], r"(\d\S+)")


class DialtoneJournal(Dialtone):
    name = "dialtone, journal on"
    journal = "both"


PEERS = (Dnsmasq, Atftpd, Nginx, Vsftpd, PureFtpd, Proftpd)
OURS = (Dialtone, DialtoneJournal)
