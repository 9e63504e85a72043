// The conversation as customers have it, in the page of @langchain/react.
import assert from "node:assert/strict";
import { piecesOf, scenarios } from "./page.mjs";
import { said } from "./support.mjs";
import { useStream } from "@langchain/react";

scenarios("the whole conversation", {
  "replies come in pieces, with all that they hold, also after an answer from the documents": async (world) => {
    const page = world.open(useStream);
    await page.until((it) => !it.isThreadLoading);
    for (const [place, text] of ["hi", "what is your refund policy?", "i was charged twice this month"].entries()) {
      await page.hook.submit(said(text));
      await page.until((it) => it.texts.length === 2 * place + 2 && !it.isLoading);
      assert.ok(piecesOf(page, 2 * place + 1, page.now().texts.at(-1)) > 1, text);
      await world.isAsKept(page);
    }
    assert.ok(page.now().citations[3].length > 0);
  },
});
