// The official SDKs, two majors of each, wrapped: against a provider that answers with what came to it.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OlderAnthropic from "anthropic-older";
import OpenAI from "openai";
import NewestOpenAI from "openai-newest";
import OlderOpenAI from "openai-older";
import { withHeadroom } from "headroom-client";
import { unusedPort, chat, claude, COMMAND, FOLD, LOG, PROVIDER, PROXY, responses, STORE } from "./inputs.mjs";

const MADE = { command: COMMAND, store: STORE };
const ANTHROPICS = { newest: Anthropic, older: OlderAnthropic };
const OPENAIS = { installed: OpenAI, newest: NewestOpenAI, older: OlderOpenAI };
const KEY = { apiKey: "sk-canary", maxRetries: 0 };

/** What reached the provider, as it says itself in its answer. */
const came = (text) => JSON.parse(text);
const keyIn = (headers) => headers["x-api-key"] ?? headers["authorization"]?.replace("Bearer ", "");
const spoken = (message) => came(message.content.map((block) => block.text ?? "").join(""));

for (const [name, Made] of Object.entries(ANTHROPICS)) {
  test(`Anthropic ${name}: through the proxy, streams and helpers too`, async () => {
    const told = [];
    const client = withHeadroom(new Made(KEY), {
      baseUrl: PROXY,
      level: "safe",
      onRequest: (outcome) => told.push(outcome),
    });
    assert.equal(client.baseURL, "https://api.anthropic.com");
    const first = spoken(await client.messages.create(claude("", FOLD)));
    assert.equal(first.path, "/v1/messages");
    assert.ok(first.body.length < JSON.stringify(claude("", FOLD)).length);
    assert.equal(keyIn(first.headers), "sk-canary");
    const copy = client.withOptions({ timeout: 30_000 });
    assert.deepEqual(spoken(await copy.messages.stream(claude("", FOLD)).finalMessage()).body.length > 0, true);
    let text = "";
    for await (const event of await client.messages.create({ ...claude("", FOLD), stream: true })) {
      if (event.type === "content_block_delta") text += event.delta.text;
    }
    assert.ok(came(text).body.length < JSON.stringify(claude("", FOLD)).length);
    assert.ok(
      (await client.messages.countTokens({ model: "claude-opus-4-8", messages: claude("", FOLD).messages }))
        .input_tokens > 0,
    );
    assert.deepEqual(
      told.map((outcome) => [outcome.sent, outcome.reason]),
      Array(4).fill(["proxy", ""]),
    );
  });

  test(`Anthropic ${name}: what was left out is fetched within the turn`, async () => {
    const client = withHeadroom(new Made({ ...KEY, defaultHeaders: { "x-fetch": name } }), { baseUrl: PROXY });
    const tools = [{ name: "Bash", description: "runs", input_schema: { type: "object", properties: {} } }];
    const { messages, ...rest } = claude(`${name} `);
    await client.messages.create({ ...rest, tools, messages: messages.slice(0, 1) });
    const last = await client.messages.stream({ ...rest, tools, messages }).finalMessage();
    assert.ok(spoken(last).body.includes("took batch 18463"), "the model read a line that had been left out");
    assert.ok(!last.content.some((block) => block.type === "tool_use"));
  });

  test(`Anthropic ${name}: shortened here, for the provider that the client names`, async () => {
    const told = [];
    const client = withHeadroom(new Made({ ...KEY, baseURL: PROVIDER }), {
      ...MADE,
      onRequest: (outcome) => told.push(outcome),
    });
    const seen = spoken(await client.withOptions({ maxRetries: 1 }).messages.create(claude("", FOLD)));
    const sent = JSON.parse(seen.body);
    assert.ok(seen.body.length < JSON.stringify(claude("", FOLD)).length);
    assert.equal(Number(seen.headers["content-length"]), Buffer.byteLength(seen.body));
    assert.ok(!seen.body.includes("<<headroom:"), "no marker where nobody can redeem it");
    assert.deepEqual(sent.messages.slice(0, 2), claude().messages.slice(0, 2));
    assert.equal(told.length, 1);
    assert.ok(told[0].sent === "direct" && told[0].tokensAfter < told[0].tokensBefore && told[0].reason === "");
  });
}

