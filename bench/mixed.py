"""The case `mixed` of bench/run: how long small files take while 200 phones fetch a firmware. README.md says what and why."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time

import servers

FIRMWARE = "firmware.rom"
FIRMWARE_BYTES = 50_000_000
PHONES = 200  # of each protocol of a mix
SMALL = "y000000000000.boot"
SMALL_RATE = 500  # a second by each of SMALL_PROTOCOLS
SMALL_CLIENTS = 400  # as many may be under way at once
SMALL_PROTOCOLS = ("http", "tftp")
WINDOW = 16  # blocks
# What the firmware goes over; the first has none.
MIXES = {"idle": (), "http": ("http",), "https": ("https",), "tftp": ("tftp",), "all": ("http", "https", "tftp")}
IDLE = "idle"
# Before the small ones begin: connections, handshakes, socket buffers that grow.
LEAD_S = 1.0
# Small ones may take so many times as long as when nothing else goes on.
P99_MAX = 10.0


def write_firmware(root):
    with open(os.path.join(root, FIRMWARE), "wb") as file:
        file.write(os.urandom(FIRMWARE_BYTES))


def go_first(who, niceness):
    """Where the kernel groups processes by session, a nice value counts within the session alone. What others do on the
    machine would otherwise be most of what is measured, for a server that is busy waits for them."""
    with contextlib.suppress(OSError):
        with open(f"/proc/{who}/autogroup", "w", encoding="ascii") as file:
            file.write(str(niceness))


def at_once():
    """The clients that measure must not wait for those that only take: where it is allowed they go first."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def start_load(options, server, protocol, name, words, urgent):
    host, port = server.address[protocol]
    command = [options.load, "--protocol", protocol, "--host", host, "--port", str(port), "--path", name,
               "--expect", os.path.join(server.root, name), *words] + ["--close"] * (protocol != "tftp")

    def settle():
        os.sched_setaffinity(0, {options.load_cpu})
        if urgent:
            at_once()

    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=settle)


def result_of(process, timeout_s):
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    if process.returncode not in (0, 1):
        raise servers.StartError(f"the load generator failed: {err.strip()}")
    return json.loads(out)


def measure(options, server, mix):
    """One run: {"big http": ..., "small tftp": ..., "cpu": ...}; what the server does not speak is left out."""
    big_ms = options.ms + int(LEAD_S * 2000)
    firmware = {protocol: start_load(options, server, protocol, FIRMWARE,
                                     ["--clients", str(PHONES), "--ms", str(big_ms), "--cut", "--count",
                                      *(["--windowsize", str(WINDOW)] if protocol == "tftp" else [])], False)
                for protocol in MIXES[mix] if protocol in server.address}
    time.sleep(LEAD_S if firmware else 0)
    spent, began = server.cpu_us(), time.monotonic()
    small = {protocol: start_load(options, server, protocol, SMALL,
                                  ["--clients", str(SMALL_CLIENTS), "--ms", str(options.ms), "--rate", str(SMALL_RATE)],
                                  True)
             for protocol in SMALL_PROTOCOLS if protocol in server.address}
    found = {f"small {protocol}": result_of(process, options.ms / 1000 + 60) for protocol, process in small.items()}
    found["cpu"] = (server.cpu_us() - spent) / 1e6 / (time.monotonic() - began)
    found.update({f"big {protocol}": result_of(process, big_ms / 1000 + 60) for protocol, process in firmware.items()})
    return found


def able(server, mix):
    """What goes over one protocol that it lacks is not for it, nor is `all` with only one of them."""
    return all(p in server.address for p in MIXES[mix]) if mix != "all" else {"http", "https"} <= set(server.address)


def measure_all(options, running):
    """results[mix][server name] = one run a round; servers alternate within each mix."""
    results = {mix: {} for mix in MIXES}
    usable = [server for server in running if "http" in server.address]
    for who in ("self", *(server.process.pid for server in usable)):
        go_first(who, -15)
    for number in range(options.rounds):
        turn = number % len(usable) if usable else 0
        for mix in MIXES:
            for server in usable[turn:] + usable[:turn]:
                if able(server, mix):
                    results[mix].setdefault(server.name, []).append(measure(options, server, mix))
        print(f"mixed: round {number + 1} of {options.rounds} is done", file=sys.stderr)
    go_first("self", 0)
    return results


