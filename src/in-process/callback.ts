import { callbackify } from 'node:util';

/** The last argument of a call in Node's older style. */
export type Callback<Result> = (error: Error | null, result: Result) => void;

/** Returns a promise; or, where there is a callback, calls it instead and returns undefined. */
export function answer<Result>(
  result: Promise<Result>,
  callback: Callback<Result> | undefined,
): Promise<Result> | undefined {
  if (callback === undefined) return result;
  callbackify(() => result)(callback);
  return undefined;
}
