"""A network between two programs of this machine that needs time: what comes in leaves after a delay, in its order.

    with tcplink.Link(port, 0.016) as link:
        connect to 127.0.0.1, link.port
"""

import queue
import socket
import threading
import time


class Link:
    def __init__(self, port, delay):
        """`delay` in seconds, for each direction."""
        self._port = port
        self._delay = delay
        self._open = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in [self._listener, *self._open]:
            each.close()

    def _accept(self):
        while True:
            try:
                here, _ = self._listener.accept()
                there = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                return
            for each in here, there:
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.append(each)
            for source, target in (here, there), (there, here):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source, target):
        waiting = queue.Queue()
        threading.Thread(target=self._deliver, args=(waiting, target), daemon=True).start()
        data = b"-"
        while data:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            waiting.put((time.monotonic() + self._delay, data))

    @staticmethod
    def _deliver(waiting, target):
        while True:
            when, data = waiting.get()
            time.sleep(max(when - time.monotonic(), 0))
            try:
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)
            except OSError:
                return
