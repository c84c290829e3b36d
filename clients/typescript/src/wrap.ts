import { ask, objectIn, refusal } from "./ask.js";
import { failingOpen } from "./crush.js";
import { HeadroomError } from "./errors.js";
import { wayOf, type Connection, type Level, type Proxy, type Way } from "./options.js";
import { formOf, shorten } from "./requests.js";
import { isWhole, neverSent, toProxy, urlOf, withBody, type Fetch } from "./sending.js";

/** What became of one request. */
export interface Outcome {
  /** The path that was asked for. */
  path: string;
  /** `proxy`: sent through it, which counts for itself. `direct`: sent to the provider from here. */
  sent: "proxy" | "direct";
  tokensBefore: number;
  tokensAfter: number;
  /** Why the request went as it was, "" when it was shortened or went through the proxy. */
  reason: string;
}

/** How `withHeadroom` does it. `headers` of Connection are sent to the proxy alone. */
export interface WithHeadroomOptions extends Connection {
  level?: Level | undefined;
  /**
   * Further hosts whose requests the proxy takes, as `gateway.example:8443`: those that it was told to send them on to.
   * Requests for any other host but api.anthropic.com and api.openai.com go there from here, with their keys, and the
   * proxy shortens their messages alone.
   */
  hosts?: readonly string[] | undefined;
  /** Where the command shortens requests: `shell` says that the model can run `headroom retrieve`. Default: none. */
  redeem?: "shell" | "none" | undefined;
  /** Reject requests that could not be shortened, or reach the proxy, instead of sending them as they are. */
  strict?: boolean | undefined;
  /** Is told what becomes of each request that may be made smaller. What it throws rejects the request. */
  onRequest?: ((outcome: Outcome) => void) | undefined;
}

const HOSTS = ["api.anthropic.com", "api.openai.com"];
const READY_WITHIN = 2_000; // ms
const DOWN_FOR = 5_000; // ms in which a proxy that was not there is not asked again
const wrapped = new WeakMap<Fetch, Fetch>(); // ours -> the client's own

/**
 * Make every request of a client smaller. Returns the client given, of which nothing changes but how it fetches.
 *
 * `client` is one of the official SDKs (@anthropic-ai/sdk, openai), or made like them. With a proxy (`baseUrl`,
 * HEADROOM_PROXY_URL) requests for the provider go through it, and the model can ask for what was left out; one that
 * does not answer is passed by. Without one each conversation is shortened here by the command, so that nothing is left
 * out. Copies made by `withOptions` do the same. A client that was wrapped before gets the new options.
 *
 * Throws TypeError for what is no such client, and HeadroomError for an address that may not be used.
 */
export function withHeadroom<Client extends { baseURL: string }>(
  client: Client,
  options: WithHeadroomOptions = {},
): Client {
  const holder = client as unknown as { fetch?: unknown };
  if (
    typeof client !== "object" ||
    client === null ||
    typeof client.baseURL !== "string" ||
    typeof holder.fetch !== "function"
  ) {
    throw new TypeError("this is no client of @anthropic-ai/sdk or openai");
  }
  const own = wrapped.get(holder.fetch as Fetch) ?? (holder.fetch as Fetch);
  const way = wayOf(options, options.level);
  const ours = fetching(own, way, options);
  wrapped.set(ours, own);
  holder.fetch = ours;
  return client;
}

function fetching(own: Fetch, way: Way, options: WithHeadroomOptions): Fetch {
  const gate = way.kind === "proxy" ? new Gate(way.proxy, way.timeout) : undefined;
  const hosts = new Set([...HOSTS, ...(options.hosts ?? [])]);
  const mode: Readonly<Record<string, string>> = options.level ? { "x-headroom-mode": options.level } : {};
  const tell = (url: URL, sent: "proxy" | "direct", reason: string, before = 0, after = 0) =>
    options.onRequest?.({ path: url.pathname, sent, tokensBefore: before, tokensAfter: after, reason });

  return async (input, init = {}) => {
    const url = urlOf(input);
    if (!url) return own(input, init);
    if (gate && url.origin === gate.proxy.origin) return own(input, toProxy(init, { ...gate.proxy.headers, ...mode }));
    const signal = init.signal ?? undefined;
    let why = "";
    // What is exchanged for a key, and not a request, goes where it was meant to.
    if (gate && hosts.has(url.host) && !url.pathname.includes("/oauth/")) {
      why = await gate.closed(signal);
      if (why && options.strict) throw new HeadroomError("unreachable", why);
      if (!why) {
        const target = gate.proxy.origin + url.pathname + url.search;
        try {
          const reply = await own(target, toProxy(init, { ...gate.proxy.headers, ...mode }));
          tell(url, "proxy", "");
          return reply;
        } catch (error) {
          // What was taken is paid for, and nobody but the SDK may send it again.
          if (!neverSent(error)) throw error;
          why = gate.close();
          if (options.strict || !isWhole(init.body)) throw error;
        }
      }
      tell(url, "direct", why);
      return own(input, init);
    }
    const form = formOf(url, init);
    if (!form) return own(input, init);
    const body = init.body as string;
    const wish = { level: options.level, redeem: options.redeem ?? "none", signal } as const;
    const made = await failingOpen(
      { strict: options.strict, signal },
      () => shorten(way, body, form, wish),
      (reason) => ({ body, before: 0, after: 0, reason }),
    );
    tell(url, "direct", made.reason, made.before, made.after);
    return own(input, made.body === body ? init : withBody(init, made.body));
  };
}

/** Knows whether a proxy is there: it is asked once, before it is shown a key, and again after it was gone. */
class Gate {
  readonly proxy: Proxy;
  readonly #timeout: number;
  #asked: Promise<string> | undefined;
  #until = 0;

  constructor(proxy: Proxy, timeout: number) {
    this.proxy = proxy;
    this.#timeout = Math.min(timeout, READY_WITHIN);
  }

  /** Return why requests cannot go through the proxy, "" when they can. Rejects with the signal's reason. */
  async closed(signal: AbortSignal | undefined): Promise<string> {
    if (this.#until && Date.now() >= this.#until) this.#asked = undefined;
    if (!this.#asked) {
      this.#until = 0;
      this.#asked = this.#ask();
    }
    const why = await this.#asked;
    signal?.throwIfAborted();
    return why;
  }

  /** Note that the proxy is gone; return this as a reason. */
  close(reason = `the proxy at ${this.proxy.origin} cannot be reached`): string {
    this.#asked = Promise.resolve(reason);
    this.#until = Date.now() + DOWN_FOR;
    return reason;
  }

  async #ask(): Promise<string> {
    try {
      const answer = await ask(this.proxy, { path: "/readyz", accept: "application/json", timeout: this.#timeout });
      const said = objectIn(answer.body);
      if (typeof said?.["ready"] === "boolean" && said["v"] === 1) return "";
      const known = typeof said?.["detail"] === "string";
      return this.close(known ? refusal(answer).message : `what answers at ${this.proxy.origin} is no headroom proxy`);
    } catch (error) {
      return this.close(error instanceof Error ? error.message : String(error));
    }
  }
}
