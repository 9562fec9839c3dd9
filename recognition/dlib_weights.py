"""Reads dlib's two face networks from the files dlib itself uses, to the last byte.

The files are ``dlib_face_recognition_resnet_model_v1.dat`` and ``mmod_human_face_detector.dat`` (CC0, by Davis King).
Their streams do not describe themselves: the order of layers is fixed by the program, so it is written down here and
every name, shape, stride and padding is checked against it. A stream holds, for nested layers: all version numbers
from the output to the input, the input layer, then the details of each layer from first to last (dlib/dnn/core.h).
Convolutions are returned with the affine or batch normalisation layer behind them folded in (in float64).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from recognition import model_files
from recognition.dlib_stream import DlibStream
from recognition.errors import DlibWeightsError

FloatArray: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ConvolutionSpec:
    inputs: int
    filters: int
    size: int
    stride: int
    padding: int


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """weight (out, in, rows, columns) as torch has it, bias (out,); float32, normalisation folded in."""

    spec: ConvolutionSpec
    weight: FloatArray
    bias: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class EncoderWeights:
    """``averages``: RGB mean; ``convolutions``: 29, from the input on; ``projection``: (128, 256)."""

    averages: tuple[float, float, float]
    convolutions: tuple[Convolution, ...]
    projection: FloatArray


@dataclass(frozen=True, slots=True)
class MmodOptions:
    """Options of dlib's max-margin detector; overlaps as in ``dlib::test_box_overlap``."""

    window_width: int
    window_height: int
    overlap_iou: float
    overlap_covered: float


@dataclass(frozen=True, slots=True, eq=False)
class DetectorWeights:
    """``convolutions``: 7, the last one gives the score."""

    averages: tuple[float, float, float]
    options: MmodOptions
    convolutions: tuple[Convolution, ...]


@dataclass(frozen=True, slots=True)
class _Pool:
    name: str
    size: int
    stride: int


# A step of a network in stream order: a convolution, a pool, or one of the kinds named.
_Step: TypeAlias = ConvolutionSpec | _Pool | str


def _residual(inputs: int, filters: int, down: bool) -> list[_Step]:
    """One block of the encoder, from its input on (ResNet; He et al. 2015, as in dlib's dnn_face_recognition_ex)."""
    first = ConvolutionSpec(inputs, filters, 3, 2 if down else 1, 0 if down else 1)
    second = ConvolutionSpec(filters, filters, 3, 1, 1)
    body: list[_Step] = ["tag", first, "affine", "relu", second, "affine"]
    return body + (["tag", "skip", _Pool("avg_pool_2", 2, 2)] if down else []) + ["add", "relu"]


ENCODER_BLOCKS: tuple[tuple[int, int, bool], ...] = (
    *[(32, 32, False)] * 3,
    (32, 64, True),
    *[(64, 64, False)] * 3,
    (64, 128, True),
    *[(128, 128, False)] * 2,
    (128, 256, True),
    *[(256, 256, False)] * 2,
    (256, 256, True),
)
"""(channels in, channels out, halves the size) of the encoder's residual blocks, from the input on."""


def _encoder_steps() -> list[_Step]:
    steps: list[_Step] = [ConvolutionSpec(3, 32, 7, 2, 0), "affine", "relu", _Pool("max_pool_2", 3, 2)]
    for inputs, filters, down in ENCODER_BLOCKS:
        steps += _residual(inputs, filters, down)
    return [*steps, _Pool("avg_pool_2", 0, 1), "fc"]


def _detector_steps() -> list[_Step]:
    steps: list[_Step] = []
    for inputs, filters, stride in (
        (3, 16, 2),
        (16, 32, 2),
        (32, 32, 2),
        (32, 45, 1),
        (45, 45, 1),
        (45, 45, 1),
    ):
        steps += [ConvolutionSpec(inputs, filters, 5, stride, 0 if stride == 2 else 2), "bn", "relu"]
    return [*steps, ConvolutionSpec(45, 1, 9, 1, 4)]


def _read_convolution(stream: DlibStream, spec: ConvolutionSpec) -> Convolution:
    what = f"convolution {spec.inputs}->{spec.filters}"
    shape = (spec.filters, spec.inputs, spec.size, spec.size)
    count = int(np.prod(shape))
    stream.expect_name("con_4", what)
    params = stream.tensor(f"parameters of {what}", (count + spec.filters, 1, 1, 1))
    numbers = (spec.filters, spec.size, spec.size, spec.stride, spec.stride, spec.padding, spec.padding)
    for number in numbers:
        stream.expect_integer(number, f"filters, size, stride and padding of {what}")
    stream.alias(shape, f"filters of {what}")
    stream.alias((1, spec.filters, 1, 1), f"biases of {what}")
    for _ in range(4):
        stream.real(f"multipliers of {what}")
    return Convolution(spec, params[:count].reshape(shape), params[count:])


