"""GStreamer's webrtcbin as a client; see wish.mjs."""

import array
import base64
import hashlib
import re
import subprocess
import sys
import time

try:
    import gi

    for name in ("Gst", "GstWebRTC", "GstSdp", "GstApp"):
        gi.require_version(name, "1.0")
    from gi.repository import Gst, GstApp, GstSdp, GstWebRTC
except (ImportError, ValueError) as error:
    print(f"GStreamer's bindings for Python are not installed: {error}", file=sys.stderr)
    sys.exit(77)

from whep import RATE, ask, level, middle, read_wish, say, until_told, video_codec

PAYLOADS = {"OPUS": (111, "audio", 48_000), "H264": (102, "video", 90_000), "VP8": (96, "video", 90_000)}
DECODE = {"OPUS": "rtpopusdepay ! opusdec", "H264": "rtph264depay ! avdec_h264", "VP8": "rtpvp8depay ! vp8dec"}
ENCODE = {
    "OPUS": "opusenc ! rtpopuspay",
    "H264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! video/x-h264,profile=constrained-baseline"
    " ! rtph264pay aggregate-mode=zero-latency config-interval=-1",
    "VP8": "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=30 ! rtpvp8pay",
}
PATIENCE_S = 20


def caps(codec):
    """What we take of a codec, as a payload of RTP."""
    payload, kind, clock = PAYLOADS[codec]
    text = f"application/x-rtp,media={kind},encoding-name={codec},payload={payload},clock-rate={clock}"
    if kind == "audio":
        return Gst.Caps.from_string(text + ",encoding-params=(string)2")
    text += ",rtcp-fb-nack=(boolean)true,rtcp-fb-nack-pli=(boolean)true,rtcp-fb-transport-cc=(boolean)true"
    text += ",extmap-3=(string)http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
    if codec == "H264":
        text += ",packetization-mode=(string)1,profile-level-id=(string)42e01f,level-asymmetry-allowed=(string)1"
    return Gst.Caps.from_string(text)


def make_certificate():
    """A certificate with an elliptic curve, and its key, as PEM: GStreamer's own is RSA, which few take from a viewer."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    request = ["openssl", "req", "-x509", *curve, "-days", "7", "-subj", "/CN=client", "-keyout", "-"]
    return subprocess.run(request, check=True, capture_output=True, text=True).stdout


def fingerprint(pem):
    certificate = re.search("BEGIN CERTIFICATE-----(.*?)-----END", pem, re.DOTALL)[1]
    return hashlib.sha256(base64.b64decode(certificate)).digest().hex(":").upper()


class Peer:
    """A pipeline around webrtcbin."""

    def __init__(self):
        self.pipeline = Gst.Pipeline()
        self.peer = Gst.ElementFactory.make("webrtcbin")
        self.peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.peer)
        self.pem = make_certificate()
        self.pipeline.connect("deep-element-added", self.on_element)

    def on_element(self, _pipeline, _bin, element):
        if element.get_factory().get_name() == "dtlsdec":
            element.set_property("pem", self.pem)

    def connect(self, wish):
        """Offers what the peer has; the session's address and the answer, once that is taken."""
        # It was written before the certificate was set.
        offer = re.sub("a=fingerprint:.*", f"a=fingerprint:sha-256 {fingerprint(self.pem)}", self.offer())
        session, answer = ask("POST", wish.endpoint, wish.token, offer)
        self.accept(answer)
        return session, answer

    def offer(self):
        """Our offer, with all candidates."""
        promise = Gst.Promise.new()
        self.peer.emit("create-offer", None, promise)
        promise.wait()
        # The offer lives as long as the reply.
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        set_locally = Gst.Promise.new()
        self.peer.emit("set-local-description", offer, set_locally)
        set_locally.wait()
        complete = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        wait("candidates", lambda: self.peer.get_property("ice-gathering-state") == complete)
        return self.peer.get_property("local-description").sdp.as_text()

    def accept(self, answer):
        _, sdp = GstSdp.SDPMessage.new_from_text(answer)
        promise = Gst.Promise.new()
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.peer.emit("set-remote-description", description, promise)
        promise.wait()

    def close(self):
        self.pipeline.set_state(Gst.State.NULL)


