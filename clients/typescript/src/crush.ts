import { asOurs, HeadroomError } from "./errors.js";
import { ask, objectIn, refusal } from "./ask.js";
import type { Level, Way } from "./options.js";
import { ended, reportIn, run } from "./run.js";

/** What to make of a list of turns or of a whole request. */
export interface Wish {
  readonly model?: string | undefined;
  readonly level?: Level | undefined;
  readonly query?: string | undefined;
  readonly budget?: number | undefined;
  readonly lossless?: boolean | undefined;
  readonly live?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A document that has no parts which only its format has, and so no results of tools, is no failure. */
  readonly plain?: boolean;
}

/** What became of it: the turns, as JSON values, or the request, as text; figures as in `Compressed`. */
export interface Made<Value> {
  readonly value: Value;
  readonly before: number;
  readonly after: number;
  readonly handles: string[] | undefined;
  readonly warnings: string[];
}

const NOT_OF_THIS_FORM = 65;

/** Have a proxy shorten turns, by POST /v1/compress. Throw HeadroomError, or the signal's reason. */
export async function byProxy(
  way: Way & { kind: "proxy" },
  turns: readonly unknown[],
  wish: Wish,
): Promise<Made<unknown[]>> {
  // Responses' items say their type; messages do not.
  const name = turns.some((turn) => typeof (turn as { type?: unknown } | null)?.type === "string")
    ? "input"
    : "messages";
  const config = {
    mode: wish.lossless ? "lossless" : wish.level,
    query: wish.query,
    frozen_message_count: wish.live ? frozen(turns) : 0,
  };
  const body = JSON.stringify({ [name]: turns, model: wish.model, token_budget: wish.budget, config });
  const accept = "application/json";
  const answer = await ask(way.proxy, {
    path: "/v1/compress",
    body,
    accept,
    timeout: way.timeout,
    signal: wish.signal,
  });
  if (answer.status !== 200) throw refusal(answer);
  const made = objectIn(answer.body);
  const value = made?.[name];
  if (!made || !areTurns(value))
    throw new HeadroomError("failed", "what answers at this address is no headroom proxy");
  const warnings = [...(answer.whyNot ? [answer.whyNot] : []), ...texts(made["warnings"])];
  return {
    value,
    before: count(made["tokens_before"]),
    after: count(made["tokens_after"]),
    handles: texts(made["ccr_hashes"]),
    warnings,
  };
}

/** Have the command shorten a document; `form` is one of its formats. Throw HeadroomError, or the signal's reason. */
export async function byCommand(
  way: Way & { kind: "command" },
  text: string,
  form: string,
  wish: Wish,
): Promise<Made<string>> {
  const args = [
    "crush",
    "--json",
    `--from=${form}`,
    ...(wish.live ? ["--live"] : []),
    ...(wish.lossless ? ["--redeem=none"] : []),
  ];
  if (wish.model) args.push(`--model=${wish.model}`);
  if (wish.level) args.push(`--level=${wish.level}`);
  if (wish.budget !== undefined) args.push(`--budget=${wish.budget}`);
  if (way.store) args.push(`--store=${way.store}`);
  const variables = {
    HEADROOM_QUIET: "",
    ...(wish.query === undefined ? {} : { HEADROOM_QUERY: wish.query }),
    ...(wish.model === "" ? { HEADROOM_MODEL: "" } : {}),
  };
  const ran = await run(way.command, args, { input: text, timeout: way.timeout, signal: wish.signal, variables });
  const none = { value: text, before: 0, after: 0, handles: undefined, warnings: [] };
  if (ran.status === NOT_OF_THIS_FORM && wish.plain) return none;
  const report = reportIn(ran.stderr);
  // Status 1: a conversation that cannot fit comes back as it is, and the report says so.
  if (!report && ran.status === 0)
    throw new HeadroomError("failed", "the command wrote no report; is it headroom, and not told to be quiet?");
  if (!report || (ran.status !== 0 && ran.status !== 1)) throw ended(ran);
  const value = new TextDecoder("utf-8", { fatal: true }).decode(ran.stdout);
  return {
    value,
    before: count(report["tokens_before"]),
    after: count(report["tokens_after"]),
    handles: undefined,
    warnings: texts(report["warnings"]),
  };
}

/** Return what `make` makes, or, unless `strict`, what `otherwise` makes of why it did not. */
export async function failingOpen<Value>(
  wish: { strict?: boolean | undefined; signal?: AbortSignal | undefined },
  make: () => Promise<Value>,
  otherwise: (reason: string) => Value,
): Promise<Value> {
  try {
    return await make();
  } catch (error) {
    const ours = asOurs(error, wish.signal);
    if (wish.strict) throw ours;
    return otherwise(ours.message);
  }
}

/** Return how many turns went out before: those up to the last one of the model. */
function frozen(turns: readonly unknown[]): number {
  return turns.map((turn) => (turn as { role?: unknown } | null)?.role).lastIndexOf("assistant") + 1;
}

/** Tell a list of turns from what would take the place of messages and hold none. */
export function areTurns(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "object" && one !== null);
}

function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}
