"""Asks TensorBoard itself what perilune's event files say.

    python spec/reference/event_file.py      (with tensorboard, NumPy; lua5.4 must find perilune: eval "$(make -s env)")

Prints the bytes that spec/train/loggers_spec.lua expects, as protobuf's own encoder makes them, then writes a log with
perilune.loggers.TensorBoardLogger and reads scalars, histogram, image and the restart back with EventAccumulator.
"""
import io
import subprocess
import tempfile

import numpy
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary

WRITER = """
local perilune = require "perilune"
local logger = perilune.loggers.TensorBoardLogger(arg[1], { name = "", version = "" })
for step = 1, 5 do logger:log_metrics({ loss = 1 / step, epoch = 1 }, step) end
logger:add_histogram("weights", perilune.arange(1, 100):to("float32"), 3, 10)
logger:add_image("picture", perilune.arange(0, 5):view(1, 2, 3):to("float32") / 5, 3)
logger:finalize()
logger = perilune.loggers.TensorBoardLogger(arg[1], { name = "", version = "" })
logger:log_metrics({ loss = 6 }, 6)
logger:log_metrics({ loss = 7 }, 7)
local state = logger:state_dict()
logger:log_metrics({ late = 7 }, 7)
logger:log_metrics({ loss = 8 }, 8)
logger:finalize()
local again = perilune.loggers.TensorBoardLogger(arg[1], { name = "", version = "" })
again:resume(7, state)
again:log_metrics({ late = 70 }, 7)
again:log_metrics({ loss = 80 }, 8)
again:finalize()
again = perilune.loggers.TensorBoardLogger(arg[1], { name = "more", version = "" })
for step = 1, 5 do again:log_metrics({ loss = 1 / step, epoch = 1 }, step) end
again:finalize()
again = perilune.loggers.TensorBoardLogger(arg[1], { name = "more", version = "" })
again:resume(3)
again:log_metrics({ loss = 9 }, 4)
again:finalize()
"""


def expected_bytes():
    for event in (
        Event(wall_time=1.5, file_version="brain.Event:2"),
        Event(wall_time=1.5, step=300, summary=Summary(value=[Summary.Value(tag="ab", simple_value=0.625)])),
        Event(wall_time=1.5, step=3, session_log=SessionLog(status=SessionLog.START)),
        Event(wall_time=1.5, step=1, summary=Summary(value=[Summary.Value(tag="t", image=Summary.Image(
            height=2, width=3, colorspace=1, encoded_image_string=b"PN"))])),
    ):
        print(event.SerializeToString().hex())


def read_back(folder):
    events = EventAccumulator(folder)
    events.Reload()
    return events


def scalars(events, tag):
    return [(event.step, round(event.value, 4)) for event in events.Scalars(tag)]


def check(folder):
    subprocess.run(["lua5.4", "-", folder], input=WRITER.encode(), check=True)
    events = read_back(folder)
    assert scalars(events, "loss") == [(1, 1.0), (2, 0.5), (3, 0.3333), (4, 0.25), (5, 0.2), (6, 6.0), (7, 7.0), (8, 80.0)]
    assert scalars(events, "late") == [(7, 70.0)]
    assert scalars(read_back(f"{folder}/more"), "loss") == [(1, 1.0), (2, 0.5), (3, 0.3333), (4, 9.0)]
    histogram = events.Histograms("weights")[0].histogram_value
    assert (histogram.min, histogram.max, histogram.num, histogram.sum) == (1, 100, 100, 5050)
    assert sum(histogram.bucket) == 100 and len(histogram.bucket_limit) == 10
    picture = events.Images("picture")[0]
    assert (picture.width, picture.height, picture.step) == (3, 2, 3)
    pixels = numpy.asarray(Image.open(io.BytesIO(picture.encoded_image_string)))
    assert pixels.tolist() == [[0, 51, 102], [153, 204, 255]], pixels
    print("TensorBoard reads scalars, histogram, image and the restart as they were written")


expected_bytes()
with tempfile.TemporaryDirectory() as temporary:
    check(temporary)
