// compress and retrieve, by a proxy and by the command, and what becomes of messages when something fails.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { compress, HeadroomError, retrieve, retrieveBytes } from "headroom-client";
import {
  chat,
  claude,
  CODE,
  COMMAND,
  FOLD,
  GUARDED,
  LOG,
  NEEDLE,
  PROXY,
  responses,
  STORE,
  TOKEN,
  unusedPort,
} from "./inputs.mjs";

const WAYS = { proxy: { baseUrl: PROXY }, command: { command: COMMAND, store: STORE } };
const SLOW = [process.execPath, "-e", "setTimeout(() => 0, 60000)"];
const LISTS = { "Anthropic's": claude().messages, "Chat's": chat().messages, "Responses'": responses().input };

for (const [name, way] of Object.entries(WAYS)) {
  for (const [whose, messages] of Object.entries(LISTS)) {
    test(`${name}: ${whose} messages come back smaller, and what is missing can be had`, async () => {
      const before = JSON.stringify(messages);
      const made = await compress(messages, { model: "gpt-4o", ...way });
      assert.equal(JSON.stringify(messages), before, "what was given is not modified");
      assert.equal(made.reason, "");
      assert.ok(made.tokensAfter < made.tokensBefore / 2);
      assert.equal(made.tokensSaved, made.tokensBefore - made.tokensAfter);
      assert.equal(made.messages.length, messages.length);
      for (const index of [0, 1])
        assert.equal(made.messages[index], messages[index], "what did not change is the object given");
      const text = JSON.stringify(made.messages);
      assert.ok(text.includes(NEEDLE) && text.length < before.length / 2);
      const [handle, ...others] = made.handles;
      assert.ok(others.length === 0 && text.includes(`<<headroom:${handle} `));
      assert.equal(await retrieve(handle, way), LOG);
      assert.equal(Buffer.from(await retrieveBytes(handle, way)).toString(), LOG);
    });
  }

  test(`${name}: a part of an original can be had`, async () => {
    const { handles } = await compress(claude().messages, way);
    const [handle] = handles;
    assert.equal(await retrieve(handle, { ...way, lines: "2:3" }), LOG.split("\n").slice(1, 3).join("\n") + "\n");
    assert.equal((await retrieve(handle, { ...way, grep: "ERROR" })).trim(), NEEDLE);
    assert.ok((await retrieve(handle, { ...way, query: "space left" })).includes(NEEDLE));
    assert.ok((await retrieve(handle, { ...way, rows: "1:1" })).length > 0);
    await assert.rejects(retrieve(handle, { ...way, lines: "--x" }), { name: "HeadroomError", code: "refused" });
    await assert.rejects(retrieve(handle, { ...way, area: "0,0,1,1" }), HeadroomError);
  });

  test(`${name}: nothing is left out where that is asked`, async () => {
    const made = await compress(claude("", FOLD).messages, { ...way, lossless: true });
    assert.ok(made.tokensAfter < made.tokensBefore);
    assert.deepEqual(made.handles, []);
  });

  test(`${name}: a question keeps what it asks for`, async () => {
    const question = "why does handler_17 return refund_17?";
    const ask = (query) => compress(chat(CODE, "cat app.py").messages, { ...way, level: "balanced", query });
    const [plain, asked] = await Promise.all([ask(undefined), ask(question)]);
    assert.ok(
      !JSON.stringify(plain.messages).includes("return refund_17(") &&
        JSON.stringify(asked.messages).includes("return refund_17("),
    );
  });

  test(`${name}: a budget leaves turns out, and one that cannot be met nothing`, async () => {
    const long = Array.from({ length: 40 }, (_, i) => ({
      role: i % 2 ? "assistant" : "user",
      content: `turn ${i} ${"about the weather ".repeat(20)}`,
    }));
    const made = await compress(long, { ...way, budget: 1_500 });
    assert.ok(made.messages.length < long.length && made.tokensAfter <= 1_500 && made.tokensSaved > 0);
    const none = await compress(long, { ...way, budget: 1 });
    assert.ok(none.messages === long && /fit/.test(none.reason));
  });

  test(`${name}: what cannot be made smaller, is odd, or was never given`, async () => {
    const small = [{ role: "user", content: "hi \u00fc \u{1f600} \ud800", when: undefined }];
    const made = await compress(small, way);
    assert.equal(made.messages, small);
    assert.ok(made.reason && made.tokensSaved === 0);
    for (const odd of [[{ text: "no role" }], [{ role: "user", content: 5n }], [null], []]) {
      const kept = await compress(odd, way);
      assert.ok(kept.messages === odd && kept.reason, String(odd));
    }
    await assert.rejects(retrieve("kkkkkkkkkkkk", way), { name: "HeadroomError", code: "not_found" });
    for (const none of ["", "../../etc/passwd", "--help", "x", 5])
      await assert.rejects(retrieve(none, way), { code: "not_found" });
  });

  test(`${name}: an aborted call ends with the signal's reason, strict or not`, async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(compress(claude().messages, { ...way, signal }), /enough/);
    await assert.rejects(retrieve("kkkkkkkkkkkk", { ...way, signal }), /enough/);
  });
}

