"""The training loop: stages, moving average, validation by group, checkpoint and heartbeat."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import itertools
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from safetensors import SafetensorError
from torch import Tensor, nn

from core.classifiers.folder import load_initial, save_model
from core.classifiers.info import ComputedInfo, ModelInfo, TrainingInfo, ValidationInfo
from core.classifiers.preprocessing import normalise
from core.classifiers.resnet import GenderResNet
from core.data.faces import AGE_BANDS, age_band
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.template import TEMPLATE_NAME
from core.training import record
from core.training import resume as resuming
from core.training.augment import Sampling, augment, epoch_order, generator
from core.training.clock import Clock
from core.training.config import Stage, TrainConfig
from core.training.face_sets import FaceSets
from core.training.groups import training_groups
from core.training.optimisation import FIRST_PLATEAU, learning_rate, make_optimiser, plateau_after, weight_decay_groups
from core.training.processes import added, agreed, by_first, share_of_batch, together
from core.training.teacher import check_teachers, lessons, teacher_infos

#: Groups with fewer validation faces say too little to choose an epoch by.
SMALLEST_GROUP = 50
EVALUATION_BATCH = 128


class Trainee(nn.Module):
    """The network, and beside it what is thrown away: an auxiliary age head, a projection on a teacher's features."""

    def __init__(self, dilated: bool, with_age: bool, teacher_features: int = 0) -> None:
        super().__init__()
        self.network = GenderResNet(dilated=dilated)
        width = self.network.fc.in_features
        self.age = nn.Linear(width, len(AGE_BANDS)) if with_age else None
        self.projection = nn.Linear(width, teacher_features) if teacher_features else None

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        pooled = self.network.features(pixels).mean(dim=(2, 3))
        aside = (head and head(pooled) for head in (self.age, self.projection))
        return self.network.fc(pooled), *aside


