"""The bill of materials `docs/sbom.cdx.json` (CycloneDX 1.6) and the table of licences in `docs/licences.md`.

    make lock                       # requirements.lock anew from requirements.txt: every package with its hashes
    python packaging/bill.py        # then this, in the environment that the lock describes

What is listed is what `requirements.lock` pins; licences and what needs what are read from the installed packages, and
a package of another version than the lock's is an error. The same environment gives the same files.
"""

from __future__ import annotations

import json
import re
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCK, BILL, LICENCES = ROOT / "requirements.lock", ROOT / "docs/sbom.cdx.json", ROOT / "docs/licences.md"
BEGIN, END = "<!-- packages -->\n", "<!-- /packages -->"
#: What packages do not say of themselves in a line, or say too little of.
LICENCE = {
    "kaleido": "MIT",
    "logistro": "MIT",
    "contourpy": "BSD-3-Clause",
    "kiwisolver": "BSD-3-Clause",
    "scipy": "BSD-3-Clause",
    "altair": "BSD-3-Clause",
    "cycler": "BSD-3-Clause",
    "cuda-toolkit": "NVIDIA proprietary (names packages, holds none)",
    "pi-heif": "BSD-3-Clause; holds libheif and libde265 (LGPL-3.0)",
}
#: One spelling of each.
SPELLED = {
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "2-clause BSD": "BSD-2-Clause",
    "2-clause BSD License": "BSD-2-Clause",
    "MIT License": "MIT",
    "Python Software Foundation License": "PSF-2.0",
    "NVIDIA Proprietary Software": "NVIDIA proprietary",
    "LicenseRef-NVIDIA-Proprietary": "NVIDIA proprietary",
}
#: Weights and pictures that travel with the project.
SHIPPED = (
    ("machine-learning-model", "resnet50-utkface", "models/resnet50-utkface/model.json", "weights_sha256",
     "research only: trained on UTKFace"),
)  # fmt: skip


def locked(file: Path = LOCK) -> dict[str, str]:
    """Pinned versions by normalised name."""
    pins = re.findall(r"^([\w.\-]+)==(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def installed(pins: dict[str, str]) -> dict[str, metadata.Distribution]:
    """The packages of the lock as they are installed. Raises `SystemExit` naming one that is another or missing."""
    there = {canonicalize_name(package.metadata["Name"]): package for package in metadata.distributions()}
    for name, version in pins.items():
        if name not in there or there[name].version != version:
            own_version = there[name].version if name in there else "nothing"
            raise SystemExit(f"{name}: {own_version} is installed, {version} is locked; install requirements.txt first")
    return {name: there[name] for name in pins}


def licence(name: str, package: metadata.Distribution) -> str:
    """A package's licence in a line, by its own words."""
    fields = package.metadata
    classified = [
        classifier.rsplit("::", 1)[-1].strip()
        for classifier in fields.get_all("Classifier") or []
        if "License ::" in classifier
    ]
    free = (fields.get("License") or "").strip()
    short = free if free and len(free) < 60 and "\n" not in free else ""
    words = LICENCE.get(name) or fields.get("License-Expression") or short or next(iter(classified), "")
    if not words:
        raise SystemExit(f"{name}: says no licence; look it up and add it to LICENCE in {Path(__file__).name}")
    return SPELLED.get(words, words)


def needs(package: metadata.Distribution, pins: dict[str, str]) -> list[str]:
    """The locked packages that a package asks for here."""
    requirements = [Requirement(line) for line in package.requires or []]
    names = {
        canonicalize_name(requirement.name)
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }
    return sorted(names & pins.keys())


def reference(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def bill(packages: dict[str, metadata.Distribution], pins: dict[str, str]) -> dict:
    """The bill of materials, as CycloneDX's JSON has it."""
    version = re.search(r'__version__ = "(.+?)"', (ROOT / "lookwhere/__init__.py").read_text())[1]
    components = [
        {
            "type": "library",
            "bom-ref": reference(name, pins[name]),
            "name": name,
            "version": pins[name],
            "purl": reference(name, pins[name]),
            "licenses": [{"license": {"name": licence(name, package)}}],
        }
        for name, package in sorted(packages.items())
    ]
    for kind, name, file, key, terms in SHIPPED:
        digest = json.loads((ROOT / file).read_text())[key]
        hashes = [{"alg": "SHA-256", "content": digest}]
        component = {"type": kind, "bom-ref": name, "name": name, "version": version, "hashes": hashes}
        components.append(component | {"licenses": [{"license": {"name": terms}}]})
    direct = [
        canonicalize_name(name) for name in re.findall(r"^([\w.\-]+)==", (ROOT / "requirements.txt").read_text(), re.M)
    ]
    own = reference("lookwhere", version)
    needed = [{"ref": own, "dependsOn": sorted(reference(name, pins[name]) for name in direct)}]
    needed += [
        {"ref": reference(name, pins[name]), "dependsOn": [reference(n, pins[n]) for n in needs(package, pins)]}
        for name, package in sorted(packages.items())
    ]
    about = {"type": "application", "bom-ref": own, "name": "lookwhere", "version": version,
             "licenses": [{"license": {"id": "MIT"}}]}  # fmt: skip
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": about},
        "components": components,
        "dependencies": needed,
    }


def table(packages: dict[str, metadata.Distribution]) -> str:
    """A row a licence, with the packages under it."""
    by_licence: dict[str, list[str]] = {}
    for name, package in sorted(packages.items()):
        by_licence.setdefault(licence(name, package), []).append(name)
    rows = sorted(by_licence.items(), key=lambda row: (-len(row[1]), row[0]))
    lines = [f"| {words} | {len(names)} | {', '.join(names)} |" for words, names in rows]
    return "\n".join(["| licence | packages | names |", "|---|---:|---|", *lines, ""])


def written(packages: dict[str, metadata.Distribution], pins: dict[str, str]) -> dict[Path, str]:
    """What both files are to hold."""
    page = LICENCES.read_text(encoding="utf-8")
    head, tail = page.split(BEGIN)[0], page.split(END)[1]
    return {
        BILL: json.dumps(bill(packages, pins), indent=1, ensure_ascii=False) + "\n",
        LICENCES: head + BEGIN + table(packages) + END + tail,
    }


def main() -> int:
    """Write both."""
    pins = locked()
    for file, content in written(installed(pins), pins).items():
        file.write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