test("a call under way can be aborted, and ends by itself", async () => {
  const ending = new AbortController();
  setTimeout(() => ending.abort(new Error("enough")), 50);
  await assert.rejects(compress(claude().messages, { command: SLOW, signal: ending.signal }), /enough/);
  const made = await compress(claude().messages, { command: SLOW, timeout: 100 });
  assert.match(made.reason, /longer than 100 ms/);
  await assert.rejects(compress(claude().messages, { command: SLOW, timeout: 100, strict: true }), { code: "timeout" });
});

test("whatever fails, the messages given come back with a reason; strict throws it", async () => {
  const port = await unusedPort();
  const wrong = [
    [{ baseUrl: `http://127.0.0.1:${port}` }, "unreachable"],
    [{ baseUrl: GUARDED }, "refused"],
    [{ baseUrl: GUARDED, token: "wrong" }, "refused"],
    [{ command: "/nonexistent/headroom" }, "unreachable"],
    [{ command: [process.execPath, "-e", "process.exit(3)"] }, "failed"],
    [{ command: [process.execPath, "-e", "console.log('[]')"] }, "failed"],
    [{ command: COMMAND, level: "nope" }, "refused"],
    [{ command: COMMAND, store: "/proc/nowhere" }, "failed"],
    [{ command: COMMAND, query: "\0" }, "failed"],
    [{ timeout: -1, command: COMMAND }, "refused"],
    [{ command: [] }, "refused"],
  ];
  const { messages } = claude();
  for (const [options, code] of wrong) {
    const made = await compress(messages, options);
    assert.ok(made.messages === messages && made.reason, JSON.stringify(options));
    await assert.rejects(
      compress(messages, { ...options, strict: true }),
      { name: "HeadroomError", code },
      JSON.stringify(options),
    );
  }
  await assert.rejects(compress("messages"), TypeError);
});

test("what answers something else than messages does not take their place", async () => {
  const answers = {
    "no turns": '{"messages":[],"tokens_before":9,"tokens_after":1}',
    "turns that are none": '{"messages":[null,3,"x"]}',
    "no list": '{"messages":"abc"}',
    "no JSON": "hello",
    nothing: "",
  };
  for (const [name, text] of Object.entries(answers)) await answered((_, reply) => reply.end(text), "failed", name);
  const report = '{"v":1,"verb":"crush","tokens_before":9,"tokens_after":1}';
  for (const text of ["[]", "[null]", "{}"]) {
    const program = `process.stdin.resume().on("end", () => (console.error('${report}'), console.log('${text}')))`;
    await kept({ command: [process.execPath, "-e", program] }, "failed", text);
  }
});

