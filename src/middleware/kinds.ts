/** The hashes of a query counter that exist from the start, with a field for every URI. */
export const FIRST_KINDS = ['requestTotal', 'responseTotal', 'success', 'error', 'fail'] as const;

/** What a hash counts; its name follows the prefix. */
export type Kind =
  | (typeof FIRST_KINDS)[number]
  /** Requests whose client went away before the response was sent. */
  | 'aborted'
  /** Responses by the first digit of their status. */
  | '2xx'
  | '3xx'
  | '4xx'
  | '5xx';

const STATUS_CLASSES: readonly (Kind | undefined)[] = [
  undefined,
  undefined,
  '2xx',
  '3xx',
  '4xx',
  '5xx',
];

const JSEND_KINDS = new Map<string, Kind>([
  ['success', 'success'],
  ['error', 'error'],
  ['fail', 'fail'],
]);

/** Returns the kind for a status, undefined where none of the classes has it. */
export function statusKind(statusCode: number): Kind | undefined {
  return STATUS_CLASSES[Math.trunc(statusCode / 100)];
}

/** Returns the kind for what was given to `res.jsend`, in whatever case; undefined for others. */
export function jsendKind(status: unknown): Kind | undefined {
  if (typeof status !== 'string') return undefined;
  return JSEND_KINDS.get(status) ?? JSEND_KINDS.get(status.toLowerCase());
}