for (const [name, Made] of Object.entries(OPENAIS)) {
  test(`OpenAI ${name}: through the proxy, streams and helpers too`, async () => {
    const client = withHeadroom(new Made(KEY), { baseUrl: `${PROXY}/v1` });
    const made = came((await client.chat.completions.create(chat(FOLD))).choices[0].message.content);
    assert.equal(made.path, "/v1/chat/completions");
    assert.equal(made.headers["authorization"], "Bearer sk-canary");
    assert.ok(made.body.length < JSON.stringify(chat(FOLD)).length);
    let text = "";
    for await (const chunk of await client.chat.completions.create({ ...chat(FOLD), stream: true })) {
      text += chunk.choices[0]?.delta?.content ?? "";
    }
    assert.ok(came(text).body.length < JSON.stringify(chat(FOLD)).length);
    const answer = came((await client.responses.create(responses(FOLD))).output_text);
    assert.ok(answer.body.length < JSON.stringify(responses(FOLD)).length);
    assert.ok((await client.models.list()).data.length > 0);
  });

  test(`OpenAI ${name}: shortened here, both APIs`, async () => {
    const client = withHeadroom(new Made({ ...KEY, baseURL: `${PROVIDER}/v1` }), { ...MADE, redeem: "shell" });
    const made = came((await client.chat.completions.create(chat())).choices[0].message.content);
    assert.ok(made.body.includes("<<headroom:") && made.body.length < JSON.stringify(chat()).length / 2);
    assert.equal(Number(made.headers["content-length"]), Buffer.byteLength(made.body));
    const answer = came((await client.responses.create(responses())).output_text);
    assert.ok(answer.body.includes("<<headroom:") && answer.body.length < JSON.stringify(responses()).length / 2);
  });
}

test("what is for another host gets there with its key, and the proxy sees the messages alone", async () => {
  const asked = [];
  const spy = createServer((request, response) => {
    asked.push({ url: request.url, key: keyIn(request.headers) });
    const chunks = [];
    request.on("data", (data) => chunks.push(data));
    request.on("end", async () => {
      const to = request.method === "GET" ? {} : { method: "POST", body: Buffer.concat(chunks) };
      const reply = await fetch(PROXY + request.url, { ...to, headers: { "content-type": "application/json" } });
      response
        .writeHead(reply.status, { "content-type": "application/json" })
        .end(Buffer.from(await reply.arrayBuffer()));
    });
  });
  await new Promise((resolve) => spy.listen(0, "127.0.0.1", resolve));
  try {
    const baseUrl = `http://127.0.0.1:${spy.address().port}`;
    const client = withHeadroom(new Anthropic({ ...KEY, baseURL: PROVIDER }), { baseUrl });
    const seen = spoken(await client.messages.create(claude("", FOLD)));
    assert.equal(keyIn(seen.headers), "sk-canary");
    assert.ok(seen.body.length < JSON.stringify(claude("", FOLD)).length);
    assert.deepEqual(asked, [{ url: "/v1/compress", key: undefined }]);
    withHeadroom(client, { baseUrl, hosts: [new URL(PROVIDER).host] });
    await client.messages.countTokens({ model: "claude-opus-4-8", messages: claude().messages }).catch(() => undefined);
    assert.deepEqual(asked.slice(1), [
      { url: "/readyz", key: undefined },
      { url: "/v1/messages/count_tokens", key: "sk-canary" },
    ]);
  } finally {
    spy.closeAllConnections?.();
    spy.close();
  }
});

test("a dispatcher for the way to the provider is not taken for the way to the proxy", async () => {
  const inits = [];
  const own = async (url, init) => (inits.push([String(url), init]), fetch(url, { ...init, dispatcher: undefined }));
  const client = withHeadroom(new Anthropic({ ...KEY, fetch: own, fetchOptions: { dispatcher: {} } }), {
    baseUrl: PROXY,
  });
  await client.messages.create(claude());
  assert.equal(inits.length, 1);
  assert.ok(inits[0][0].startsWith(PROXY) && !("dispatcher" in inits[0][1]));
});

test("a proxy that is not there, or is none, is passed by, and never shown a key", async () => {
  const seen = [];
  const other = createServer((request, response) => (seen.push(request.headers), response.end("hello")));
  await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
  const gone = await unusedPort();
  try {
    for (const baseUrl of [`http://127.0.0.1:${gone}`, `http://127.0.0.1:${other.address().port}`]) {
      const told = [];
      const options = { baseUrl, hosts: [new URL(PROVIDER).host], onRequest: (outcome) => told.push(outcome) };
      const client = withHeadroom(new Anthropic({ ...KEY, baseURL: PROVIDER }), options);
      for (let i = 0; i < 2; i++)
        assert.equal(spoken(await client.messages.create(claude())).body, JSON.stringify(claude()));
      assert.ok(told.every((outcome) => outcome.sent === "direct" && outcome.reason));
      withHeadroom(client, { ...options, strict: true });
      await assert.rejects(client.messages.create(claude()), (error) => error.cause?.name === "HeadroomError");
    }
    assert.ok(seen.length > 0 && seen.every((headers) => !keyIn(headers)));
  } finally {
    other.close();
  }
});

