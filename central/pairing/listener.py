"""Listens where stations are paired: TLS, a few connections at a time, each a short conversation and no more.

Nobody is known here before the handshake, and most stay unknown after it: so every connection has one deadline for
all of it, says a handful of things, and costs one thread of a small number.
"""

import logging
import socket
import ssl
import threading
import time
from collections import Counter
from typing import Final

from central.authority import ca
from central.config import CentralConfig, PairingConfig
from central.errors import AuthorityError, BrokerError
from central.pairing.desk import PairingDesk
from central.pairing.talk import FailureLimit, Talk
from wire import pairing
from wire.errors import ProtocolError

log = logging.getLogger(__name__)

LINE_S: Final = 20.0
"""One conversation, handshake included; opening the broker to a station is the longest part of it."""
MOST_LINES: Final = 16
MOST_LINES_OF_ONE: Final = 4
MOST_QUESTIONS: Final = 4
_ACCEPT_S: Final = 0.25
_FAREWELL_S: Final = 3.0
_BACKLOG: Final = 32
NO_CHECK_TIME: Final = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python gives no name."""


class PairingListener:
    """Answers stations until it is told to stop."""

    def __init__(self, config: CentralConfig, desk: PairingDesk) -> None:
        """Prepare; `run` listens.

        Raises:
            ConfigError: CONF-05, the configuration does not say where.
        """
        self._where: PairingConfig = desk.listener
        self._config = config
        self._desk = desk
        self._limit = FailureLimit()
        self._lock = threading.Condition()
        self._lines: Counter[str] = Counter()
        self.port = 0
        self.ready = threading.Event()
        """Set while connections are taken; `port` is then known."""

    def run(self, stop: threading.Event) -> None:
        """Listen until `stop` is set.

        Raises:
            AuthorityError: the listener's own key or the authority cannot be used.
            BrokerError: PAIR-22, the address cannot be listened on.
        """
        context = self._context()
        with self._listen() as listening:
            self.port = int(listening.getsockname()[1])
            listening.settimeout(_ACCEPT_S)
            log.info("pairing listening host=%s port=%d", self._where.host, self.port)
            self.ready.set()
            while not stop.is_set():
                try:
                    line, peer = listening.accept()
                except TimeoutError:
                    continue
                except OSError as error:
                    # Out of file handles, or the other side left at once: neither is a reason to end.
                    log.warning("pairing connection not taken: %s", error)
                    stop.wait(_ACCEPT_S)
                    continue
                self._take(context, line, str(peer[0]))
        self.ready.clear()
        with self._lock:
            # Whoever is being answered hears it to its end; whoever says nothing is left behind.
            self._lock.wait_for(lambda: not self._lines, timeout=_FAREWELL_S)

    def _take(self, context: ssl.SSLContext, line: socket.socket, address: str) -> None:
        with self._lock:
            if self._lines.total() >= MOST_LINES or self._lines[address] >= MOST_LINES_OF_ONE:
                line.close()
                return
            self._lines[address] += 1
        # A daemon: its deadline ends it, and stopping need not wait long for somebody who says nothing.
        threading.Thread(target=self._hold, args=(context, line, address), name="pairing line", daemon=True).start()

    def _hold(self, context: ssl.SSLContext, plain: socket.socket, address: str) -> None:
        try:
            with plain:
                plain.settimeout(LINE_S / 2)
                with context.wrap_socket(plain, server_side=True) as line:
                    self._converse(line, address, time.monotonic() + LINE_S)
        except ProtocolError as error:
            self._note_failure(address)
            log.info("pairing line ended address=%s %s", address, error)
        except OSError as error:
            # Looked at the port and left, or did not believe us: neither is a guess.
            log.info("pairing line ended address=%s %s", address, error)
        finally:
            with self._lock:
                self._lines[address] -= 1
                if self._lines[address] <= 0:
                    del self._lines[address]
                self._lock.notify_all()

    def _converse(self, line: ssl.SSLSocket, address: str, until_s: float) -> None:
        talk = Talk(self._desk, address, line.getpeercert(binary_form=True))
        for _ in range(MOST_QUESTIONS):
            try:
                asked = pairing.decode_request(pairing.receive(line, until_s))
            except pairing.LineEnded:
                return
            answer = talk.too_many() if self._must_wait(address) else talk.answer(asked)
            if talk.failed:
                self._note_failure(address)
            pairing.send(line, answer, until_s)
            if isinstance(answer, pairing.Declined):
                return

    def _must_wait(self, address: str) -> bool:
        with self._lock:
            return self._limit.is_too_many(address, time.monotonic())

    def _note_failure(self, address: str) -> None:
        with self._lock:
            self._limit.note(address, time.monotonic())

    def _listen(self) -> socket.socket:
        host, port = self._where.host, self._where.port
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return socket.create_server((host, port), family=family, backlog=_BACKLOG)
        except OSError as error:
            raise BrokerError(
                "PAIR-22",
                f"{host}:{port} cannot be listened on for pairing ({error.strerror}).",
                "Set host and port under [pairing] in central.toml.",
            ) from error

    def _context(self) -> ssl.SSLContext:
        own = ca.Authority.load(self._config.broker.pki).issue_pairing()
        try:
            return server_context(own)
        except (OSError, ValueError) as error:
            raise AuthorityError(
                "CERT-05",
                f"{own.key} and its certificate cannot be used ({error}).",
                "Run: lattrang central renew --all",
            ) from error


def server_context(own: ca.Credentials) -> ssl.SSLContext:
    """Return how the listener speaks TLS: to anybody, and knowing who shows a certificate of our authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(str(own.cert), str(own.key))
    context.load_verify_locations(str(own.ca))
    context.verify_mode = ssl.CERT_OPTIONAL
    # A certificate that is over is refused by us, in words; TLS would only hang up.
    context.verify_flags = ssl.VerifyFlags(context.verify_flags | NO_CHECK_TIME)
    context.num_tickets = 0
    return context
