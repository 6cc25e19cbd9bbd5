"""The configuration of nginx, which serves the centre's screens to other machines: TLS here, the screens behind it."""

from pathlib import Path
from typing import Final

CREDENTIALS: Final = Path("/run/credentials/lattrang-web.service")
"""Where systemd shows nginx its key."""
RUNTIME: Final = Path("/run/lattrang-web")
_TEMPORARY: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_LONGEST_POLL_S: Final = 120


def config_text(screens: str, port: int, credentials: Path = CREDENTIALS, runtime: Path = RUNTIME) -> str:
    """Return the text of ``nginx.conf``: TLS on `port`, everything but the figures for monitoring from `screens`.

    Args:
        screens: host and port at which the screens listen.
        port: of TLS.
        credentials: folder with ``server.crt`` and ``server.key``.
        runtime: folder in which nginx may write.
    """
    lines = [
        "# Written by lattrang: a change here does not last.",
        "daemon off;",
        "worker_processes 1;",
        f"pid {runtime}/nginx.pid;",
        "error_log stderr warn;",
        "events { worker_connections 512; }",
        "http {",
        "    access_log off;",
        "    server_tokens off;",
        *(f"    {kind}_temp_path {runtime}/{kind};" for kind in _TEMPORARY),
        "    server {",
        f"        listen {port} ssl;",
        f"        listen [::]:{port} ssl;",
        f"        ssl_certificate {credentials}/server.crt;",
        f"        ssl_certificate_key {credentials}/server.key;",
        "        ssl_protocols TLSv1.2 TLSv1.3;",
        "        ssl_session_tickets off;",
        "        location = /metrics { return 404; }",
        "        location / {",
        "            # The screens are asked under their own name, whatever the browser called this machine.",
        f"            proxy_pass http://{screens};",
        "            proxy_http_version 1.1;",
        f"            proxy_read_timeout {_LONGEST_POLL_S}s;",
        "            proxy_cookie_flags ~ secure;",
        "        }",
        "    }",
        "}",
    ]
    return "\n".join(lines) + "\n"
