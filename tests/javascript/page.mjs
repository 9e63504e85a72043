// A page in a browser, as far as React and the hooks need one. What is fetched goes through node.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Window } from "happy-dom";
import { URL_OF_SERVER, clientOf, customer, kept, said, texts, until } from "./support.mjs";

const browser = new Window({ url: URL_OF_SERVER });
globalThis.window = browser;
globalThis.document = browser.document;
globalThis.navigator ??= browser.navigator;

const { createElement } = await import("react");
const { createRoot } = await import("react-dom/client");

// Scenarios go side by side, a few at a time, each with a customer and a thread of its own. Pages are closed at their end.
export function scenarios(name, all) {
  describe(name, { concurrency: 4 }, () => {
    for (const [title, run] of Object.entries(all)) test(title, async (t) => run(await world(t)));
  });
}

async function world(t) {
  const defaultHeaders = await customer();
  const client = clientOf(defaultHeaders);
  const { thread_id: thread } = await client.threads.create();
  const given = { apiUrl: URL_OF_SERVER, assistantId: "support", defaultHeaders, threadId: thread };
  const open = (useHook, more = {}) => {
    const page = mount(useHook, { ...given, ...more });
    t.after(page.close);
    return page;
  };
  const isAsKept = async (page) => {
    const there = await kept(client, thread);
    const shown = page.now();
    assert.deepEqual(shown.ids, there.map((one) => one.id));
    assert.deepEqual(shown.texts, texts(there));
    assert.deepEqual(shown.cards, there.map((one) => one.additional_kwargs.cards));
    assert.deepEqual(shown.citations, there.map((one) => one.additional_kwargs.citations));
    assert.equal(shown.error, undefined);
  };
  return { client, thread, open, isAsKept };
}

// A component that uses the hook. `shown` keeps what each rendering showed.
function mount(useHook, options) {
  const shown = [];
  let hook;
  function Page() {
    hook = useHook(options);
    shown.push({
      texts: texts(hook.messages),
      ids: hook.messages.map((message) => message.id),
      cards: hook.messages.map((message) => message.additional_kwargs?.cards),
      citations: hook.messages.map((message) => message.additional_kwargs?.citations),
      isLoading: hook.isLoading,
      isThreadLoading: hook.isThreadLoading,
      error: hook.error,
      interrupts: hook.interrupts,
    });
    return null;
  }
  const root = createRoot(browser.document.createElement("div"));
  root.render(createElement(Page));
  const now = () => shown.at(-1);
  return {
    shown,
    now,
    get hook() {
      return hook;
    },
    until: async (isSo) => {
      await until(() => now() && isSo(now()), () => `${isSo}, and it shows ${JSON.stringify(now())}`);
      return now();
    },
    close: () => root.unmount(),
  };
}

export const LONG = "at length, this is told word by word";
export const REPLY = `You said: ${LONG}`;

// A page says something long and is left in time; another is `opened`, and shows all of it once.
export async function isOpenedAgain(world, left, opened, isTimeToLeave) {
  left.hook.submit(said(LONG));
  await until(isTimeToLeave, () => "the moment to leave");
  left.close();
  const again = await opened(world);
  await again.until((it) => it.isLoading);
  await again.until((it) => !it.isLoading);
  piecesOf(again, 1, REPLY);
  await world.isAsKept(again);
  assert.equal((await world.client.runs.list(world.thread)).length, 1);
}

// The pieces in which a message came: each goes on where the one before it ended.
export function piecesOf(page, place, whole) {
  const came = page.shown.map((one) => one.texts[place]).filter((text) => text !== undefined);
  came.reduce((before, text) => {
    assert.ok(text.startsWith(before), `after ${JSON.stringify(before)} came ${JSON.stringify(text)}`);
    return text;
  });
  assert.equal(came.at(-1), whole);
  return new Set(came).size;
}
