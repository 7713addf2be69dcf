"""Stands between an MTA and the daemon, and keeps what the MTA says.

    with wiretap.Wiretap(at=mta.socket, behind="unix:/run/.../other.sock") as tap:
        ...
        tap.last()      what was said of the message that came last

Both are real, and nothing is changed on the way: each packet (length, command, data) is passed on as it is.
"""

import os
import socket
import struct
import threading


class Heard:
    """What the MTA said of one message: arguments of MAIL and RCPT, and header fields as (name, value); bytes, all of it."""

    def __init__(self, mail):
        self.mail = mail
        self.recipients = []
        self.headers = []

    def values(self, name):
        return [value for each, value in self.headers if each.lower() == name.encode().lower()]


class Wiretap:
    def __init__(self, at, behind):
        self.path, self.behind = (name.partition(":")[2] for name in (at, behind))
        self.heard = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(20)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()
        os.unlink(self.path)

    def last(self):
        return self.heard[-1]

    def _accept(self):
        while True:
            try:
                mta, _ = self.listener.accept()
            except OSError:  # closed
                return
            guard = socket.socket(socket.AF_UNIX)
            try:
                guard.connect(self.behind)
            except OSError:  # no daemon: as if there were none here either
                mta.close()
                continue
            for work in self._listen, self._answer:
                threading.Thread(target=work, args=(mta, guard), daemon=True).start()

    @staticmethod
    def _answer(mta, guard):
        try:
            while data := guard.recv(65536):
                mta.sendall(data)
        except OSError:
            pass
        finally:
            _end(mta)

    def _listen(self, mta, guard):
        try:
            with mta.makefile("rb") as file:
                while len(head := file.read(4)) == 4:
                    packet = file.read(struct.unpack("!I", head)[0])
                    self._hear(packet[:1], packet[1:])
                    guard.sendall(head + packet)
        except OSError:
            pass
        finally:
            _end(guard)

    def _hear(self, command, data):
        if command == b"M":
            self.heard.append(Heard(data.split(b"\0")[:-1]))
        elif command == b"R":
            self.last().recipients.append(data.split(b"\0")[:-1])
        elif command == b"L":
            self.last().headers.append(tuple(data.split(b"\0")[:2]))


def _end(sock):
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
