"""What hardware can do to us: each error has a code that can be read aloud, a cure, and says whether it may pass."""


class HardwareError(Exception):
    """A part of the station does not do what its contract promises.

    Attributes:
        code: letters, a dash and two digits; listed in ``docs/faults.md``.
        message: what happened, one sentence.
        cure: what the reader can do, one sentence.
        transient: True where trying again, without a person, may help.
    """

    exit_code = 4
    transient = True

    def __init__(self, code: str, message: str, cure: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.code}: {self.message} {self.cure}"


class CameraMissing(HardwareError):
    """No camera answers where one is configured."""


class CameraStalled(HardwareError):
    """The camera is there but no frame came in time."""


class NoMorePhotographs(HardwareError):
    """The replay camera has shown its last photograph."""

    transient = False


class DriverUnavailable(HardwareError):
    """The configuration names a driver that this machine cannot load."""

    transient = False
