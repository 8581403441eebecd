import { TOTAL_FIELD } from '../flush/layout.ts';
import { createMemorySets } from './memory-sets.ts';
import type { SetStore } from './set-store.ts';
import { decimal, type FieldFault, plainDecimal, type Store } from './store.ts';

/** A field's value, exact: a counter's is a number as long as that is safe. */
interface Field {
  value: number | bigint;
  readonly isGauge: boolean;
}

/**
 * Creates a store in memory. It answers as Redis does, 64-bit limits included, and forgets
 * everything when the process ends. Names that are counted are kept until then.
 */
export function createMemoryStore(wallNowMs: () => number = Date.now): Store & SetStore {
  const hashes = new Map<string, Map<string, Field>>();

  return {
    kind: 'memory',
    label: 'memory store',
    connected: true,
    closed: false,
    connect: () => Promise.resolve(),
    apply(chunk, onChanged) {
      const faults = new Map<number, FieldFault>();
      const fields = hashes.get(chunk.hash) ?? new Map<string, Field>();
      hashes.set(chunk.hash, fields);
      for (const [index, { field, amount, gauge }] of chunk.parts.entries()) {
        if (gauge !== undefined) {
          const base = gauge === 'set' ? 0 : Number(fields.get(field ?? '')?.value ?? 0);
          if (!setGauge(fields, field ?? '', base + amount)) faults.set(index, 'overflow');
          else if (gauge === 'change') onChanged?.(index, base + amount);
          continue;
        }
        const written = field === null || add(fields, field, amount);
        const totalled = !chunk.total || !written || add(fields, TOTAL_FIELD, amount);
        if (!written || !totalled) faults.set(index, 'overflow');
      }
      return Promise.resolve(faults);
    },
    read: (hash) =>
      Promise.resolve(Array.from(hashes.get(hash) ?? [], ([name, field]) => [name, textOf(field)])),
    readField(hash, field) {
      const found = hashes.get(hash)?.get(field);
      return Promise.resolve(found === undefined ? null : textOf(found));
    },
    ...createMemorySets(wallNowMs),
    countFields: (hash) => Promise.resolve(hashes.get(hash)?.size ?? 0),
    remove(hash, field, total) {
      const fields = hashes.get(hash);
      if (fields === undefined) return false;
      const removed = total ? removeCounted(fields, field) : fields.delete(field ?? '');
      if (fields.size === 0) hashes.delete(hash);
      return removed;
    },
    close: () => {},
  };
}

/** Adds to a field; false, and nothing added, where the sum would leave 64 bits. */
function add(fields: Map<string, Field>, name: string, amount: number): boolean {
  const field = fields.get(name);
  const sum = plus(field?.value ?? 0, amount);
  if (sum === undefined) return false;
  if (field === undefined) fields.set(name, { value: sum, isGauge: false });
  else field.value = sum;
  return true;
}

/** Takes out a field of a split hash, or what was counted in its `total` alone. */
function removeCounted(fields: Map<string, Field>, name: string | null): boolean {
  const total = fields.get(TOTAL_FIELD);
  if (total === undefined || name === TOTAL_FIELD) return false;
  const amount = name === null ? aloneIn(fields) : fields.get(name)?.value;
  if (amount === undefined) return false;
  if (name !== null) fields.delete(name);
  total.value = narrow(clamp(BigInt(total.value) - BigInt(amount)));
  if (fields.size === 1 && (name === null || total.value === 0)) fields.delete(TOTAL_FIELD);
  return true;
}

/** What `total` holds beyond the other fields; undefined where that is nothing. */
function aloneIn(fields: Map<string, Field>): bigint | undefined {
  let alone = 0n;
  for (const [name, { value }] of fields) {
    alone += name === TOTAL_FIELD ? BigInt(value) : -BigInt(value);
  }
  return alone === 0n && fields.size > 1 ? undefined : alone;
}

/** Where a count was refused for its size, what is left may be beyond 64 bits. */
function clamp(value: bigint): bigint {
  const most = 2n ** 63n - 1n;
  if (value > most) return most;
  return value < -most - 1n ? -most - 1n : value;
}

function narrow(value: bigint): number | bigint {
  return BigInt.asIntN(53, value) === value ? Number(value) : value;
}

/** Sets a gauge; false, and nothing set, where that is beyond all numbers. */
function setGauge(fields: Map<string, Field>, name: string, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  const field = fields.get(name);
  if (field === undefined) fields.set(name, { value, isGauge: true });
  else field.value = value;
  return true;
}

function plus(value: number | bigint, amount: number): number | bigint | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value + amount)) return value + amount;
  const sum = BigInt(value) + BigInt(amount);
  return BigInt.asIntN(64, sum) === sum ? sum : undefined;
}

function textOf({ value, isGauge }: Field): string {
  if (isGauge) return plainDecimal(Number(value));
  return typeof value === 'number' ? decimal(value) : value.toString();
}
