/** Wires what every page has: devices and join form, session and connections, stage, people. */

import "./style.css";
import "./room.css";

import { Api } from "./api";
import { Client } from "./client";
import { receivable, sendable } from "./codecs";
import { DeliveryPanel } from "./delivery";
import { NONE, Devices } from "./devices";
import { Directing } from "./directing";
import { element, say } from "./dom";
import { JoinForm } from "./join";
import { keepToken, loadPlace, readOptions, roomAddress, savePlace, type Place } from "./options";
import { People } from "./people";
import { Photos } from "./photos";
import { Pickers } from "./pickers";
import { Player } from "./player";
import { sessionUrl, type Delivery, type RoomEvent, type Welcome } from "./protocol";
import { Receiver } from "./receiver";
import { ownWords } from "./roster";
import { Sender } from "./sender";
import { Session, type ConnectionState } from "./session";
import { Stage } from "./stage";
import { condense, readout, type Sample } from "./stats";
import { ViewReport } from "./view";

/** How long joining waits for the browser's question about devices; answered later, they are added to the running stay. */
const DEVICES_MS = 4_000;
const READOUT_MS = 2_000;
const DROPPED_MS = 3_000;
const NOTICE_MS = 8_000;

const options = readOptions(new URL(location.href));
const token = keepToken(options.token);
const client = new Client(token);
const api = new Api(client);

let room: string | null = null;
let session: Session | null = null;
let sender: Sender | null = null;
let receiver: Receiver | null = null;
let sample: Sample | null = null;
/** Counts joins and leaves, so that a join that waits for the devices knows when it was given up. */
let turn = 0;

const roomView = element("room-view", HTMLElement);
const roomName = element("bar-room-name", HTMLElement);
const roomTitle = element("room-title", HTMLHeadingElement);
const barRoom = element("bar-room", HTMLSpanElement);
const copyLink = element("copy-link", HTMLButtonElement);
const stateText = element("connection-state", HTMLSpanElement);
const statePill = element("state-pill", HTMLSpanElement);
const notice = element("notice", HTMLParagraphElement);
const joinDevices = element("join-devices", HTMLDivElement);
const roomDevices = element("room-devices", HTMLDetailsElement);

const devices: Devices = new Devices(() => {
  pickers.render();
  renderSwitches();
  const { audio, video } = devices.sending();
  session?.announce(audio, video);
  void session?.useLocal();
  const held = session && loadPlace();
  if (held) holdPlace(held);
}, options.processing);
const pickers = new Pickers(devices);
const form = new JoinForm(options, (name, where) => void join(name, where));
const people = new People(
  (id, change) => directing.moderate(id, change),
  (ready) => session?.ready(ready),
);
const directing: Directing = new Directing(client, roomView, { room: () => room, trouble: warn, save });
const photos = new Photos(api, { room: () => room, trouble: warn, save });
const stage = new Stage({
  mute: () => void devices.setMicrophone(!(devices.on.microphone && devices.microphone)),
  camera: () => void devices.setCamera(!(devices.on.camera && devices.camera)),
  leave: () => (session ? session.leave() : changeState("closed", null)),
  snapshot,
  trouble: warn,
  pictured: () => directing.pictured(),
});

const player = new Player(element("mix", HTMLVideoElement));
const delivery: DeliveryPanel = new DeliveryPanel(() => view.changed());
const view = new ViewReport(
  () => ({ height: player.height, hidden: player.hidden, save_data: player.saveData, rendition: delivery.wish }),
  (report) => session?.view(report),
);
player.listen(() => view.changed());

let noticeTimer: ReturnType<typeof setTimeout> | undefined;

/** Says something at the top of the page; `lasting` until the next join, else for a few seconds. */
function warn(text: string, lasting = false): void {
  clearTimeout(noticeTimer);
  say(notice, text);
  if (!lasting) noticeTimer = setTimeout(() => say(notice, null), NOTICE_MS);
}

function renderSwitches(): void {
  const has = (kind: "camera" | "microphone") =>
    devices[kind] !== null || (devices.lists[kind].length > 0 && devices.choice[kind] !== NONE);
  stage.switches({
    microphone: { has: has("microphone"), on: devices.sending().audio },
    camera: { has: has("camera"), on: devices.sending().video },
  });
}

function showState(state: ConnectionState): void {
  stateText.textContent = state;
  statePill.dataset.state = state;
  stage.connection(state);
}

function showView(inRoom: boolean): void {
  form.view.hidden = inRoom;
  roomView.hidden = !inRoom;
  barRoom.hidden = copyLink.hidden = !inRoom;
  (inRoom ? roomDevices : joinDevices).append(pickers.block);
  roomName.textContent = room ?? "";
  roomTitle.textContent = `Room ${room ?? ""}`;
  document.title = inRoom ? `${room} - Virfie` : "Virfie";
}

