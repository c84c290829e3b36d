import { byCommand, byProxy } from "./crush.js";
import { HeadroomError } from "./errors.js";
import type { Level, Way } from "./options.js";
import { header, type Sending } from "./sending.js";

/** A request's text, smaller or as it was. */
export interface Shortened {
  readonly body: string;
  readonly before: number;
  readonly after: number;
  readonly reason: string;
}

// The ends of paths whose requests are conversations -> the format of their bodies.
const CONVERSATIONS: readonly [RegExp, string][] = [
  [/\/v1\/messages(\/count_tokens)?$/, "anthropic"],
  [/\/chat\/completions$/, "openai"],
  [/\/responses$/, "responses"],
];

// Headers that a signature, or a digest, of the body stands in.
const SIGNS = ["content-digest", "content-md5", "digest", "signature", "x-amz-content-sha256"];

/**
 * Return the format of a request that can be shortened, "" for all others.
 *
 * What is signed is left alone: another body would make the signature wrong.
 */
export function formOf(url: URL, init: Sending): string {
  if (init.method?.toUpperCase() !== "POST" || typeof init.body !== "string") return "";
  if (header(init.headers, "content-encoding") || /^AWS4-/.test(header(init.headers, "authorization"))) return "";
  if (SIGNS.some((name) => header(init.headers, name))) return "";
  return CONVERSATIONS.find(([end]) => end.test(url.pathname))?.[1] ?? "";
}

/**
 * Shorten a request's body without losing its reader: a marker stands in it only where `redeem` says that the model can
 * run `headroom retrieve`, and then only the command's, which that reads. Throw HeadroomError, or the signal's reason.
 */
export async function shorten(
  way: Way,
  body: string,
  form: string,
  wish: { level?: Level | undefined; redeem: "shell" | "none"; signal?: AbortSignal | undefined },
): Promise<Shortened> {
  const asked = { level: wish.level, live: true, signal: wish.signal };
  if (way.kind === "command") {
    // The request names its model; one named here would have whole turns left out above its window, unasked.
    const lossless = wish.redeem === "none";
    const made = await byCommand(way, body, form, { ...asked, lossless, model: "", query: "", plain: true });
    JSON.parse(made.value); // what is no JSON is not sent
    return {
      body: made.value,
      before: made.before,
      after: made.after,
      reason: reason(made.value === body, made.warnings),
    };
  }
  const request = JSON.parse(body) as Record<string, unknown>;
  // What this cannot write as it was (a number with more digits than JavaScript's have) is not touched.
  if (JSON.stringify(request) !== body)
    throw new HeadroomError("failed", "the request is not written as JSON.stringify writes it");
  const name = form === "responses" ? "input" : "messages";
  const turns = request[name];
  if (!Array.isArray(turns) || !turns.length) return { body, before: 0, after: 0, reason: "there are no messages" };
  const model = typeof request["model"] === "string" ? request["model"] : undefined;
  const made = await byProxy(way, turns, { ...asked, lossless: true, model });
  const text = JSON.stringify({ ...request, [name]: made.value });
  return { body: text, before: made.before, after: made.after, reason: reason(text === body, made.warnings) };
}

function reason(same: boolean, warnings: readonly string[]): string {
  return same ? (warnings[0] ?? "there is nothing to gain in this request") : "";
}
