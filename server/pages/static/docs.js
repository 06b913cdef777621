// Signing in, and trying calls: what a caller would send, sent from here, shown as it came back.

const root = new URL(document.body.dataset.root, location.href);
const KEPT = "weir.session";
const byId = (id) => document.getElementById(id);

// --- who calls -------------------------------------------------------------------------

function session() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

function keep(found) {
  if (found) sessionStorage.setItem(KEPT, JSON.stringify(found));
  else sessionStorage.removeItem(KEPT);
  show();
}

function show() {
  const { app, token, whom } = session();
  const words = token ? `${app} · ${whom}` : "Sign in to try calls";
  byId("who").textContent = words;
  byId("session").classList.toggle("in", Boolean(token));
  byId("sign-out").hidden = !token;
  for (const line of document.querySelectorAll("[data-whom]")) {
    line.textContent = token
      ? `In ${app}, with the token of ${whom}.`
      : "As nobody yet: sign in at the top of the page.";
  }
  for (const input of document.querySelectorAll("#session input[name=app]")) {
    if (app && !input.value) input.value = app;
  }
}

function sayOfSession(words, bad = false) {
  const line = byId("session-said");
  line.textContent = words;
  line.classList.toggle("bad", bad);
}

async function signIn(event) {
  event.preventDefault();
  const form = new FormData(event.target);
  const asUser = event.submitter?.value === "user";
  const app = form.get("app").trim();
  const [id, secret] = [form.get("id"), form.get("secret")];
  const body = asUser
    ? { grant_type: "password", username: id, password: secret }
    : { grant_type: "client_credentials", client_id: id, client_secret: secret };
  const button = event.submitter ?? event.target.querySelector("button");
  button.disabled = true;
  sayOfSession("Signing in…");
  try {
    const response = await fetch(new URL(`${path(app)}/token`, root), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const told = await response.json();
    if (!response.ok) throw new Error(told.error_description ?? `${response.status}`);
    keep({ app, token: told.access_token, whom: asUser ? `user ${id}` : "the app" });
    event.target.reset();
    sayOfSession("Signed in.");
  } catch (error) {
    sayOfSession(`Not signed in: ${error.message}`, true);
  } finally {
    button.disabled = false;
  }
}

const path = (app) => app.split("/").map(encodeURIComponent).join("/");

byId("sign-in").addEventListener("submit", signIn);
byId("paste").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  keep({ app: form.get("app").trim(), token: form.get("token").trim(), whom: "the token you brought" });
  event.target.reset();
  sayOfSession("The token is used from now on.");
});
byId("sign-out").addEventListener("click", () => {
  keep(null);
  sayOfSession("Forgotten.");
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !byId("session").open) return;
  byId("session").open = false;
  byId("session").querySelector("summary").focus();
});
document.addEventListener("click", (event) => {
  if (!byId("session").contains(event.target)) byId("session").open = false;
});

// --- a call ----------------------------------------------------------------------------

function call(form) {
  const { app, token } = session();
  const [org, name] = (app ?? "demo/chat").split("/");
  const given = { org, app: name };
  const query = new URLSearchParams();
  const headers = {};
  for (const [key, value] of new FormData(form)) {
    if (typeof value !== "string" || !key.includes(":")) continue;
    const [kind, field] = [key.slice(0, key.indexOf(":")), key.slice(key.indexOf(":") + 1)];
    if (kind === "path") given[field] = value;
    else if (value && kind === "query") query.append(field, value);
    else if (value && kind === "header") headers[field] = value;
  }
  const filled = form.dataset.path.replace(/\{(\w+)\}/g, (_, field) => encodeURIComponent(given[field] ?? ""));
  const url = new URL(filled.slice(1), root);
  url.search = query.toString();
  if (token && "token" in form.dataset) headers.Authorization = `Bearer ${token}`;
  let body;
  const media = form.dataset.media;
  if (media === "multipart/form-data") {
    body = new FormData();
    body.append("file", form.elements.file.files[0] ?? new Blob());
  } else if (media) {
    headers["Content-Type"] = media;
    body = form.elements.body.value;
  }
  return { url, method: form.dataset.method, headers, body };
}