def _folded(
    stream: DlibStream,
    convolution: Convolution,
    gain: npt.NDArray[np.float64],
    shift: npt.NDArray[np.float64],
) -> Convolution:
    with np.errstate(over="ignore"):
        weight = (convolution.weight.astype(np.float64) * gain[:, None, None, None]).astype(np.float32)
        bias = (convolution.bias.astype(np.float64) * gain + shift).astype(np.float32)
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        stream.fail("a convolution and its normalisation together overflow float32")
    return Convolution(convolution.spec, weight, bias)


def _read_scale(stream: DlibStream, channels: int, what: str) -> npt.NDArray[np.float64]:
    """Gains and shifts, (2, channels)."""
    params = stream.tensor(f"parameters of {what}", (2 * channels, 1, 1, 1))
    stream.alias((1, channels, 1, 1), f"gains of {what}")
    stream.alias((1, channels, 1, 1), f"shifts of {what}")
    return params.astype(np.float64).reshape(2, channels)


def _read_affine(stream: DlibStream, convolution: Convolution) -> Convolution:
    stream.expect_name("affine_", "affine layer")
    gain, shift = _read_scale(stream, convolution.spec.filters, "affine layer")
    stream.expect_integer(0, "mode of affine layer (0: per channel)")
    return _folded(stream, convolution, gain, shift)


def _read_batch_norm(stream: DlibStream, convolution: Convolution) -> Convolution:
    """Folds the running statistics; the last batch's own, also stored, are not used."""
    what = "batch normalisation"
    channels = convolution.spec.filters
    shape = (1, channels, 1, 1)
    stream.expect_name("bn_con2", what)
    gain, shift = _read_scale(stream, channels, what)
    stream.tensor(f"batch means of {what}", shape)
    stream.tensor(f"batch deviations of {what}", shape)
    mean = stream.tensor(f"running means of {what}", shape).astype(np.float64)
    start = stream.offset
    variance = stream.tensor(f"running variances of {what}", shape).astype(np.float64)
    stream.size(f"updates of {what}")
    stream.size(f"window of {what}")
    for _ in range(4):
        stream.real(f"multipliers of {what}")
    epsilon = stream.real(f"epsilon of {what}")
    if epsilon <= 0 or (variance < 0).any():
        stream.fail(f"{what}: a negative variance", start)
    gain = gain / np.sqrt(variance + epsilon)
    return _folded(stream, convolution, gain, shift - gain * mean)


def _read_pool(stream: DlibStream, pool: _Pool) -> None:
    stream.expect_name(pool.name, "pooling")
    for number in (pool.size, pool.size, pool.stride, pool.stride, 0, 0):
        stream.expect_integer(number, f"size, stride and padding of {pool.name}")


def _read_projection(stream: DlibStream) -> FloatArray:
    stream.expect_name("fc_2", "fully connected layer")
    stream.expect_integer(128, "outputs of fc_2")
    stream.expect_integer(256, "inputs of fc_2")
    values = stream.tensor("parameters of fc_2", (256, 128, 1, 1))
    stream.alias((256, 128, 1, 1), "weights of fc_2")
    stream.alias((0, 0, 0, 0), "biases of fc_2")
    stream.expect_integer(1, "bias mode of fc_2 (1: none)")
    for _ in range(4):
        stream.real("multipliers of fc_2")
    return np.ascontiguousarray(values.reshape(256, 128).T)


def _read_tail(stream: DlibStream, first: bool) -> None:
    for _ in range(3):
        stream.boolean("flag at the end of a layer")
    for what in ("gradient", "cached output", "parameter gradient"):
        stream.tensor(what)
    if first:
        stream.expect_integer(1, "sample expansion factor")


def _read_versions(stream: DlibStream, steps: list[_Step]) -> None:
    """The nested version numbers, from the output to the input."""
    for index in range(len(steps) - 1, -1, -1):
        step = steps[index]
        expected = 3 if index == 0 else 1 if step in ("tag", "skip") else 2
        stream.expect_integer(expected, f"version of layer {index}")


