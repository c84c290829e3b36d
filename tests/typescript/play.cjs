// Plays scenarios with the official TypeScript SDKs: node play.cjs FOLDER CLIENT URL,URL [NAME ...]
// FOLDER holds node_modules; a URL is a provider's or a proxy's, or PROVIDER#PROXY: then the clients are made for the
// provider, and the package in the folder TEST_PACKAGE sends them through the proxy. For each scenario one line of JSON:
// its name, and what its caller sees at each address. The names are those of tests/scenarios_*.py, which have the provider's replies.
"use strict";
const { createRequire } = require("node:module");
const [folder, client, urls, ...names] = process.argv.slice(2);
const load = createRequire(`${folder}/package.json`);
const { Anthropic, toFile } = load("@anthropic-ai/sdk");
const { OpenAI } = load("openai");
const { withHeadroom } = process.env.TEST_PACKAGE ? require(process.env.TEST_PACKAGE) : {};

const HEADER = "x-scenario";
const NOT_COMPARED = new Set(["date", "server", "connection", "keep-alive", "transfer-encoding"]);
const LOG =
  Array.from({ length: 900 }, (_, i) => `2026-01-01T00:00:${String(i % 60).padStart(2, "0")}Z INFO worker ${i} took batch ${i * 37}\n`).join("") +
  "2026-01-01T00:15:00Z ERROR worker 31: no space left on device\n";
const SCHEMA = { type: "object", properties: { command: { type: "string" } }, required: ["command"] };
const HI = [{ role: "user", content: "hi \u00fc \u{1f600}" }];
const ASK = { model: "claude-opus-4-8", max_tokens: 64, messages: HI };
const TOOLS = [{ name: "Bash", description: "runs", input_schema: SCHEMA }];
const CHAT = { model: "gpt-5.5", messages: HI };
const FUNCTION = { name: "shell", description: "runs", parameters: SCHEMA };
const CHAT_TOOLS = [{ type: "function", function: FUNCTION }];
const RESPOND = { model: "gpt-5.5", input: "hi \u00fc" };
const RESPOND_TOOLS = [{ type: "function", strict: false, ...FUNCTION }];

async function all(iterable) {
  const seen = [];
  for await (const value of await iterable) seen.push(value);
  return seen;
}

async function helper(stream) {
  const seen = [];
  for await (const event of stream) seen.push(event);
  const final = stream.finalMessage ?? stream.finalChatCompletion ?? stream.finalResponse;
  return [seen, await final.call(stream)];
}

const heads = (headers) =>
  [...headers].filter(([name]) => !NOT_COMPARED.has(name) && !name.startsWith("x-headroom-")).sort();


async function conversation(claude, streaming, results, more = {}) {
  const ask = { ...ASK, ...more, tools: TOOLS };
  const say = (messages) =>
    streaming ? claude.messages.stream({ ...ask, messages }).finalMessage() : claude.messages.create({ ...ask, messages });
  const first = await say(HI);
  const calls = first.content.filter((block) => block.type === "tool_use");
  const told = calls.map((block, index) => ({ type: "tool_result", tool_use_id: block.id, content: results[index] }));
  const second = await say([...HI, { role: "assistant", content: first.content }, { role: "user", content: told }]);
  return [first, second];
}

