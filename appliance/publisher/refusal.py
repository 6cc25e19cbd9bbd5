"""Why a broker hangs up before it greets us. TLS 1.3 tells it after our half of the handshake, to whoever listens."""

import socket
import ssl
from typing import Final

UNTOLD: Final = "NET-04"
_UNKNOWN: Final = "PAIR-24"
_CODES: Final = {"SSLV3_ALERT_CERTIFICATE_REVOKED": "PAIR-19", "SSLV3_ALERT_CERTIFICATE_EXPIRED": "PAIR-06"}
_PATIENCE_S: Final = 5.0


def ask_why(host: str, port: int, context: ssl.SSLContext) -> str:
    """Shake hands, say nothing and return the code of what the broker has against our certificate.

    `UNTOLD` where it does not say, or has nothing against it.
    """
    try:
        with (
            socket.create_connection((host, port), timeout=_PATIENCE_S) as plain,
            context.wrap_socket(plain, server_hostname=host) as line,
        ):
            line.recv(1)
    except ssl.SSLError as error:
        reason = error.reason or ""
        return _CODES.get(reason, _UNKNOWN if "ALERT" in reason else UNTOLD)
    except OSError:
        return UNTOLD
    return UNTOLD
