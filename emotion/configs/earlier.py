"""The systems that came before, one configuration each, with what their authors say they reached.

Where a description left something open (maps of a layer, batch size, a rate), the value here is the common one of
its time and place: Adam at 1e-3, batches of 64.
"""

from __future__ import annotations

from dataclasses import replace

from emotion.augment import Augmentation
from emotion.configs._base import Config, register

_PLAIN = Augmentation(rotation=30, shear=0.2, zoom=0.18, flip=True)  # zoom 0.2: factors 0.83 to 1.2

# The first system: three networks, 12 to 30 epochs, no augmentation.
for _name, _epochs in (("three_blocks", 12), ("three_blocks_dropout", 30), ("three_convolutions", 30)):
    register(
        Config(
            name=_name,
            network=_name,
            about="first system, FER2013's seven emotions",
            published="about 55 % on FER2013",
            epochs=_epochs,
            batch_size=64,
        )
    )

# The second system: a CIFAR network with four ways of augmenting, and a large network by transfer.
CIFAR = register(
    Config(
        name="cifar_plain",
        network="cifar",
        about="second system: rotation 30, shear 0.2, zoom 0.2, mirroring; the rate falls on a plateau",
        published="67.6 to 68.5 % on FER2013",
        epochs=50,
        batch_size=64,
        schedule="plateau",
        lowest_rate=1e-7,
        augmentation=_PLAIN,
    )
)
register(
    replace(
        CIFAR,
        name="cifar_cutout",
        about="second system: and a square of 8 x 8 pixels cut out",
        augmentation=replace(_PLAIN, cutout=1.0, cutout_square=8),
    )
)
register(
    replace(
        CIFAR,
        name="cifar_mixup",
        about="second system: and two pictures mixed 0.7 to 0.3",
        mixup_share=0.3,
        mixup_probability=1.0,
    )
)
register(
    replace(
        CIFAR,
        name="cifar_strided",
        network="cifar_strided",
        about="second system: strided convolutions for pooling",
    )
)
register(
    Config(
        name="resnet50_frozen",
        network="resnet50_imagenet",
        about="second system: ResNet-50, only the head learns, the rest from --initial (random without it)",
        published="25 to 38 % on FER2013",
        channels=3,
        epochs=20,
        batch_size=64,
        frozen=True,
        normalisation="imagenet",
        augmentation=_PLAIN,
    )
)
register(
    Config(
        name="resnet50",
        network="resnet50",
        about="a ResNet-50 with a stem for small pictures, trained from scratch instead",
        epochs=60,
        optimizer="sgd",
        rate=0.1,
        weight_decay=5e-4,
        schedule="cosine",
        warmup=0.05,
        label_smoothing=0.1,
        normalisation="picture",
        merge_copies=True,
        augmentation=Augmentation(rotation=15, zoom=0.16, shift=0.08, flip=True, gamma=0.4, cutout=0.5),
    )
)

# The third system: wide kernels for emotion, five convolutions for gender and age group.
register(
    Config(
        name="wide_kernels",
        network="wide_kernels",
        about="third system: kernels 11, 7, 5, 5, 3; brightness and contrast changed",
        published="77 to 81 % on a small private set",
        epochs=40,
        batch_size=64,
        augmentation=Augmentation(flip=True, brightness=0.2, contrast=0.2),
    )
)
register(
    Config(
        name="gender_age",
        network="five_convolutions",
        about="third system: gender and four age groups from labelled crops; a research configuration, not shipped",
        published="81 to 90 % gender with age group on a small private set",
        task="gender_age",
        heads=("gender", "age"),
        channels=3,
        image_size=64,
        epochs=30,
        optimizer="adamw",
        rate=2e-3,
        weight_decay=0.02,
        schedule="cosine",
        warmup=0.05,
        label_smoothing=0.05,
        normalisation="picture",
        augmentation=Augmentation(rotation=10, zoom=0.12, shift=0.06, flip=True, gamma=0.3, cutout=0.5),
        ema=0.995,
        validation_share=0.3,
    )
)

# The fourth system: ResNet-18 with eight emotions.
RESNET18 = register(
    Config(
        name="resnet18_ferplus",
        network="resnet18",
        about="fourth system, on FER+'s eight emotions",
        published="55 % on AffectNet",
        task="ferplus",
        heads=("ferplus",),
        epochs=40,
        optimizer="sgd",
        rate=0.1,
        weight_decay=5e-4,
        schedule="cosine",
        warmup=0.05,
        normalisation="picture",
        merge_copies=True,
        augmentation=Augmentation(rotation=15, zoom=0.16, shift=0.08, flip=True, gamma=0.4, cutout=0.5),
    )
)
register(
    replace(
        RESNET18,
        name="resnet18_folder",
        network="resnet18_imagenet",
        about="fourth system: any folder of pictures by class, or AffectNet's own layout (--max-images)",
        task="folder",
        heads=("folder",),
        channels=3,
        image_size=64,
        validation_share=0.1,
    )
)
