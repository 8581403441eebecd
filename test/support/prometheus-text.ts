import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A line of Prometheus' text format that is no comment. */
export interface PrometheusSample {
  name: string;
  /** As Prometheus has them: what is empty is not there. */
  labels: Record<string, string>;
  value: number;
  /** Before it was made a number. */
  text: string;
}

/** A text of Prometheus' format, taken apart. */
export interface PrometheusText {
  /** By name: type and help. */
  families: Map<string, { type: string; help: string }>;
  samples: PrometheusSample[];
  /** All samples by `name{a="b",…}`, labels sorted: of one such each, or reading fails. */
  values: Map<string, number>;
}

const SUFFIXES: Record<string, RegExp> = {
  counter: /^$/,
  gauge: /^$/,
  histogram: /^_(bucket|sum|count)$/,
};

/**
 * Reads by the grammar of text format 0.0.4. Fails at the first thing that is not as it should be:
 * two samples with the same labels too, of which Prometheus would take one.
 */
export function readPrometheus(text: string): PrometheusText {
  const found: PrometheusText = { families: new Map(), samples: [], values: new Map() };
  let family = '';
  let help: [string, string] | undefined;
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end');
  for (const line of text.split('\n').slice(0, -1)) {
    const helped = /^# HELP ([a-z_]+) (\S.*)$/.exec(line);
    const typed = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line);
    if (helped !== null) help = [helped[1]!, helped[2]!];
    else if (typed !== null) {
      family = typed[1]!;
      if (help?.[0] !== family) throw new Error(`no help: ${line}`);
      if (found.families.has(family)) throw new Error(`twice: ${line}`);
      found.families.set(family, { type: typed[2]!, help: help[1] });
    } else addSample(found, family, readSample(line));
  }
  return found;
}

/** Returns a sample's name and labels as one text, such as `a{b="c"}`. */
export function keyOf(name: string, labels: Record<string, string>): string {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `${name}{${sorted.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}}`;
}

/** Has Prometheus' own tool read a text; returns its exit code and all that it says. */
export async function runPromtool(text: string): Promise<{ code: number; said: string }> {
  const child = spawn('promtool', ['check', 'metrics'], { stdio: 'pipe' });
  let said = '';
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (piece: string) => (said += piece));
  }
  child.stdin.on('error', () => {}); // it may stop reading at a fault
  child.stdin.end(text);
  const [code] = (await once(child, 'close')) as [number];
  return { code, said };
}

function addSample(found: PrometheusText, family: string, sample: PrometheusSample): void {
  const { name, labels, value } = sample;
  const { type } = found.families.get(family) ?? { type: '' };
  const belongs = name.startsWith(family) && SUFFIXES[type]?.test(name.slice(family.length));
  if (belongs !== true) throw new Error(`${name} under ${family}`);
  const key = keyOf(name, labels);
  if (found.values.has(key)) throw new Error(`twice: ${key}`);
  found.values.set(key, value);
  found.samples.push(sample);
}

function readSample(line: string): PrometheusSample {
  const head = /^[a-z_]+/.exec(line)?.[0] ?? '';
  const labels: Record<string, string> = Object.create(null) as Record<string, string>;
  let at = head.length;
  if (line[at] === '{') {
    const one = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"([,}])/y;
    do {
      one.lastIndex = at + 1;
      const [all, key, value] = one.exec(line) ?? fail(line);
      if (Object.hasOwn(labels, key!)) throw new Error(`label ${key} twice: ${line}`);
      const plain = value!.replaceAll(/\\(.)/g, (_, escaped: string) =>
        escaped === 'n' ? '\n' : escaped,
      );
      if (plain !== '') labels[key!] = plain;
      at += all.length;
    } while (line[at] !== '}');
    at++;
  }
  const [, text] = /^ (-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/.exec(line.slice(at)) ?? fail(line);
  return { name: head, labels, value: Number(text), text: text! };
}

function fail(line: string): never {
  throw new Error(`no sample: ${line}`);
}
