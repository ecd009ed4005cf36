"""Writes the small files in spec/reference/formats/ that the specs of csrc/formats read.

    python3 spec/reference/formats.py             write them (needs numpy, safetensors and torch)
    python3 spec/reference/formats.py --check DIR  read what our specs wrote into DIR and compare; exits with 1 if different

Pictures are encoded here from their definition (RFC 2083), not by libpng, so that two implementations meet.
"""
import gzip
import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent / "formats"


# -- .npy and safetensors --

def arrays():
    """The values that both sides know."""
    return {
        "float32": (np.arange(6, dtype=np.float32) - 2.5).reshape(2, 3),
        "float64": np.arange(4, dtype=np.float64) / 3,
        "int64": np.array([[-(2**53) - 1], [7]], dtype=np.int64),
        "uint8": np.arange(250, 256, dtype=np.uint8).reshape(1, 3, 2),
        "bool": np.array([True, False, True]),
        "scalar": np.array(0.5, np.float32),
        "empty": np.zeros((0, 3), np.float32),
    }


def write_npy():
    for name, array in arrays().items():
        np.save(HERE / f"{name}.npy", array)
    small = np.array([[0, 1, -2], [3, -4, 100]])
    for name in ("i1", "<i2", ">i2", "<i4", ">i4", ">i8", "<f2", ">f2", ">f4", ">f8"):
        np.save(HERE / f"convert_{name.replace('<', 'little_').replace('>', 'big_')}.npy", small.astype(name))
    for name in ("<u2", ">u4"):
        np.save(HERE / f"convert_{name.replace('<', 'little_').replace('>', 'big_')}.npy", np.abs(small).astype(name))
    np.save(HERE / "fortran.npy", np.asfortranarray(np.arange(24, dtype=np.float32).reshape(2, 3, 4)))
    for major in (2, 3):
        with open(HERE / f"version{major}.npy", "wb") as file:
            np.lib.format.write_array(file, arrays()["float32"], version=(major, 0))
    np.save(HERE / "half.npy", np.array([0, -0.0, 1, 2**-24, -(2**-15), 65504, np.inf, -np.inf, np.nan], np.float16))
    np.save(HERE / "refused_uint64.npy", np.arange(3, dtype=np.uint64))
    np.save(HERE / "refused_complex.npy", np.zeros(3, np.complex64))
    np.save(HERE / "refused_object.npy", np.array([{}, None]), allow_pickle=True)
    np.save(HERE / "refused_struct.npy", np.zeros(3, [("a", "<f4"), ("b", "<i4")]))


def write_safetensors():
    import torch
    from safetensors.numpy import save_file
    from safetensors.torch import save_file as save_torch
    save_file(arrays(), HERE / "numpy.safetensors", metadata={"made by": 'numpy "2"\n\u00fc\u20ac'})
    save_file({}, HERE / "nothing.safetensors")
    halves = torch.tensor([[0.0, 1.0, -2.5], [65504.0, 2.0**-24, 1 / 3]])
    save_torch({"f16": halves.half(), "bf16": halves.bfloat16(), "i8": torch.tensor([-3], dtype=torch.int8),
                "i16": torch.tensor([-300], dtype=torch.int16), "i32": torch.tensor([-70000], dtype=torch.int32),
                "u16": torch.tensor([65535], dtype=torch.uint16), "u32": torch.tensor([2**32 - 1], dtype=torch.uint32)},
               HERE / "torch.safetensors")
    torch.manual_seed(0)
    layers = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Sequential(torch.nn.Linear(2, 1)))
    save_torch(layers.state_dict(), HERE / "state_dict.safetensors", metadata={"format": "pt"})


# -- IDX --

