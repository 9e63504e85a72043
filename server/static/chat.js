// The chat page: one session, one conversation, and the thread's own stream for whatever comes without being asked.

import { card, citations } from "/static/cards.js";

const $ = (id) => document.getElementById(id);
const kept = window.sessionStorage;
const said = new Map(); // message id -> its element
const watched = new Set(); // cards of actions that have not ended: each asks how its action stands
let token = kept.getItem("token");
let thread = kept.getItem("thread");
let listening = null;
let live = null;

async function start() {
  const info = await (await fetch("/info")).json();
  $("demo").hidden = !info.counterfoil?.demo;
  if (!token) await newSession();
  if (thread) await resume();
  $("message").focus();
}

async function newSession() {
  const answer = await fetch("/sessions", { method: "POST" });
  token = (await answer.json()).token;
  kept.setItem("token", token);
}

async function resume() {
  const answer = await call("GET", `/threads/${thread}/messages`);
  if (!answer.ok) return forget();
  for (const message of await answer.json()) show(message);
  listen();
}

function forget() {
  listening?.abort();
  thread = null;
  kept.removeItem("thread");
  said.clear();
  watched.clear();
  status("");
  $("log").replaceChildren();
}

function call(method, path, body, signal, headers = {}) {
  const sent = { Authorization: `Bearer ${token}`, "Content-Type": "application/json", ...headers };
  return fetch(path, { method, headers: sent, body: body && JSON.stringify(body), signal });
}

async function send(text) {
  if (!text.trim()) return;
  busy(true);
  line("customer", "You", text).scrollIntoView({ block: "nearest" });
  try {
    const answer = await call("POST", "/chat", { message: text, ...(thread ? { thread_id: thread } : {}) });
    if (answer.status === 401) {
      forget();
      await newSession();
      return notice("Your session had ended, so a new conversation was begun. Please send your message again.");
    }
    if (!answer.ok) return notice((await answer.json()).detail);
    for await (const event of events(answer)) onChat(event);
  } catch {
    notice("The connection was lost. Your message may have been received; the answer appears here when it is back.");
    listen();
  } finally {
    settle();
    busy(false);
    if (thread) refresh();
  }
}

function onChat({ event, data }) {
  if (event === "metadata") {
    settle(); // said again after a restart: what came so far comes once more
    if (thread !== data.thread_id) {
      thread = data.thread_id;
      kept.setItem("thread", thread);
      listen();
    }
  }
  if (event === "status") status(data.text);
  if (event === "token") stream(data.text);
  if (event === "message") {
    settle();
    show(data);
  }
  if (event === "error") notice(data.message);
}

// Replies that nobody asked for: a person's words, the outcome of a case.
async function listen() {
  listening?.abort();
  listening = new AbortController();
  const { signal } = listening;
  let last = "";
  while (!signal.aborted) {
    try {
      const answer = await call("GET", `/threads/${thread}/stream`, null, signal, last ? { "Last-Event-ID": last } : {});
      if (!answer.ok) return;
      for await (const { event, data, id } of events(answer)) {
        last = id || last;
        if (event === "gap" || event === "end") await refresh();
      }
    } catch {
      if (signal.aborted) return;
    }
    await new Promise((done) => setTimeout(done, 2000));
  }
}

async function refresh() {
  if ($("send").disabled) return;
  const answer = await call("GET", `/threads/${thread}/messages`);
  if (answer.ok) for (const message of await answer.json()) if (message.role !== "customer") show(message);
  await Promise.all([...watched].map(look));
}

async function look(update) {
  if (await update()) watched.delete(update);
}

// What cards may ask for. Each answer is for one card, named by its digest.
const door = {
  async watch(update) {
    watched.add(update);
    await look(update);
    $("log").lastElementChild?.scrollIntoView({ block: "end" }); // the buttons are there only now
  },

  async lookUp(action) {
    const answer = await call("GET", `/actions/${action}`);
    return answer.ok ? answer.json() : null;
  },

  // Resolves to a sentence when it was refused. The reply itself comes in the conversation.
  async press(action, digest, confirm) {
    line("customer", "You", confirm ? "Yes, do it." : "No, thank you.").scrollIntoView({ block: "nearest" });
    const answer = await call("POST", `/actions/${action}/confirmation`, { digest, confirm });
    const body = await answer.json();
    if (!answer.ok) return body.detail;
    status("Taking care of it");
    await call("GET", `/threads/${body.thread_id}/runs/${body.run_id}/join`);
    status("");
    await refresh();
  },

  async takeBack(action, digest) {
    const answer = await call("POST", `/actions/${action}/withdrawal`, { digest });
    return answer.ok ? undefined : (await answer.json()).detail;
  },

  async openLink(action) {
    return (await call("POST", `/actions/${action}/link`)).json();
  },

  async receipt(number) {
    const answer = await call("GET", `/receipts/${encodeURIComponent(number)}`);
    return answer.ok ? answer.json() : null;
  },
};

async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(
        block.split(/\r?\n/).filter((row) => row && !row.startsWith(":")).map((row) => {
          const at = row.indexOf(":");
          return [row.slice(0, at), row.slice(at + 1).trimStart()];
        }),
      );
      if (fields.event) yield { event: fields.event, id: fields.id, data: JSON.parse(fields.data || "null") };
    }
  }
}

function show(message) {
  if (message.id && said.has(message.id)) return;
  status("");
  const element = line(message.role, message.role === "customer" ? "You" : message.author, message.text);
  for (const one of message.cards) element.append(card(one, door));
  if (message.citations.length) element.append(citations(message.citations));
  if (message.id) said.set(message.id, element);
  element.scrollIntoView({ block: "end" }); // its buttons are at the end
}

// Words as they come. Hidden from assistive technology, which hears the whole message once.
function stream(text) {
  if (!live) {
    live = line("assistant", "Assistant", "");
    live.setAttribute("aria-hidden", "true");
  }
  live.querySelector(".text").append(text);
  live.scrollIntoView({ block: "nearest" });
}

function settle() {
  live?.remove();
  live = null;
}

function line(role, author, text) {
  const element = document.createElement("article");
  const name = document.createElement("span");
  const words = document.createElement("span");
  element.className = `line ${role}`;
  name.className = "author";
  name.textContent = author;
  words.className = "text";
  words.textContent = text;
  element.append(name, words);
  $("log").append(element);
  return element;
}

function notice(text) {
  status("");
  line("failed", "Notice", text).scrollIntoView({ block: "nearest" });
}

function status(text) {
  $("status").textContent = text;
  if (text) $("status").scrollIntoView({ block: "nearest" });
}

// The last status stays until there is something newer: it may be the place in the queue.
function busy(on) {
  $("send").disabled = on;
  if (on) status("");
  else $("message").focus();
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("message").value;
  if ($("send").disabled) return;
  const address = text.match(/\S+@\S+\.\w+/)?.[0];
  if (address) $("inbox").href = `/demo/inbox?email=${encodeURIComponent(address)}`;
  $("message").value = "";
  send(text);
});
$("message").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("form").requestSubmit();
  }
});
$("person").addEventListener("click", async () => {
  if (!thread) return send("I would like to talk to a person, please.");
  const answer = await call("POST", "/escalate", { thread_id: thread, reason: "asked by the button" });
  if (!answer.ok) notice((await answer.json()).detail);
});
$("fresh").addEventListener("click", forget);

start();
