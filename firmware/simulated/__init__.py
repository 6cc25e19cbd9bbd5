"""A station's camera without hardware: an open Vietnamese book drawn from a seed, and the truth about every frame."""

from firmware.simulated.camera import SimulatedCamera
from firmware.simulated.faults import Fault
from firmware.simulated.truth import FaultTruth, FrameTruth, PageTruth, WordTruth

__all__ = ["Fault", "FaultTruth", "FrameTruth", "PageTruth", "SimulatedCamera", "WordTruth"]
