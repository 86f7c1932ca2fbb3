"""The servers that are measured: each is started on the loopback, pinned to a processor, and asked how much
processor time its whole process tree has used."""

import contextlib
import os
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
    table = {"tftp": "/proc/net/udp", "http": "/proc/net/tcp"}[protocol]
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
}}
"""


class Nginx(Server):
    name = "nginx"
    protocols = ("http",)
    sendfile = "on"
    keepalive_requests = 100000000

    def command(self):
        port = free_port("127.0.0.1", socket.SOCK_STREAM)
        self.address["http"] = ("127.0.0.1", port)
        path = os.path.join(self.work, "nginx.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(NGINX.format(work=self.work, root=self.root, port=port, sendfile=self.sendfile,
                                    descriptors=DESCRIPTORS, keepalive_requests=self.keepalive_requests))
        return ["nginx", "-p", self.work, "-e", os.path.join(self.work, "error"), "-c", path]

    @staticmethod
    def find_version():
        return version_of(["nginx", "-v"], r"nginx/(\S+)")


class Dialtone(Server):
    name = "dialtone"
    protocols = ("tftp", "http")
    program = "build/dialtone"
    journal = "off"

    def command(self):
        state = os.path.join(self.work, "state")
        os.makedirs(state, exist_ok=True)
        return [os.path.abspath(self.program), "serve", "--root", self.root, "-o", "tftp.port=0",
                "-o", "http.port=0", "-o", "ftp.enable=0", "-o", "listen=127.0.0.1", "-o", f"state.dir={state}",
                "-o", "workers=1", "-o", f"journal={self.journal}"]

    def ready(self):
        """It says itself which ports it got, and when it answers."""
        lines = self.output().splitlines()
        for line in lines:
            said = re.fullmatch(r"listening (tftp|http) ([0-9.]+):(\d+)", line)
            if said:
                self.address[said.group(1)] = (said.group(2), int(said.group(3)))
        return "ready" in lines and all(protocol in self.address for protocol in self.protocols)

    @classmethod
    def find_version(cls):
        return version_of([os.path.abspath(cls.program), "--version"], r"(\d\S+)")


class DialtoneJournal(Dialtone):
    name = "dialtone, journal on"
    journal = "both"


PEERS = (Dnsmasq, Atftpd, Nginx)
OURS = (Dialtone, DialtoneJournal)
