"""What the clients in Python have in common; see wish.mjs."""

import argparse
import json
import math
import sys
import urllib.parse
import urllib.request

RATE = 48_000


def read_wish():
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--codec", choices=["H264", "VP8"], default="H264")
    parser.add_argument("--token")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--tones", type=lambda text: [float(hertz) for hertz in text.split(",")])
    parser.add_argument("--color", type=lambda text: [int(value) for value in text.split(",")])
    parser.add_argument("--tone", type=int)
    return parser.parse_args()


def say(seen):
    """Prints the line that others wait for."""
    print(json.dumps(seen), flush=True)


def until_told():
    """Waits until stdin ends: a sender shall go."""
    sys.stdin.read()


def synthetic(color, tone):
    """A plain picture of 640x360 and a tone, as what FFmpeg's lavfi opens."""
    hexadecimal = "".join(f"{value:02x}" for value in color)
    # A sine of FFmpeg is at -18 dB.
    sound = f"sine=frequency={tone}:sample_rate={RATE}:samples_per_frame=960,volume=2"
    return f"color=c=0x{hexadecimal}:s=640x360:r=30[out0];{sound}[out1]"


def ask(method, url, token, body=None):
    """An HTTP request of WHIP or WHEP; the session's address, if the answer has one, and the answer's text."""
    headers = {"content-type": "application/sdp"} | ({"authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, method=method, headers=headers, data=body and body.encode())
    with urllib.request.urlopen(request, timeout=20) as answer:
        location = answer.headers["location"]
        return location and urllib.parse.urljoin(url, location), answer.read().decode()


def level(samples, hertz):
    """How loud a tone is, in dB of full scale: the mean over pieces of 100 ms. Samples are of 16 bits, at RATE."""
    piece = RATE // 10
    powers = []
    for start in range(0, len(samples) - piece + 1, piece):
        real = imaginary = 0.0
        for n in range(piece):
            value = samples[start + n] / 32768 * (1 - math.cos(2 * math.pi * n / piece))
            angle = 2 * math.pi * hertz * n / RATE
            real += value * math.cos(angle)
            imaginary += value * math.sin(angle)
        powers.append((2 * math.hypot(real, imaginary) / piece) ** 2)
    return 10 * math.log10(sum(powers) / max(1, len(powers)) + 1e-20)


def middle(rgb, width, height, stride):
    """The mean colour of the middle of a picture: RGB, three bytes a pixel, rows `stride` bytes apart."""
    sums, count = [0, 0, 0], 0
    for y in range(height // 4, height * 3 // 4, 8):
        for x in range(width // 4, width * 3 // 4, 8):
            at = y * stride + x * 3
            sums = [total + rgb[at + channel] for channel, total in enumerate(sums)]
            count += 1
    return [round(total / count) for total in sums]


def video_codec(sdp):
    """The first codec of an answer's video."""
    video = sdp[sdp.index("m=video"):]
    return next(line.split(" ")[1].split("/")[0] for line in video.splitlines() if line.startswith("a=rtpmap:"))
