"""Training: configuration, augmentation, the loop, and what it leaves on disk."""

from core.training.config import Augmentation, Optimiser, Stage, TrainConfig
from core.training.loop import train
from core.training.record import Status, read_metrics, read_status

__all__ = ["Augmentation", "Optimiser", "Stage", "Status", "TrainConfig", "read_metrics", "read_status", "train"]
