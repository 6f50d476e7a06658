"""FFmpeg's WHIP muxer, as the library that comes with PyAV, as a client that sends; see wish.mjs."""

import sys
import threading
import time

try:
    import av
except ImportError as error:
    print(f"PyAV is not installed: {error}", file=sys.stderr)
    sys.exit(77)

from whep import RATE, read_wish, say, synthetic, until_told

FPS = 30
ENCODER = {"preset": "ultrafast", "tune": "zerolatency", "bf": "0", "g": f"{FPS}"}


def main(wish):
    if "whip" not in av.formats_available:
        print(f"this FFmpeg ({av.ffmpeg_version_info}) has no WHIP muxer", file=sys.stderr)
        sys.exit(77)
    ended = threading.Event()
    threading.Thread(target=lambda: (until_told(), ended.set()), daemon=True).start()
    source = av.open(synthetic(wish.color, wish.tone), format="lavfi")
    options = {"authorization": wish.token} if wish.token else {}
    with av.open(wish.endpoint, "w", format="whip", options=options) as session:
        video = session.add_stream("libx264", FPS, ENCODER)
        video.profile = "Baseline"
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        audio = session.add_stream("libopus", RATE, layout="stereo")
        resampler = av.AudioResampler(format="s16", layout="stereo", rate=RATE, frame_size=RATE // 50)
        begun = None
        for frame in source.decode(video=0, audio=0):
            if ended.is_set():
                break
            if begun:
                # Nothing comes sooner than it would from a camera.
                time.sleep(max(0, begun + frame.time - time.monotonic()))
            if isinstance(frame, av.VideoFrame):
                session.mux(video.encode(frame))
            else:
                for piece in resampler.resample(frame):
                    session.mux(audio.encode(piece))
            if not begun:
                # The first packet goes when the session has been made.
                begun = time.monotonic()
                say({"version": f"FFmpeg {av.ffmpeg_version_info}", "codec": wish.codec})


main(read_wish())
