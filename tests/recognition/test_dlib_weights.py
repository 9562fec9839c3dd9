"""The reader of dlib's weight files: the real files to the last byte, and every kind of wrong one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition import model_files
from recognition.dlib_stream import DlibStream
from recognition.dlib_weights import parse_detector, parse_encoder, read_detector, read_encoder
from recognition.errors import DlibWeightsError, ModelFileDamaged, ModelFileMissing

FIRST_CONVOLUTION = {"encoder": 334, "detector": 135}


@pytest.fixture(scope="module")
def encoder_bytes() -> bytes:
    return model_files.find(model_files.ENCODER).read_bytes()


@pytest.fixture(scope="module")
def detector_bytes() -> bytes:
    return model_files.find(model_files.MMOD).read_bytes()


def replaced(data: bytes, offset: int, new: bytes) -> bytes:
    return data[:offset] + new + data[offset + len(new) :]


def test_encoder_has_every_layer(encoder_bytes: bytes) -> None:
    weights = parse_encoder(encoder_bytes)
    assert len(weights.convolutions) == 29
    assert weights.projection.shape == (128, 256)
    folded = sum(layer.weight.size + layer.bias.size for layer in weights.convolutions)
    assert folded + weights.projection.size == 5_607_488
    assert weights.averages == pytest.approx((122.782, 117.001, 104.298), abs=1e-5)


def test_detector_has_every_layer_and_option() -> None:
    weights = read_detector()
    assert [layer.weight.shape for layer in weights.convolutions] == [
        (16, 3, 5, 5),
        (32, 16, 5, 5),
        (32, 32, 5, 5),
        (45, 32, 5, 5),
        (45, 45, 5, 5),
        (45, 45, 5, 5),
        (1, 45, 9, 9),
    ]
    assert (weights.options.window_width, weights.options.window_height) == (80, 80)
    assert weights.options.overlap_iou == 0.3382761351109955
    assert weights.options.overlap_covered == 1.0


def test_last_detector_layer_is_stored_unfolded(detector_bytes: bytes) -> None:
    """Nothing follows the last convolution, so its values are the file's own."""
    last = parse_detector(detector_bytes).convolutions[-1]
    raw = np.frombuffer(
        detector_bytes, "<f4", count=4, offset=detector_bytes.index(last.weight[0, 0, 0].tobytes())
    )
    assert np.array_equal(raw, last.weight[0, 0, 0, :4])


