// A server whose workers begin late, whose streams live for two seconds, and whose event log may be lost.
import assert from "node:assert/strict";
import { piecesOf, scenarios } from "./page.mjs";
import { URL_OF_SERVER, said, until } from "./support.mjs";
import { useStream as useLegacyStream } from "@langchain/langgraph-sdk/react";
import { useStream } from "@langchain/react";

// It takes three seconds, so one stream is not enough, and the second, a second or two later, is.
const LONG = `at length, ${"and on ".repeat(12)}to the end`;
const REPLY = `You said: ${LONG}`;

async function opened({ open }, useHook, more = {}) {
  const page = open(useHook, { reconnectOnMount: true, ...more });
  await page.until((it) => !it.isThreadLoading);
  return page;
}

async function isToldOverStreams(world, useHook) {
  const page = await opened(world, useHook);
  page.hook.submit(said(LONG));
  await page.until((it) => it.texts[1] === REPLY && !it.isLoading);
  assert.ok(piecesOf(page, 1, REPLY) > 20);
  await world.isAsKept(page);
}

async function isFoundBeforeItBegins(world, useHook) {
  let isCreated = false;
  const left = await opened(world, useHook, { onCreated: () => (isCreated = true) });
  left.hook.submit(said("hi"));
  await until(() => isCreated, () => "a run");
  left.close();
  const again = await opened(world, useHook);
  await again.until((it) => it.texts.at(-1) === "You said: hi" && !it.isLoading);
  await world.isAsKept(again);
}

async function lose(thread) {
  const answer = await fetch(`${URL_OF_SERVER}/lose/${thread}`, { method: "POST" });
  assert.equal(answer.status, 200);
}

scenarios("a server that is not steady", {
  "the client reads a run over two streams, with nothing lost and nothing twice": async ({ client, thread }) => {
    const heard = [];
    const run = client.runs.stream(thread, "support", { input: said(LONG), streamMode: ["messages-tuple", "values"] });
    for await (const event of run) heard.push(event);
    const tokens = heard.filter((one) => one.event === "messages").map((one) => one.data[0].content);
    assert.equal(tokens.join(""), REPLY);
    assert.equal(heard.filter((one) => one.event === "reconnect").length, 1);
    assert.equal(heard.at(-1).event, "end");
  },

  "the hook of the SDK tells a turn that outlives its stream": (world) => isToldOverStreams(world, useLegacyStream),
  "the hook of @langchain/react tells a turn that outlives its stream": (world) => isToldOverStreams(world, useStream),

  "the hook of the SDK finds a run that nobody has begun": (world) => isFoundBeforeItBegins(world, useLegacyStream),
  "the hook of @langchain/react finds a run that nobody has begun": (world) => isFoundBeforeItBegins(world, useStream),

  "a page whose server loses the event log in mid-run shows the whole reply at its end": async (world) => {
    const page = await opened(world, useStream);
    page.hook.submit(said(LONG));
    await page.until((it) => it.texts[1]?.includes("and on"));
    await lose(world.thread);
    await page.until((it) => it.texts[1] === REPLY && !it.isLoading);
    await world.isAsKept(page);
  },

  "a page that is opened after the event log was lost follows the run to its whole reply": async (world) => {
    const heard = world.client.runs.stream(world.thread, "support", { input: said(LONG), streamMode: "messages-tuple" });
    for await (const { event } of heard) if (event === "messages") break;
    await lose(world.thread);
    const page = await opened(world, useStream);
    await page.until((it) => it.isLoading);
    await page.until((it) => it.texts[1] === REPLY && !it.isLoading);
    await world.isAsKept(page);
  },
});
