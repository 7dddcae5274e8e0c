"""The one exception that is meant for a person."""


class LookwhereError(Exception):
    """Bad input or a broken file, told in one line that names the file and the mend.

    Commands print it and end with exit code 2, pages show it in a box; any other exception is a defect of ours.
    """
