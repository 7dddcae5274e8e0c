"""The functions behind `python -m core COMMAND`: signatures and docstrings are the command lines and their help."""