async function join(name: string, where: string): Promise<void> {
  if (room !== null) return;
  room = where;
  const mine = (turn += 1);
  say(notice, null);
  history.replaceState(null, "", roomAddress(new URL(location.href), where, name, new URL(document.baseURI).pathname));
  showState("connecting");
  showView(true);
  directing.clear();
  people.reset([], "");
  await Promise.race([devicesOpen, new Promise((resolve) => setTimeout(resolve, DEVICES_MS))]);
  if (mine !== turn) return;

  const place = loadPlace();
  const { audio, video } = devices.sending();
  const receive = receivable(RTCRtpReceiver.getCapabilities("video")?.codecs, options.receive);
  session = new Session(
    {
      name,
      resume: place?.room === where && place.name === name ? place.resume : null,
      receive,
      send: sendable(RTCRtpSender.getCapabilities("video")?.codecs, options.send),
      url: sessionUrl(document.baseURI, where, token),
      makeSender: (iceServers, handlers) => (sender = new Sender(iceServers, () => devices.local(), handlers)),
      makeReceiver: (iceServers, handlers) => (receiver = new Receiver(iceServers, receive, handlers)),
      whyRefused,
    },
    {
      state: changeState,
      welcome: (message) => enter(message, name),
      event: roomEvent,
      stream: (stream) => void stage.play(stream),
      receiving: () => view.start(),
      delivery: (message) => delivery.show(message),
    },
  );
  session.announce(audio, video);
  session.start();
}

/** Only a lack of permission is final; a room that is not there yet is made by joining it. */
async function whyRefused(): Promise<string | null> {
  const { status, text } = await api.probe(room ?? "");
  return status === 401 || status === 403 ? text : null;
}

function enter(message: Welcome, name: string): void {
  holdPlace({ room: room ?? "", name, resume: message.resume });
  const directs = message.participant.role !== "participant";
  people.reset(message.room.participants, message.participant.id, directs);
  stage.warn(ownWords(people.own));
  directing.enter(message.room, directs);
  void photos.enter();
}

/** Remembers the place, together with the switches, for a reload of this tab. */
function holdPlace(held: Place): void {
  savePlace({ ...held, microphoneOff: !devices.on.microphone, cameraOff: !devices.on.camera });
}

function roomEvent(event: RoomEvent): void {
  people.event(event);
  stage.warn(ownWords(people.own));
  photos.event(event);
  directing.event(event, people.now);
}

function changeState(state: ConnectionState, why: string | null): void {
  showState(state);
  sample = null;
  stage.tell("");
  if (state !== "connected") view.stop();
  if (state !== "closed") return;
  savePlace(null);
  turn += 1;
  session = null;
  sender = receiver = null;
  room = null;
  delivery.show(null);
  photos.clear();
  stage.clear();
  showView(false);
  form.focus();
  if (why) warn(why, true);
}

async function snapshot(): Promise<void> {
  save(await api.snapshot(room ?? ""), "png");
}

/** Hands a file to the person at this page. */
function save(file: Blob, ending: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `virfie-${room}-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function stats(): Promise<Sample | null> {
  if (!sender || !receiver) return null;
  const [received, sent] = await Promise.all([entries(receiver.pc), entries(sender.pc)]);
  return condense(received, sent, performance.now());
}

async function entries(pc: RTCPeerConnection): Promise<Iterable<Record<string, unknown>>> {
  return ((await pc.getStats()) as unknown as Map<string, Record<string, unknown>>).values();
}

async function tick(): Promise<void> {
  if (session?.state !== "connected" || document.hidden) return;
  const now = await stats();
  if (!now || session?.state !== "connected") return;
  stage.tell(readout(now, sample));
  sample = now;
}

/** Drops are the picture's own only while it is looked at. */
async function countDropped(): Promise<void> {
  if (session?.state !== "connected" || player.hidden) return;
  const now = await stats();
  if (now && session?.state === "connected") view.count(now.framesDecoded, now.framesDropped);
}

copyLink.addEventListener("click", () => {
  const link = new URL(`r/${encodeURIComponent(room ?? "")}`, document.baseURI).href;
  const shown = () => warn(`The link to this room: ${link}`);
  // Only a secure page may write to the clipboard.
  if (!navigator.clipboard) return shown();
  navigator.clipboard.writeText(link).then(() => {
    copyLink.textContent = "Copied";
    setTimeout(() => (copyLink.textContent = "Copy link"), 1_500);
  }, shown);
});
window.addEventListener("online", () => session?.hurry());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) session?.hurry();
});
setInterval(() => void tick(), READOUT_MS);
setInterval(() => void countDropped(), DROPPED_MS);

declare global {
  interface Window {
    /** For debugging and tests, not an interface to build on: the room, the connections and their numbers. */
    virfie: {
      /** The room's name, `null` outside of one. */
      readonly room: string | null;
      state(): ConnectionState;
      /** The receiving connection. */
      pc(): RTCPeerConnection | null;
      /** The sending connection. */
      sender(): RTCPeerConnection | null;
      /** The newest word on what is received. */
      delivery(): Delivery | null;
      stats(): Promise<Sample | null>;
    };
  }
}
window.virfie = {
  get room() {
    return room;
  },
  state: () => session?.state ?? (stateText.textContent as ConnectionState),
  pc: () => receiver?.pc ?? null,
  sender: () => sender?.pc ?? null,
  delivery: () => delivery.now,
  stats,
};

const place = loadPlace();
const reloaded =
  place !== null && (options.room ?? place.room) === place.room && (options.name ?? place.name) === place.name;
if (reloaded) {
  form.fill(place.name, place.room);
  devices.on = { microphone: !place.microphoneOff, camera: !place.cameraOff };
}
renderSwitches();
const devicesOpen = devices.open().then(() => pickers.ready());
if (reloaded || options.join) form.submit(true);
else form.focus();
