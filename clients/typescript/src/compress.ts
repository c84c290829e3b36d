import { areTurns, byCommand, byProxy, failingOpen, type Made } from "./crush.js";
import { HeadroomError } from "./errors.js";
import { wayOf, type Connection, type Level } from "./options.js";

/** What `compress` is asked for. */
export interface CompressOptions extends Connection {
  /** The model that will read the messages: its tokens are counted, and above its window whole turns are left out. */
  model?: string | undefined;
  level?: Level | undefined;
  /** The question that the messages are read for: what bears on it stays. */
  query?: string | undefined;
  /** Tokens to get down to, by leaving whole turns out. */
  budget?: number | undefined;
  /** Leave nothing out: only what can be read back in place. Over a proxy `level` does not count beside it. */
  lossless?: boolean | undefined;
  /** The messages go out next in a conversation: what went out before stays as it went out. */
  live?: boolean | undefined;
  /** Throw HeadroomError instead of giving the messages back with a reason. */
  strict?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** What `compress` gives. */
export interface Compressed<Message> {
  /** The messages to send; those that did not change are the objects given. */
  messages: Message[];
  /** Tokens of all texts; estimates, unless headroom has the model's ranks. 0 where nothing could be counted. */
  tokensBefore: number;
  tokensAfter: number;
  tokensSaved: number;
  /** The handles in markers that `messages` has and the messages given had not: see `retrieve`. */
  handles: string[];
  /** What could not be done, in words. */
  warnings: string[];
  /** Why nothing changed, "" when something did. */
  reason: string;
}

const MARKER = /<<headroom:([a-z2-7]{12,}) [^<>\n]{1,80}>>/g;
const NOTHING = "there is nothing to gain in these messages";

/**
 * Make messages say the same in fewer tokens: by a proxy's /v1/compress, or by the command `headroom crush`.
 *
 * `messages` are those of a request to Anthropic's Messages or OpenAI's Chat Completions, or items of the Responses API;
 * they are not modified. Whatever fails, they come back as they are, with the reason.
 *
 * Rejects with TypeError when `messages` is no list, with the signal's reason when it is aborted, and with HeadroomError
 * when `strict` is set and something failed.
 */
export async function compress<Message extends object>(
  messages: readonly Message[],
  options: CompressOptions = {},
): Promise<Compressed<Message>> {
  if (!Array.isArray(messages)) throw new TypeError("messages is a list");
  options.signal?.throwIfAborted();
  if (!messages.length) return unchanged(messages, "there are no messages");
  return failingOpen(
    options,
    () => compressed(messages, options),
    (reason) => unchanged(messages, reason),
  );
}

async function compressed<Message extends object>(
  messages: readonly Message[],
  options: CompressOptions,
): Promise<Compressed<Message>> {
  const way = wayOf(options, options.level);
  const given = messages.map((message) => JSON.stringify(message) ?? "null");
  const made =
    way.kind === "proxy"
      ? await byProxy(way, messages, options)
      : listIn(await byCommand(way, `[${given.join(",")}]`, "bare", options));
  if (options.strict && made.warnings[0] !== undefined) throw new HeadroomError("failed", made.warnings[0]);
  const taken = made.value.map((value) => JSON.stringify(value));
  const changed = taken.length !== given.length || taken.some((text, index) => text !== given[index]);
  if (!changed)
    return {
      ...unchanged(messages, made.warnings[0] ?? NOTHING, made.warnings),
      tokensBefore: made.before,
      tokensAfter: made.before,
    };
  const same = new Map(given.map((text, index) => [text, messages[index]]));
  return {
    messages: made.value.map(
      (value, index) =>
        (taken[index] === given[index] ? messages[index] : same.get(taken[index] ?? "")) ?? (value as Message),
    ),
    tokensBefore: made.before,
    tokensAfter: made.after,
    tokensSaved: made.before - made.after,
    handles: made.handles ?? newHandles(given, taken),
    warnings: made.warnings,
    reason: "",
  };
}

function listIn(made: Made<string>): Made<unknown[]> {
  const value: unknown = JSON.parse(made.value);
  if (!areTurns(value)) throw new HeadroomError("failed", "the command gave no messages back");
  return { ...made, value };
}

/** Return the handles in the markers of `taken` that stand in none of `given`; both are texts of JSON. */
function newHandles(given: readonly string[], taken: readonly string[]): string[] {
  const handles = (texts: readonly string[]) =>
    texts.flatMap((text) => [...text.matchAll(MARKER)].map((match) => match[1] ?? ""));
  const known = new Set(handles(given));
  return [...new Set(handles(taken))].filter((handle) => !known.has(handle));
}

function unchanged<Message>(messages: readonly Message[], reason: string, warnings = [reason]): Compressed<Message> {
  return {
    messages: messages as Message[],
    tokensBefore: 0,
    tokensAfter: 0,
    tokensSaved: 0,
    handles: [],
    warnings,
    reason,
  };
}
