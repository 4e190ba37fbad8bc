"""Pictures to write to files and to damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mmclf.data.images import read_image
from mmclf.errors import InputError

PLAIN = Image.new("RGB", (20, 10), (200, 30, 40))


def saved(picture: Image.Image, path: Path, **settings: Any) -> Path:
    picture.save(path, **settings)
    return path


def gradient(width: int, height: int) -> Image.Image:
    rows, columns = np.mgrid[0:height, 0:width]
    values = np.stack([rows * 7 % 256, columns * 5 % 256, (rows + columns) * 3 % 256], axis=-1)
    return Image.fromarray(values.astype(np.uint8))


def reason(path: Path) -> str:
    """Why the file cannot be read, out of a message that is otherwise always the same."""
    with pytest.raises(InputError) as caught:
        read_image(path, 8)
    message = str(caught.value)
    assert "\n" not in message
    before, _, rest = message.partition(" (")
    assert before.startswith(str(path))
    return rest.rpartition("): ")[0]
