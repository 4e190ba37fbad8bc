"""Two image encoders that no library loads as they are, brought in as anybody brings their own."""

from __future__ import annotations

from collections import OrderedDict

import timm
from safetensors.torch import load_file
from timm.layers import BatchNormAct2d
from torch import Tensor, nn
from torchvision.models import mobilenet_v3_small


class MobileNetV3Small(nn.Module):
    """torchvision's MobileNetV3-Small without its classifier: features (B, 576), pooled.

    `weights`: a file of its `features.*` alone.
    """

    out_dim = 576

    def __init__(self, weights: str) -> None:
        super().__init__()
        self.net = mobilenet_v3_small(weights=None)
        self.net.classifier = nn.Identity()
        self.net.load_state_dict(load_file(weights), strict=True)

    def forward(self, pictures: Tensor) -> Tensor:
        """Features (B, 576) of standardised pictures (B, 3, H, W)."""
        features: Tensor = self.net(pictures)
        return features


class ResNetV2C4(nn.Module):
    """A pre-activation ResNet-50 up to its third stage: features (B, 1024), pooled.

    `weights`: a file of stem, stages 1 to 3 and the batch norm after them. The stem normalises the
    pictures, and has a batch norm of its own, as in MXNet's net that these weights come from.
    """

    out_dim = 1024

    def __init__(self, weights: str) -> None:
        super().__init__()
        net = timm.create_model("resnetv2_50", num_classes=0)
        stem = {"norm0": nn.BatchNorm2d(3), "conv": net.stem.conv}
        stem |= {"norm": BatchNormAct2d(64), "pool": net.stem.pool}
        net.stem = nn.Sequential(OrderedDict(stem))
        net.stages, net.norm = net.stages[:3], BatchNormAct2d(self.out_dim)
        net.num_features = self.out_dim
        kept = net.state_dict()
        given = {name: value.to(kept[name].dtype) for name, value in load_file(weights).items()}
        net.load_state_dict(given, strict=True)
        self.net = net

    def forward(self, pictures: Tensor) -> Tensor:
        """Features (B, 1024) of standardised pictures (B, 3, H, W)."""
        features: Tensor = self.net(pictures)
        return features