test("a proxy that comes back is used again, and one that goes is passed by at once", async () => {
  const port = await unusedPort();
  const told = [];
  const options = { baseUrl: `http://127.0.0.1:${port}`, hosts: [new URL(PROVIDER).host] };
  const client = withHeadroom(new Anthropic({ ...KEY, maxRetries: 2, baseURL: PROVIDER }), {
    ...options,
    onRequest: (outcome) => told.push(outcome.sent),
  });
  const now = Date.now;
  const server = createServer(async (request, response) => {
    if (request.url === "/readyz") return response.end('{"v":1,"ready":true,"reasons":[]}');
    response.setHeader("content-type", "application/json").end('{"input_tokens":7}');
  });
  const count = () => client.messages.countTokens({ model: "claude-opus-4-8", messages: claude().messages });
  try {
    await count();
    await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
    await count();
    Date.now = () => now() + 6_000;
    assert.equal((await count()).input_tokens, 7);
    server.closeAllConnections?.();
    await new Promise((resolve) => server.close(resolve));
    await count(); // on a connection that was kept for it; then the SDK's own second try finds nobody there
    assert.deepEqual(told, ["direct", "direct", "proxy", "direct"]);
  } finally {
    Date.now = now;
    server.close();
  }
});

test("a command that is missing, slow or wrong leaves a request as it is", async () => {
  for (const command of [
    ["/nonexistent/headroom"],
    [process.execPath, "-e", "setTimeout(() => 0, 60000)"],
    [process.execPath, "-e", "console.log('{}')"],
  ]) {
    const told = [];
    const client = withHeadroom(new Anthropic({ ...KEY, baseURL: PROVIDER }), {
      command,
      timeout: 300,
      onRequest: (outcome) => told.push(outcome),
    });
    assert.equal(spoken(await client.messages.create(claude())).body, JSON.stringify(claude()));
    assert.ok(told[0].reason);
  }
});

test("a request without results of tools goes as it is, and that is no failure", async () => {
  const told = [];
  const options = { ...MADE, strict: true, onRequest: (outcome) => told.push(outcome.reason) };
  const claudes = withHeadroom(new Anthropic({ ...KEY, baseURL: PROVIDER }), options);
  const asked = { model: "claude-opus-4-8", max_tokens: 8, messages: [{ role: "user", content: "hi" }] };
  assert.equal(spoken(await claudes.messages.create(asked)).body, JSON.stringify(asked));
  const gpts = withHeadroom(new OpenAI({ ...KEY, baseURL: `${PROVIDER}/v1` }), options);
  const said = { model: "gpt-5.5", input: "hi" };
  assert.equal(came((await gpts.responses.create(said)).output_text).body, JSON.stringify(said));
  assert.deepEqual(told, Array(2).fill("there is nothing to gain in this request"));
});

test("what is signed, or is no conversation, goes as it is", async () => {
  const options = { command: ["/nonexistent/headroom"], strict: true };
  const signed = withHeadroom(
    new Anthropic({ ...KEY, baseURL: PROVIDER, defaultHeaders: { authorization: "AWS4-HMAC-SHA256 x" } }),
    options,
  );
  assert.equal(spoken(await signed.messages.create(claude())).body, JSON.stringify(claude()));
  const client = withHeadroom(new OpenAI({ ...KEY, baseURL: `${PROVIDER}/v1` }), options);
  assert.ok((await client.models.list()).data.length > 0);
});

test("the client given comes back, wrapped once however often, and keeps the fetch it was made with", async () => {
  let calls = 0;
  const client = new Anthropic({ ...KEY, fetch: (url, init) => (calls++, fetch(url, init)) });
  for (let i = 0; i < 3; i++) assert.equal(withHeadroom(client, { baseUrl: PROXY }), client);
  await client.messages.create(claude());
  assert.equal(calls, 1);
});

test("an aborted request ends as the SDK says, and what is no client is refused", async () => {
  const client = withHeadroom(new Anthropic({ ...KEY, baseURL: PROVIDER }), {
    command: [process.execPath, "-e", "setTimeout(() => 0, 60000)"],
  });
  const ending = new AbortController();
  setTimeout(() => ending.abort(), 100);
  await assert.rejects(client.messages.create(claude(), { signal: ending.signal }), Anthropic.APIUserAbortError);
  for (const none of [{}, { baseURL: "x" }, null, "client"]) assert.throws(() => withHeadroom(none), TypeError);
  assert.throws(() => withHeadroom(new Anthropic(KEY), { baseUrl: "http://proxy.example" }), {
    name: "HeadroomError",
    code: "refused",
  });
  assert.throws(() => withHeadroom(new Anthropic(KEY), { level: "nope" }), { name: "HeadroomError", code: "refused" });
});
