/** Node's flags that say how modules are found and loaded; those with a value behind them. */
const MODULE_FLAGS = /^(?:--import|--require|-r|--(?:experimental-)?loader|--conditions|-C)$/;

/**
 * Returns Node's flags for the thread. Undefined: it has those of the process, flags for the engine
 * included, which may not be named again. But a thread with a file refuses `--input-type`; then it
 * gets those that its modules may need.
 */
export function threadFlags(flags: readonly string[]): string[] | undefined {
  if (!flags.some((flag) => flag.startsWith('--input-type'))) return undefined;
  return flags.flatMap((flag, at) => {
    if (!MODULE_FLAGS.test(flag.replace(/=.*$/s, ''))) return [];
    return flag.includes('=') ? [flag] : [flag, flags[at + 1] ?? ''];
  });
}