class Sender(Peer):
    """A plain picture and a tone, encoded."""

    def __init__(self, wish):
        super().__init__()
        red, green, blue = wish.color
        color = 0xFF000000 | red << 16 | green << 8 | blue
        picture = (
            f"videotestsrc is-live=true pattern=solid-color foreground-color={color}"
            " ! video/x-raw,format=I420,width=640,height=360,framerate=30/1"
        )
        sound = f"audiotestsrc is-live=true freq={wish.tone} volume=0.25 ! audio/x-raw,rate={RATE},channels=2"
        for source, codec in ((sound, "OPUS"), (picture, wish.codec)):
            payload, kind, _ = PAYLOADS[codec]
            sent = f"capsfilter caps=application/x-rtp,media={kind},encoding-name={codec},payload={payload}"
            branch = Gst.parse_bin_from_description(f"{source} ! queue ! {ENCODE[codec]} ! {sent}", True)
            self.pipeline.add(branch)
            branch.link(self.peer)
        for at in range(2):
            line = self.peer.emit("get-transceiver", at)
            line.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        self.pipeline.set_state(Gst.State.PLAYING)


class Viewer(Peer):
    """What comes, and what came so far."""

    def __init__(self, codec):
        super().__init__()
        self.frames = 0
        self.newest = None
        self.samples = array.array("h")
        self.lost = self.again = 0
        self.peer.connect("pad-added", self.on_pad)
        self.pipeline.set_state(Gst.State.READY)
        for name in ("OPUS", codec):
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            line = self.peer.emit("add-transceiver", direction, caps(name))
            if name != "OPUS":
                # Adds a payload for retransmission, too.
                line.set_property("do-nack", True)
        self.pipeline.set_state(Gst.State.PLAYING)

    def on_pad(self, _, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        codec = pad.get_current_caps().get_structure(0).get_string("encoding-name")
        is_video = codec != "OPUS"
        tail = (
            "videoconvert ! video/x-raw,format=RGB"
            if is_video
            else f"audioconvert ! audioresample ! audio/x-raw,format=S16LE,channels=1,rate={RATE}"
        )
        branch = Gst.parse_bin_from_description(f"{DECODE[codec]} ! {tail} ! appsink name=out", True)
        out = branch.get_by_name("out")
        out.set_property("sync", False)
        out.set_property("emit-signals", True)
        out.connect("new-sample", self.on_picture if is_video else self.on_sound)
        self.pipeline.add(branch)
        branch.sync_state_with_parent()
        pad.link(branch.get_static_pad("sink"))

    def on_picture(self, out):
        self.newest = out.emit("pull-sample")
        self.frames += 1
        return Gst.FlowReturn.OK

    def on_sound(self, out):
        buffer = out.emit("pull-sample").get_buffer()
        self.samples.frombytes(buffer.extract_dup(0, buffer.get_size()))
        del self.samples[:-RATE]
        return Gst.FlowReturn.OK

    def packets(self):
        """Packets lost for good, and those that came again, by the jitter buffers."""
        lost = again = 0
        found = self.pipeline.iterate_all_by_element_factory_name("rtpjitterbuffer")
        while True:
            result, buffer = found.next()
            if result != Gst.IteratorResult.OK:
                return lost, again
            stats = buffer.get_property("stats")
            lost += stats.get_uint64("num-lost")[1]
            again += stats.get_uint64("rtx-success-count")[1]


def wait(what, done):
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(f"did not come in time: {what}")
        time.sleep(0.02)


def send(wish):
    sender = Sender(wish)
    # An offer says nothing of what it does not know yet.
    wait("what is to be sent", lambda: all(pad.get_current_caps() for pad in sender.peer.sinkpads))
    session, answer = sender.connect(wish)
    connected = GstWebRTC.WebRTCPeerConnectionState.CONNECTED
    wait("a connection", lambda: sender.peer.get_property("connection-state") == connected)
    say({"version": Gst.version_string(), "codec": video_codec(answer)})
    until_told()
    ask("DELETE", session, wish.token)
    sender.close()


def watch(wish):
    viewer = Viewer(wish.codec)
    session, answer = viewer.connect(wish)
    wait("a picture", lambda: viewer.newest)
    before, begun = viewer.frames, time.monotonic()
    time.sleep(wish.seconds)
    fps = (viewer.frames - before) / (time.monotonic() - begun)
    sample, samples = viewer.newest, viewer.samples[:]
    lost, again = viewer.packets()
    ask("DELETE", session, wish.token)
    viewer.close()
    shape = sample.get_caps().get_structure(0)
    width, height = shape.get_value("width"), shape.get_value("height")
    buffer = sample.get_buffer()
    rgb = buffer.extract_dup(0, buffer.get_size())
    say({
        "version": Gst.version_string(),
        "codec": video_codec(answer),
        "width": width,
        "height": height,
        "color": middle(rgb, width, height, len(rgb) // height),
        "fps": fps,
        "tones": [level(samples, hertz) for hertz in wish.tones],
        "lost": lost,
        "retransmitted": again,
    })


def main():
    wish = read_wish()
    Gst.init(None)
    if Gst.ElementFactory.find("webrtcbin") is None:
        print("GStreamer's webrtcbin is not installed", file=sys.stderr)
        sys.exit(77)
    (send if wish.color else watch)(wish)


main()
