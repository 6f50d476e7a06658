"""aiortc, of Python, as a client; see wish.mjs."""

import array
import asyncio
import json
import sys
import time

try:
    import aiortc
    from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
    from av import AudioResampler
except ImportError as error:
    print(f"aiortc is not installed: {error}", file=sys.stderr)
    sys.exit(77)

from whep import RATE, ask, level, middle, read_wish, video_codec


class Eyes:
    """Counts pictures and keeps the newest."""

    def __init__(self):
        self.frames = 0
        self.newest = None

    async def watch(self, track):
        while True:
            self.newest = await track.recv()
            self.frames += 1


class Ears:
    """Keeps the last second of sound."""

    def __init__(self):
        self.samples = array.array("h")

    async def listen(self, track):
        resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
        while True:
            for frame in resampler.resample(await track.recv()):
                # Planes are padded.
                self.samples.frombytes(bytes(frame.planes[0])[: frame.samples * 2])
            del self.samples[:-RATE]


async def main(wish):
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    eyes, ears, tasks = Eyes(), Ears(), []

    @connection.on("track")
    def on_track(track):
        tasks.append(asyncio.ensure_future(eyes.watch(track) if track.kind == "video" else ears.listen(track)))

    for kind in ("audio", "video"):
        line = connection.addTransceiver(kind, direction="recvonly")
        if kind == "video" and wish.codec:
            known = RTCRtpReceiver.getCapabilities("video").codecs
            wanted = (f"video/{wish.codec}", "video/rtx")
            line.setCodecPreferences([codec for codec in known if codec.mimeType in wanted])
    await connection.setLocalDescription(await connection.createOffer())
    offer = connection.localDescription.sdp
    session, answer = await asyncio.to_thread(ask, "POST", wish.endpoint, wish.token, offer)
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    deadline = time.monotonic() + 20
    while eyes.newest is None:
        if time.monotonic() > deadline:
            raise RuntimeError(f"no picture; the connection is {connection.connectionState}")
        await asyncio.sleep(0.02)
    before, begun = eyes.frames, time.monotonic()
    await asyncio.sleep(wish.seconds)
    fps = (eyes.frames - before) / (time.monotonic() - begun)
    stats = (await connection.getStats()).values()
    video = next(entry for entry in stats if entry.type == "inbound-rtp" and entry.kind == "video")
    frame, samples = eyes.newest.reformat(format="rgb24"), ears.samples[:]
    await asyncio.to_thread(ask, "DELETE", session, wish.token)
    for task in tasks:
        task.cancel()
    await connection.close()
    plane = frame.planes[0]
    print(json.dumps({
        "version": f"aiortc {aiortc.__version__}",
        "codec": video_codec(answer),
        "width": frame.width,
        "height": frame.height,
        "color": middle(bytes(plane), frame.width, frame.height, plane.line_size),
        "fps": fps,
        "tones": [level(samples, hertz) for hertz in wish.tones],
        "lost": video.packetsLost,
        "retransmitted": None,
    }))


asyncio.run(main(read_wish()))
