"""render_views: upright pictures of flat-lit faces and textures."""

from __future__ import annotations

import torch

from imago.core.frames import clip_from_camera, orbit
from imago.core.render.shade import Skin, render_views, triangulate

# An upright card 2 m wide and 1 m high that faces a camera before the nose (-Y).
CARD = torch.tensor([[[-1.0, 0, 0], [1, 0, 0], [1, 0, 1], [-1, 0, 1]]])
CORNERS = triangulate(torch.tensor([[0, 1, 2, 3]]))


def picture(skin: Skin) -> torch.Tensor:
    camera = torch.as_tensor(orbit(0.0, 0.0, 4.0, (0, 0, 0.5)), dtype=torch.float32)[None]
    return render_views(CARD, CORNERS, camera, clip_from_camera(100.0, 80, 40), (40, 80), skin, ambient01=1.0)[0]


def test_texture_stands_upright():
    """The texture's top row (v = 1) is at the top of the picture, its left column on the left."""
    texels = torch.zeros(8, 8, 3)
    texels[:4, :, 0] = 1.0
    texels[:, :4, 1] = 1.0
    uv = triangulate(torch.tensor([[[0.0, 0], [1, 0], [1, 1], [0, 1]]]))
    image = picture(Skin(texture_srgb01=texels, corner_uv01=uv))
    assert image[12, 30, :3].tolist() == [1, 1, 0] and image[28, 30, :3].tolist() == [0, 1, 0] and image[12, 50, :3].tolist() == [1, 0, 0]


def test_face_colours_coverage_and_background():
    image = picture(Skin(face_srgb01=torch.tensor([[0.2, 0.4, 0.6], [0.2, 0.4, 0.6]])))
    assert torch.allclose(image[20, 40], torch.tensor([0.2, 0.4, 0.6, 1.0]), atol=1e-4)
    assert image[1, 1].tolist() == [1, 1, 1, 0]
    # 2 m x 1 m at 25 px a metre
    assert abs(image[..., 3].sum().item() - 50 * 25) < 10
