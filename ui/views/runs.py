"""The page «Runs»: who may start work from it, and how it is switched on."""

from __future__ import annotations

import os

import streamlit as st

from core.jobs import password
from core.jobs.permission import ALLOW, Permission, permission
from core.jobs.roots import VARIABLE as ROOTS
from core.present.text import escape
from ui.shell.visitor import request_headers
from ui.widgets import terms

#: Wrong tries of all sessions of this server.
TRIES = password.Tries()
#: From a shell the same always works.
SHELL = """**From a shell** the same always works:

```
python -m core align --data PATH/TO/FACES
python -m core audit --model MODEL --data data/aligned/DATASET
```
"""
HERE = "streamlit run app.py --server.address 127.0.0.1"
NETWORK = f"""python -m core jobs --password      # asks for one, prints its hash
export {password.VARIABLE}='scrypt:…'
export {ALLOW}=1"""


def found_permission() -> Permission:
    """Whether this visitor may start work, a password aside."""
    return permission(st.get_option("server.address"), request_headers())


def need_permission() -> None:
    """Stop the page and say how to switch it on where work may not be started; ask for the password that is set."""
    permission = found_permission()
    if not permission.allowed:
        _switched_off(permission.why)
        st.stop()
    if permission.password and not _has_password():
        _ask_password()
        st.stop()


def may_start() -> bool:
    """The same without a word, for parts of the page that are drawn again by themselves."""
    permission = found_permission()
    return permission.allowed and (not permission.password or _has_password())


def _has_password() -> bool:
    return st.session_state.get("runs_password") == os.environ.get(password.VARIABLE)


def _switched_off(why: str) -> None:
    st.info(f"**Starting work from this page is switched off**: {escape.markdown(why)}", icon=":material/lock:")
    terms.markdown(
        "With it on, you attach a data set that lies on this machine, see what would be read of it, align it, audit a "
        "model on it, check the maps, train, or import a model. Each is a job of its own that goes on when this page "
        "is closed."
    )
    terms.markdown("**To switch it on for this machine alone**, bind the app to it, and open it as `localhost`:")
    st.code(HERE, language="bash", wrap_lines=True)
    terms.markdown("**To switch it on for a network**, set a password and say so, then start the app again:")
    st.code(NETWORK, language="bash", wrap_lines=True)
    terms.markdown(f"Either way it reads only what lies in `data/`, or in the folders that `{ROOTS}` names.")
    terms.markdown(SHELL)


def _ask_password() -> None:
    state = st.session_state
    with st.form("runs_password_form", border=False):
        word = st.text_input("Password", type="password", max_chars=password.LONGEST, key="runs_given")
        submitted = st.form_submit_button("Open")
    if not submitted:
        terms.caption("Who runs this server has set a password for starting work.")
        return
    if state.get("runs_wrong", 0) >= password.SESSION_TRIES or not TRIES.allowed():
        st.error("Too many wrong passwords. Wait ten minutes, then load the page anew.")
        return
    stored = os.environ.get(password.VARIABLE, "")
    if password.matches(word, stored):
        state["runs_password"] = stored
        st.rerun()
    TRIES.note_wrong()
    state["runs_wrong"] = state.get("runs_wrong", 0) + 1
    st.error("That is not the password.")
