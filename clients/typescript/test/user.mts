// What a user writes, as TypeScript reads it: types in are types out. Run too, as an ES module.
import Anthropic from "@anthropic-ai/sdk";
import OlderAnthropic from "anthropic-older";
import OpenAI, { AzureOpenAI } from "openai";
import NewestOpenAI from "openai-newest";
import OlderOpenAI from "openai-older";
import { compress, HeadroomError, retrieve, retrieveBytes, withHeadroom } from "headroom-client";
import type { Compressed, CompressOptions, Outcome, WithHeadroomOptions } from "headroom-client";

const options: WithHeadroomOptions = {
  baseUrl: "http://127.0.0.1:8787",
  onRequest: (outcome: Outcome) => void outcome.reason,
};
const claude: Anthropic = withHeadroom(new Anthropic({ apiKey: "k" }), options);
const older: OlderAnthropic = withHeadroom(new OlderAnthropic({ apiKey: "k" }), options);
const gpt: OpenAI = withHeadroom(new OpenAI({ apiKey: "k" }), options);
const newest: NewestOpenAI = withHeadroom(new NewestOpenAI({ apiKey: "k" }), options);
const oldest: OlderOpenAI = withHeadroom(new OlderOpenAI({ apiKey: "k" }), options);
const azure: AzureOpenAI = withHeadroom(
  new AzureOpenAI({ apiKey: "k", endpoint: "https://x.example", apiVersion: "1" }),
  options,
);

const turns: Anthropic.MessageParam[] = [{ role: "user", content: "hi" }];
const asked: CompressOptions = { command: ["/nonexistent/headroom"], level: "safe", model: undefined };
const made: Compressed<Anthropic.MessageParam> = await compress(turns, asked);
const chat: OpenAI.ChatCompletionMessageParam[] = (await compress([{ role: "user", content: "hi" } as const], asked))
  .messages;
const input: OpenAI.Responses.ResponseInputItem[] = (await compress([] as OpenAI.Responses.ResponseInput, asked))
  .messages;
const bytes: (handle: string) => Promise<Uint8Array> = retrieveBytes;

// @ts-expect-error no such level
void (() => compress(turns, { level: "nope" }));
// @ts-expect-error no list
void (() => compress("messages"));
// @ts-expect-error no such part
void (() => retrieve("kkkkkkkkkkkk", { columns: "1:2" }));
// @ts-expect-error no client
void (() => withHeadroom({}));
// @ts-expect-error the client's own type comes back
const wrong: OpenAI = withHeadroom(new Anthropic({ apiKey: "k" }), options);

const error = await retrieve("no handle").catch((caught: unknown) => caught);
if (!(error instanceof HeadroomError && error.code === "not_found")) throw new Error("another error");
if (made.messages !== turns || !made.reason) throw new Error("another list");
void [claude, older, gpt, newest, oldest, azure, chat, input, bytes, wrong];
console.log("ok");
