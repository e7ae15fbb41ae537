"""What is said where a picture is wanted and nothing is there to draw it."""

from __future__ import annotations


class PictureNeedsMatplotlib(ImportError):
    """Pictures are drawn by matplotlib, which comes with the extra `lab`."""

    def __init__(self) -> None:
        super().__init__("Pictures need matplotlib: pip install 'queuestream[lab]'")
