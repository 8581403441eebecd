import type { IncomingMessage } from 'node:http';

import { prototypeOfApp } from './express-app.ts';

type RoutePath = string | RegExp;
type Params = Readonly<Record<string, unknown>>;

/** A request with what Express, or another router, puts on it. */
export interface RoutedRequest extends IncomingMessage {
  originalUrl?: string;
  /** What routers that this one is nested in have taken off the URL. */
  baseUrl?: string;
  route?: { path?: RoutePath | readonly RoutePath[] };
  params?: Params;
}

/**
 * Returns the pattern of the route that a request matched, mounts included: `/users/:id/posts`.
 * Undefined if it matched none.
 *
 * A router forgets where a route was mounted when an error leaves it, and Express shows mounts as
 * they came (`/users/42`).
 *
 * @param isWatched what {@link watchRoutes} has returned: it keeps both. Without it, mounts are
 *   taken as Express shows them at the end.
 */
export function routePattern(request: RoutedRequest, isWatched: boolean): string | undefined {
  const { route } = request;
  const path = route?.path;
  if (path === undefined) return undefined;
  const base = isWatched ? baseOfRoute(request, route) : request.baseUrl;
  const pattern = typeof path === 'string' ? path : [path].flat().join(',');
  if (base === undefined || base === '') return pattern === '' ? '/' : pattern;
  return pattern === '/' ? base : base + pattern;
}

/** Returns the path of a request as it came, without query. */
export function pathOf(request: RoutedRequest): string {
  const url = request.originalUrl ?? request.url ?? '/';
  const query = url.search(/[?#]/);
  const path = query < 0 ? url : url.slice(0, query);
  if (path.startsWith('/') || path === '*') return path;
  // A proxy is asked for whole URLs.
  const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/]*/i.exec(path);
  return path.slice(origin?.[0].length ?? 0) || '/';
}

const TRAIL = Symbol('where routers are mounted');
const WATCHED = Symbol('watched');

/** A router's place: what was taken off the URL on the way to it, and as a pattern. */
interface Trail {
  readonly base: string;
  readonly pattern: string;
  readonly params: Params;
  readonly parent: Trail | undefined;
  /** What had been matched before the router was entered. */
  readonly routeBefore: RoutedRequest['route'];
  /** A route that was matched in a router which was then left, and the pattern of that one. */
  readonly left: { readonly route: RoutedRequest['route']; readonly pattern: string } | undefined;
}

interface Watched extends RoutedRequest {
  [TRAIL]?: Trail;
  [WATCHED]?: true;
}

const ROOT: Trail = {
  base: '',
  pattern: '',
  params: {},
  parent: undefined,
  routeBefore: undefined,
  left: undefined,
};

/** Where the router is mounted in which the request's route was matched. */
function baseOfRoute({ [TRAIL]: trail = ROOT }: Watched, route: RoutedRequest['route']): string {
  if (trail.left?.route === route) return trail.left?.pattern ?? '';
  let at = trail;
  while (at.parent !== undefined && at.routeBefore === route) at = at.parent;
  return at.pattern;
}

/**
 * Sees to it that the patterns of mounts are known for the requests of an Express application.
 *
 * Express keeps them nowhere. But it sets `req.params`, then `req.baseUrl`, as it enters a mounted
 * router, and `req.baseUrl` again as it leaves it. So this becomes an accessor, once per
 * application, on its `app.request`, the object that Express keeps for such extensions. Returns
 * false where there is no Express.
 */
export function watchRoutes(request: RoutedRequest): boolean {
  if ((request as Watched)[WATCHED] !== true && !watchApp(request)) return false;
  // A value of its own would hide the accessor: Express 4 sets one before a request is its own,
  // Express 5 on the first request, which comes before the accessor.
  if (!Object.hasOwn(request, 'baseUrl')) return true;
  const { baseUrl } = request;
  delete request.baseUrl;
  if (baseUrl !== undefined) request.baseUrl = baseUrl;
  return true;
}

/** Returns false where there is no application of Express. */
function watchApp(request: RoutedRequest): boolean {
  const prototype = prototypeOfApp(request);
  if (prototype !== undefined) Object.defineProperties(prototype, ACCESSORS);
  return prototype !== undefined;
}

const ACCESSORS: PropertyDescriptorMap & ThisType<Watched> = {
  [WATCHED]: { value: true },
  // Found at once, where none is set: what is missing is looked for in all prototypes.
  [TRAIL]: { value: ROOT, writable: true },
  baseUrl: {
    configurable: true,
    enumerable: true,
    get() {
      return (this[TRAIL] ?? ROOT).base;
    },
    // Each property that is set on a request costs half a microsecond: none for the common case.
    set(base = '') {
      const trail = this[TRAIL] ?? ROOT;
      if (base !== trail.base) this[TRAIL] = moved(trail, base as string, this);
    },
  },
};

function moved(from: Trail, base: string, { route, params = {} }: RoutedRequest): Trail {
  let trail = from;
  while (trail.parent !== undefined && !base.startsWith(trail.base)) trail = trail.parent;
  let { left } = from;
  if (trail !== from && route !== from.routeBefore && route !== left?.route) {
    left = { route, pattern: from.pattern };
  }
  if (base === trail.base) return { ...trail, left };
  // A router that merges its parents' parameters into its own has matched only those that are new.
  const all = Object.entries(params);
  const own = all.filter(([name, value]) => trail.params[name] !== value);
  const added = base.slice(trail.base.length);
  const pattern = trail.pattern + mountPattern(added, own.length > 0 ? own : all);
  return { base, pattern, params, parent: trail, routeBefore: route, left };
}

/**
 * Returns the pattern of a mount from what it matched and the parameters that came of it, in their
 * order: `/users/42`, `id` 42 → `/users/:id`. What has no name (`*`, a group) becomes `*`.
 */
export function mountPattern(matched: string, params: readonly [string, unknown][]): string {
  let pattern = decoded(matched);
  let end = pattern.length;
  // From behind, so that two of the same value, or one of a fixed part's, are told apart. Numbers
  // come first in an object, wherever they stand in the path: they are most often at its end.
  const named = params.filter(([name]) => !isNumber(name));
  const numbered = params.filter(([name]) => isNumber(name));
  for (const [name, value] of [...named, ...numbered].toReversed()) {
    const wanted = Array.isArray(value) ? value.join('/') : value;
    if (typeof wanted !== 'string' || wanted === '') continue;
    const before = lastPlace(pattern.slice(0, end), wanted);
    const start = before >= 0 ? before : lastPlace(pattern, wanted);
    if (start < 0) continue;
    const shown = isNumber(name) ? '*' : `:${name}`;
    pattern = pattern.slice(0, start) + shown + pattern.slice(start + wanted.length);
    end = start;
  }
  return pattern;
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}

/** Whole segments first: a parameter is seldom a part of one. */
function lastPlace(text: string, wanted: string): number {
  const whole = `${text}/`.lastIndexOf(`/${wanted}/`);
  return whole >= 0 ? whole + 1 : text.lastIndexOf(wanted);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
