// What all scenarios share: who asks, what they say, and waiting.
import assert from "node:assert/strict";
import { Client } from "@langchain/langgraph-sdk";

export const { COUNTERFOIL_URL: URL_OF_SERVER } = process.env;

async function post(path, body) {
  const answer = await fetch(`${URL_OF_SERVER}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

export async function customer() {
  return headers((await post("/sessions", {})).token);
}

export async function agent() {
  return headers((await post("/demo/staff", { name: "Ana" })).token);
}

export function headers(token) {
  return { Authorization: `Bearer ${token}` };
}

// Without the tries that hide what a server answered.
export function clientOf(defaultHeaders, more = {}) {
  return new Client({ apiUrl: URL_OF_SERVER, apiKey: null, defaultHeaders, callerOptions: { maxRetries: 0 }, ...more });
}

export function said(text) {
  return { messages: [{ type: "human", content: text }] };
}

// What is said is a text, or blocks of text.
export function texts(messages) {
  return messages.map(({ content }) =>
    typeof content === "string" ? content : content.map((block) => block.text).join(""),
  );
}

export async function kept(client, thread) {
  return (await client.threads.getState(thread)).values.messages;
}

export async function until(isSo, what, seconds = 10) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await isSo();
    if (found) return found;
    assert.ok(Date.now() < end, `waited ${seconds} s for: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
