"""All findings of an audit, in order; as text for the command that reproduces the page."""

from __future__ import annotations

from core.analysis.comparison import Experiment
from core.analysis.findings.accuracy import accuracy_findings
from core.analysis.findings.base import Finding, as_family
from core.analysis.findings.causes import cause_findings
from core.analysis.findings.maps import where_right_looks, whether_wrong_has_a_pattern
from core.audit.folder import Audit
from core.checks.results import Checks
from core.data.filters import Filter


def all_findings(
    audit: Audit, filter: Filter, checks: Checks | None = None, experiment: Experiment | None = None
) -> list[Finding]:
    """The study's claims in order: 1a, 1b, 2, 3 from the audit, 2 also from its checks, 4 and 5 from an experiment.

    Their tests are corrected as one family (`as_family`). They are of gender: none is put to an audit of another
    attribute.
    """
    if not audit.task.is_gender:
        return []
    return as_family(
        [
            *accuracy_findings(audit, filter),
            where_right_looks(audit, filter, checks),
            whether_wrong_has_a_pattern(audit, filter),
            *cause_findings(experiment, filter),
        ]
    )
