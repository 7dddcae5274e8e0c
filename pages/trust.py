"""The former address of `checks.py`: a new server looks for it among these files, and else says there is none."""

from ui.shell.page import start_over

start_over()
