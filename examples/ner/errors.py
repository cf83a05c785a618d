"""What can be wrong with what the user gave."""


class GivenError(Exception):
    """A file, a line or an option cannot be used; the message is a sentence that names it, and the mend."""
