"""Folders on object storage: fsspec's memory, and over the wire a server of this test that speaks S3."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pandas as pd
import pytest

from core import remote
from core.__main__ import main
from core.audit.folder import open_audit
from core.audit.run import run_audit
from core.classifiers.folder import load_model
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.files import write_json, write_parquet
from core.integrity import record_files
from lookwhere import app
from tests.helpers.made_store import make_store
from tests.helpers.processes import free_port

FACES = 90


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server on this machine that speaks S3."""
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture(params=["memory", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address with nothing there, and a cache of its own."""
    monkeypatch.setenv("LOOKWHERE_CACHE", str(tmp_path / "cache"))
    if request.param == "memory":
        yield "memory://place"
        fsspec.filesystem("memory").store.clear()
        fsspec.filesystem("memory").pseudo_dirs[:] = [""]
        return
    pytest.importorskip("s3fs")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made")
    monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("server"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    fsspec.filesystem("s3", skip_instance_cache=True).mkdir("place")
    yield "s3://place/deep"
    storage = fsspec.filesystem("s3")
    storage.invalidate_cache()
    storage.rm("place", recursive=True)
    type(storage).clear_instance_cache()


def sealed_store(folder: Path) -> AlignedStore:
    """A made store whose manifest records its files, as `align` writes it."""
    store = make_store(folder, FACES, columns={"split": "test"})
    names = ("faces.npy", "landmarks.npy", "faces.parquet", "rejects.parquet")
    about = store.manifest.to_json() | {"files": {n: r.to_json() for n, r in record_files(folder, names).items()}}
    about.pop("digest", None)
    write_json(folder / "store.json", about)
    return AlignedStore.open(folder)


def pushed(folder: Path, address: str, manifest: str) -> None:
    """Bring a folder to an address by way of the mirror."""
    shutil.copytree(folder, remote.mirror(address), dirs_exist_ok=True)
    remote.push(address, manifest)


def forget(tmp_path: Path) -> None:
    """As on another machine: nothing is there of what was fetched or pushed."""
    shutil.rmtree(tmp_path / "cache")


def predictions(tmp_path: Path, store: AlignedStore) -> Path:
    """A model of nothing but predictions, imported into a folder of this machine."""
    scores = [0.2 if n % 5 else 0.9 for n in range(len(store.faces))]
    pd.DataFrame({"file": store.faces["path"], "score": scores}).to_csv(tmp_path / "scores.csv", index=False)
    words = ["import", str(tmp_path / "scores.csv"), "--name", "made", "--score", "probability", "--of", "male"]
    assert main([*words, "--models", str(tmp_path / "models")]) == 0
    return tmp_path / "models" / "made"


def test_an_audit_of_a_store_and_a_model_on_object_storage(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    store = sealed_store(tmp_path / "store")
    pushed(store.path, f"{place}/store", remote.STORE)
    model = predictions(tmp_path, store)
    pushed(model, f"{place}/models/made", remote.MODEL)
    forget(tmp_path)
    words = ["--data", f"{place}/store", "--models", f"{place}/models", "--split", "all", "--name", "far"]
    assert main(["audit", "--model", "made", *words]) == 0
    forget(tmp_path)
    capsys.readouterr()
    assert main(["show", "--model", "made", "--audit", "far", "--models", f"{place}/models"]) == 0
    far = capsys.readouterr().out
    near = run_audit(store, load_model(model), ("all",), name="far")
    main(["show", "--model", "made", "--audit", "far", "--models", str(tmp_path / "models")])
    assert far.partition(": ")[2] == capsys.readouterr().out.partition(": ")[2]
    opened = open_audit(f"{place}/models/made/audits/far")
    pd.testing.assert_frame_equal(opened.faces, near.faces)
    assert main(["audit", "--model", "made", *words]) == 0  # a finished one is opened


def test_the_app_opens_models_and_audits_of_an_address(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []
    monkeypatch.setattr(app.subprocess, "call", lambda words, env: calls.append(Path(env["LOOKWHERE_MODELS"])) or 0)
    with pytest.raises(LookwhereError, match="no model there"):
        app.app(Path(f"{place}/models"))
    store = sealed_store(tmp_path / "store")
    model = predictions(tmp_path, store)
    for name in ("one", "two"):
        pushed(model, f"{place}/models/{name}", remote.MODEL)
    audit = run_audit(store, load_model(remote.mirror(f"{place}/models/one")), ("all",), name="made")
    remote.push(f"{place}/models/one/audits/made", "audit.json")
    forget(tmp_path)
    app.app(Path(f"{place}/models"))
    assert sorted(file.parent.name for file in calls[-1].glob("*/model.json")) == ["one", "two"]
    again = open_audit(calls[-1] / "one/audits/made")
    pd.testing.assert_frame_equal(again.faces, audit.faces)
    storage, root = fsspec.url_to_fs(f"{place}/models/two")
    storage.rm(root, recursive=True)
    app.app(Path(f"{place}/models"))
    assert [file.parent.name for file in calls[-1].glob("*/model.json")] == ["one"]


def test_only_what_differs_is_fetched_and_what_is_changed_there_is_seen(place: str, tmp_path: Path) -> None:
    pushed(sealed_store(tmp_path / "store").path, f"{place}/store", remote.STORE)
    local = remote.mirror(f"{place}/store")
    before = {file.name: file.stat().st_mtime_ns for file in local.glob("*.*")}
    assert remote.fetched(f"{place}/store", remote.STORE) == local
    assert {file.name: file.stat().st_mtime_ns for file in local.glob("*.*")} == before
    system, root = fsspec.url_to_fs(f"{place}/store")
    system.pipe_file(f"{root}/rejects.parquet", b"other bytes")
    with pytest.raises(LookwhereError, match=r"rejects\.parquet: not as the manifest"):
        AlignedStore.open(f"{place}/store")
    assert not (local / "store.json").exists()


@pytest.mark.parametrize("broken", ["faces.parquet", "store.json"])
def test_a_push_that_breaks_off_leaves_nothing_that_opens(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    store, address = sealed_store(tmp_path / "store"), f"{place}/store"
    system = fsspec.url_to_fs(address)[0]
    whole = system.put_file

    def put(local: str, there: str, **options: object) -> None:
        if there.endswith(broken):
            raise ConnectionError("the line is cut")
        whole(local, there, **options)

    with monkeypatch.context() as patch:
        patch.setattr(system, "put_file", put)
        with pytest.raises(LookwhereError, match="the line is cut"):
            pushed(store.path, address, remote.STORE)
    forget(tmp_path)
    with pytest.raises(LookwhereError, match=r"no store\.json there"):
        AlignedStore.open(address)
    pushed(store.path, address, remote.STORE)
    # Another store is pushed over it, and that breaks off: neither the old one nor the new one opens.
    faces = store.faces.assign(ethnicity="Other")
    write_parquet(store.path / "faces.parquet", faces)
    write_parquet(store.path / "rejects.parquet", pd.DataFrame({"file": ["y.jpg"], "reason": ["too small"]}))
    write_json(store.path / "store.json", {"format": 1, "files": store.manifest.to_json()["files"]})
    with monkeypatch.context() as patch:
        patch.setattr(system, "put_file", put)
        with pytest.raises(LookwhereError, match="the line is cut"):
            pushed(store.path, address, remote.STORE)
    forget(tmp_path)
    with pytest.raises(LookwhereError, match=r"no store\.json there"):
        AlignedStore.open(address)


def test_addresses_are_told_from_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKWHERE_CACHE", str(tmp_path))
    assert remote.is_remote("s3://bucket/store") and remote.is_remote(Path("s3://bucket/store"))
    assert remote.mirror(Path("s3://bucket/store")) == tmp_path / "mirror/s3/bucket/store"
    assert not remote.is_remote(tmp_path) and not remote.is_remote("C:/data") and not remote.is_remote("data/aligned")
    assert remote.mirror("data/aligned") == Path("data/aligned")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:" / "bucket").mkdir(parents=True)
    assert not remote.is_remote("s3:/bucket")
    with pytest.raises(LookwhereError, match="plain names"):
        remote.mirror("s3://bucket/../../etc")
    with pytest.raises(LookwhereError, match="nosuch://place"):
        AlignedStore.open("nosuch://place/store")


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (["faces.npy"], "are not recorded as they are by this program"),
        ("faces.npy", "are not recorded as they are by this program"),
        (7, "are not recorded as they are by this program"),
        ({"../secret": {"bytes": 6, "sha256": "0" * 64}}, "which is no file of its folder"),
        ({"/dev/zero": {"bytes": 0, "sha256": "0" * 64}}, "which is no file of its folder"),
        ({"faces.npy": 7}, "expected an object"),
        ({"faces.npy": {"bytes": "6"}}, "lacks sha256"),
        ({"faces.npy": {"bytes": "6", "sha256": "0"}}, "bytes must be a whole number"),
        ({"faces.npy": {"bytes": 6, "sha256": None}}, "sha256 must be a text"),
        ({"faces.npy": {"bytes": 6, "sha256": "0" * 64}}, "faces.npy: not as the manifest beside it records"),
    ],
)
def test_a_manifest_whose_files_are_nonsense_is_told_by_name(
    files: object, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOKWHERE_CACHE", str(tmp_path / "cache"))
    system = fsspec.filesystem("memory")
    system.pipe("/nonsense/store.json", json.dumps({"files": files}).encode())
    system.pipe("/nonsense/faces.npy", b"faces!")
    try:
        with pytest.raises(LookwhereError, match=why) as refused:
            remote.fetched("memory://nonsense", remote.STORE)
        assert "cannot be read or written" not in str(refused.value)
        write_json(remote.mirror("memory://nonsense") / remote.STORE, {"files": files})
        if why.startswith("faces.npy"):
            return
        with pytest.raises(LookwhereError, match=why):
            remote.push("memory://nonsense", remote.STORE)
    finally:
        system.rm("/nonsense", recursive=True)
