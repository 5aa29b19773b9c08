"""The exception tree. It lives on the lowest floor so that every floor can raise from it."""


class ActorstanceError(Exception):
    """Base of every error a user can cause; its message is meant to be read as it is."""


class ConfigError(ActorstanceError):
    """A config file, or an override of it, does not fit the schema."""


class DataError(ActorstanceError):
    """A data file cannot be read at all, or none of its rows can be used."""


class EncoderError(ActorstanceError):
    """A pretrained encoder was not found, is not safetensors, or fails its checksum."""


class CheckpointError(ActorstanceError):
    """A checkpoint folder is missing, incomplete or of another kind."""


class RunError(ActorstanceError):
    """A run folder is in the way of a new run, or does not match the run to resume."""


class InputError(ActorstanceError, ValueError):
    """A text handed to the classifier cannot be scored."""
