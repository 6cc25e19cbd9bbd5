"""The protocol between stations and the central server: the only code both sides share.

Owns identifiers, digests, messages, documents, topics and their bytes. Opens no socket and no thread,
and no file but in `wire.disk`, where a disk that is carried by hand is the wire.
"""

VERSION = "0.1.0"
"""Version of the software, carried in captures, offers and status so that a mixed fleet can be told apart."""
