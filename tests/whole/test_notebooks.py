"""The notebooks run from top to bottom in a kernel of their own, and are stored without outputs."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.helpers.shipped import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def code_of(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A kernel of the running Python, which finds Lookwhere in the checkout."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    spec = tmp_path / "jupyter/kernels/python3/kernel.json"
    spec.parent.mkdir(parents=True)
    command = f'["{sys.executable}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"]'
    spec.write_text(f'{{"argv": {command}, "display_name": "Python 3", "language": "python"}}')


def executed(file: Path, folder: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(file, as_version=4)
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return notebook


def shown(notebook: nbformat.NotebookNode, kind: str) -> list[str]:
    """What cells show as `kind`, and what they print as «text»."""
    outputs = [output for cell in code_of(notebook) for output in cell.outputs]
    if kind == "text":
        return [output.text for output in outputs if output.output_type == "stream" and output.name == "stdout"]
    return [str(output.data[kind]) for output in outputs if kind in output.get("data", {})]


def test_there_are_both_and_neither_has_outputs() -> None:
    assert [file.stem for file in NOTEBOOKS] == ["my_predictions", "my_resnet"]
    for file in NOTEBOOKS:
        for cell in code_of(nbformat.read(file, as_version=4)):
            assert cell.outputs == [], file.name
            assert cell.execution_count is None, file.name


def test_predictions_of_ones_own_in_20_lines_without_torch(kernel: None, tmp_path: Path) -> None:
    file = NOTEBOOKS[0]
    notebook = nbformat.read(file, as_version=4)
    lines = [line for cell in code_of(notebook) for line in cell.source.splitlines() if line and line[0] != "#"]
    assert len(lines) <= 20
    assert not [line for line in lines if "torch" in line]
    notebook.cells.append(nbformat.v4.new_code_cell("import sys; print('torch' in sys.modules)"))
    probed = tmp_path / "probed.ipynb"
    nbformat.write(notebook, probed)
    done = executed(probed, tmp_path)
    assert shown(done, "text")[-1].strip() == "False"
    assert "east" in shown(done, "text")[0]
    assert "after allowing for having chosen the extremes" in shown(done, "text/html")[0]
    assert len(shown(done, "application/vnd.plotly.v1+json")) == 1


def test_my_resnet_one_face_one_group(kernel: None, tmp_path: Path) -> None:
    done = executed(NOTEBOOKS[1], tmp_path)
    printed = shown(done, "text")[0]
    numbers = [float(word.strip("[]")) for word in printed.replace("[", " ").replace("]", " ").split() if "." in word]
    assert numbers[:2] == pytest.approx(numbers[2:], abs=2e-3)
    assert len(shown(done, "application/vnd.plotly.v1+json")) == 3
    text = " ".join(shown(done, "text/html"))
    assert "No cell differs beyond chance" in text
    assert "mean margin" in text