def idx_bytes(array, code):
    header = bytes([0, 0, code, array.ndim]) + b"".join(struct.pack(">I", n) for n in array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_idx():
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    with open(HERE / "images.idx.gz", "wb") as file:
        file.write(gzip.compress(idx_bytes(images, 0x08), mtime=0))
    half = len(idx_bytes(images, 0x08)) // 2
    with open(HERE / "two_members.idx.gz", "wb") as file:
        file.write(gzip.compress(idx_bytes(images, 0x08)[:half], mtime=0))
        file.write(gzip.compress(idx_bytes(images, 0x08)[half:], mtime=0))
    numbers = np.array([[1, -2], [3, -40]])
    for code, name in ((0x09, "i1"), (0x0B, "i2"), (0x0C, "i4"), (0x0D, "f4"), (0x0E, "f8")):
        (HERE / f"{name}.idx").write_bytes(idx_bytes(numbers.astype(name), code))


# -- PNG --

GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_row(row, depth):
    """row: (W, C) of samples."""
    if depth == 16:
        return row.astype(">u2").tobytes()
    if depth == 8:
        return row.astype(np.uint8).tobytes()
    bits = "".join(format(int(sample), f"0{depth}b") for sample in row.reshape(-1))
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[k:k + 8], 2) for k in range(0, len(bits), 8))