def slower(idle, rounds, protocol):
    """p99 as a multiple of the idle one, round by round: median, lowest, highest."""
    key = f"small {protocol}"
    found = [one[key]["p99_us"] / max(1, before[key]["p99_us"]) for before, one in zip(idle, rounds)
             if key in one and key in before]
    return (statistics.median(found), min(found), max(found)) if found else None


def median_of(rounds, key, figure):
    return statistics.median(one[key][figure] for one in rounds)


def keys_of(rounds, kind):
    return [key for key in rounds[0] if key.startswith(kind)]


def line(results, mix, name):
    """One server under one mix."""
    rounds, idle = results[mix][name], results[IDLE][name]
    parts = []
    for key in keys_of(rounds, "small "):
        seen = slower(idle, rounds, key.split()[1])
        parts.append(f"{key} p50 {median_of(rounds, key, 'p50_us') / 1000:.2f} p99 "
                     f"{median_of(rounds, key, 'p99_us') / 1000:.2f} max {median_of(rounds, key, 'max_us') / 1000:.1f} ms"
                     + (f" = {seen[0]:.1f} ({seen[1]:.1f}-{seen[2]:.1f}) of idle" if mix != IDLE else ""))
    parts += [f"{key} {median_of(rounds, key, 'mb_per_s'):.0f} MB/s" for key in keys_of(rounds, "big ")]
    failed = sum(one[key]["failures"] for one in rounds for key in one if key != "cpu")
    again = sum(one[key]["retries"] for one in rounds for key in one if key != "cpu")
    parts.append(f"processor {statistics.median(one['cpu'] for one in rounds):.0%}")
    return f"{name}: " + "; ".join(parts) + f"; failed {failed}, re-sent {again}"


def title(mix):
    what = " and ".join(word.upper() for word in MIXES[mix]) or "nothing"
    return f"{2 * SMALL_RATE} small fetches a second while {PHONES} phones each fetch 50 MB by {what}"


def throughput(results, against):
    """MB/s of our firmware as a share of the peer's in the same mix."""
    lines = []
    for mix, by_name in results.items():
        ours, theirs = by_name.get(servers.Dialtone.name), by_name.get(against)
        for key in keys_of(ours, "big ") if ours and theirs and mix != "all" else ():
            shares = [a[key]["mb_per_s"] / b[key]["mb_per_s"] for a, b in zip(ours, theirs) if b[key]["mb_per_s"]]
            if shares:
                lines.append(f"{key} beside small ones: {statistics.median(shares):.2f} "
                             f"({min(shares):.2f}-{max(shares):.2f}) of {against}'s MB/s")
    return lines


def verdicts(results):
    """A good time does not count when small requests failed."""
    lines = []
    for mix, by_name in results.items():
        ours, idle = by_name.get(servers.Dialtone.name), results[IDLE].get(servers.Dialtone.name)
        for key in keys_of(ours, "small ") if ours and idle and mix != IDLE else ():
            seen = slower(idle, ours, key.split()[1])
            failed = sum(one[key]["failures"] for one in ours)
            word = "met" if seen[0] < P99_MAX and not failed else "NOT MET"
            lines.append(f"{word}: p99 of {key} under {P99_MAX:.0f} times its idle value, seen {seen[0]:.1f} "
                         f"({seen[1]:.1f}-{seen[2]:.1f}){f', {failed} failed' if failed else ''} in: firmware by {mix}")
    return lines + throughput(results, servers.Nginx.name)


def report(results):
    lines = []
    for mix, by_name in results.items():
        if by_name:
            lines += ["", title(mix), ""] + ["- " + line(results, mix, name) for name in by_name]
    return lines + [""] + ["- " + one for one in verdicts(results)]
