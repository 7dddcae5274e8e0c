"""The original study's claims put to the open audit: a test, the numbers, a figure and a plain verdict for each."""

import streamlit as st

from core.faces import Filter
from core.findings import findings_sentence
from core.findings.base import SCOPE
from ui import parts, takeaway, words
from ui.findings import cached_findings, card
from ui.navigation import opened

audit = opened().load()
st.title("Findings")
above = st.container()
has_age = audit.faces["age"].notna().any()
adults = st.toggle(
    "Adults only",
    value=bool(has_age),
    key="grown",
    bind="query-params",
    disabled=not has_age,
    help="Small children's perceived gender is close to a guess for anyone, so a gap over all ages is mixed with it.",
)
within = Filter.of_ages(audit.faces, "adults" if adults else "all")
if not has_age:
    st.info(words.NO_AGE)
takeaway.of(within.describe())
findings = cached_findings(audit, within)
with above:
    parts.lede(findings_sentence(findings))
    st.caption(SCOPE)
for found in findings:
    card(found)
command = f"python -m core findings --model {audit.manifest['model']} --audit {audit.name}"
st.caption("Every number of this page, as text:")
st.code(command + ("" if adults and has_age else " --ages all"), language="bash")