const SCENARIOS = {
  claude_text: ({ claude }) => claude().messages.create(ASK),
  claude_text_of_a_megabyte: ({ claude }) => claude().messages.create(ASK),
  claude_stream_of_events: ({ claude }) => all(claude().messages.create({ ...ASK, stream: true })),
  claude_stream_helper: ({ claude }) => helper(claude().messages.stream(ASK)),
  claude_calls: ({ claude }) => claude().messages.create({ ...ASK, tools: TOOLS }),
  claude_calls_streamed: ({ claude }) => helper(claude().messages.stream({ ...ASK, tools: TOOLS })),
  claude_call_without_arguments_streamed: ({ claude }) =>
    all(claude().messages.create({ ...ASK, tools: TOOLS, stream: true })),
  claude_results: ({ claude }) => conversation(claude(), false, [LOG, [{ type: "text", text: LOG }]]),
  claude_results_behind_signed_thinking_streamed: ({ claude }) =>
    conversation(claude(), true, [LOG, "no such file"], { thinking: { type: "adaptive" } }),
  claude_thinking_streamed: ({ claude }) => helper(claude().messages.stream({ ...ASK, thinking: { type: "adaptive" } })),
  claude_members_and_events_of_tomorrow: async ({ claude }) => [
    await claude().messages.create(ASK),
    await all(claude().messages.create({ ...ASK, stream: true })),
  ],
  claude_reasons_to_stop: async ({ claude }) => {
    const seen = [];
    for (let index = 0; index < 5; index += 1) seen.push(await claude().messages.create(ASK));
    return seen;
  },
  claude_status_400: ({ claude }) => claude().messages.create(ASK),
  claude_status_401: ({ claude }) => claude().messages.create(ASK),
  claude_status_404: ({ claude }) => claude().messages.create(ASK),
  claude_status_413: ({ claude }) => claude().messages.create(ASK),
  claude_status_429: ({ claude }) => claude().messages.create(ASK),
  claude_status_500: ({ claude }) => claude().messages.create(ASK),
  claude_status_529: ({ claude }) => claude().messages.create(ASK),
  claude_error_within_a_stream: async ({ claude }) => {
    const seen = [];
    try {
      for await (const event of await claude().messages.create({ ...ASK, stream: true })) seen.push(event);
    } catch (error) {
      seen.push(failure(error));
    }
    return seen;
  },
  claude_retries_of_the_sdk: ({ claude }) => claude({ maxRetries: 2 }).messages.stream(ASK).finalMessage(),
  claude_timeout: ({ claude }) => claude({ timeout: 400 }).messages.create(ASK),
  claude_cancel: async ({ claude }) => {
    const seen = [];
    const stream = claude().messages.stream(ASK);
    for await (const event of stream) {
      // The SDK goes on writing into the message and the block that an event holds: how far it got is chance.
      seen.push([event.type, event.delta]);
      if (seen.length === 5) break;
    }
    return seen;
  },
  claude_answers_that_are_compressed: async ({ claude }) => [
    await claude().messages.create(ASK),
    await all(claude().messages.create({ ...ASK, stream: true })),
  ],
  claude_count_tokens: ({ claude }) => claude().messages.countTokens({ model: ASK.model, messages: HI }),
  claude_batches: async ({ claude }) => {
    const { batches } = claude().messages;
    const made = await batches.create({ requests: [{ custom_id: "a", params: ASK }] });
    return [made, await batches.retrieve(made.id), await batches.cancel(made.id), await all(batches.results(made.id))];
  },
  claude_models: async ({ claude }) => [await all(claude().models.list()), await claude().models.retrieve("fake-1")],
  claude_raw_response: async ({ claude }) => {
    const { data, response } = await claude().messages.create(ASK).withResponse();
    return [response.status, heads(response.headers), data];
  },
  claude_beta: ({ claude }) => helper(claude().beta.messages.stream({ ...ASK, betas: ["interleaved-thinking-2025-05-14"] })),
  chat_text: ({ gpt }) => gpt().chat.completions.create(CHAT),
  chat_stream_with_usage: ({ gpt }) =>
    all(gpt().chat.completions.create({ ...CHAT, stream: true, stream_options: { include_usage: true } })),
  chat_stream_helper: ({ gpt }) => helper(gpt().chat.completions.stream(CHAT)),
  chat_two_choices: ({ gpt }) => gpt().chat.completions.create({ ...CHAT, n: 2 }),
  chat_calls: ({ gpt }) => gpt().chat.completions.create({ ...CHAT, tools: CHAT_TOOLS }),
  chat_calls_streamed_in_turn: ({ gpt }) =>
    all(gpt().chat.completions.create({ ...CHAT, tools: CHAT_TOOLS, stream: true })),
  chat_results: async ({ gpt }) => {
    const made = gpt().chat.completions;
    const first = await made.create({ ...CHAT, tools: CHAT_TOOLS });
    const { message } = first.choices[0];
    const told = message.tool_calls.map((call) => ({ role: "tool", tool_call_id: call.id, content: LOG }));
    return [first, await made.create({ ...CHAT, tools: CHAT_TOOLS, messages: [...HI, message, ...told] })];
  },
  chat_refusal: ({ gpt }) => all(gpt().chat.completions.create({ ...CHAT, stream: true })),
  gpt_status_400: ({ gpt }) => gpt().chat.completions.create(CHAT),
  gpt_status_401: ({ gpt }) => gpt().responses.create(RESPOND),
  gpt_status_404: ({ gpt }) => gpt().chat.completions.create(CHAT),
  gpt_status_413: ({ gpt }) => gpt().responses.create(RESPOND),
  gpt_status_429: ({ gpt }) => gpt().responses.create(RESPOND),
  gpt_status_500: ({ gpt }) => gpt().chat.completions.create(CHAT),
  gpt_status_503: ({ gpt }) => gpt().responses.create(RESPOND),
  gpt_retries_of_the_sdk: ({ gpt }) => gpt({ maxRetries: 2 }).chat.completions.create(CHAT),
  gpt_timeout: ({ gpt }) => gpt({ timeout: 400 }).responses.create(RESPOND),
  responses_text: ({ gpt }) => gpt().responses.create(RESPOND),
  responses_that_go_on: async ({ gpt }) => {
    const first = await gpt().responses.create(RESPOND);
    return [first, await gpt().responses.create({ ...RESPOND, previous_response_id: first.id })];
  },
  responses_stream: ({ gpt }) => all(gpt().responses.create({ ...RESPOND, stream: true })),
  responses_stream_helper: ({ gpt }) => helper(gpt().responses.stream(RESPOND)),
  responses_calls_streamed: ({ gpt }) => helper(gpt().responses.stream({ ...RESPOND, tools: RESPOND_TOOLS })),
  responses_results_streamed: async ({ gpt }) => {
    const made = gpt().responses;
    const more = { model: "gpt-5.5", tools: RESPOND_TOOLS, include: ["reasoning.encrypted_content"], store: false };
    const items = [{ type: "message", role: "user", content: [{ type: "input_text", text: "why?" }] }];
    const first = await made.stream({ ...more, input: items }).finalResponse();
    const kept = first.output.map(({ parsed_arguments: _, ...item }) => item);
    const told = kept
      .filter((item) => item.type === "function_call")
      .map((item) => ({ type: "function_call_output", call_id: item.call_id, output: LOG }));
    return [first, await made.stream({ ...more, input: [...items, ...kept, ...told] }).finalResponse()];
  },
  gpt_embeddings: ({ gpt }) => gpt().embeddings.create({ model: "e", input: ["a", "bc"], encoding_format: "float" }),
  gpt_moderations: ({ gpt }) => gpt().moderations.create({ input: ["x"] }),
  gpt_models: async ({ gpt }) => [await all(gpt().models.list()), await gpt().models.retrieve("ft:gpt:org::id")],
  gpt_files: async ({ gpt }) => {
    const { files } = gpt();
    const made = await files.create({ file: await toFile(Buffer.from(LOG), "lines.jsonl"), purpose: "batch" });
    const content = Buffer.from(await (await files.content(made.id)).arrayBuffer());
    return [made, await all(files.list()), content.toString("hex"), await files.delete(made.id)];
  },
  gpt_batches: async ({ gpt }) => {
    const { batches } = gpt();
    const ask = { input_file_id: "file-1", endpoint: "/v1/chat/completions", completion_window: "24h" };
    const made = await batches.create(ask);
    return [made, await batches.retrieve(made.id), await batches.cancel(made.id)];
  },
  gpt_raw_response: async ({ gpt }) => {
    const { data, response } = await gpt().chat.completions.create(CHAT).withResponse();
    return [response.status, heads(response.headers), data];
  },
};

