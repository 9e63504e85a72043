// `useStream` of @langchain/react: one stream for all runs of a thread.
import assert from "node:assert/strict";
import { LONG, REPLY, isOpenedAgain, piecesOf, scenarios } from "./page.mjs";
import { agent, customer, kept, said, texts } from "./support.mjs";
import { useStream } from "@langchain/react";

async function opened({ open }, more) {
  const page = open(useStream, more);
  await page.until(() => true);
  await page.hook.hydrationPromise;
  return page;
}

async function isLeftAndOpenedAgain(world, isTimeToLeave) {
  const left = await opened(world);
  await isOpenedAgain(world, left, opened, () => isTimeToLeave(left));
}

scenarios("the hook of @langchain/react", {
  "a whole turn comes in pieces": async (world) => {
    const page = await opened(world);
    page.hook.submit(said(LONG));
    await page.until((it) => it.isLoading);
    await page.until((it) => !it.isLoading);
    assert.ok(piecesOf(page, 1, REPLY) > 10);
    await world.isAsKept(page);
    assert.equal(page.now().cards[1][0].type, "receipt");
  },

  "a thread is made for the first turn, and its name told": async (world) => {
    const told = [];
    const page = await opened(world, { threadId: null, onThreadId: (id) => told.push(id) });
    await page.hook.submit(said("hi"));
    await page.until((it) => it.texts.at(-1) === "You said: hi" && !it.isLoading);
    assert.deepEqual(texts(await kept(world.client, told[0])), ["hi", "You said: hi"]);
  },

  "two turns are told on one page": async (world) => {
    const page = await opened(world);
    for (const text of ["one", LONG]) {
      await page.hook.submit(said(text));
      await page.until((it) => it.texts.at(-1) === `You said: ${text}` && !it.isLoading);
    }
    assert.deepEqual(page.now().texts, ["one", "You said: one", LONG, REPLY]);
    assert.ok(piecesOf(page, 3, REPLY) > 10);
    await world.isAsKept(page);
  },

  "a page that was left before the first word and opened again shows what is kept": (world) =>
    isLeftAndOpenedAgain(world, async () => (await world.client.runs.list(world.thread)).length === 1),

  "a page that was left in mid-sentence and opened again shows what is kept": (world) =>
    isLeftAndOpenedAgain(world, (page) => page.now().texts[1]?.includes("this is")),

  "a page that is opened in the second turn keeps the first as it was": async (world) => {
    await world.client.runs.wait(world.thread, "support", { input: said("one") });
    await world.client.runs.create(world.thread, "support", { input: said(LONG) });
    const page = await opened(world);
    await page.until((it) => it.texts.length === 4 && !it.isLoading);
    piecesOf(page, 1, "You said: one");
    piecesOf(page, 3, REPLY);
    assert.ok(page.shown.every((it, at) => it.texts.length >= (page.shown[at - 1]?.texts.length ?? 0)));
    await world.isAsKept(page);
  },

  "a page that is opened again after a run goes on with the next": async (world) => {
    const first = await opened(world);
    await first.hook.submit(said("one"));
    await first.until((it) => it.texts.length === 2 && !it.isLoading);
    first.close();
    const again = await opened(world);
    await again.until((it) => it.texts.length === 2);
    await again.hook.submit(said(LONG));
    assert.equal(again.now().texts.at(-1), REPLY, "the end of an earlier run was taken for that of this one");
    piecesOf(again, 3, REPLY);
    await world.isAsKept(again);
  },

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
    await page.hook.submit(said("and now?"));
    await page.until((it) => it.texts.includes("You said: and now?") && !it.isLoading);
    const again = await opened(world);
    await again.until((it) => it.texts.length === 3);
    await world.isAsKept(again);
  },

  "an error is shown in our words": async (world) => {
    const page = await opened(world);
    page.hook.submit(said("fail"));
    const shown = await page.until((it) => it.error && !it.isLoading);
    assert.match(shown.error.message, /^Something went wrong on our side/);
    await page.hook.submit(said("hello again"));
    await page.until((it) => it.texts.at(-1) === "You said: hello again" && !it.isLoading);
    await world.isAsKept(page);
  },

  "what a command refuses is told in a sentence": async (world) => {
    const page = await opened(world);
    await page.hook.submit(said(" "));
    const shown = await page.until((it) => it.error && !it.isLoading);
    assert.match(shown.error.message, /Please type a message/);
  },

  "an interrupt is shown and answered, on the page and on one that is opened later": async (world) => {
    const page = await opened(world);
    page.hook.submit(said("person please"));
    const first = await page.until((it) => it.interrupts.length === 1 && !it.isLoading);
    await page.hook.respond("are you there?");
    await page.until((it) => it.texts.at(-1) === "are you there?" && it.interrupts.length === 1 && !it.isLoading);
    assert.notEqual(page.now().interrupts[0].id, first.interrupts[0].id);
    const again = await opened(world);
    const [asked] = (await again.until((it) => it.interrupts.length === 1)).interrupts;
    await again.hook.respond("hello?", { interruptId: asked.id });
    await again.until((it) => it.texts.at(-1) === "hello?" && !it.isLoading);
  },

  "staff see what an interrupt says": async (world) => {
    await world.client.runs.wait(world.thread, "support", { input: said("person please") });
    const page = await opened(world, { defaultHeaders: await agent() });
    const shown = await page.until((it) => it.interrupts.length === 1);
    assert.equal(shown.interrupts[0].value.packet, "for staff alone");
  },

  "a second turn waits for the first": async (world) => {
    const page = await opened(world);
    page.hook.submit(said(LONG));
    await page.until((it) => it.texts.length === 2);
    await page.hook.submit(said("two"));
    await page.until((it) => it.texts.at(-1) === "You said: two" && !it.isLoading);
    assert.deepEqual(page.now().texts, [LONG, REPLY, "two", "You said: two"]);
    await world.isAsKept(page);
  },

  "what another page asks is shown here": async (world) => {
    const [here, there] = [await opened(world), await opened(world)];
    await here.hook.submit(said("one"));
    await there.hook.submit(said("two"));
    await here.until((it) => it.texts.at(-1) === "You said: two" && !it.isLoading);
    await world.isAsKept(here);
  },

  "a thread of somebody else shows nothing": async (world) => {
    await world.client.runs.wait(world.thread, "support", { input: said("mine") });
    const page = await opened(world, { defaultHeaders: await customer() });
    await page.hook.submit(said("yours?"));
    const shown = await page.until((it) => it.error && !it.isLoading);
    assert.match(shown.error.message, /404/);
    assert.ok(page.shown.every((it) => !it.texts.includes("mine")));
    assert.deepEqual(texts(await kept(world.client, world.thread)), ["mine", "You said: mine"]);
  },
});
