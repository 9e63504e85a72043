// `useStream` of @langchain/langgraph-sdk/react: one stream for each run.
import assert from "node:assert/strict";
import { LONG, REPLY, isOpenedAgain, piecesOf, scenarios } from "./page.mjs";
import { kept, said, texts } from "./support.mjs";
import { useStream } from "@langchain/langgraph-sdk/react";

async function opened({ open }, more) {
  const page = open(useStream, { reconnectOnMount: true, ...more });
  await page.until((it) => !it.isThreadLoading);
  return page;
}

async function isLeftAndOpenedAgain(world, isTimeToLeave) {
  let isCreated = false;
  const left = await opened(world, { onCreated: () => (isCreated = true) });
  await isOpenedAgain(world, left, opened, () => isCreated && isTimeToLeave(left));
}

scenarios("the hook of the SDK", {
  "a whole turn comes in pieces": async (world) => {
    const page = await opened(world);
    page.hook.submit(said(LONG));
    await page.until((it) => it.isLoading);
    await page.until((it) => !it.isLoading);
    assert.ok(piecesOf(page, 1, REPLY) > 10);
    await world.isAsKept(page);
  },

  "a thread is made for the first turn, and its name told": async (world) => {
    const told = [];
    const page = await opened(world, { threadId: null, onThreadId: (id) => told.push(id) });
    page.hook.submit(said("hi"));
    await page.until((it) => it.texts.at(-1) === "You said: hi" && !it.isLoading);
    assert.deepEqual(texts(await kept(world.client, told[0])), ["hi", "You said: hi"]);
  },

  "a page that was left before the first word and opened again shows what is kept": (world) =>
    isLeftAndOpenedAgain(world, () => true),

  "a page that was left in mid-sentence and opened again shows what is kept": (world) =>
    isLeftAndOpenedAgain(world, (page) => page.now().texts[1]?.includes("this is")),

  "a turn is stopped": async (world) => {
    const { client, thread } = world;
    const page = await opened(world);
    page.hook.submit(said("at leisure, this is told word by word"));
    await page.until((it) => it.texts.length === 2);
    await page.hook.stop();
    await page.until((it) => !it.isLoading);
    const [run] = await client.runs.list(thread);
    await client.runs.join(thread, run.run_id);
    assert.equal((await client.runs.get(thread, run.run_id)).status, "interrupted");
    page.hook.submit(said("and now?"));
    await page.until((it) => it.texts.at(-1) === "You said: and now?" && !it.isLoading);
    await world.isAsKept(page);
  },

  "an error is shown in our words": async (world) => {
    const page = await opened(world);
    page.hook.submit(said("fail"));
    const shown = await page.until((it) => it.error && !it.isLoading);
    assert.match(shown.error.message, /^Something went wrong on our side/);
    page.hook.submit(said("hello again"));
    await page.until((it) => it.texts.at(-1) === "You said: hello again" && !it.isLoading);
    await world.isAsKept(page);
  },

  "a page shows what was said before it was opened, with its history": async (world) => {
    await world.client.runs.wait(world.thread, "support", { input: said("one") });
    const page = await opened(world, { fetchStateHistory: true });
    await page.until((it) => it.texts.length === 2);
    assert.ok(page.hook.history.length > 2);
    page.hook.submit(said("two"));
    await page.until((it) => it.texts.at(-1) === "You said: two" && !it.isLoading);
    assert.deepEqual(page.now().texts, ["one", "You said: one", "two", "You said: two"]);
    await world.isAsKept(page);
  },

  "an interrupt is shown and answered": async (world) => {
    const page = await opened(world);
    page.hook.submit(said("person please"));
    await page.until((it) => it.interrupts.length === 1 && !it.isLoading);
    page.hook.submit(undefined, { command: { resume: "are you there?" } });
    await page.until((it) => it.texts.at(-1) === "are you there?" && !it.isLoading);
  },

  "who has no session is told so": async (world) => {
    const page = await opened(world, { defaultHeaders: {}, threadId: null });
    page.hook.submit(said("hi"));
    const shown = await page.until((it) => it.error && !it.isLoading);
    assert.equal(shown.error.status, 401);
  },
});
