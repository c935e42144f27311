"""What every scenario stands on: a directory, a deadline, ports, child programs and certificates of its own."""

from .certificates import Authority
from .program import Program
from .sandbox import DeadlinePassed, Failure, Sandbox

__all__ = ["Authority", "DeadlinePassed", "Failure", "Program", "Sandbox"]
