"""Bad wires on loopback: relays between a phone and a server that lose, double, delay and reorder datagrams, and that
delay, dribble and cut connections.

What happens to a datagram or a connection is decided by the seed and its number alone, so that a seed does the same
again as long as both sides do. The two sides never see each other's addresses.
"""
import heapq
import random
import re
import select
import socket
import struct
import threading
import time

HOST = '127.0.0.1'
# Of datagrams: what comes late for a phone's port that is closed shall not find another relay there.
UDP_HOST = '127.7.0.1'
CLOSED = (OSError, ValueError)


def _udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((UDP_HOST, 0))
    return s


class UdpWire:
    """Everything that comes to `port` goes to the server, each client from an address of its own; what the server sends
    from another port than the one that was asked goes to the client from a port of its own too."""

    def __init__(self, server, seed, lose=0.0, double=0.0, late=0.0, front=None, made=_udp, name=None):
        self.server, self.seed, self.chances, self.made, self.name = server, seed, (lose, double, late), made, name
        self.front = front or made()
        self.port = self.front.getsockname()[1]
        self.backs = {}    # client's address: socket towards the server
        self.clients = {}  # that socket: (client's address, its name)
        self.faces = {}    # (that socket, the server's address): socket towards the client
        self.peers = {}    # the latter: the former
        self.counts, self.waiting, self.number = {}, [], 0
        self.lost = self.carried = 0
        self.over = False
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        for s in [self.front, *self.backs.values(), *self.faces.values()]:
            s.close()

    def _run(self):
        while not self.over:
            wait = min(0.05, max(0, self.waiting[0][0] - time.monotonic())) if self.waiting else 0.05
            for s in select.select([self.front, *self.clients, *self.peers], [], [], wait)[0]:
                self._receive(s)
            while self.waiting and self.waiting[0][0] <= time.monotonic():
                self._send(*heapq.heappop(self.waiting)[2:])

    def _receive(self, s):
        try:
            data, peer = s.recvfrom(65536)
        except OSError:
            return
        if s is self.front:
            back = self._back(peer, data)
            self._carry(back, 'up', back, self.server, data)
        elif s in self.peers:
            back, server = self.peers[s]
            self._carry(back, 'up', back, server, data)
        else:
            client = self.clients[s][0]
            self._carry(s, 'down', self._face(s, peer), client, data)

    def _back(self, client, data):
        if client not in self.backs:
            back = self.backs[client] = self.made()
            self.clients[back] = client, self.name(data) if self.name else len(self.clients)
        return self.backs[client]

    def _face(self, back, server):
        if server == self.server:
            return self.front
        if (back, server) not in self.faces:
            face = self.faces[back, server] = self.made()
            self.peers[face] = back, server
        return self.faces[back, server]

    def _carry(self, back, way, sender, to, data):
        name = self.clients[back][1]
        number = self.counts[name, way] = self.counts.get((name, way), 0) + 1
        draw = random.Random(f'{self.seed} {name} {way} {number}')
        lose, double, late = self.chances
        self.carried += 1
        if draw.random() < lose:
            self.lost += 1
            return
        for _ in range(2 if draw.random() < double else 1):
            wait = draw.uniform(0.02, 0.3) if draw.random() < late else 0
            self.number += 1
            heapq.heappush(self.waiting, (time.monotonic() + wait, self.number, sender, to, data))

    @staticmethod
    def _send(sender, to, data):
        try:
            sender.sendto(data, to)
        except OSError:
            pass


class Fate:
    """Of one connection."""

    def __init__(self, draw, cut, slow):
        self.wait_s = draw.uniform(0, 0.2) if draw.random() < slow else 0
        self.dribbles = draw.random() < slow
        self.down_left = self.up_left = None
        if draw.random() < cut:
            # Before anything, in a head, in a body.
            left = draw.choice((0, 1, 100, 300, 1500, 9000))
            if draw.random() < 0.6:
                self.down_left = left
            else:
                self.up_left = left
        # A wire that breaks resets; a server that dies in good order ends its stream.
        self.resets = draw.random() < 0.5


class TcpWire:
    """Connections to `port` go to the server. With `ftp` what 227 and 229 name is relayed as well, and the address in 227
    is somebody else's (security.md R8)."""

    def __init__(self, server, seed, cut=0.0, slow=0.0, ftp=False):
        self.server, self.seed, self.chances, self.ftp = server, seed, (cut, slow), ftp
        self.over, self.count, self.cuts, self.threads, self.open = False, 0, 0, [], []
        self.lock = threading.Lock()
        self.port = self._listen(server, ftp, once=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over = True
        for s in self.open:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except CLOSED:
                pass
        for thread in self.threads:
            thread.join()
        for s in self.open:
            s.close()

    def _start(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments)
        self.threads.append(thread)
        thread.start()

    def _listen(self, server, control, once):
        listener = socket.create_server((HOST, 0))
        listener.settimeout(5 if once else None)
        self.open.append(listener)
        self._start(self._accept, listener, server, control, once)
        return listener.getsockname()[1]

    def _accept(self, listener, server, control, once):
        while not self.over:
            try:
                client = listener.accept()[0]
            except CLOSED:
                break
            self.open.append(client)
            with self.lock:
                self.count += 1
                fate = Fate(random.Random(f'{self.seed} {self.count}'), *self.chances)
            self._start(self._join, client, server, control, fate)
            if once:
                break
        listener.close()

    def _join(self, client, server, control, fate):
        time.sleep(fate.wait_s)
        try:
            back = socket.create_connection((HOST, server))
        except OSError:
            client.close()
            return
        self.open.append(back)
        up = threading.Thread(target=self._pump, args=(client, back, fate, 'up_left', False))
        up.start()
        self._pump(back, client, fate, 'down_left', control)
        up.join()
        client.close()
        back.close()

    def _pump(self, source, to, fate, left, control):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    to.shutdown(socket.SHUT_WR)
                    return
                data = self._relay_data_ports(data) if control else data
                if not self._pass(data, to, fate, left):
                    self._cut(source, to, fate.resets or left == 'up_left')
                    return
        except CLOSED:
            self._cut(source, to, True)

    @staticmethod
    def _pass(data, to, fate, left):
        rest = getattr(fate, left)
        if rest is not None:
            data = data[:rest]
            setattr(fate, left, rest - len(data))
        step = 700 if fate.dribbles else 65536
        for start in range(0, len(data), step):
            to.sendall(data[start:start + step])
            if fate.dribbles:
                time.sleep(0.01)
        return getattr(fate, left) != 0

    def _cut(self, source, to, resets):
        """An upload is never ended in good order: by FTP that would be the end of the file."""
        self.cuts += 1
        for s in (source, to):
            try:
                if resets:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                    s.shutdown(socket.SHUT_RD)
                    s.close()
                else:
                    s.shutdown(socket.SHUT_RDWR)
            except CLOSED:
                pass

    def _relay_data_ports(self, data):
        def passive(found):
            port = self._listen(int(found[1]) * 256 + int(found[2]), False, once=True)
            return b'227 Entering Passive Mode (127,9,9,9,%d,%d)' % divmod(port, 256)
        return re.sub(rb'227 [^(\r\n]*\(\d+,\d+,\d+,\d+,(\d+),(\d+)\)', passive, data)
