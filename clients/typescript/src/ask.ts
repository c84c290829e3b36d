import { HeadroomError } from "./errors.js";
import type { Proxy } from "./options.js";

/** What a proxy answered. */
export interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
  /** The header that says why messages came back as they went, "" for none. */
  readonly whyNot: string;
}

const ANSWER_MAX = 256 << 20; // bytes; more than anything that a proxy keeps or takes

/** What to ask: with a `body` by POST, without one by GET. */
export interface Question {
  readonly path: string;
  readonly body?: string;
  readonly accept: string;
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Ask a proxy. Redirections are not followed: what is asked holds messages.
 *
 * Throw HeadroomError when no answer came, and the signal's reason when it is aborted.
 */
export async function ask(proxy: Proxy, question: Question): Promise<Answer> {
  question.signal?.throwIfAborted();
  const ending = new AbortController();
  const abort = () => ending.abort();
  const timer = setTimeout(abort, question.timeout);
  question.signal?.addEventListener("abort", abort, { once: true });
  let begun = false;
  try {
    const post = question.body === undefined ? {} : { method: "POST", body: question.body };
    const json = question.body === undefined ? {} : { "content-type": "application/json" };
    const headers = { ...proxy.headers, accept: question.accept, ...json };
    const reply = await fetch(proxy.origin + question.path, {
      ...post,
      headers,
      redirect: "error",
      signal: ending.signal,
    });
    begun = true;
    const body = await bodyOf(reply);
    return { status: reply.status, body, whyNot: reply.headers.get("x-headroom-why-not") ?? "" };
  } catch (error) {
    if (question.signal?.aborted) throw question.signal.reason;
    if (ending.signal.aborted) throw new HeadroomError("timeout", `the proxy took longer than ${question.timeout} ms`);
    if (error instanceof HeadroomError) throw error;
    if (begun) throw new HeadroomError("failed", "the proxy's answer broke off or cannot be read", { cause: error });
    throw new HeadroomError(
      "unreachable",
      `the proxy at ${proxy.origin} cannot be reached; start it with headroom proxy`,
      { cause: error },
    );
  } finally {
    ending.abort(); // of an answer that was not read to its end
    clearTimeout(timer);
    question.signal?.removeEventListener("abort", abort);
  }
}

/** Return the bytes of an answer. Throw HeadroomError for one that does not end. */
async function bodyOf(reply: Response): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of reply.body ?? []) {
    size += piece.length;
    if (size > ANSWER_MAX) throw new HeadroomError("failed", "what answers at the proxy's address does not end");
    pieces.push(piece);
  }
  return new Uint8Array(Buffer.concat(pieces));
}

/** Return the body of an answer as a JSON object, undefined where it is none. */
export function objectIn(body: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Return what a proxy's refusal says. */
export function refusal(answer: Answer): HeadroomError {
  const detail = objectIn(answer.body)?.["detail"];
  const said = typeof detail === "string" ? detail : `the proxy answered with status ${answer.status}`;
  const code = answer.status === 404 ? "not_found" : answer.status >= 500 ? "failed" : "refused";
  return new HeadroomError(code, said);
}
