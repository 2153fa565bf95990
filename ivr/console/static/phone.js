// The telephone on the page: one WebSocket is one call. What it shows comes from the line; it decides nothing.
import { Line, frequencies } from "/static/tones.js";
import { Sound } from "/static/sound.js";
import { View } from "/static/view.js";

const CLOSED_BY_RULE = 1008;
const by = (id) => document.getElementById(id);
const view = new View();
let call = null;
let latest = ""; // the id of the call that was placed last

class PhoneCall {
  constructor() {
    this.answers = {}; // keys to press once the line asks for the field
    this.asked = null;
    this.isSensitive = false;
    this.isOver = false;
    this.sound = new Sound();
    this.sound.open().then(() => view.sound("on"), () => view.sound("no sound here: the captions say everything"));
    this.opening = this.open();
  }

  /** A page of drafts asks for a ticket first, which is the call's address and has the diagram of what will be called. */
  async open() {
    let address = "/phone";
    try {
      if (by("phone").dataset.tickets) address = await ticket();
    } catch (refused) {
      return this.closed(CLOSED_BY_RULE, refused.message);
    }
    if (this.isOver) return undefined;
    this.socket = new WebSocket(location.origin.replace("http", "ws") + address); // https becomes wss
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.dial();
    this.socket.onmessage = ({ data }) => this.hear(data);
    this.socket.onclose = ({ code, reason }) => this.closed(code, reason);
    return undefined;
  }

  dial() {
    this.tell({ do: "call", flow: by("flow").value, ani: by("ani").value.trim() });
    this.line = new Line((frame) => this.socket.readyState === WebSocket.OPEN && this.socket.send(frame));
    this.setNoise();
  }

  tell(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  hear(data) {
    if (data instanceof ArrayBuffer) return this.sound.play(new Uint8Array(data));
    const message = JSON.parse(data);
    if (message.is === "call") latest = message.id;
    view.show(message);
    if (message.is === "quiet") this.sound.stop();
    if (message.is === "step") this.isSensitive = false, this.asked = null;
    if (message.is === "asks") this.isAsked(message);
    if (message.is === "over") this.ended();
    if (message.is === "hung_up") this.line?.hangUp();
    return undefined;
  }

  isAsked({ field, sensitive }) {
    this.asked = field;
    this.isSensitive = sensitive;
    if (field === "language" && by("language").value) return this.pressAll(by("language").value);
    return this.answer();
  }

  /** One click keys a whole card: each field when the line asks for it, because keys pressed before that are dropped. */
  prepare(answers) {
    Object.assign(this.answers, answers);
    this.answer();
  }

  answer() {
    const keys = this.answers[this.asked];
    if (keys === undefined) return;
    delete this.answers[this.asked];
    this.pressAll(keys);
  }

  pressAll(keys) {
    for (const key of keys) this.press(key);
  }

  press(key) {
    if (this.isOver || !this.line) return;
    view.pressed(key, this.isSensitive ? null : frequencies(key));
    this.sound.key(key);
    if (by("as-tones").checked) this.line.press(key);
    else this.tell({ do: "key", key });
  }

  setNoise() {
    this.line?.setNoise(snr());
  }

  hangUp() {
    this.tell({ do: "hang_up" });
    this.line?.hangUp();
    if (!this.socket) this.closed(CLOSED_BY_RULE, "You hung up.");
    if (this.socket?.readyState === WebSocket.CONNECTING) this.socket.close();
  }

  ended() {
    this.isOver = true;
    view.inCall(false);
    renew();
  }

  closed(code, reason) {
    this.line?.hangUp();
    this.sound.close();
    if (!this.isOver) view.lost(code === CLOSED_BY_RULE ? reason : "The connection is gone, and with it the call. Press Call to ring again.");
    if (call === this) call = null;
    view.inCall(false);
    renew();
  }
}

async function ticket() {
  const { tickets, form } = by("phone").dataset;
  const body = new FormData(by(form));
  body.set("nonce", by(form).dataset.nonce);
  const answer = await fetch(tickets, { method: "POST", body, cache: "no-store" }).catch(() => null);
  if (!answer) throw new Error("The portal does not answer.");
  if (!answer.ok) throw new Error((await answer.text()).slice(0, 300));
  const { address, drawing } = await answer.json();
  document.querySelector("[data-flow] .drawing").innerHTML = drawing;
  return address;
}

function snr() {
  const noise = Number(by("noise").value);
  return noise === 0 ? null : 30 - noise;
}

function renew() {
  document.dispatchEvent(new Event("renew"));
  if (by("phone").dataset.tickets) return; // a draft's bills are made anew for each call
  fetch("/accounts", { cache: "no-store" }).then(async (answer) => {
    if (answer.ok) by("accounts").innerHTML = await answer.text();
  }, () => {});
}

/** As far as the call has gone. The answer is a call file, or one line that says why there is none. */
async function saveAsTest() {
  view.saving("Going through the call again ...");
  try {
    const answer = await fetch(`/calls/${latest}/test`, { cache: "no-store" });
    const words = await answer.text();
    if (!answer.ok) return view.saving(words);
    const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition"))[1];
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([words], { type: "text/plain" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    view.saving(`${name}: put it into the folder calls, and run pytest.`);
  } catch {
    view.saving("The line does not answer: is it still running?");
  }
  return undefined;
}

function start() {
  if (!by("ani").reportValidity()) return null;
  call = new PhoneCall();
  view.begin(by("flow").value);
  view.inCall(true);
  return call;
}

by("dial").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!call || call.isOver) start();
});
by("hang-up").addEventListener("click", () => call?.hangUp());
by("save")?.addEventListener("click", saveAsTest);
by("flow").addEventListener("change", () => view.drawing(by("flow").value));
by("noise").addEventListener("input", () => {
  const db = snr();
  const words = db === null ? "none" : `tones ${Math.abs(db)} dB ${db < 0 ? "under" : "over"} the noise`;
  by("noise").setAttribute("aria-valuetext", words);
  by("noise-words").textContent = words;
  call?.setNoise();
});
document.querySelector("main").addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (button?.dataset.key) call?.press(button.dataset.key);
  if (button?.dataset.answers) (call && !call.isOver ? call : start())?.prepare(JSON.parse(button.dataset.answers));
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !/^[0-9*#]$/.test(event.key)) return;
  if (event.target.closest("input:not([type=range]):not([type=radio]), select, textarea, [contenteditable]")) return;
  event.preventDefault();
  call?.press(event.key);
  view.flash(event.key);
});
addEventListener("pagehide", () => call?.hangUp());
view.drawing(by("flow").value);
view.ready();