function failure(error) {
  const { status, error: body, requestID, request_id: number, type, code, headers } = error;
  const above = [];
  for (let kind = Object.getPrototypeOf(error); kind; kind = Object.getPrototypeOf(kind)) above.push(kind.constructor.name);
  return { above, said: error.message, status, body, requestID, number, type, code, headers: headers && heads(headers) };
}

async function play(name, address) {
  const [url, proxy] = address.split("#");
  const made = (client) =>
    proxy ? withHeadroom(client, { baseUrl: proxy, hosts: [new URL(url).host], strict: true }) : client;
  const more = (given) => ({ maxRetries: 0, defaultHeaders: { [HEADER]: `${name}.${client}` }, ...given });
  const clients = {
    claude: (given) => made(new Anthropic({ baseURL: url, apiKey: "sk-ant-test", ...more(given) })),
    gpt: (given) => made(new OpenAI({ baseURL: `${url}/v1`, apiKey: "sk-test", ...more(given) })),
  };
  try {
    return await SCENARIOS[name](clients);
  } catch (error) {
    return { raised: failure(error) };
  }
}

async function main() {
  for (const name of names.length ? names : Object.keys(SCENARIOS)) {
    const seen = [name];
    for (const url of urls.split(",")) {
      const told = JSON.stringify(await play(name, url));
      seen.push(JSON.parse(url.split("#").reduce((text, part) => text.replaceAll(part, "URL"), told)));
    }
    console.log(JSON.stringify(seen));
  }
}

main();
