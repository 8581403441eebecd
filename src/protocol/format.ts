/** A type of the StatsD protocol, as it is written behind the `|`. */
export type SampleType = 'c' | 'ms' | 'g' | 's' | 'h' | 'd' | 'm';

/** What a line says. */
export interface Sample {
  /** The metric's name. */
  name: string;
  /** A finite number, or a set's member. */
  value: number | string;
  type: SampleType;
  /** In (0, 1]; 1 is not written. */
  rate?: number | undefined;
  /** DogStatsD tags; an empty value is written as a bare key. */
  tags?: Tags | undefined;
}

/** Tags of a metric: key to value. */
export type Tags = Readonly<Record<string, string | number | boolean>>;

/**
 * Returns a sample as a line of the StatsD protocol, without LF.
 *
 *     checkout.time:320|ms|@0.1|#zone:eu
 *
 * A name and a set's member cannot carry `|` or LF, nor a name `:`; a tag cannot carry `,` `|` or
 * LF, nor its key `:`. Each of these becomes `_`.
 */
export function formatLine({ name, value, type, rate, tags }: Sample): string {
  const text = typeof value === 'number' ? String(value) : value.replaceAll(/[|\r\n]/g, '_');
  let line = `${safeName(name)}:${text}|${type}`;
  if (rate !== undefined && rate !== 1) line += `|@${rate}`;
  if (tags) line += formatTags(tags);
  return line;
}

/** Returns a name with the characters that a line cannot carry replaced by `_`. */
export function safeName(name: string): string {
  return name.replaceAll(/[:|\r\n]/g, '_');
}

/** Returns `|#key:value,key`, or an empty text where there are no tags. */
export function formatTags(tags: Tags): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(tags)) {
    if (value === undefined || value === null || key === '') continue; // from untyped callers
    const safeKey = key.replaceAll(/[:,|\r\n]/g, '_');
    const safeValue = String(value).replaceAll(/[,|\r\n]/g, '_');
    parts.push(safeValue === '' ? safeKey : `${safeKey}:${safeValue}`);
  }
  return parts.length === 0 ? '' : `|#${parts.join(',')}`;
}
