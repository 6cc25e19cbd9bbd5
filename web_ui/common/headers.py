"""What every answer tells the browser it may not do."""

from flask import Flask, Response, request

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # The token stands in an address once; no address is told to anyone.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


def install(app: Flask) -> None:
    """Put the headers on every answer of `app`; whatever does not say otherwise is never cached."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.endpoint in {"static", "common.static"} and response.status_code in {200, 304}:
            # A versioned address changes with its content; a module imported by a module has none: ask again.
            kept = "public, max-age=31536000, immutable" if "v" in request.args else "no-cache"
            response.headers["Cache-Control"] = kept
        else:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
