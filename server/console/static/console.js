// Makes live what a page shows, and sends the trial without leaving it. Each page is whole without.

const EVERY_MS = 2000;
const PATIENCE_MS = 10000;
const pulse = document.getElementById("pulse");
const where = document.body.dataset.live;

function say(words, link) {
  if (pulse.textContent === words) return;
  pulse.textContent = words;
  if (link) {
    pulse.append(" ", Object.assign(document.createElement("a"), { href: location.href, textContent: link }));
  }
  pulse.hidden = words === "";
}

function put(parts) {
  for (const [id, html] of Object.entries(parts)) {
    const place = document.getElementById(id);
    // Not under a reader's fingers: what is focused or selected stays as it is.
    if (!place || place.dataset.shown === html || place.contains(document.activeElement)) continue;
    place.innerHTML = html; // from our own server, which has escaped it
    place.dataset.shown = html;
  }
}

async function look() {
  let answer;
  try {
    answer = await fetch(where, { signal: AbortSignal.timeout(PATIENCE_MS), credentials: "same-origin" });
  } catch {
    say("Not live: the server does not answer. Trying again.");
    return true;
  }
  if (answer.status === 401) {
    say("Your session is over.", "Sign in again");
    dispatchEvent(new Event("session-over"));
    return false;
  }
  if (answer.status === 404) {
    say("This is gone.", "Open the page again");
    return false;
  }
  if (!answer.ok) {
    say(`Not live: the server answers ${answer.status}. Trying again.`);
    return true;
  }
  put((await answer.json()).parts);
  say("");
  return true;
}

async function stayLive() {
  for (;;) {
    await new Promise((done) => setTimeout(done, EVERY_MS));
    if (document.hidden) {
      await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
    }
    if (!(await look())) return;
  }
}

// A form that says where: its answer's part of that id takes the place of ours.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.swap) return;
  event.preventDefault();
  const button = form.querySelector("button");
  const place = document.getElementById(form.dataset.swap);
  button.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById(form.dataset.swap) ?? page.querySelector("main");
    place.replaceChildren(...document.importNode(found, true).childNodes);
  } catch {
    place.textContent = "The server did not answer. Is it running?";
  }
  button.disabled = false;
});

// The rule that the address names is opened.
function open() {
  const rule = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (rule instanceof HTMLDetailsElement) rule.open = true;
}
addEventListener("hashchange", open);
open();

if (where) stayLive();
