"""What a check finds: which files, how bad it is, the numbers that show it, and what it does to which metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeAlias

Severity: TypeAlias = Literal["wrong", "suspect", "note"]
SEVERITIES: Final[tuple[Severity, ...]] = ("wrong", "suspect", "note")
"""``wrong``: a score would not be about what its row says. ``suspect``: look before you publish. ``note``: know it."""


class Effect(NamedTuple):
    """What a fault does to scores.

    Attributes
    ----------
    metrics : str
        Short names of the metrics it changes, separated by blanks; ``"all"`` and ``"none"`` are what they say.
    how : str
        One sentence.
    """

    metrics: str
    how: str


EFFECTS: Final[Mapping[str, Effect]] = {
    "refused": Effect("all", "The image has no score at all, so the means of its method are over fewer pairs."),
    "size": Effect(
        "all", "Images of another size than their sources are not scored; resized ones lose SF, AG and EI first."
    ),
    "unpaired": Effect(
        "all", "What has no partner is left out, so the means are over fewer pairs than the folder holds."
    ),
    "names": Effect("all", "If names are read another way than they are meant, every pair is a wrong one."),
    "missing": Effect("all", "A method that lacks pairs is averaged over other scenes than its rivals."),
    "mispaired": Effect(
        "SCD VIF MI SSIM CC MSE RMSE PSNR Qabf CE",
        "Scores against the sources compare two different scenes; EN, AG, SF, SD and EI go to the wrong row.",
    ),
    "duplicate": Effect("all", "One image counts twice: in means, in ranks, and as if it were independent in tests."),
    "copy": Effect(
        "SCD VIF MI SSIM CC MSE RMSE PSNR Qabf CE",
        "Half of every score against two sources is perfect without any fusion; MI comes out higher than a fusion can.",
    ),
    "average": Effect(
        "SSIM CC MSE RMSE PSNR SD AG SF",
        "Nothing has less MSE than the mean of the sources, which takes no fusion at all.",
    ),
    "shift": Effect(
        "SCD VIF MI SSIM CC MSE RMSE PSNR Qabf",
        "Edges no longer lie upon those they are compared with: Qabf, VIF, SSIM and MI fall; EN and SD do not notice.",
    ),
    "stretch": Effect(
        "SD AG SF EI MSE RMSE PSNR SSIM CE",
        "Contrast is multiplied: SD, AG, SF and EI rise by its factor without one more detail, MSE rises, PSNR falls.",
    ),
    "blank": Effect("all", "There is nothing to see: EN, SD, AG and SF are next to 0, correlations do not exist."),
    "jpeg": Effect(
        "AG SF EI Qabf SSIM VIF",
        "Block edges and ringing count as detail, and fine detail is gone; the suffix hides it.",
    ),
    "lossy": Effect("AG SF EI Qabf SSIM VIF", "The numbers are of the compressed image, not of what the method made."),
    "depth": Effect("all", "Scores are on 8 bits: 16-bit levels are divided by 257, whatever range the data fills."),
    "alpha": Effect("none", "An opaque alpha channel is dropped; a transparent one makes the image unreadable."),
    "grey-as-rgb": Effect("none", "The three channels are equal, so every rule gives the same grey plane."),
    "colour-lost": Effect(
        "MSE RMSE PSNR SSIM MI",
        "Conventions that score per channel compare grey with each colour; others see luma only.",
    ),
    "colour-swapped": Effect(
        "all",
        "Red and blue stand in each other's place, so the luma is of other weights, and per-channel scores are off.",
    ),
    "colour-false": Effect("all", "Luma mixes channels that mean no brightness: grey data do not have colours."),
    "stale": Effect("all", "The image was made before what stands beside it, perhaps from other sources or settings."),
    "recipe": Effect("all", "The folder's name promises another method or settings than made its images."),
}
"""By detector."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, or one thing to know.

    Attributes
    ----------
    detector : str
        Which one found it, a key of `EFFECTS`.
    severity : {"wrong", "suspect", "note"}
        How bad it is.
    files : tuple of Path
        Where; the first is the one to look at.
    says : str
        One sentence without the name of the first file.
    evidence : mapping of str to object
        The numbers behind it.
    method : str
        Whose fused image it is; empty for sources.
    pair : str
        Name of the pair, if it is about one.
    """

    detector: str
    severity: Severity
    files: tuple[Path, ...]
    says: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    method: str = ""
    pair: str = ""

    @property
    def effect(self) -> Effect:
        """What it does to scores."""
        return EFFECTS[self.detector]

    def record(self) -> dict[str, Any]:
        """Everything as JSON can hold it."""
        return {
            "detector": self.detector,
            "severity": self.severity,
            "method": self.method,
            "pair": self.pair,
            "files": [str(path) for path in self.files],
            "says": self.says,
            "evidence": dict(self.evidence),
            "metrics": self.effect.metrics.split(),
            "effect": self.effect.how,
        }
