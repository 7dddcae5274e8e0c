"""All findings of an audit, in order; as text for the command that reproduces the page."""

from __future__ import annotations

from core.analysis.comparison import Experiment
from core.analysis.findings import accuracy, causes, maps
from core.analysis.findings.accuracy import accuracy_findings
from core.analysis.findings.base import Finding, as_family, unable
from core.analysis.findings.causes import cause_findings
from core.analysis.findings.maps import where_right_looks, whether_wrong_has_a_pattern
from core.audit.folder import Audit
from core.checks.results import Checks
from core.data.filters import Filter


def all_findings(
    audit: Audit, within: Filter, checks: Checks | None = None, experiment: Experiment | None = None
) -> list[Finding]:
    """The study's claims in order: 1a, 1b, 2, 3 from the audit, 2 also from its checks, 4 and 5 from an experiment.

    Their tests are corrected as one family (`as_family`). An audit of another attribute than gender has nothing to say
    to them.
    """
    if not audit.task.is_gender:
        why = f"This audit is of another attribute, {audit.task.name}; the study's claims are of gender."
        parts = ((accuracy.CLAIMS, accuracy.RULES), (maps.CLAIMS, maps.RULES), (causes.CLAIMS, causes.RULES))
        return [unable(key, claim, why, rules[key]) for claims, rules in parts for key, claim in claims.items()]
    return as_family(
        [
            *accuracy_findings(audit, within),
            where_right_looks(audit, within, checks),
            whether_wrong_has_a_pattern(audit, within),
            *cause_findings(experiment, within),
        ]
    )
