import type { Endpoints } from '../collector-types.ts';
import type { Drainer } from '../flush/drainer.ts';
import type { Health } from '../flush/health.ts';
import type { Time } from '../flush/time.ts';
import { hostPort } from '../ingest/address.ts';
import type { Options } from '../option-types.ts';
import { OPTION_SPECS } from '../option-specs.ts';
import type { Vitals, VitalsParts } from '../vitals.ts';
import { type SinkAges, statsText } from './answers.ts';
import { type CommandParts, createCommands, type SaidDown } from './commands.ts';
import { type ConsoleServer, createConsoleServer } from './console-server.ts';
import { createDelete, type DeletingParts } from './deleting.ts';
import { optionsText } from './shown-options.ts';

/** The admin console. */
export interface Admin extends ConsoleServer {
  /** Takes where the collector listens, to be shown. */
  tell(endpoints: Endpoints): void;
  /** Who has said that the collector is not to get traffic; undefined while nobody has. */
  saidDown(): SaidDown | undefined;
}

/** What the console shows and changes. */
export type AdminParts = Pick<CommandParts, 'timings' | 'log'> &
  Omit<DeletingParts, 'isStopping' | 'received' | 'drain' | 'tellAnew'> & {
    drainer: Pick<Drainer, 'received' | 'drain'>;
    /** Tells pages that are open; undefined where HTTP is off. */
    http: { tellAnew: () => void } | undefined;
    /** Drains, then reads: numbers of one moment. */
    vitals: () => Promise<Vitals>;
    /** Undefined before the start. */
    vitalsParts: () => VitalsParts | undefined;
    time: Time;
  };

const NO_QUESTIONS =
  'can be reached from elsewhere, and asks nobody who he is: who reaches it may delete counts and ' +
  'take the collector out of service; bind 127.0.0.1, or let a firewall see to it';

/** Creates the console, which says nothing before it is bound; undefined where it is off. */
export function createAdmin(options: Options, parts: AdminParts): Admin | undefined {
  const { admin: address } = options;
  if (address === null) return undefined;
  const { time, log, drainer, vitalsParts } = parts;
  const { received } = drainer;
  const nowMs = (): number => time.nowMs();
  const commands = createCommands({
    ...parts,
    nowMs,
    stats,
    config: () => optionsText(OPTION_SPECS, options, endpoints),
    delete: createDelete({
      ...parts,
      received,
      drain: () => drainer.drain(),
      isStopping: () => isClosed,
      tellAnew: () => parts.http?.tellAnew(),
    }),
  });
  let endpoints: Partial<Endpoints> = {};
  let isClosed = false;
  const server = createConsoleServer({ ...address, commands, time, log });

  return {
    saidDown: commands.saidDown,
    tell: (bound) => void (endpoints = bound),
    close() {
      isClosed = true;
      server.close();
    },
    async listen() {
      const endpoint = await server.listen();
      const { host, port } = address;
      if (!/^(?:127\.|::1$)/.test(host))
        log('warn', `--admin ${hostPort(host, port)} ${NO_QUESTIONS}`);
      return endpoint;
    },
  };

  async function stats(): Promise<string> {
    const vitals = await parts.vitals();
    const { counterFlusher, timingFlusher } = vitalsParts()!;
    const { lastLineMs } = received;
    return statsText(vitals, {
      sinceLineMs: lastLineMs === undefined ? undefined : nowMs() - lastLineMs,
      store: agesOf(counterFlusher.health),
      trap: timingFlusher && agesOf(timingFlusher.health),
    });
  }
}

function agesOf({ sinceSuccessMs, sinceFailureMs }: Health): SinkAges {
  return { sinceSuccessMs: sinceSuccessMs(), sinceFailureMs: sinceFailureMs() };
}
