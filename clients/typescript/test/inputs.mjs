// What the tests share: where everything is (from the environment), and conversations with much in them.
import { createServer } from "node:net";

export const PROXY = process.env.TEST_PROXY;
export const GUARDED = process.env.TEST_GUARDED; // a proxy that wants the token
export const TOKEN = process.env.TEST_TOKEN;
export const PROVIDER = process.env.TEST_PROVIDER;
export const STORE = process.env.TEST_STORE;
export const COMMAND = JSON.parse(process.env.TEST_COMMAND);

export const NEEDLE = "2026-01-01T00:15:00Z ERROR worker 31: no space left on device";
const lines = Array.from(
  { length: 900 },
  (_, i) => `2026-01-01T00:00:${String(i % 60).padStart(2, "0")}Z INFO worker ${i} took batch ${i * 37}\n`,
);
export const LOG = `${lines.join("")}${NEEDLE}\n`;

/** A text that re-encodes without loss: a JSON array. */
export const FOLD = JSON.stringify(
  Array.from({ length: 200 }, (_, i) => ({
    identifier: i,
    status: i % 7 ? "ready" : "waiting",
    region: `zone-${i % 5}`,
  })),
);

/** A text of which balanced leaves most out, but not what a question names. */
export const CODE = Array.from({ length: 60 }, (_, i) => {
  const body = Array.from({ length: 14 }, (_, j) => `    value_${j} = request.get('field_${j}', ${i * j})\n`).join("");
  return `def handler_${i}(request):\n${body}    return refund_${i}(value_3)\n\n`;
}).join("");

const ASK = { role: "user", content: "why did it stop?" };

export const claude = (first = "", output = LOG) => ({
  model: "claude-opus-4-8",
  max_tokens: 64,
  messages: [
    { role: "user", content: `${first}why did it stop?` },
    {
      role: "assistant",
      content: [{ type: "tool_use", id: "toolu_1", name: "Bash", input: { command: "cat app.log" } }],
    },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: output }] },
  ],
});

const call = (command) => ({ name: "shell", arguments: JSON.stringify({ command }) });

export const chat = (output = LOG, command = "cat app.log") => ({
  model: "gpt-5.5",
  messages: [
    ASK,
    { role: "assistant", content: null, tool_calls: [{ id: "call_1", type: "function", function: call(command) }] },
    { role: "tool", tool_call_id: "call_1", content: output },
  ],
});

export const responses = (output = LOG) => ({
  model: "gpt-5.5",
  input: [
    ASK,
    { type: "function_call", call_id: "call_1", ...call("cat app.log") },
    { type: "function_call_output", call_id: "call_1", output },
  ],
});

/** A port on which nobody listens. */
export async function unusedPort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
