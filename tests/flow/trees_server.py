"""An HTTP server for the trees that fails as servers do.

    error           500 every time            silence    takes the request and never answers
    error once      500, then the file        closed     closes the connection without an answer
    error twice     500, 500, then the file   cut        half of the bytes that it announced
    forbidden       403                       gone       410
    moved           301 to the same file, which is then given
    login           401 until user me and password hush (Basic) come along
"""
import base64
import http.server
import threading
import urllib.parse

GOOD_LOGIN = 'Basic ' + base64.b64encode(b'me:hush').decode()
STATUS = {'error': 500, 'forbidden': 403, 'gone': 410, 'login': 401}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def status(self, code, *headers):
        self.send_response(code)
        for header in headers:
            self.send_header(*header)
        self.send_header('Content-Length', '0')
        self.end_headers()

    def file(self, path, cut=False):
        try:
            with open(self.server.root + path, 'rb') as file:
                data = file.read()
        except OSError:
            self.status(404)
            return
        self.send_response(200)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data[:len(data) // 2] if cut else data)

    def do_GET(self):
        self.close_connection = True
        path, _, query = self.path.partition('?')
        path = urllib.parse.unquote(path)
        tries, how = self.server.asked(path)
        if how == 'error once' and tries > 1 or how == 'error twice' and tries > 2 or query == 'moved':
            how = None
        if how == 'login' and self.headers['Authorization'] == GOOD_LOGIN:
            how = None
        if how == 'silence':
            self.server.stopped.wait(20)
        elif how == 'closed':
            self.connection.close()
        elif how == 'moved':
            self.status(301, ('Location', self.path + '?moved'))
        elif how and how != 'cut':
            self.status(STATUS[how.split(' ')[0]], ('WWW-Authenticate', 'Basic realm="phones"'))
        else:
            self.file(path, how == 'cut')


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, root):
        super().__init__((address, 0), Handler)
        self.root = root
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self.broken, self.tries = {}, {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """A client that is gone is no news."""

    def asked(self, path):
        with self.lock:
            self.tries[path] = self.tries.get(path, 0) + 1
            return self.tries[path], self.broken.get(path)

    def break_files(self, directory, broken):
        """From now on these names below the directory fail, and their tries count from 0."""
        with self.lock:
            for table in self.broken, self.tries:
                for path in [path for path in table if path.startswith(directory)]:
                    del table[path]
            self.broken.update({directory + name: how for name, how in broken.items()})

    def count(self, path):
        with self.lock:
            return self.tries.get(path, 0)

    def stop(self):
        self.stopped.set()
        self.shutdown()
        self.server_close()

