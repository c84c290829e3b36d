/**
 * What went wrong, for programs.
 *
 * - `unreachable`  no proxy listens there, or no such command is installed
 * - `timeout`      no answer within `timeout`
 * - `refused`      the address, the arguments or the caller were not accepted
 * - `not_found`    nothing is kept under this handle, or nothing matches
 * - `failed`       anything else, in the words of the proxy or the command
 */
export type Code = "unreachable" | "timeout" | "refused" | "not_found" | "failed";

/** The one error that this package throws, besides what an aborted signal gives as its reason and TypeError. */
export class HeadroomError extends Error {
  readonly code: Code;

  /** `reason` is one sentence. */
  constructor(code: Code, reason: string, options?: { cause?: unknown }) {
    super(reason, options);
    this.name = "HeadroomError";
    this.code = code;
  }
}

/** Return an error as one of ours. Throw it on where it is how somebody's signal was aborted. */
export function asOurs(error: unknown, signal: AbortSignal | undefined): HeadroomError {
  if (signal?.aborted) throw signal.reason;
  if (error instanceof HeadroomError) return error;
  return new HeadroomError("failed", error instanceof Error ? error.message : String(error), { cause: error });
}
