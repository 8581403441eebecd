import type { SetStore } from '../../src/sinks/set-store.ts';
import { type Chunk, type FieldFault, HashFault, type Store } from '../../src/sinks/store.ts';

/** What becomes of one call. */
export type Outcome =
  | 'ok'
  /** The call fails and nothing was applied. */
  | 'lost-before'
  /** The chunk is applied, but the answer never comes. */
  | 'lost-after'
  /** The hash is of another type: nothing was applied, but the number is used up. */
  | 'hash-fault';

/** A store that applies a chunk once per hash and number, as the script in Redis does. */
export interface FakeStore extends Store, Pick<SetStore, 'countMembers'> {
  connected: boolean;
  /** Decides the outcome of each call; `ok` unless the test says otherwise. */
  decide: (chunk: Chunk) => Outcome | Promise<Outcome>;
  /** Makes `connect` fail. */
  connectError: string | undefined;
  /** How many unique members the sets have, by key. */
  readonly unique: Map<string, number>;
  /** Called before and after each call. */
  onEvent: () => void;
  /** Fields that cannot be added to, as `hash field`. */
  readonly badFields: Map<string, FieldFault>;
  /** Every chunk sent, in order, as a text: `hash#seq field=amount …`. */
  readonly sent: string[];
  /** How many calls were under way at once, at most. */
  readonly inFlightMax: number;
  /** What a correct flusher never does. */
  readonly breaches: string[];
  /** Returns what is counted in a field; undefined if it was never written. */
  value(hash: string, field: string): number | undefined;
}

/** The last chunk of a hash: its number, its text and the answer; none where the hash refused. */
interface Mark {
  seq: number;
  text: string;
  faults: ReadonlyMap<number, FieldFault> | undefined;
}

/** Creates an empty store that is connected and takes everything. */
export function createFakeStore(): FakeStore {
  const hashes = new Map<string, Map<string, number>>();
  const marks = new Map<string, Mark>();
  let inFlight = 0;
  let inFlightMax = 0;

  const store: FakeStore = {
    kind: 'redis',
    label: 'fake store',
    connected: true,
    decide: () => 'ok',
    connectError: undefined,
    onEvent: () => {},
    badFields: new Map(),
    unique: new Map(),
    countMembers: (key) => Promise.resolve(store.unique.get(key) ?? 0),
    sent: [],
    breaches: [],
    get inFlightMax() {
      return inFlightMax;
    },
    connect() {
      if (store.connectError !== undefined) return Promise.reject(new Error(store.connectError));
      store.connected = true;
      return Promise.resolve();
    },
    apply,
    read: (hash) =>
      Promise.resolve(
        Array.from(hashes.get(hash) ?? [], ([field, value]) => [field, String(value)]),
      ),
    readField: (hash, field) => {
      return Promise.resolve(hashes.get(hash)?.get(field)?.toString() ?? null);
    },
    countFields: (hash) => Promise.resolve(hashes.get(hash)?.size ?? 0),
    closed: false,
    value: (hash, field) => hashes.get(hash)?.get(field),
    close: () => {},
  };
  return store;

  async function apply(
    chunk: Chunk,
    onChanged?: (part: number, value: number) => void,
  ): Promise<ReadonlyMap<number, FieldFault>> {
    inFlight++;
    inFlightMax = Math.max(inFlightMax, inFlight);
    store.sent.push(textOf(chunk));
    store.onEvent();
    try {
      const outcome = await store.decide(chunk);
      const mark = marks.get(chunk.hash);
      const applied = mark !== undefined && mark.seq >= chunk.seq;
      if (outcome === 'lost-before') throw new Error('connection lost');
      if (outcome === 'hash-fault' && !applied) {
        marks.set(chunk.hash, { seq: chunk.seq, text: textOf(chunk), faults: undefined });
        throw new HashFault('WRONGTYPE');
      }
      const faults = applied ? replay(chunk, mark) : applyOnce(chunk, onChanged);
      if (outcome === 'lost-after') throw new Error('reply lost');
      return faults;
    } finally {
      inFlight--;
      queueMicrotask(() => store.onEvent());
    }
  }

  function replay(chunk: Chunk, mark: Mark): ReadonlyMap<number, FieldFault> {
    const text = textOf(chunk);
    if (text !== mark.text) store.breaches.push(`applied ${mark.text}, sent again as ${text}`);
    if (mark.faults === undefined) throw new HashFault('WRONGTYPE');
    return mark.faults;
  }

  function applyOnce(
    chunk: Chunk,
    onChanged?: (part: number, value: number) => void,
  ): ReadonlyMap<number, FieldFault> {
    const { hash, seq, parts, total } = chunk;
    const fields = hashes.get(hash) ?? new Map<string, number>();
    hashes.set(hash, fields);
    const faults = new Map<number, FieldFault>();
    for (const [index, { field, amount, gauge }] of parts.entries()) {
      const fault = field === null ? undefined : store.badFields.get(`${hash} ${field}`);
      if (gauge !== undefined) {
        if (fault !== undefined) faults.set(index, fault);
        else {
          const value = (gauge === 'set' ? 0 : (fields.get(field!) ?? 0)) + amount;
          fields.set(field!, value);
          if (gauge === 'change') onChanged?.(index, value);
        }
        continue;
      }
      if (!Number.isInteger(amount)) store.breaches.push(`${hash} ${field} got ${amount}`);
      if (amount < -(2 ** 63) || amount >= 2 ** 63)
        store.breaches.push(`beyond 64 bits: ${amount}`);
      if (fault !== undefined) {
        faults.set(index, fault);
        continue;
      }
      if (field !== null) fields.set(field, (fields.get(field) ?? 0) + amount);
      if (total) fields.set('total', (fields.get('total') ?? 0) + amount);
    }
    marks.set(hash, { seq, text: textOf(chunk), faults });
    return faults;
  }
}

function textOf({ hash, seq, parts }: Chunk): string {
  const signs = { set: '==', change: '+=' };
  const fields = parts.map(({ field, amount, gauge }) => {
    return `${field ?? '-'}${gauge === undefined ? '=' : signs[gauge]}${amount + 0}`;
  });
  return `${hash}#${seq} ${fields.join(' ')}`;
}
