"""aiortc, of Python, as a client; see wish.mjs."""

import array
import asyncio
import sys
import time

try:
    import aiortc
    from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender, RTCSessionDescription
    from aiortc.contrib.media import MediaPlayer
    from av import AudioResampler
except ImportError as error:
    print(f"aiortc is not installed: {error}", file=sys.stderr)
    sys.exit(77)

from whep import RATE, ask, level, middle, read_wish, say, synthetic, until_told, video_codec

VERSION = f"aiortc {aiortc.__version__}"
PATIENCE_S = 20


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


def prefer(line, capabilities, codec):
    wanted = (f"video/{codec}", "video/rtx")
    line.setCodecPreferences([known for known in capabilities.codecs if known.mimeType in wanted])


async def connect(connection, wish):
    """Offers what the connection has; the session's address and the answer, once that is taken."""
    await connection.setLocalDescription(await connection.createOffer())
    offer = connection.localDescription.sdp
    session, answer = await asyncio.to_thread(ask, "POST", wish.endpoint, wish.token, offer)
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    return session, answer


async def wait(connection, what, done):
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(f"did not come in time: {what}; the connection is {connection.connectionState}")
        await asyncio.sleep(0.02)


async def send(connection, wish):
    player = MediaPlayer(synthetic(wish.color, wish.tone), format="lavfi")
    for track in (player.audio, player.video):
        line = connection.addTransceiver(track, direction="sendonly")
        if track.kind == "video":
            prefer(line, RTCRtpSender.getCapabilities("video"), wish.codec)
    session, answer = await connect(connection, wish)
    await wait(connection, "a connection", lambda: connection.connectionState == "connected")
    say({"version": VERSION, "codec": video_codec(answer)})
    await asyncio.to_thread(until_told)
    await asyncio.to_thread(ask, "DELETE", session, wish.token)


async def watch(connection, wish):
    eyes, ears, tasks = Eyes(), Ears(), []

    @connection.on("track")
    def on_track(track):
        tasks.append(asyncio.ensure_future(eyes.watch(track) if track.kind == "video" else ears.listen(track)))

    for kind in ("audio", "video"):
        line = connection.addTransceiver(kind, direction="recvonly")
        if kind == "video":
            prefer(line, RTCRtpReceiver.getCapabilities("video"), wish.codec)
    session, answer = await connect(connection, wish)
    await wait(connection, "a picture", lambda: eyes.newest)
    before, begun = eyes.frames, time.monotonic()
    await asyncio.sleep(wish.seconds)
    fps = (eyes.frames - before) / (time.monotonic() - begun)
    stats = (await connection.getStats()).values()
    video = next(entry for entry in stats if entry.type == "inbound-rtp" and entry.kind == "video")
    frame, samples = eyes.newest.reformat(format="rgb24"), ears.samples[:]
    await asyncio.to_thread(ask, "DELETE", session, wish.token)
    for task in tasks:
        task.cancel()
    plane = frame.planes[0]
    say({
        "version": VERSION,
        "codec": video_codec(answer),
        "width": frame.width,
        "height": frame.height,
        "color": middle(bytes(plane), frame.width, frame.height, plane.line_size),
        "fps": fps,
        "tones": [level(samples, hertz) for hertz in wish.tones],
        "lost": video.packetsLost,
        "retransmitted": None,
    })


async def main(wish):
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    await (send if wish.color else watch)(connection, wish)
    await connection.close()


asyncio.run(main(read_wish()))
