"""What another Python's dlib takes, one built from source with a BLAS for example: needs numpy and dlib alone.

``PYTHON benchmarks/other_dlib.py ENCODER DETECTOR CHIPS PHOTO``: the two network files, chips (n, 150, 150, 3) and a
photo (h, w, 3), both uint8 .npy. Prints JSON: seconds for all chips together and for the photo, not enlarged, each
after a run that is not counted, and the number of faces.
"""

import json
import sys
import time
from collections.abc import Callable


def taken(work: Callable[[], object]) -> float:
    """Seconds of the second of two runs."""
    work()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(encoder: str, detector: str, chips: str, photo: str) -> None:
    import dlib
    import numpy as np

    network, finder = dlib.face_recognition_model_v1(encoder), dlib.cnn_face_detection_model_v1(detector)
    faces, image = list(np.load(chips)), np.load(photo)
    answer = {
        "encode": taken(lambda: network.compute_face_descriptor(faces)),
        "cnn_detect": taken(lambda: finder(image, 0)),
        "faces": len(finder(image, 0)),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
