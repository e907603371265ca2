"""Errors that a user can act on. Each message says what is wrong, which value, and what to do.

::

    RagError
    ├── LoadError          a file cannot be read as a document; the message is the reason
    ├── SettingsError      an unknown setting, or a value out of range
    ├── KnowledgeBaseError the index is missing, damaged, busy or made with other settings
    ├── ModelError         a model is missing, damaged or not the expected one
    ├── GeneratorError     the language model's endpoint failed
    ├── QuestionSetError   a question set is malformed, or does not fit the documents
    ├── ResultFileError    a file of evaluation results is malformed, or does not fit another
    ├── OutputError        a file cannot be written
    ├── BusyError          too much is being worked on: try again in a moment
    └── NotFoundError      no such document or span

Programming errors stay ``ValueError`` and ``TypeError``. :class:`CancelledError` is no failure.
"""


class RagError(Exception):
    """Base of every error that this package raises on purpose."""


class LoadError(RagError):
    """A file cannot be read as a document; the message is the reason, for the sync report."""


class SettingsError(RagError):
    """An unknown setting, or a value out of range."""


class KnowledgeBaseError(RagError):
    """The index is missing, damaged, busy or made with other settings."""


class ModelError(RagError):
    """A model is missing, damaged or not the expected one."""


class GeneratorError(RagError):
    """The language model's endpoint failed."""


class QuestionSetError(RagError):
    """A question set is malformed, or does not fit the documents."""


class ResultFileError(RagError):
    """A file of evaluation results is malformed, or does not fit another."""


class OutputError(RagError):
    """A file cannot be written."""


class BusyError(RagError):
    """Too much is being worked on: try again in a moment."""


class NotFoundError(RagError):
    """No such document or span."""


class CancelledError(Exception):
    """The work is to end here: a progress callback raises it, and what is done is to be kept; or
    nobody waits for an answer any more."""
