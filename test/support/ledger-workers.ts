import nodeModule, { syncBuiltinESMExports } from 'node:module';
import workerThreads from 'node:worker_threads';

const TSX = import.meta.resolve('tsx/esm/api');
const REGISTER = `data:text/javascript,import{register}from${JSON.stringify(TSX)};register()`;

class TypeScriptWorker extends workerThreads.Worker {
  constructor(url: URL, options: workerThreads.WorkerOptions = {}) {
    super(url, { ...options, execArgv: [...process.execArgv, '--import', REGISTER] });
  }
}

/**
 * Lets worker threads load TypeScript, also those that the code under test starts. On Node 20
 * `--import tsx` does that for the main thread alone: in a thread it registers nothing, and
 * `thread.ts` has an unknown extension. So here each thread is told to register it. Where Node has
 * `registerHooks` nothing is to be done.
 */
export function loadTypeScriptInThreads(): void {
  if ('registerHooks' in nodeModule) return;
  Object.assign(workerThreads, { Worker: TypeScriptWorker });
  syncBuiltinESMExports();
}
