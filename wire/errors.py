"""The family of errors a person may read: each has a code that can be read aloud and a cure."""

from enum import Enum, IntEnum


class ExitCode(IntEnum):
    """What the command line returns to the shell."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIG = 3
    MISSING_PART = 4
    STORAGE = 5
    NETWORK = 6
    REFUSED = 7


class CodedError(Exception):
    """An error with a code (``DISK-01``), a sentence and what to do about it.

    Attributes:
        code: letters, a dash and two digits; listed in ``docs/faults.md``.
        message: what happened, one sentence.
        cure: what the reader can do, one sentence.
        exit_code: what the command line returns when nobody below could handle it.
    """

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, code: str, message: str, cure: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.code}: {self.message} {self.cure}"


class Malformed(Enum):
    """Why bytes from the other side were not taken. The value is the code a person can read aloud."""

    NOT_A_MESSAGE = "MSG-01"
    TOO_LARGE = "MSG-02"
    OTHER_VERSION = "MSG-03"
    WRONG_STATION = "MSG-04"
    WRONG_TOPIC = "MSG-05"
    OUT_OF_RANGE = "MSG-06"


class ProtocolError(CodedError):
    """Bytes or a topic that this version of the protocol does not allow."""

    exit_code = ExitCode.REFUSED

    def __init__(self, reason: Malformed, message: str) -> None:
        super().__init__(reason.value, message, "The message was ignored; update both sides if this repeats.")
        self.reason = reason
