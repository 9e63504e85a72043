// `Client` of @langchain/langgraph-sdk.
import assert from "node:assert/strict";
import { test } from "node:test";
import { agent, clientOf, customer, headers, kept, said, texts, until } from "./support.mjs";

const client = clientOf(await customer());
const MODES = { streamMode: ["messages-tuple", "values"] };

async function all(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

async function thread() {
  return (await client.threads.create()).thread_id;
}

test("a run is streamed as messages in pieces and as values", async () => {
  const created = [];
  const events = await all(
    client.runs.stream(await thread(), "support", {
      input: said("hi there"),
      ...MODES,
      onRunCreated: (run) => created.push(run),
    }),
  );
  const tokens = events.filter((one) => one.event === "messages").map((one) => one.data[0].content);
  assert.deepEqual(tokens.slice(0, 7), ["You", " ", "said:", " ", "hi", " ", "there"]);
  const values = events.filter((one) => one.event === "values").map((one) => one.data);
  assert.deepEqual(texts(values.at(-1).messages), ["hi there", "You said: hi there"]);
  assert.equal(events[0].event, "metadata");
  assert.equal(created[0].run_id, events[0].data.run_id);
  assert.equal(events.at(-1).event, "end");
});

test("a run is waited for and joined", async () => {
  const id = await thread();
  const waited = await client.runs.wait(id, "support", { input: said("one") });
  assert.deepEqual(texts(waited.messages), ["one", "You said: one"]);
  const run = await client.runs.create(id, "support", { input: said("slowly two") });
  const joined = await client.runs.join(id, run.run_id);
  assert.deepEqual(texts(joined.messages).slice(2), ["slowly two", "You said: slowly two"]);
  assert.deepEqual(
    (await client.runs.list(id)).map((one) => one.status),
    ["success", "success"],
  );
});

test("a failed run tells our sentence and not its cause", async () => {
  const events = await all(client.runs.stream(await thread(), "support", { input: said("fail"), ...MODES }));
  const failure = events.find((one) => one.event === "error").data;
  assert.match(failure.message, /^Something went wrong on our side/);
  await assert.rejects(client.runs.wait(await thread(), "support", { input: said("fail") }), /went wrong on our side/);
});

test("from any event of a stream the rest is read, with nothing lost and nothing twice", async () => {
  const id = await thread();
  const run = await client.runs.create(id, "support", { input: said("at length, this is told word by word") });
  const read = (lastEventId) => client.runs.joinStream(id, run.run_id, { ...MODES, lastEventId });
  const heard = [];
  for await (const event of read("-1")) {
    heard.push(event);
    if (heard.length === 6) break;
  }
  heard.push(...(await all(read(heard.at(-1).id))));
  const whole = await all(read("-1"));
  assert.ok(whole.length > 15);
  assert.deepEqual(heard, whole);
  for (const [place, event] of whole.slice(0, -1).entries()) {
    if (event.id === whole[place + 1].id) continue;
    assert.deepEqual(await all(read(event.id)), whole.slice(place + 1));
  }
});

test("a run is cancelled, and its thread goes on with the next", async () => {
  const id = await thread();
  const run = await client.runs.create(id, "support", { input: said("slowly now") });
  await client.runs.cancel(id, run.run_id, true);
  assert.equal((await client.runs.get(id, run.run_id)).status, "interrupted");
  const next = await client.runs.wait(id, "support", { input: said("and now?") });
  assert.equal(texts(next.messages).at(-1), "You said: and now?");
});

test("an interrupt is seen and resumed", async () => {
  const id = await thread();
  const values = await client.runs.wait(id, "support", { input: said("person please") });
  assert.equal(values.__interrupt__.length, 1);
  assert.equal(values.__interrupt__[0].value, null);
  const state = await client.threads.getState(id);
  assert.deepEqual(state.next, ["wait_for_person"]);
  assert.equal(state.tasks[0].interrupts[0].id, values.__interrupt__[0].id);
  assert.equal((await client.threads.get(id)).status, "interrupted");
  const after = await client.runs.wait(id, "support", { command: { resume: "are you there?" } });
  assert.deepEqual(texts(after.messages), ["person please", "are you there?"]);
});

test("state and history tell the steps", async () => {
  const id = await thread();
  await client.runs.wait(id, "support", { input: said("one") });
  await client.runs.wait(id, "support", { input: said("two") });
  const state = await client.threads.getState(id);
  assert.deepEqual(state.next, []);
  const history = await client.threads.getHistory(id, { limit: 20 });
  assert.deepEqual(history[0].values, state.values);
  assert.deepEqual(history[0].parent_checkpoint, history[1].checkpoint);
  const past = history.find((one) => one.values.messages?.length === 2);
  const then = await client.threads.getState(id, past.checkpoint);
  assert.deepEqual(texts(then.values.messages), ["one", "You said: one"]);
  const found = await client.threads.search({ metadata: { graph_id: "support" }, limit: 100 });
  assert.ok(found.some((one) => one.thread_id === id));
});

test("a second turn waits for the first", async () => {
  const id = await thread();
  const first = await client.runs.create(id, "support", { input: said("slowly one") });
  const events = await all(
    client.runs.stream(id, "support", { input: said("two"), multitaskStrategy: "enqueue", ...MODES }),
  );
  assert.equal((await client.runs.get(id, first.run_id)).status, "success");
  const expected = ["slowly one", "You said: slowly one", "two", "You said: two"];
  assert.deepEqual(texts(events.filter((one) => one.event === "values").at(-1).data.messages), expected);
  await client.runs.create(id, "support", { input: said("slowly three") });
  await assert.rejects(
    client.runs.create(id, "support", { input: said("four"), multitaskStrategy: "reject" }),
    (error) => error.status === 409,
  );
});

test("who has no session, or another's, gets nothing", async () => {
  const id = await thread();
  await client.runs.wait(id, "support", { input: said("mine") });
  const refused = (status) => (error) => error.status === status;
  for (const [other, status] of [
    [clientOf({}), 401],
    [clientOf(headers("made-up")), 401],
    [clientOf(await customer()), 404],
  ]) {
    await assert.rejects(other.threads.getState(id), refused(status));
    await assert.rejects(other.threads.getHistory(id), refused(status));
    await assert.rejects(all(other.runs.stream(id, "support", { input: said("hi"), ...MODES })), refused(status));
  }
  await assert.rejects(client.threads.updateState(id, { values: { stage: "paid" } }), refused(403));
  await assert.rejects(all(client.runs.stream(id, "support", { input: said("hi"), streamMode: "debug" })), refused(403));
  assert.deepEqual(texts(await kept(client, id)), ["mine", "You said: mine"]);
});

test("staff see what an interrupt says", async () => {
  const id = await thread();
  await client.runs.wait(id, "support", { input: said("person please") });
  const state = await clientOf(await agent()).threads.getState(id);
  assert.equal(state.tasks[0].interrupts[0].value.packet, "for staff alone");
});
