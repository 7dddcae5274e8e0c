"""The original study's claims put to the open audit: a test, the numbers, a figure and a plain verdict for each."""

from core.analysis.findings.base import SCOPE
from core.data.filters import Filter
from core.present.text.findings import findings_sentence
from core.present.text.sentences import EXPLORATORY_WHY
from ui.shell.page import page
from ui.views.findings import audit_findings, choose_ages, seeds_caption, show_command, show_finding

with page(filter_bar=False) as p:
    claims = p.audit.task.is_gender
    ages = choose_ages(p.audit) if claims else Filter.of_ages(p.audit.faces)
    p.set_scope(ages.describe())
    findings = audit_findings(p.audit, ages)
    p.headline(findings_sentence(findings, p.audit.task))
    if claims:
        p.caption(SCOPE if ages.primary else f"{EXPLORATORY_WHY} {SCOPE}")
    seeds_caption(p.audit, ages)
    for finding in findings:
        show_finding(finding)
    show_command(p.audit, ages)
