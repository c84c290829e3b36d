import { HeadroomError } from "./errors.js";

/** How hard to compress; without one the level for conversations counts, safe. */
export type Level = "safe" | "balanced" | "max";

/** Who does the work: a running proxy, or the command. */
export interface Connection {
  /** A running `headroom proxy`, as `http://127.0.0.1:8787`. Default: HEADROOM_PROXY_URL, unless `command` is given. */
  baseUrl?: string | undefined;
  /** Take a proxy that is not on this machine. It then reads every message, and in `withHeadroom` the keys. */
  allowRemote?: boolean | undefined;
  /** What the proxy was started with by --token-file. */
  token?: string | undefined;
  /** Further headers for the proxy: originals are given to who shows the same credential and session again. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** The command, where no proxy is named: a path, or a path and its first arguments. Default: `headroom` on PATH. */
  command?: string | readonly string[] | undefined;
  /** The directory that the command keeps originals in. Default: HEADROOM_STORE, else the user's own. */
  store?: string | undefined;
  /** Milliseconds that one call may take. Default: 10,000. */
  timeout?: number | undefined;
}

/** A proxy's address, checked. */
export interface Proxy {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where a call goes: `proxy`, or `command` with its arguments. */
export type Way =
  | { readonly kind: "proxy"; readonly proxy: Proxy; readonly timeout: number }
  | {
      readonly kind: "command";
      readonly command: readonly [string, ...string[]];
      readonly store: string | undefined;
      readonly timeout: number;
    };

const LEVELS: readonly string[] = ["safe", "balanced", "max"] satisfies Level[];
const TIMEOUT = 10_000;
const TIMEOUT_MAX = 2 ** 31 - 1; // what a timer can count
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Return where calls with these options go. Throw HeadroomError for an address or a level that may not be used. */
export function wayOf(options: Connection, level?: string): Way {
  if (level !== undefined && !LEVELS.includes(level))
    throw new HeadroomError("refused", `unknown level; use one of ${LEVELS.join(", ")}`);
  const timeout = options.timeout ?? TIMEOUT;
  if (!(timeout > 0 && timeout <= TIMEOUT_MAX))
    throw new HeadroomError("refused", "timeout is a number of milliseconds above 0");
  const url = options.baseUrl ?? (options.command === undefined ? process.env["HEADROOM_PROXY_URL"] : undefined);
  if (url) return { kind: "proxy", proxy: proxyAt(url, options), timeout };
  const [program = "", ...rest] =
    typeof options.command === "string" ? [options.command] : (options.command ?? ["headroom"]);
  if (!program) throw new HeadroomError("refused", "command is a path, or a list that begins with one");
  return { kind: "command", command: [program, ...rest], store: options.store, timeout };
}

/** Check a proxy's address: http or https, on this machine unless told otherwise. Throw HeadroomError. */
function proxyAt(text: string, options: Connection): Proxy {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new HeadroomError("refused", "the proxy's address is no URL; write it as http://127.0.0.1:8787");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new HeadroomError("refused", "the proxy's address begins with http:// or https://");
  if (url.username || url.password)
    throw new HeadroomError("refused", "the proxy's address holds a password; give a token instead");
  if (!/^\/?(v1\/?)?$/.test(url.pathname) || url.search || url.hash)
    throw new HeadroomError("refused", "the proxy's address has no path; write it as http://127.0.0.1:8787");
  if (!options.allowRemote && !LOOPBACK.test(url.hostname))
    throw new HeadroomError("refused", "the proxy is not on this machine; allowRemote: true takes it");
  const token = options.token ? { "x-headroom-token": options.token } : {};
  return { origin: url.origin, headers: { ...options.headers, ...token } };
}
