import { ask, refusal } from "./ask.js";
import { asOurs, HeadroomError } from "./errors.js";
import { wayOf, type Connection } from "./options.js";
import { ended, run } from "./run.js";

/** The parts of an original that are wanted; several narrow one after the other. Numbers count from 1. */
export interface Part {
  /** `40:80`; both ends belong to it, either may be left out. */
  lines?: string | undefined;
  /** Elements of the outermost array, or data lines, as `1:20`. */
  rows?: string | undefined;
  /** The lines that match this regular expression. */
  grep?: string | undefined;
  /** The lines that bear on this question. */
  query?: string | undefined;
  /** Of a picture, `left,top,width,height` in its own pixels. */
  area?: string | undefined;
}

export interface RetrieveOptions extends Connection, Part {
  signal?: AbortSignal | undefined;
}

const PARTS = ["lines", "rows", "grep", "query", "area"] as const;
const HANDLE = /^[a-z2-7]{12,64}$/;

/**
 * Return an original, or a part of it, as text. A picture, or any other bytes, are for `retrieveBytes`.
 *
 * `handle` is one that `compress` gave, asked for where it was given: by the same proxy with the same headers, or by the
 * command with the same store.
 *
 * Rejects with HeadroomError: `not_found` where nothing is kept under the handle or nothing matches, `refused` for a part
 * that cannot be read; and with the signal's reason when it is aborted.
 */
export async function retrieve(handle: string, options: RetrieveOptions = {}): Promise<string> {
  // A text begins with the byte order mark that it was kept with.
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await retrieveBytes(handle, options));
}

/** Return an original, or a part of it, byte for byte. Rejects as `retrieve` does. */
export async function retrieveBytes(handle: string, options: RetrieveOptions = {}): Promise<Uint8Array> {
  if (typeof handle !== "string" || !HANDLE.test(handle)) throw new HeadroomError("not_found", "this is no handle");
  const way = wayOf(options);
  const { timeout } = way;
  const signal = options.signal;
  const parts = PARTS.filter((name) => options[name] !== undefined && options[name] !== "");
  try {
    if (way.kind === "command") {
      const args = [
        "retrieve",
        handle,
        ...parts.map((name) => `--${name}=${options[name]}`),
        ...(way.store ? [`--store=${way.store}`] : []),
      ];
      const ran = await run(way.command, args, { input: "", timeout, signal });
      if (ran.status !== 0) throw ended(ran);
      return ran.stdout;
    }
    const body = JSON.stringify({ handle, ...Object.fromEntries(parts.map((name) => [name, options[name]])) });
    const answer = await ask(way.proxy, {
      path: "/v1/retrieve",
      body,
      accept: "application/octet-stream",
      timeout,
      signal,
    });
    if (answer.status !== 200) throw refusal(answer);
    return answer.body;
  } catch (error) {
    throw asOurs(error, signal);
  }
}
