// Shows users' live streams beside the trial. Read with fetch: unlike EventSource it says why it was refused.

const MOST = 4; // a browser opens six connections to a server, and the page needs some
const KEPT = 200; // events of a stream
const SILENCE_MS = 45000; // a heartbeat comes every 15 s
const LONGEST_WAIT_MS = 15000;
const KICKED = {
  disconnected: "the user was disconnected",
  replaced: "this device connected anew",
  user_deactivated: "the user was deactivated",
  user_deleted: "the user was deleted",
  password_changed: "the password was changed",
};
const form = document.getElementById("receiver");
const places = document.getElementById("streams");
const full = document.getElementById("receiver-full");

class Refused extends Error {}
class Ended extends Error {}

/** An answer that may be had another time: the server is away, or is asked too much. */
const mayPass = (status) => status >= 500 || status === 429;

async function wordsOf(answer) {
  if (answer.status === 401 && answer.url.includes("/console/")) return "Your session is over. Open the page again.";
  const told = await answer.json().catch(() => ({}));
  return told.words ?? `${answer.status}: ${told.error_description ?? "no reason given"}`;
}

class Stream {
  constructor(user) {
    this.user = user;
    this.device = `console_${crypto.getRandomValues(new Uint32Array(2)).join("_")}`;
    this.last = "";
    this.place = document.getElementById("stream").content.cloneNode(true).firstElementChild;
    this.part = (which) => this.place.querySelector(which);
    this.part("h4").textContent = user;
    this.place.setAttribute("aria-label", `Stream of ${user}`);
    this.part(".told").setAttribute("aria-label", `What ${user} receives`);
    this.part("[data-do=switch]").addEventListener("click", () => (this.stop ? this.end("Disconnected by you.") : this.connect()));
    this.part("[data-do=remove]").addEventListener("click", () => {
      this.end("");
      this.place.remove();
      form.elements.user.focus();
    });
    places.append(this.place);
  }

  say(state, words) {
    this.place.dataset.state = state;
    this.part(".state").textContent = words;
    this.part("[data-do=switch]").textContent = this.stop ? "Disconnect" : "Connect again";
  }

  end(words, state = "ended") {
    this.stop?.abort();
    this.stop = null;
    this.say(state, words);
  }

  async connect() {
    const stop = (this.stop = new AbortController());
    let wait = 1000;
    for (;;) {
      this.say("connecting", "Connecting…");
      this.wasLive = false;
      try {
        await this.receive(stop.signal);
      } catch (error) {
        if (stop.signal.aborted) return;
        if (error instanceof Refused) return this.end(`Refused. ${error.message}`, "refused");
        if (error instanceof Ended) return this.end(`Ended: ${error.message}.`);
      }
      if (stop.signal.aborted) return;
      if (this.wasLive) wait = 1000;
      this.say("connecting", `Cut off. Connecting again in ${wait / 1000} s…`);
      await new Promise((done) => setTimeout(done, wait));
      if (stop.signal.aborted) return;
      wait = Math.min(2 * wait, LONGEST_WAIT_MS);
    }
  }

  /** Until it ends; throws what says that it is for good. */
  async receive(stopped) {
    const silence = new AbortController();
    const signal = AbortSignal.any([stopped, silence.signal]);
    let timer;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
    };
    heard();
    try {
      const answer = await this.open(signal);
      this.wasLive = this.isKnown = true;
      this.say("live", "Live");
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        heard();
        const events = (text + value).split("\n\n");
        text = events.pop();
        for (const event of events) this.take(event);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** The stream's answer, by a ticket that is asked anew each time. */
  async open(signal) {
    const body = new URLSearchParams(new FormData(form));
    body.set("user", this.user);
    const asked = await this.taken(await fetch(form.action, { method: "POST", body, signal, credentials: "same-origin" }));
    const { path } = await asked.json();
    const headers = this.last ? { "Last-Event-ID": this.last } : {};
    return this.taken(await fetch(`${form.dataset.server}${path}&resource=${this.device}`, { signal, headers, credentials: "omit" }));
  }

  async taken(answer) {
    if (answer.ok) return answer;
    const words = await wordsOf(answer);
    throw this.isKnown && mayPass(answer.status) ? new Error(words) : new Refused(words);
  }

  take(text) {
    const lines = text.split("\n").map((line) => /^(\w+): (.*)$/.exec(line)).filter(Boolean);
    const { id, event, data } = Object.fromEntries(lines.map(([, name, value]) => [name, value]));
    if (!event) return; // a heartbeat, or how long to wait
    const told = JSON.parse(data);
    if (event === "kicked") throw new Ended(KICKED[told.reason] ?? told.reason);
    this.last = id ?? this.last;
    this.show(event, told);
  }

  show(event, told) {
    const log = this.part(".told");
    const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
    const item = document.createElement("li");
    const make = (tag, words, name = "") => item.appendChild(Object.assign(document.createElement(tag), { textContent: words, className: name }));
    make("time", new Date(Number(told.timestamp) || Date.now()).toLocaleTimeString([], { hour12: false }));
    make("b", event);
    if (event === "message") {
      make("span", ` from ${told.from}${told.chat_type === "chat" ? "" : ` in ${told.to}`}`, "who");
      for (const each of told.payload.bodies) make("span", each.msg ?? `(${each.type})`, "text");
    }
    const all = make("details", "");
    all.append(Object.assign(document.createElement("summary"), { textContent: "All of it" }));
    all.append(Object.assign(document.createElement("pre"), { textContent: JSON.stringify(told, null, 2), tabIndex: 0 }));
    this.part(".empty").hidden = true;
    const list = this.part("ol");
    list.append(item);
    while (list.children.length > KEPT) list.firstElementChild.remove();
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  }
}

const streams = new Set();
form.hidden = false;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const user = form.elements.user.value.trim();
  for (const each of streams) if (!each.place.isConnected) streams.delete(each);
  full.textContent = streams.size < MOST ? "" : `${MOST} streams are shown. Remove one first.`;
  if (!user || streams.size >= MOST) return;
  const stream = new Stream(user);
  streams.add(stream);
  stream.connect();
  form.elements.user.value = "";
});
addEventListener("session-over", () => {
  for (const each of streams) if (each.stop) each.end("Ended: your session is over.");
});
