import { rootCertificates } from 'node:tls';
import { expect } from 'chai';
import { StatcolError } from '../../src/errors.ts';
import { readOptions } from '../../src/options.ts';
import type { Options } from '../../src/option-types.ts';

/** A certificate. */
export const PEM = rootCertificates[0]!;
/** What there is to be read. */
export const FILES: Record<string, string> = {
  'ca.pem': `# mine\n${PEM}\n`,
  'empty.pem': '',
  'x.pem': 'x',
};
/** What options depend on. */
export const AROUND = {
  hostName: 'web-1',
  pid: 77,
  readText(path: string): string {
    const text = FILES[path];
    if (text === undefined) throw new Error('ENOENT');
    return text;
  },
};

/** An option's name. */
export type Key = keyof Options;

/** Returns the faults of what is given; fails where it has none. */
export function faultsOf(given: Parameters<typeof readOptions>[0]): readonly string[] {
  try {
    readOptions(given, AROUND);
  } catch (error) {
    expect(error).to.be.instanceOf(StatcolError).with.property('code', 'ERR_OPTIONS');
    return (error as StatcolError).faults;
  }
  throw new Error('nothing was refused');
}

/** Returns a value for a test's name. */
export function short(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 40)}… (${text.length})` : text;
}
