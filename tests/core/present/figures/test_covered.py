"""No figure without a test: each chart has a case in `tests.helpers.chart_cases`, all else is called somewhere."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import typing
from importlib import import_module
from pathlib import Path

from core.present import figures
from core.present.figures import charts, photo
from core.present.figures.chart_data import BarChart, CurveChart, HistogramChart, IntervalChart, MatrixChart
from tests.helpers.chart_cases import BAR_CASES, CURVES, INTERVALS

TESTS = next(folder for folder in Path(__file__).parents if folder.name == "tests")
#: Builders of which nothing else draws alike: their tests stand alone, in `tests/core/present/figures/test_charts.py`.
ALONE = {charts.confusion_matrix: "test_the_confusion_matrix", photo.certainty: "test_the_certainties"}


def functions() -> dict[object, str]:
    """Every public function of the figures, and the name of its module."""
    names = {}
    for entry in pkgutil.walk_packages(figures.__path__, figures.__name__ + "."):
        module = import_module(entry.name)
        for name, function in vars(module).items():
            if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_"):
                names[function] = f"{module.__name__}.{name}"
    return names


def makes_chart(function: object) -> bool:
    """Whether a function says that it returns one of the charts drawn by Plotly."""
    returned = typing.get_type_hints(function).get("return")
    return returned in (IntervalChart, BarChart, CurveChart, HistogramChart, MatrixChart)


def test_every_chart_is_in_the_battery() -> None:
    builders = {builder: name for builder, name in functions().items() if makes_chart(builder)}
    assert len(builders) >= 20
    covered = {case.builder for case in [*INTERVALS, *BAR_CASES, *CURVES]} | set(ALONE)
    assert not [name for builder, name in builders.items() if builder not in covered], (
        "give each a case in tests/helpers/chart_cases.py"
    )
    assert not covered - set(builders)
    defined = {node.name for file in TESTS.rglob("test_*.py") for node in ast.parse(file.read_text()).body
               if isinstance(node, ast.FunctionDef)}  # fmt: skip
    assert set(ALONE.values()) <= defined


def test_every_other_function_of_the_figures_is_called_in_a_test() -> None:
    called = set()
    for file in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called.add(node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""))
    names = {name.rpartition(".")[2]: name for function, name in functions().items() if not makes_chart(function)}
    assert not [whole for name, whole in names.items() if name not in called]