class Run:
    """A training run and all of its state; `train` drives it."""

    def __init__(self, data: AlignedStore | FaceSets, folder: Path, config: TrainConfig, fabric: Fabric) -> None:
        self.folder, self.config, self.fabric = folder, config, fabric
        sets = data if isinstance(data, FaceSets) else FaceSets.from_store(data)
        self.task = sets.task(config.target)
        self.groups = sets.grouping(config.groups)
        self.sets = sets.labelled(self.task).without(config.exclude, config.seed, self.task, self.groups)
        if config.limit is not None:
            self.sets = self.sets.limited(config.balance, config.limit, config.seed, self.task, self.groups)
        self.sets.labelled(self.task)
        self.sets.check_weights(config.weights)
        self.faces = self.sets.faces
        self.checkpoint = folder / "training" / "checkpoint.safetensors"
        self.epoch = self.step = 0
        self.hashed = False
        self.best: dict = {"score": -1.0, "epoch": -1, "geometry": None}
        self.plateau = FIRST_PLATEAU
        self.running = {"loss": 0.0, "right": 0.0, "seen": 0, "seconds": 0.0}
        self.local_batch = share_of_batch(config.batch, fabric)
        images = config.epoch_images or len(self.faces["train"])
        self.steps_per_epoch = images // (self.local_batch * fabric.world_size)
        if self.steps_per_epoch == 0:
            raise LookwhereError(f"{len(self.faces['train'])} training faces are fewer than --batch {config.batch}")
        self.teachers = teacher_infos(config, folder.parent)
        self.lessons = lessons(self.sets, config, self.task, folder.parent, fabric)
        torch.manual_seed(config.seed)
        features = self.lessons.features.shape[1] if self.lessons else 0
        trainee = Trainee(config.stages[0].dilated, config.age_weight > 0, features)
        if config.init:
            load_initial(trainee.network, config.init)
        trainee = trainee.to(memory_format=torch.channels_last)
        groups = weight_decay_groups(trainee, config.optimiser.weight_decay)
        optimiser = make_optimiser(groups, config.optimiser)
        self.average = copy.deepcopy(trainee.network).requires_grad_(False).to(fabric.device)
        self.model, self.optimiser = fabric.setup(trainee, optimiser)
        self.labels = {k: torch.tensor(self.task.is_positive(v).astype(np.int64)) for k, v in self.faces.items()}
        self.bands = torch.from_numpy(age_band(self.faces["train"]["age"]).astype(np.int64))

    @property
    def network(self) -> GenderResNet:
        return self.model.module.network

    # -- one step -------------------------------------------------------------------------------------------------

    def batch(self, order: np.ndarray, step: int, stage: Stage) -> tuple[Tensor, Tensor]:
        """Positions and augmented images of this process's share of a step."""
        world, rank = self.fabric.world_size, self.fabric.global_rank
        start = (step * world + rank) * self.local_batch
        places = order[start : start + self.local_batch]
        images = torch.from_numpy(self.sets.images("train", places)).to(self.fabric.device)
        draw = generator("augment", self.config.seed, self.epoch, step, rank)
        return torch.from_numpy(places), augment(images, stage.size, self.config.augmentation, stage.strength, draw)

    def rate(self, step: int) -> float:
        """The learning rate at a step of this epoch."""
        if self.config.optimiser.schedule == "plateau":
            return self.config.optimiser.lr * self.plateau["scale"]
        done, total = self.epoch * self.steps_per_epoch + step, self.steps_per_epoch * self.config.epochs
        return learning_rate(done, total, self.config)

    def train_step(self, order: np.ndarray, stage: Stage) -> None:
        config, device = self.config, self.fabric.device
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate(self.step)
        places, pixels = self.batch(order, self.step, stage)
        label = self.labels["train"][places].to(device)
        logits, ages, matched = self.model(pixels)
        if self.lessons is None:
            loss = F.cross_entropy(logits.float(), label, label_smoothing=config.label_smoothing)
        else:
            loss = self.lessons.label_loss(places, logits.float(), label)
        whole = loss
        if matched is not None:
            whole = whole + config.teacher_features * self.lessons.feature_loss(places, matched)
        if ages is not None:
            band = self.bands[places].to(device)
            faces_with_age = (band >= 0).sum().clamp(min=1)
            age_loss = F.cross_entropy(ages.float(), band, ignore_index=-1, reduction="sum") / faces_with_age
            whole = whole + config.age_weight * age_loss
        if not torch.isfinite(whole):
            raise LookwhereError(
                f"the loss is not finite at epoch {self.epoch + 1}, step {self.step}; lower --optimiser.lr"
            )
        self.optimiser.zero_grad()
        self.fabric.backward(whole)
        if config.optimiser.clip > 0:
            self.fabric.clip_gradients(self.model, self.optimiser, max_norm=config.optimiser.clip)
        self.optimiser.step()
        self.move_average()
        self.running["loss"] += loss.item() * len(label)
        self.running["right"] += (logits.argmax(1) == label).sum().item()
        self.running["seen"] += len(label)

    @torch.no_grad()
    def move_average(self) -> None:
        """EMA with a short memory at first: decay min(ema, (1 + t) / (10 + t))."""
        t = self.epoch * self.steps_per_epoch + self.step
        decay = min(self.config.ema, (1 + t) / (10 + t))
        mine, theirs = list(self.average.parameters()), list(self.network.parameters())
        torch._foreach_lerp_(mine, theirs, 1 - decay)

    # -- an epoch's end -------------------------------------------------------------------------------------------

    @torch.no_grad()
    def settle_norms(self, order: np.ndarray, stage: Stage) -> None:
        """Batch-norm statistics of the averaged weights, from training images as they are augmented now."""
        for norm in (m for m in self.average.modules() if isinstance(m, nn.BatchNorm2d)):
            norm.reset_running_stats()
            norm.momentum = None  # cumulative mean
        self.average.train()
        for step in range(min(self.config.norm_batches, self.steps_per_epoch)):
            _, pixels = self.batch(order, step, stage)
            with self.fabric.autocast():
                self.average(pixels)
        self.average.eval()

    @torch.no_grad()
    def validate(self, stage: Stage) -> dict:
        """Loss and accuracy of the averaged weights on the validation split, overall and by class and group."""
        self.average.eval()
        faces, label, logits = self.faces["val"], self.labels["val"], []
        for start in range(0, len(faces), EVALUATION_BATCH):
            images = self.sets.images("val", np.arange(start, min(start + EVALUATION_BATCH, len(faces))))
            with self.fabric.autocast():
                logits.append(self.average(normalise(images, self.fabric.device, stage.size)).float().cpu())
        logits = torch.cat(logits)
        right = (logits.argmax(1) == label).numpy()
        result = {"val_loss": F.cross_entropy(logits, label).item(), "val_accuracy": right.mean()}
        member, groups = training_groups(faces, self.task, self.groups)
        n = np.bincount(member, minlength=len(groups))
        accuracy = np.bincount(member, weights=right, minlength=len(groups)) / n
        large = np.where(n >= SMALLEST_GROUP, accuracy, np.inf)
        any_large, worst = bool((n >= SMALLEST_GROUP).any()), int(large.argmin())
        result["worst_group_accuracy"] = accuracy[worst] if any_large else float("nan")
        result["worst_group"] = groups[worst].key if any_large else ""
        return result | {group.column: share for group, share in zip(groups, accuracy, strict=True)}

    def validated(self, order: np.ndarray, stage: Stage) -> dict:
        """What `validate` says of the averaged weights once their batch norms are settled."""
        if self.config.ema == 0:
            self.average.load_state_dict(self.network.state_dict())
        else:
            self.settle_norms(order, stage)
        return self.validate(stage)

    def finish_epoch(self, order: np.ndarray, stage: Stage, rate: float) -> dict:
        """Validate, keep the weights where they are the best of this geometry, write the row."""
        result = by_first(self.fabric, lambda: self.validated(order, stage))
        score = result["worst_group_accuracy" if self.config.choose == "worst-group" else "val_accuracy"]
        score = result["val_accuracy"] if math.isnan(score) else score
        geometry = [stage.size, stage.dilated]
        if geometry != self.best["geometry"] or score > self.best["score"]:
            self.best = {"score": float(score), "epoch": self.epoch + 1, "geometry": geometry}
            self.keep(self.folder, result)
        if self.config.keep_every:
            self.keep(self.folder / "training" / "epochs" / f"{self.epoch + 1:03}", result)
        grown = self.config.stage_at(self.epoch + 1).size != stage.size
        self.plateau = plateau_after(self.plateau, float(score), self.config.optimiser, grown)
        images, seconds = (running := added(self.fabric, self.running))["seen"], self.running["seconds"]
        row = {
            "epoch": self.epoch + 1,
            "size": stage.size,
            "dilated": stage.dilated,
            "learning_rate": rate,
            "train_loss": running["loss"] / images,
            "train_accuracy": running["right"] / images,
            **result,
            "images_per_second": images / seconds,
            "seconds": seconds,
        }
        if self.fabric.is_global_zero:
            record.append_metrics(self.folder / "training", row)
        return row

    def keep(self, folder: Path, result: dict) -> None:
        if not self.fabric.is_global_zero:
            return
        if folder == self.folder and not self.hashed:  # once a run: its training faces stay the same
            self.sets.training_hashes().save(folder)
            self.hashed = True
        info = ModelInfo(
            input_size=self.config.stage_at(self.epoch).size,
            template=TEMPLATE_NAME,
            epoch=self.epoch + 1,
            validation=ValidationInfo.of_epoch(result),
            training=TrainingInfo.from_json(dataclasses.asdict(self.config) | {"groups": self.groups}),
            computed=ComputedInfo.from_json(resuming.computed_on(self.fabric)),
            data=self.sets.provenance(self.task, self.groups),
            teachers=self.teachers,
        )
        save_model(folder, self.average, info.for_task(self.task))

    # -- state ----------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """The full checkpoint; also half-way through an epoch."""
        if not self.fabric.is_global_zero:
            return
        self.sets.check_unchanged()
        tensors = {f"model.{k}": v for k, v in self.model.module.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        tensors |= resuming.pack_optimiser(self.optimiser)
        meta = {
            "epoch": self.epoch,
            "step": self.step,
            "best": self.best,
            "plateau": self.plateau,
            "running": self.running,
            "config": dataclasses.asdict(self.config),
            "computed": resuming.computed_on(self.fabric),
            "teachers": [teacher.to_json() for teacher in self.teachers],
        } | resuming.made_of(self.sets)
        resuming.save_checkpoint(self.checkpoint, tensors, meta)

    def load(self) -> None:
        """Go on exactly where `save` was called. Raises `LookwhereError` where data or config are others."""
        tensors, meta = resuming.load_checkpoint(self.checkpoint)
        resuming.check_computed(meta, self.fabric, self.checkpoint)
        now = resuming.plain(dataclasses.asdict(self.config))
        then = resuming.plain(dataclasses.asdict(TrainConfig())) | meta["config"]  # settings younger than the run
        # `enlarge` is leave to do something, and changes no number: a run older than it goes on with it.
        changed = [key for key in now if now[key] != then[key] and key != "enlarge"]
        if changed:
            raise LookwhereError(
                f"{self.checkpoint}: made with another {', '.join(changed)}; use the same config or start anew"
            )
        check_teachers(meta.get("teachers", ()), self.teachers, self.checkpoint)
        # After the config: what it excludes makes other faces, and is the reason to be told.
        resuming.check_faces(meta, self.sets, self.checkpoint)
        self.epoch, self.step = meta["epoch"], meta["step"]
        self.best, self.plateau, self.running = meta["best"], meta["plateau"], meta["running"]
        for prefix, module in (("model.", self.model.module), ("average.", self.average)):
            module.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
        resuming.unpack_optimiser(self.optimiser, tensors)


def train(
    data: AlignedStore | FaceSets,
    folder: Path,
    config: TrainConfig,
    *,
    fabric: Fabric,
    resume: bool = False,
    stop_after: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    report: Callable[[record.Status, dict | None], None] = lambda status, row: None,
) -> record.Status:
    """Train into the model folder `folder`; returns the last status (`finished`, or `stopped` by `stop`).

    `stop_after` ends after that many epochs in all; `report` gets each heartbeat, and an epoch's row at its end.
    A stop or an error leaves the last full checkpoint, from which `resume` continues exactly. Raises `LookwhereError`
    where a stage is larger than the faces of `data` and the config does not say `enlarge`; nothing is written then.
    """
    stores = itertools.chain.from_iterable(data.stores.values()) if isinstance(data, FaceSets) else [data]
    for store in stores:
        config.check_sizes(store.images.shape[1], store.path)
    training = folder / "training"
    training.mkdir(parents=True, exist_ok=True)
    run = Run(data, folder, config, fabric)
    if resume:
        run.load()
    clock = Clock(run, training, report)
    torch.set_flush_denormal(True)
    try:
        while run.epoch < config.epochs:
            if stop_after is not None and run.epoch >= stop_after:
                return clock.beat("stopped", message=f"stopped after epoch {run.epoch}; --resume continues")
            with together(fabric, folder):
                ended = _run_epoch(run, clock, stop)
            if not ended:
                run.save()
                return clock.beat("stopped", message="stopped by hand; --resume continues")
        return clock.beat("finished")
    except (OSError, SafetensorError) as error:
        with contextlib.suppress(OSError):
            clock.beat("failed", message=f"cannot write: {error}")
        raise LookwhereError(f"{folder}: cannot write ({error}); make room and go on with --resume") from error
    except BaseException as error:
        clock.beat("failed", message=str(error) or type(error).__name__)
        raise
    finally:
        torch.set_flush_denormal(False)  # torch's default: the caller's numbers are his own


def _run_epoch(run: Run, clock: Clock, stop: Callable[[], bool]) -> bool:
    """Steps to the epoch's end and its evaluation; False where it was stopped before."""
    stage = run.config.stage_at(run.epoch)
    for network in (run.network, run.average):
        network.set_dilation(stage.dilated)
    run.model.train()
    config = run.config
    sampling = Sampling(config.balance, config.seed, config.weights, run.task, run.groups, config.epoch_images)
    order = epoch_order(run.faces["train"], sampling, run.epoch)
    rate = run.rate(0)
    while run.step < run.steps_per_epoch:
        if agreed(run.fabric, stop()):
            return False
        start = time.perf_counter()
        run.train_step(order, stage)
        run.running["seconds"] += time.perf_counter() - start
        run.step += 1
        clock.tick()
    run.sets.check_unchanged()
    row = run.finish_epoch(order, stage, rate)
    run.epoch, run.step = run.epoch + 1, 0
    run.running = {"loss": 0.0, "right": 0.0, "seen": 0, "seconds": 0.0}
    run.save()
    clock.beat("running", row=row)
    return True
