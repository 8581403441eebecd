/** The command was wrong: one line per fault, and exit code 2. */
export class Usage extends Error {
  override readonly name = 'Usage';
  /** What is wrong; each names the flag or argument, what was expected, and what came. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('; '));
    this.faults = faults;
  }
}

/** Prints a line per fault on stderr and sets the exit code. */
export function fail(exitCode: number, faults: readonly string[]): void {
  for (const fault of faults) say(fault);
  process.exitCode = exitCode;
}

/** Prints a line on stderr. */
export function say(line: string): void {
  process.stderr.write(`statcol: ${line}\n`);
}
