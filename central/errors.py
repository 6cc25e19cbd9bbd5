"""What can go wrong at the centre, with codes that can be read aloud."""

from wire.errors import CodedError, ExitCode


class CentralError(CodedError):
    """Base of every error the centre raises on purpose."""


class ConfigError(CentralError):
    """The configuration has faults; all of them are named at once."""

    exit_code = ExitCode.CONFIG


class StoreError(CentralError):
    """The store cannot do what it promises."""

    exit_code = ExitCode.STORAGE


class StoreFull(StoreError):
    """There is no room for more."""


class BrokerError(CentralError):
    """The broker is absent, refuses, or is not set up as it must be."""

    exit_code = ExitCode.NETWORK


class AuthorityError(CentralError):
    """A certificate or a name cannot be issued or used."""

    exit_code = ExitCode.REFUSED


class CatalogueError(CentralError):
    """The database cannot be reached or is of another version."""

    exit_code = ExitCode.STORAGE


class BatchError(CentralError):
    """A list of books cannot be used."""

    exit_code = ExitCode.REFUSED


class BackupError(CentralError):
    """A backup cannot be made, or cannot be put back."""

    exit_code = ExitCode.STORAGE
