// What connects a page by Eyevinn's packages; see in-page.mjs. It is bundled for the page.

import { WebRTCPlayer } from "@eyevinn/webrtc-player";
import { WHIPClient } from "@eyevinn/whip-web-client";

/** Servers on this machine need no others. */
const iceServers = [];

window.maker = {
  async watch(video, { endpoint, token }) {
    const player = new WebRTCPlayer({ video, type: "whep", iceServers });
    await player.load(new URL(endpoint), token && `Bearer ${token}`);
    // It says neither when it has a connection nor which.
    const deadline = performance.now() + 20_000;
    while (player.peer.connectionState !== "connected" || !video.srcObject) {
      if (performance.now() > deadline) throw new Error(`the connection is ${player.peer.connectionState}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return { connection: player.peer, leave: () => player.unload() };
  },
  async send(stream, { endpoint, token }) {
    let connection;
    const client = new WHIPClient({
      endpoint,
      opts: { authkey: token, iceServers },
      peerConnectionFactory: (configuration) => (connection = new RTCPeerConnection(configuration)),
    });
    await client.ingest(stream);
    return { connection, leave: () => client.destroy() };
  },
};
