/** `fetch` as the SDKs call it: some bring their own types of Response, so this is no more than both need. */
export type Fetch = (input: unknown, init?: Sending) => Promise<unknown>;

/** What is sent, as far as it is looked at. The other members are for the fetch that the client was made with. */
export interface Sending {
  method?: string | undefined;
  headers?: unknown;
  body?: unknown;
  signal?: AbortSignal | null | undefined;
  [name: string]: unknown;
}

// How errors say that no connection came about: nothing was sent, so nothing is paid twice.
const NEVER_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
  "ConnectionRefused",
]);

/** Return the URL that is asked for, undefined for a Request and what is no URL. */
export function urlOf(input: unknown): URL | undefined {
  try {
    return typeof input === "string" || input instanceof URL ? new URL(input) : undefined;
  } catch {
    return undefined;
  }
}

/** Return the pairs of headers in any form that fetch takes. */
export function pairsOf(headers: unknown): [string, string][] {
  if (!headers) return [];
  const pairs =
    typeof (headers as Iterable<unknown>)[Symbol.iterator] === "function"
      ? [...(headers as Iterable<[string, string]>)]
      : Object.entries(headers);
  return pairs
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => [name, String(value)]);
}

/** Return one header, "" where there is none. */
export function header(headers: unknown, name: string): string {
  return pairsOf(headers).find(([key]) => key.toLowerCase() === name)?.[1] ?? "";
}

/** Return what to send with another body. */
export function withBody(init: Sending, body: string): Sending {
  return { ...init, body, headers: changed(init.headers, ["content-length"]) };
}

/**
 * Return what to send to a proxy on this machine.
 *
 * What leads to other machines stays out: a dispatcher or an agent is for the way to the provider, and would carry the
 * request, with its keys, through whatever proxy it knows.
 */
export function toProxy(init: Sending, more: Readonly<Record<string, string>>): Sending {
  const { dispatcher: _dispatcher, agent: _agent, proxy: _proxy, ...rest } = init;
  return { ...rest, headers: changed(init.headers, Object.keys(more), Object.entries(more)) };
}

/** Return headers without some and with others, in the form that they had; the same where nothing changes. */
function changed(headers: unknown, without: readonly string[], more: [string, string][] = []): unknown {
  const names = new Set(without.map((name) => name.toLowerCase()));
  const kept = pairsOf(headers).filter(([name]) => !names.has(name.toLowerCase()));
  if (!more.length && kept.length === pairsOf(headers).length) return headers;
  const pairs = [...kept, ...more];
  if (Array.isArray(headers)) return pairs;
  return headers instanceof Headers ? new Headers(pairs) : Object.fromEntries(pairs);
}

/** Tell an error after which nothing has been sent; it may stand anywhere in the chain of causes. */
export function neverSent(error: unknown, depth = 0): boolean {
  if (typeof error !== "object" || error === null || depth > 4) return false;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === "string" && NEVER_SENT.has(code)) return true;
  return (
    neverSent(cause, depth + 1) ||
    (Array.isArray(errors) && errors.length > 0 && errors.every((one) => neverSent(one, depth + 1)))
  );
}

/** Tell a body that can be sent a second time. */
export function isWhole(body: unknown): boolean {
  return (
    body === undefined ||
    body === null ||
    typeof body === "string" ||
    body instanceof URLSearchParams ||
    body instanceof FormData ||
    body instanceof Blob ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body)
  );
}
