from __future__ import annotations

import numpy as np
import pytest

from baselines.tao.clip_frames import ClipFrames
from baselines.tao.segmentation.sam2_images import Sam2Images
from baselines.tao.segmentation.sam2_segmenters import Sam2VideoSegmenter
from vadbench import Clip


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize(("height", "width"), [(48, 64), (37, 53), (300, 201)])
def test_images_are_those_of_sam2s_own_loader_to_the_byte(
    predictor, make_frames, make_clip, tmp_path, height, width, grey
):
    import torch
    from PIL import Image

    for number, frame in enumerate(make_frames(3, height, width, grey=grey)):
        Image.fromarray(frame).save(tmp_path / f"{number}.jpg")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        theirs = predictor.init_state(str(tmp_path))["images"]
    decoded = [np.asarray(Image.open(tmp_path / f"{number}.jpg")) for number in range(3)]
    assert decoded[0].ndim == (2 if grey else 3)
    images = Sam2Images(ClipFrames(make_clip(decoded)), predictor.image_size)
    ours = torch.stack([images[number] for number in range(len(images))])
    assert ours.dtype == theirs.dtype == torch.float32
    assert torch.equal(ours, theirs)


def test_frames_are_let_go_as_the_clip_goes_on(predictor, make_frames, make_prompts):
    import weakref

    class Frame(np.ndarray):
        """A frame that can be watched."""

    watched, alive = [], []

    def read():
        for image in make_frames(12):
            frame = image.view(Frame)
            watched.append(weakref.ref(frame))
            yield frame
            alive.append(sum(frame() is not None for frame in watched))

    clip = Clip("01", 12, 48, 64, frame_reader=read)
    masks = list(Sam2VideoSegmenter(predictor).segment(clip, make_prompts({(0, 0): (4, 4, 30, 30)})))
    assert len(masks) == 12
    assert len(alive) >= 11
    # The one that is read and the one that is kept, and the first of them once more in the reader that was left.
    assert max(alive) <= 3
