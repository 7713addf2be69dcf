"""A network between a client and a server of this machine, which needs time, or stops on demand.

    with contextlib.closing(tcplink.Link(port, delay=0.016)) as link:
        connect to 127.0.0.1, link.port
"""

import contextlib
import queue
import select
import socket
import threading
import time

import daemon


class Link:
    def __init__(self, port, delay=0, window=None):
        """`delay` in seconds, for each direction; of what the client sends while the network has stopped, about `window` bytes are acknowledged."""
        self._server = port
        self._delay = delay
        self._open = threading.Event()
        self._open.set()
        self._listener = socket.socket()
        if window is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)  # those that are accepted have it too
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.port = self._listener.getsockname()[1]
        self._sockets, self._threads = [], []
        self._start(self._accept)

    def close(self):
        """Ends all connections, and waits for the threads."""
        self.resume()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(daemon.LIMIT)
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self.ended()
        for each in [self._listener, *self._sockets]:
            each.close()

    def stop(self):
        """Nothing goes through any more, in either direction, and no connection ends."""
        self._open.clear()

    def resume(self):
        """What has waited goes through."""
        self._open.set()

    def holds_back(self):
        """Whether something of the client that came last waits."""
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            return bool(self._sockets[-2].recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        return False

    def ended(self):
        """Waits until each connection has ended, and all has come that was on its way."""
        for thread in self._threads[1:]:
            thread.join(daemon.LIMIT)
            assert not thread.is_alive(), "the connection has not ended"

    def _start(self, target, *arguments):
        """The first one accepts connections, and starts the other ones."""
        self._threads.append(threading.Thread(target=target, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self):
        """Two threads for each direction of a connection."""
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self._server))
                self._sockets += [client, server]
                for source, target in (client, server), (server, client):
                    target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    waiting = queue.Queue()
                    self._start(self._receive, source, waiting)
                    self._start(self._deliver, waiting, target)

    def _receive(self, source, waiting):
        """While the network has stopped, what comes is not even read."""
        data = b"-"
        while data:
            select.select([source], [], [])
            self._open.wait()
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            waiting.put((time.monotonic() + self._delay, data))

    @staticmethod
    def _deliver(waiting, target):
        """The end of what a side sends is delivered too, and as late."""
        data = b"-"
        with contextlib.suppress(OSError):
            while data:
                when, data = waiting.get()
                time.sleep(max(when - time.monotonic(), 0))
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
