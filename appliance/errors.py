"""What can go wrong on a station, with codes that can be read aloud."""

from wire.errors import CodedError, ExitCode


class StationError(CodedError):
    """Base of every error the station raises on purpose."""


class ConfigError(StationError):
    """The configuration has faults; all of them are named at once."""

    exit_code = ExitCode.CONFIG


class SpoolError(StationError):
    """The spool cannot do what it promises."""

    exit_code = ExitCode.STORAGE


class SpoolFull(SpoolError):
    """There is not enough room left for another capture."""


class PhotoError(StationError):
    """A photograph cannot be used."""

    exit_code = ExitCode.REFUSED


class PairingError(StationError):
    """The station is not paired, or not any more; the code says why and what to do."""

    exit_code = ExitCode.REFUSED


class NotNow(StationError):
    """The command is understood but cannot be honoured in this state."""

    exit_code = ExitCode.REFUSED


class SetUpError(StationError):
    """What a set-up screen asked for cannot be done now."""

    exit_code = ExitCode.REFUSED
