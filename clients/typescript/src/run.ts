import { spawn } from "node:child_process";

import { HeadroomError } from "./errors.js";

/** How a command ended. */
export interface Ran {
  readonly status: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** What a command is given. */
export interface Given {
  readonly input: string;
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** Variables besides this process's own: what must not stand on a command line, where all users read it. */
  readonly variables?: Readonly<Record<string, string>>;
}

const WRITTEN_MAX = 256 << 20; // bytes of standard output; more than a document or an original has
const SAID_MAX = 1 << 20; // bytes of standard error that are kept

/**
 * Run a command without a shell, and wait for its end.
 *
 * Throw HeadroomError when it cannot be started or takes too long, and the signal's reason when it is aborted. Then it
 * is killed; it writes its store so that this does no harm.
 */
export function run(command: readonly [string, ...string[]], args: readonly string[], given: Given): Promise<Ran> {
  const { input, timeout, signal, variables } = given;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const [program, ...first] = command;
    const environment = { ...process.env, ...variables };
    const child = spawn(program, [...first, ...args], { stdio: "pipe", windowsHide: true, env: environment });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let [written, said] = [0, 0];
    const settle = (end: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      end();
    };
    const kill = (reason: unknown) => {
      settle(() => reject(reason));
      child.kill("SIGKILL");
      // What the command itself started may hold these open.
      for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy();
    };
    const abort = () => kill(signal?.reason);
    const timer = setTimeout(
      () => kill(new HeadroomError("timeout", `${program} took longer than ${timeout} ms`)),
      timeout,
    );
    signal?.addEventListener("abort", abort, { once: true });
    child.on("error", (error: NodeJS.ErrnoException) => {
      const missing = error.code === "ENOENT";
      const reason = missing
        ? `there is no command ${program}; install headroom, or name it with command`
        : `${program} cannot be run (${error.code ?? error.message})`;
      settle(() => reject(new HeadroomError("unreachable", reason, { cause: error })));
    });
    child.stdout.on("data", (data: Buffer) => {
      stdout.push(data);
      written += data.length;
      if (written > WRITTEN_MAX) kill(new HeadroomError("failed", `${program} does not stop writing`));
    });
    child.stderr.on("data", (data: Buffer) => {
      if (said < SAID_MAX) stderr.push(data);
      said += data.length;
    });
    child.on("close", (status, killed) => {
      if (status === null)
        return settle(() => reject(new HeadroomError("failed", `${program} was ended by ${killed}`)));
      settle(() =>
        resolve({ status, stdout: new Uint8Array(Buffer.concat(stdout)), stderr: Buffer.concat(stderr).toString() }),
      );
    });
    child.stdin.on("error", () => undefined); // a command that ends before it has read all says why by its status
    child.stdin.end(input);
  });
}

/** Return the error that a command's status and last words stand for. */
export function ended(ran: Ran): HeadroomError {
  const lines = ran.stderr.split("\n").filter((line) => line.startsWith("headroom: "));
  const reason = lines.at(-1)?.slice("headroom: ".length) ?? `the command ended with status ${ran.status}`;
  const code =
    ran.status === 1 ? "not_found" : ran.status === 2 || ran.status === 65 || ran.status === 78 ? "refused" : "failed";
  return new HeadroomError(code, reason);
}

/** Return the last line of standard error that is a report, as crush --json writes it; undefined where there is none. */
export function reportIn(stderr: string): Record<string, unknown> | undefined {
  for (const line of stderr.split("\n").reverse()) {
    if (!line.startsWith("{")) continue;
    try {
      const value = JSON.parse(line) as Record<string, unknown>;
      if (value["v"] === 1 && value["verb"] === "crush") return value;
    } catch {
      continue; // a line that only looks like a report
    }
  }
  return undefined;
}