test("an answer that breaks off, leads elsewhere or does not end is none", async () => {
  const spaces = Buffer.alloc(1 << 20, 32);
  const pour = (stream) => {
    const more = () => {
      while (!stream.destroyed && stream.write(spaces));
    };
    more(stream.on("drain", more));
  };
  await answered((_, reply) => pour(reply), "failed", "endless");
  const broken = (request, reply) => {
    reply.writeHead(200, { "content-length": 1_000 }).write('{"messages":');
    setTimeout(() => request.socket.destroy(), 20);
  };
  await answered(broken, "failed", "broken");
  await answered((_, reply) => reply.writeHead(307, { location: PROXY }).end(), "unreachable", "elsewhere");
  const program = `${pour}; const spaces = Buffer.alloc(1 << 20, 32); pour(process.stdout)`;
  await kept({ command: [process.execPath, "-e", `const pour = ${program}`] }, "failed", "endless command");
});

/** Messages come back as they are, with a reason; strict throws it. */
async function kept(way, code, name) {
  const { messages } = claude();
  const made = await compress(messages, { ...way, timeout: 60_000 });
  assert.ok(made.messages === messages && made.reason, name);
  await assert.rejects(compress(messages, { ...way, timeout: 60_000, strict: true }), { code }, name);
}

/** The same, where a proxy answers so. */
async function answered(answer, code, name) {
  const server = createServer(answer);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await kept({ baseUrl: `http://127.0.0.1:${server.address().port}` }, code, name);
  } finally {
    server.closeAllConnections?.();
    server.close();
  }
}

test("what the environment tells the command does not get in the way", async () => {
  const set = { HEADROOM_QUIET: "1", HEADROOM_JSON: "1", HEADROOM_VERBOSE: "1" };
  Object.assign(process.env, set);
  try {
    const made = await compress(claude().messages, { ...WAYS.command, strict: true });
    assert.ok(made.tokensSaved > 0);
  } finally {
    for (const name of Object.keys(set)) delete process.env[name];
  }
});

test("a proxy with a token is served with it", async () => {
  const way = { baseUrl: GUARDED, token: TOKEN, strict: true };
  const made = await compress(claude().messages, way);
  assert.equal(await retrieve(made.handles[0], way), LOG);
});

test("an original is given to who shows the same credential alone", async () => {
  const mine = { baseUrl: PROXY, headers: { "x-api-key": "sk-mine" } };
  const [handle] = (await compress(claude("mine ").messages, mine)).handles;
  assert.equal(await retrieve(handle, mine), LOG);
  await assert.rejects(retrieve(handle, { baseUrl: PROXY, headers: { "x-api-key": "sk-other" } }), {
    code: "not_found",
  });
});

test("only proxies on this machine are asked, unless told", async () => {
  const refused = [
    "http://proxy.example",
    "https://10.0.0.1:8787",
    "http://127.0.0.1.evil.example",
    "http://localhost.example:8787",
    "http://[::2]",
    "ftp://127.0.0.1",
    "file:///tmp/x",
    "http://user:word@127.0.0.1:8787",
    "http://127.0.0.1:8787/path",
    "127.0.0.1:8787",
    "http://0.0.0.0:8787",
  ];
  for (const baseUrl of refused) {
    await assert.rejects(compress(claude().messages, { baseUrl, strict: true }), { code: "refused" }, baseUrl);
  }
  const told = compress(claude().messages, {
    baseUrl: "http://proxy.invalid",
    allowRemote: true,
    strict: true,
    timeout: 5_000,
  });
  await assert.rejects(told, (error) => ["unreachable", "timeout"].includes(error.code));
});

test("the environment names the proxy; an option or a command counts before it", async () => {
  process.env.HEADROOM_PROXY_URL = PROXY;
  try {
    const made = await compress(claude("environment ").messages, { strict: true });
    assert.equal(await retrieve(made.handles[0]), LOG);
    const missing = await compress(claude().messages, { command: "/nonexistent/headroom" });
    assert.match(missing.reason, /no command/);
  } finally {
    delete process.env.HEADROOM_PROXY_URL;
  }
});