def filter_row(kind, row, above, step):
    """The five filters of PNG, by their definition."""
    out = bytearray()
    for k, byte in enumerate(row):
        left, up = (row[k - step] if k >= step else 0), above[k]
        corner = above[k - step] if k >= step else 0
        paeth = min((left, up, corner), key=lambda v: abs(left + up - corner - v))
        out.append((byte - (0, left, up, (left + up) // 2, paeth)[kind]) & 255)
    return bytes([kind]) + bytes(out)


def encode_pass(samples, depth, kind):
    step = max(1, samples.shape[2] * depth // 8)
    above, out = None, b""
    for number, row in enumerate(samples):
        packed = pack_row(row, depth)
        out += filter_row((kind + number) % 5, packed, above or bytes(len(packed)), step)
        above = packed
    return out


ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def encode_png(samples, color, depth, extra=b"", interlaced=False):
    """samples: (H, W, C)."""
    height, width, _ = samples.shape
    data = b""
    for top, left, down, right in (ADAM7 if interlaced else ((0, 0, 1, 1),)):
        part = samples[top::down, left::right]
        if part.size:
            data += encode_pass(part, depth, 0)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    text = chunk(b"tEXt", b"Comment\0ignored")
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + text + extra + chunk(b"IDAT", zlib.compress(data, 9))
            + chunk(b"IEND", b""))


def write_png():
    random = np.random.default_rng(1)

    def put(name, samples, color, depth, expected, **how):
        (HERE / f"{name}.png").write_bytes(encode_png(samples, color, depth, **how))
        np.save(HERE / f"{name}.png.npy", np.ascontiguousarray(expected.transpose(2, 0, 1)))

    for color, name in ((GRAY, "gray"), (GRAY_ALPHA, "gray_alpha"), (RGB, "rgb"), (RGBA, "rgba")):
        for depth in (8, 16):
            samples = random.integers(0, 2**depth, (9, 11, CHANNELS[color]))
            expected = samples.astype(np.uint8 if depth == 8 else np.int64)
            for interlaced in (False, True):
                put(f"{name}{depth}" + ("_interlaced" if interlaced else ""), samples, color, depth, expected,
                    interlaced=interlaced)
    for depth in (1, 2, 4):
        samples = random.integers(0, 2**depth, (5, 7, 1))
        put(f"gray{depth}", samples, GRAY, depth, (samples * (255 // (2**depth - 1))).astype(np.uint8))
    palette = random.integers(0, 256, (16, 3), dtype=np.uint8)
    alpha = np.full((16, 1), 255, np.uint8)
    alpha[:3, 0] = (0, 100, 200)
    for depth in (1, 2, 4, 8):
        samples = random.integers(0, min(16, 2**depth), (6, 5, 1))
        colors = palette[:min(16, 2**depth)]
        plte = chunk(b"PLTE", colors.tobytes())
        put(f"palette{depth}", samples, PALETTE, depth, palette[samples[:, :, 0]], extra=plte)
    trns = plte + chunk(b"tRNS", alpha[:3].tobytes())
    put("palette_alpha", samples, PALETTE, 8, np.concatenate([palette, alpha], 1)[samples[:, :, 0]], extra=trns)
    samples = random.integers(0, 4, (4, 4, 1))
    keyed = np.concatenate([samples * 85, np.where(samples == 2, 0, 255)], 2).astype(np.uint8)
    put("gray2_transparent", samples, GRAY, 2, keyed, extra=chunk(b"tRNS", struct.pack(">H", 2)))


# -- the other direction: what spec/formats/python_spec.lua wrote --

def decode_png(path):
    """An unfiltered-any, non-interlaced PNG of 8 or 16 bits as (C, H, W)."""
    data, at, idat = Path(path).read_bytes(), 8, b""
    while at < len(data):
        n, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + n]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + n:at + 12 + n])[0], kind
        if kind == b"IHDR":
            width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", body)
        if kind == b"IDAT":
            idat += body
        at += 12 + n
    assert interlaced == 0
    step = CHANNELS[color] * depth // 8
    raw, row_bytes, rows = zlib.decompress(idat), width * step, []
    above = bytearray(row_bytes)
    for r in range(height):
        kind, row = raw[r * (row_bytes + 1)], bytearray(raw[r * (row_bytes + 1) + 1:(r + 1) * (row_bytes + 1)])
        for k in range(row_bytes):
            left, up = (row[k - step] if k >= step else 0), above[k]
            corner = above[k - step] if k >= step else 0
            paeth = min((left, up, corner), key=lambda v: abs(left + up - corner - v))
            row[k] = (row[k] + (0, left, up, (left + up) // 2, paeth)[kind]) & 255
        rows.append(bytes(row))
        above = row
    samples = np.frombuffer(b"".join(rows), ">u2" if depth == 16 else np.uint8)
    return samples.reshape(height, width, CHANNELS[color]).transpose(2, 0, 1).astype(np.int64), color, depth


def same(name, ours, theirs):
    assert ours.dtype == theirs.dtype, (name, ours.dtype, theirs.dtype)
    assert ours.shape == theirs.shape, (name, ours.shape, theirs.shape)
    assert np.array_equal(ours, theirs), (name, ours, theirs)


def check(folder):
    from safetensors import safe_open
    folder = Path(folder)
    for name, array in arrays().items():
        same(name, np.load(folder / f"{name}.npy"), array)
        assert (folder / f"{name}.npy").read_bytes() == (HERE / f"{name}.npy").read_bytes(), name
    same("transposed", np.load(folder / "transposed.npy"), arrays()["float32"].T)
    with safe_open(folder / "all.safetensors", "numpy") as file:
        assert file.metadata() == {"made by": 'numpy "2"\n\u00fc\u20ac'}, file.metadata()
        assert sorted(file.keys()) == sorted(arrays()), file.keys()
        for name, array in arrays().items():
            same(name, file.get_tensor(name), array)
    assert (folder / "all.safetensors").read_bytes() == (HERE / "numpy.safetensors").read_bytes()
    with safe_open(folder / "nested.safetensors", "numpy") as file:
        assert sorted(file.keys()) == ["decoder.1", "decoder.2", "encoder.0.weight"], file.keys()
        same("decoder.2", file.get_tensor("decoder.2"), arrays()["float32"].T)
    for path in sorted(folder.glob("*.png")):
        samples, _, depth = decode_png(path)
        expected = json.loads(path.with_suffix(".json").read_text())
        assert depth == expected["bit_depth"], path
        assert np.array_equal(samples, np.array(expected["samples"])), path
    print("same")


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        check(sys.argv[2])
        return
    HERE.mkdir(exist_ok=True)
    write_npy()
    write_safetensors()
    write_idx()
    write_png()


if __name__ == "__main__":
    main()
