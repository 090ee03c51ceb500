"""Devices by name, and what they are called in the records."""

import platform
from pathlib import Path

MULTIPLIERS = ("mkl", "onednn")  # of float32 matrices on a CPU: multiplication.py


def resolve_device(word: str) -> str:
    """The device of a word: "auto" is CUDA where there is one; any other word is itself."""
    if word != "auto":
        return word
    import torch  # a second to import, which "cpu" need not pay

    return "cuda" if torch.cuda.is_available() else "cpu"


def processor_name(device: str) -> str:
    """The name of the GPU or processor, such as "NVIDIA H100" or "AMD EPYC 7763"."""
    if device.startswith("cuda"):
        import torch  # see resolve_device

        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    models = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


def device_name(device: str) -> str:
    """For the records of a run: the GPU's name, or the processor's with torch's threads."""
    if device.startswith("cuda"):
        return processor_name(device)
    import torch  # see resolve_device

    return f"{processor_name(device)}, {torch.get_num_threads()} thread"