@pytest.mark.parametrize("kind", ["encoder", "detector"])
def test_truncated_anywhere_near_a_layers_start_names_file_and_place(
    kind: str, encoder_bytes: bytes, detector_bytes: bytes
) -> None:
    data, parse = (encoder_bytes, parse_encoder) if kind == "encoder" else (detector_bytes, parse_detector)
    start = FIRST_CONVOLUTION[kind]
    for length in (0, 1, 2, 20, 60, start, start + 3, start + 9, start + 200, len(data) // 2, len(data) - 1):
        with pytest.raises(DlibWeightsError, match=r"cut\.dat: at byte \d+: .*(ends inside)") as raised:
            parse(data[:length], "cut.dat")
        assert raised.value.offset <= length


@settings(max_examples=60, deadline=None)
@given(length=st.integers(0, 729_939))
def test_no_truncated_detector_is_accepted(length: int) -> None:
    data = model_files.find(model_files.MMOD).read_bytes()
    with pytest.raises(DlibWeightsError):
        parse_detector(data[:length])


@settings(max_examples=60, deadline=None)
@given(offset=st.integers(0, 400), value=st.integers(0, 255))
def test_a_changed_byte_in_the_head_is_an_error_or_another_sound_number(offset: int, value: int) -> None:
    """Nothing but the named error ever comes out of a damaged head."""
    data = replaced(model_files.find(model_files.MMOD).read_bytes(), offset, bytes([value]))
    try:
        layers = parse_detector(data).convolutions
        place = 0
    except DlibWeightsError as error:
        layers, place = (), error.offset
    assert 0 <= place <= len(data)
    assert all(np.isfinite(layer.weight).all() and np.isfinite(layer.bias).all() for layer in layers)


@pytest.mark.parametrize(
    ("offset", "new", "problem"),
    [
        (0, b"\x01\x02", "version of the network: 2 where 1"),
        (0, b"\x70\x01", "0x70 does not begin an integer"),
        (0, b"\x00\x01", "0x00 does not begin an integer"),
        (2, b"\x01\x0b", "loss layer"),
        (2, b"\x81\x0a", "a length of -10"),
        (4, b"LOSS_mmod_", "found 'LOSS_mmod_' where 'loss_mmod_'"),
        (135 + 2, b"con_9", "found 'con_9' where 'con_4'"),
    ],
)
def test_each_wrong_item_is_named(detector_bytes: bytes, offset: int, new: bytes, problem: str) -> None:
    with pytest.raises(DlibWeightsError) as raised:
        parse_detector(replaced(detector_bytes, offset, new), "odd.dat")
    assert problem in raised.value.problem
    assert str(raised.value).startswith("odd.dat: at byte ")


def test_value_that_is_not_finite(detector_bytes: bytes) -> None:
    first_value = detector_bytes.index(np.float32(-0.0027626).tobytes()[1:], 135) - 1
    with pytest.raises(DlibWeightsError, match="is not finite"):
        parse_detector(replaced(detector_bytes, first_value, np.float32(np.nan).tobytes()))


def test_bytes_after_the_end(detector_bytes: bytes) -> None:
    with pytest.raises(DlibWeightsError, match=r"at byte 729940: 1 bytes after the end"):
        parse_detector(detector_bytes + b"\0")


def test_each_network_refuses_the_others_file(encoder_bytes: bytes, detector_bytes: bytes) -> None:
    with pytest.raises(DlibWeightsError, match="loss_mmod_"):
        parse_encoder(detector_bytes)
    with pytest.raises(DlibWeightsError, match="loss_metric_2"):
        parse_detector(encoder_bytes)


@pytest.mark.parametrize(
    "content", [b"", b"BZh91AY&SY", b"<html>404</html>", b"\x89PNG\r\n\x1a\n", b"0 0 " * 40]
)
def test_foreign_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.dat"
    path.write_bytes(content)
    for read in (read_encoder, read_detector):
        with pytest.raises(DlibWeightsError, match=r"foreign\.dat: at byte \d+"):
            read(path)


def test_sound_network_of_another_origin_is_refused_by_its_hash(
    tmp_path: Path, detector_bytes: bytes
) -> None:
    offset = detector_bytes.index(np.float32(-0.0027626).tobytes()[1:], 135) - 1
    path = tmp_path / "retrained.dat"
    path.write_bytes(replaced(detector_bytes, offset, np.float32(0.5).tobytes()))
    with pytest.raises(DlibWeightsError, match="SHA-256"):
        read_detector(path)
    assert len(read_detector(path, sha256=None).convolutions) == 7


def test_missing_file_names_it(tmp_path: Path) -> None:
    with pytest.raises(DlibWeightsError, match=r"none\.dat: at byte 0: cannot be read"):
        read_encoder(tmp_path / "none.dat")


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\x01\x00", 0),
        (b"\x01\x01", 1),
        (b"\x01\x96", 150),
        (b"\x02\x80\x12", 4736),
        (b"\x81\x11", -17),
    ],
)
def test_integers(data: bytes, value: int) -> None:
    stream = DlibStream(data, "x")
    assert stream.integer("n") == value
    stream.end()


@pytest.mark.parametrize("data", [b"\x02\x01\x00", b"\x09" + b"\1" * 9, b"\x11\x01", b""])
def test_malformed_integers(data: bytes) -> None:
    with pytest.raises(DlibWeightsError):
        DlibStream(data, "x").integer("n")


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\x01\x80\x81\x07", 1.0),
        (b"\x01\x10\x81\x04", 1.0),
        (b"\x01\x00\x01\x0b", 0.0),
        (b"\x03\x62\x90\xf5\x81\x11", 122.78199768066406),
    ],
)
def test_reals(data: bytes, value: float) -> None:
    assert DlibStream(data, "x").real("r") == value


@pytest.mark.parametrize("exponent", [b"\x02\x00\x7d", b"\x02\x01\x7d", b"\x02\x02\x7d"])
def test_infinities_and_nan_are_refused(exponent: bytes) -> None:
    with pytest.raises(DlibWeightsError, match="not a finite number"):
        DlibStream(b"\x01\x00" + exponent, "x").real("r")


def test_a_mean_colour_too_large_for_float32() -> None:
    with pytest.raises(DlibWeightsError, match="at byte 0: mean colour: a number too large for float32"):
        DlibStream(b"\x01\x01\x02\xe8\x03", "x").single("mean colour")


def test_tensor_that_promises_more_than_the_file_has() -> None:
    data = b"\x01\x02" + b"\x03\xff\xff\x7f" + b"\x01\x01" * 3
    with pytest.raises(DlibWeightsError, match="ends inside"):
        DlibStream(data, "x").tensor("t")


def test_wrong_flag() -> None:
    with pytest.raises(DlibWeightsError, match="'0' or '1'"):
        DlibStream(b"2", "x").boolean("flag")


def test_model_file_that_is_not_installed() -> None:
    lost = model_files.ModelFile("no_such_package_here", "a.dat", "0" * 64, "install it so and so")
    with pytest.raises(ModelFileMissing, match="install it so and so"):
        model_files.locate(lost)


def test_model_file_with_another_hash(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(b"x")
    with pytest.raises(ModelFileDamaged, match="SHA-256"):
        model_files.checked(path, "0" * 64)


def test_yunet_without_a_path_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(model_files.YUNET_VARIABLE, raising=False)
    with pytest.raises(ModelFileMissing, match=model_files.YUNET_VARIABLE):
        model_files.yunet_path()
