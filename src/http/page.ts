import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import type { Answer } from './sending.ts';
import { type Asked, json, type Route } from './server.ts';

/** A file of the page, ready to be sent. */
interface Asset {
  type: string;
  plain: Uint8Array;
  zipped: Uint8Array;
  /** Changes with the content. */
  tag: string;
}

/** Where the build puts the page; the same from `src` and from `dist`. */
const WEB = new URL('../../dist/web/', import.meta.url);
/** What comes from a package: its name under /assets/, and where it is. */
const FROM_PACKAGES: Readonly<Record<string, string>> = {
  'uplot.js': 'uplot/dist/uPlot.iife.min.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
};
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const INDEX = 'page/index.html';

/**
 * Nothing from elsewhere, nothing inline; and no text becomes markup or a script, whoever asks.
 * Source: W3C, Content Security Policy Level 3; Trusted Types.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const zip = promisify(gzip);
const require = createRequire(import.meta.url);

/** Returns the routes of the live page: `/`, and what belongs to it under `/assets/`. */
export function createPageRoutes(): Route[] {
  const loaded = new Map<string, Promise<Asset>>();
  let places: Promise<Map<string, string>> | undefined;

  return [
    { path: '/', guarded: true, answer: (asked) => answer(INDEX, asked) },
    { path: '/assets/', rest: 'file', guarded: true, answer: (asked) => answer(asked.rest, asked) },
  ];

  async function answer(name: string, { headers }: Asked): Promise<Answer> {
    const place = (await (places ??= findPlaces())).get(name);
    if (place === undefined) {
      const error =
        name === INDEX
          ? 'the page has not been built: run `npm run build` and start again'
          : 'no such file belongs to the page';
      return json(name === INDEX ? 500 : 404, { error });
    }
    let asset = loaded.get(name);
    if (asset === undefined) loaded.set(name, (asset = load(place)));
    return answerWith(await asset, headers);
  }
}

/** The files that may be asked for, by name: no other path is ever opened. */
async function findPlaces(): Promise<Map<string, string>> {
  const folder = fileURLToPath(WEB);
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const own = names
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => Object.hasOwn(TYPES, extname(name)))
    .map((name): [string, string] => [name, fileURLToPath(new URL(name, WEB))]);
  const others = Object.entries(FROM_PACKAGES).map(([name, path]): [string, string] => {
    return [name, require.resolve(path)];
  });
  return new Map([...own, ...others]);
}

async function load(place: string): Promise<Asset> {
  const plain = await readFile(place);
  const tag = createHash('sha256').update(plain).digest('base64url').slice(0, 22);
  const type = TYPES[extname(place)]!;
  return { type, plain, zipped: await zip(plain, { level: 9 }), tag: `"${tag}"` };
}

function answerWith({ type, plain, zipped, tag }: Asset, asked: Asked['headers']): Answer {
  const headers = {
    // Asked for each time, sent only where it differs: a new build is there at once.
    'Cache-Control': 'no-cache',
    ETag: tag,
    Vary: 'Accept-Encoding',
    'Content-Security-Policy': POLICY,
  };
  if (asked['if-none-match'] === tag) return { status: 304, type, body: '', headers };
  const takesZipped = /\bgzip\b/.test(asked['accept-encoding'] ?? '');
  if (!takesZipped) return { status: 200, type, body: plain, headers };
  return { status: 200, type, body: zipped, headers: { ...headers, 'Content-Encoding': 'gzip' } };
}