async function send(event) {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  const said = form.querySelector(".said");
  const answer = form.querySelector(".answer");
  button.disabled = true;
  said.textContent = "Sending…";
  const { url, ...options } = call(form);
  const began = performance.now();
  try {
    const response = await fetch(url, options);
    const content = await response.blob();
    said.textContent = `${Math.round(performance.now() - began)} ms`;
    answer.replaceChildren(...(await parts(response, content)));
  } catch {
    said.textContent = "";
    answer.replaceChildren(make("p", "line", "The server did not answer. Is it running?"));
  } finally {
    answer.hidden = false;
    button.disabled = false;
  }
}

function make(tag, kind, text = "") {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.textContent = text;
  return made;
}

async function parts(response, content) {
  const line = make("p", "line");
  const status = make("span", `status s${String(response.status)[0]}`, String(response.status));
  line.append(status, ` ${response.statusText}`);
  const shown = [line, left(response.headers), fields(response.headers)];
  const media = response.headers.get("Content-Type") ?? "";
  if (media.includes("json") || media.startsWith("text/")) {
    const pre = make("pre");
    pre.tabIndex = 0;
    pre.append(make("code", "", tidy(await content.text(), media)));
    return [...shown, pre];
  }
  const save = make("a", "", `Save ${content.size.toLocaleString("en")} bytes of ${media || "no type"}`);
  save.href = URL.createObjectURL(content);
  save.download = "content";
  const saving = make("p");
  saving.append(save);
  return [...shown, saving];
}

function tidy(text, media) {
  if (!media.includes("json")) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

// `"users.calls";r=9;t=1` in words
function left(headers) {
  const list = make("ul", "left");
  for (const each of (headers.get("RateLimit") ?? "").matchAll(/"([^"]+)";r=(\d+);t=(\d+)/g)) {
    const [, rule, remaining, seconds] = each;
    const item = make("li");
    item.append(make("code", "", rule), ` ${remaining} left, more in ${seconds} s`);
    list.append(item);
  }
  return list;
}

function fields(headers) {
  const list = make("dl");
  for (const [name, value] of headers) {
    list.append(make("dt", "", name), make("dd", "", value));
  }
  return list;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

async function copy(event) {
  const form = event.target.closest("form");
  const { url, method, headers, body } = call(form);
  const words = ["curl", "-s", "-X", method, quoted(url.href)];
  for (const [name, value] of Object.entries(headers)) words.push("-H", quoted(`${name}: ${value}`));
  if (body instanceof FormData) words.push("-F", "file=@FILE");
  else if (body !== undefined) words.push("-d", quoted(body));
  const said = form.querySelector(".said");
  try {
    await navigator.clipboard.writeText(words.join(" "));
    said.textContent = "Copied, token and all.";
  } catch {
    const pre = make("pre");
    pre.tabIndex = 0;
    pre.append(make("code", "", words.join(" ")));
    form.querySelector(".answer").replaceChildren(pre);
    form.querySelector(".answer").hidden = false;
    said.textContent = "";
  }
}

for (const form of document.querySelectorAll("form.try")) {
  form.addEventListener("submit", send);
  form.querySelector("[data-curl]").addEventListener("click", copy);
}

// --- the page --------------------------------------------------------------------------

function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
  }
}

for (const origin of document.querySelectorAll(".origin")) origin.textContent = root.href.replace(/\/$/, "");
const wide = matchMedia("(min-width: 48.01rem)");
const fold = () => { byId("side-list").open = wide.matches; };
wide.addEventListener("change", fold);
addEventListener("hashchange", openTarget);
addEventListener("storage", show);
fold();
show();
openTarget();
