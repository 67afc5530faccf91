"""Which weights there are: where they come from, what they are allowed for, and how to tell that they are the right ones.

A name is ``method@tag``; the tag says who trained them.
"""

from __future__ import annotations

from typing import Final

from .card import NO_LICENCE, WeightsCard
from .literature.official import OFFICIAL

_CS2FUSION: Final = "https://github.com/wang-x-1997/CS2Fusion"

CARDS: Final[dict[str, WeightsCard]] = {
    card.name: card
    for card in (
        WeightsCard(
            "clfnet@fusionbench",
            "clfnet.safetensors",
            "https://doi.org/10.1109/TIM.2022.3203000",
            "Apache-2.0, as fusionbench itself",
            "130 pairs of RoadScene and MSRS, none of TNO or VIFB, by 'fusionbench train clfnet --detail'",
            sha256="e89805870b650d5ae6da01ce506e1ec7fd175ccafa6da8404d47d6d8eef4bd40",
            content="a5f80ecd5a7e83a7601ab4d09131948bfe0a50ccf9cf2d04c52745547a597604",
            shipped=True,
        ),
        WeightsCard(
            "clfnet@official",
            "CLF_Net.pth",
            "https://github.com/zzj-dyj/CLF-Net",
            NO_LICENCE,
            "patches of 128 x 128 pixels of pairs like those of TNO, some of which are TNO's own, by the authors",
            url="https://github.com/zzj-dyj/CLF-Net/raw/HEAD/work_dirs/CLF_Net/CLF_Net.pth",
        ),
        WeightsCard(
            "cs2fusion@fusionbench",
            "cs2fusion.safetensors",
            "https://doi.org/10.1016/j.inffus.2023.102039",
            "Apache-2.0, as fusionbench itself",
            "130 pairs of RoadScene and MSRS, none of TNO or VIFB, by 'fusionbench train cs2fusion --detail'",
            sha256="3c596c544ac5302fde99d076f1a90583becbfb3b0ad3197e3d631fb8234f28b4",
            content="1c47ecc2f2cab09968107cde4a8b87b5f4be9654d376da382c92fdf690e2cb5e",
            shipped=True,
        ),
        WeightsCard(
            "cs2fusion@official",
            "Backbone Network.pth",
            _CS2FUSION,
            NO_LICENCE,
            "3383 patches, of RoadScene in all likelihood, by the authors; they make the 40 published images",
            sha256="9ab4ca75275c06d84df288bd06dd2cdc70350357ea332104e9ff325a34dff9cc",
            content="b06b82b9c52ac6e1511ab096adf7203a7ee13d83f32e8ddf5ef11895ed7f1d70",
        ),
        WeightsCard(
            "cs2fusion@initial",
            "Printrain.pth",
            _CS2FUSION,
            NO_LICENCE,
            "as an autoencoder, by the authors; training starts from it, and it fuses to nothing that can be looked at",
            sha256="6edbd833f7311c19961e7f3b185fc0878bdf4e80675f354ee37bf5bdd28e8b86",
            content="b800d58d6ab9f4e7162b8991cdcf3ecbe9c22a4df526594e09900d81495e203c",
            fuses=False,
        ),
        WeightsCard(
            "cs2fusion@compensation",
            "CPN.pth",
            _CS2FUSION,
            NO_LICENCE,
            "beside the official weights, by the authors: the compensation network, which only training needs",
            sha256="0b53b10e84170b58ab51e15f0874d3105f853a8eb177e79edca6efebb06f83ea",
            content="065967c28b890ff3834a8f0f74feafc1d202e8b2273fb312c3cf4b0eec2963a8",
            fuses=False,
        ),
        WeightsCard(
            "coconet@official",
            "latest.pth",
            "https://github.com/runjia0124/CoCoNet",
            "MIT, (c) 2022 Runjia Lin",
            "pairs that the authors do not list; its part of VGG-19 on ImageNet",
            url="https://github.com/runjia0124/CoCoNet/raw/HEAD/logs/latest.pth",
        ),
        *OFFICIAL,
    )
}
"""All of them; of one method, what is taken first if nothing is asked for stands first."""
