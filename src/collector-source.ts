import { ErrorCode, errorText, StatcolError } from './errors.ts';

/** Fields and values of a hash, in order. */
export type Fields = [field: string, value: string][];

/** Which collector is asked, and for what. */
export interface CollectorSource {
  /** The URL of a running collector. */
  http: string;
  httpToken: string | undefined;
  /** What begins so; undefined: everything. */
  collection: string | undefined;
}

const TIMEOUT_MS = 5000;
const SAID_MAX = 600;

/**
 * Returns what a running collector answers at `/api/counters`, `/api/gauges` or `/api/sets`.
 *
 * @throws {StatcolError} `ERR_SOURCE` if there is none, or it does not give them.
 */
export async function readFromCollector(
  what: 'counters' | 'gauges' | 'sets',
  source: CollectorSource,
): Promise<[string, Fields][]> {
  const { origin } = new URL(source.http);
  const abort = new AbortController();
  // Not AbortSignal.timeout: it does not keep the process, and so not the answer, alive.
  const timer = setTimeout(() => abort.abort(new Error('no answer in time')), TIMEOUT_MS);
  let hashes: [string, Fields][];
  try {
    const response = await fetch(`${origin}/api/${what}`, {
      headers:
        source.httpToken === undefined ? {} : { Authorization: `Bearer ${source.httpToken}` },
      signal: abort.signal,
      redirect: 'error',
    });
    const text = await response.text();
    if (response.status === 401) {
      throw new StatcolError(ErrorCode.ERR_SOURCE, `${origin} wants its token: give --http-token`);
    }
    const said = response.ok ? undefined : errorOf(text);
    if (said !== undefined) {
      const fault = `no ${what} from ${origin}: it answered ${response.status}: ${said}`;
      throw new StatcolError(ErrorCode.ERR_SOURCE, fault);
    }
    if (!response.ok)
      throw new Error(`it answered ${response.status}: ${printable(text.slice(0, SAID_MAX))}`);
    hashes = parseCounters(text);
  } catch (error) {
    if (error instanceof StatcolError) throw error;
    const cause = (error as Error).cause ?? error;
    throw new StatcolError(
      ErrorCode.ERR_SOURCE,
      `no ${what} from ${origin}: ${errorText(cause)}; is a collector running there? ` +
        'Name another with --http, or read Redis with --redis',
      { cause },
    );
  } finally {
    clearTimeout(timer);
  }
  return hashes.filter(
    ([hash]) => source.collection === undefined || hash.startsWith(source.collection),
  );
}

/** Returns what a collector says that cannot answer; undefined where it is none that speaks. */
function errorOf(text: string): string | undefined {
  try {
    const said = JSON.parse(text) as unknown;
    const error = isObject(said) ? said['error'] : undefined;
    return typeof error === 'string' ? printable(error.slice(0, SAID_MAX)) : undefined;
  } catch {
    return undefined;
  }
}

/** Text from outside: control characters must not reach a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '\u{FFFD}');
}

/** Reads hashes without losing digits beyond 2^53, which `JSON.parse` alone would. */
function parseCounters(text: string): [string, Fields][] {
  const quoted = text.replaceAll(/("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?)/g, (_, string, digits) =>
    string === undefined ? `"${digits as string}"` : (string as string),
  );
  const all = JSON.parse(quoted) as unknown;
  if (!isObject(all)) throw new Error('what it answered are none');
  return Object.entries(all).map(([hash, fields]) => {
    if (!isObject(fields)) throw new Error('what it answered are none');
    return [hash, Object.entries(fields).map(([field, value]) => [field, String(value)])];
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