def _read_layers(stream: DlibStream, steps: list[_Step]) -> tuple[list[Convolution], FloatArray | None]:
    """The layers' details: convolutions with what follows them folded in, and the projection if there is one."""
    convolutions: list[Convolution] = []
    projection = None
    for index, step in enumerate(steps):
        if step in ("tag", "skip"):
            continue
        if isinstance(step, ConvolutionSpec):
            convolutions.append(_read_convolution(stream, step))
        elif isinstance(step, _Pool):
            _read_pool(stream, step)
        elif step == "affine":
            convolutions[-1] = _read_affine(stream, convolutions[-1])
        elif step == "bn":
            convolutions[-1] = _read_batch_norm(stream, convolutions[-1])
        elif step == "fc":
            projection = _read_projection(stream)
        else:
            stream.expect_name({"relu": "relu_", "add": "add_prev_"}[step], f"layer {index}")
        _read_tail(stream, first=index == 0)
    return convolutions, projection


def _read_averages(stream: DlibStream, name: str) -> tuple[float, float, float]:
    stream.expect_name(name, "input layer")
    red, green, blue = (stream.single("mean colour") for _ in range(3))
    return red, green, blue


def parse_encoder(data: bytes, source: str = "bytes") -> EncoderWeights:
    """The encoder from a file's bytes. Raises DlibWeightsError with the place of the first thing that is wrong."""
    stream, steps = DlibStream(data, source), _encoder_steps()
    stream.expect_integer(1, "version of the network")
    stream.expect_name("loss_metric_2", "loss layer")
    for _ in range(2):
        stream.real("options of loss_metric_2")
    _read_versions(stream, steps)
    averages = _read_averages(stream, "input_rgb_image_sized")
    for _ in range(2):
        stream.expect_integer(150, "size of the input")
    convolutions, projection = _read_layers(stream, steps)
    stream.end()
    assert projection is not None
    return EncoderWeights(averages, tuple(convolutions), projection)


def parse_detector(data: bytes, source: str = "bytes") -> DetectorWeights:
    """The detector from a file's bytes. Raises DlibWeightsError with the place of the first thing that is wrong."""
    stream, steps = DlibStream(data, source), _detector_steps()
    stream.expect_integer(1, "version of the network")
    stream.expect_name("loss_mmod_", "loss layer")
    stream.expect_integer(1, "version of the MMOD options")
    width, height = stream.size("window width"), stream.size("window height")
    numbers = [stream.real("MMOD options") for _ in range(7)]
    options = MmodOptions(width, height, overlap_iou=numbers[3], overlap_covered=numbers[4])
    _read_versions(stream, steps)
    averages = _read_averages(stream, "input_rgb_image_pyramid")
    convolutions, _ = _read_layers(stream, steps)
    stream.end()
    return DetectorWeights(averages, options, tuple(convolutions))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DlibWeightsError(path, 0, f"cannot be read: {error.strerror}") from error


def _check_hash(data: bytes, path: Path, sha256: str) -> None:
    """After parsing, so that a damaged file is reported with the place; a sound network of another origin ends here."""
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise DlibWeightsError(path, 0, f"SHA-256 {found} where {sha256} was expected")


def read_encoder(
    path: str | Path | None = None, *, sha256: str | None = model_files.ENCODER.sha256
) -> EncoderWeights:
    """The face encoder, by default from the installed ``face_recognition_models``.

    ``sha256``: the pinned hash; None reads another network of the same layers. Raises DlibWeightsError,
    ModelFileMissing.
    """
    file = model_files.find(model_files.ENCODER) if path is None else Path(path)
    data = _content(file)
    weights = parse_encoder(data, str(file))
    if sha256 is not None:
        _check_hash(data, file, sha256)
    return weights


def read_detector(
    path: str | Path | None = None, *, sha256: str | None = model_files.MMOD.sha256
) -> DetectorWeights:
    """The MMOD face detector; arguments and errors as in read_encoder."""
    file = model_files.find(model_files.MMOD) if path is None else Path(path)
    data = _content(file)
    weights = parse_detector(data, str(file))
    if sha256 is not None:
        _check_hash(data, file, sha256)
    return weights


def with_normalisation(stem: Convolution, averages: tuple[float, float, float]) -> Convolution:
    """The encoder's first convolution with (value - average) / 256 folded in; exact, as it has no padding."""
    weight = stem.weight.astype(np.float64) / 256
    bias = stem.bias - (weight * np.array(averages)[:, None, None]).sum((1, 2, 3))
    return Convolution(stem.spec, weight.astype(np.float32), bias.astype(np.float32))
