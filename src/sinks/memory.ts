import { TOTAL_FIELD } from '../flush/layout.ts';
import type { FieldFault, Store } from './store.ts';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/**
 * Creates a store in memory. It answers as Redis does, 64-bit limits included, and forgets
 * everything when the process ends. Names that are counted are kept until then.
 */
export function createMemoryStore(): Store {
  const hashes = new Map<string, Map<string, bigint>>();

  return {
    kind: 'memory',
    label: 'memory store',
    connected: true,
    closed: false,
    connect: () => Promise.resolve(),
    apply(chunk) {
      const faults = new Map<number, FieldFault>();
      const fields = hashes.get(chunk.hash) ?? new Map<string, bigint>();
      hashes.set(chunk.hash, fields);
      for (const [index, { field, amount }] of chunk.parts.entries()) {
        const written = field === null || add(fields, field, BigInt(amount));
        const totalled = !chunk.total || !written || add(fields, TOTAL_FIELD, BigInt(amount));
        if (!written || !totalled) faults.set(index, 'overflow');
      }
      return Promise.resolve(faults);
    },
    read: (hash) =>
      Promise.resolve(
        Array.from(hashes.get(hash) ?? [], ([field, value]) => [field, value.toString()]),
      ),
    readField: (hash, field) => Promise.resolve(hashes.get(hash)?.get(field)?.toString() ?? null),
    close: () => {},
  };
}

function add(fields: Map<string, bigint>, field: string, amount: bigint): boolean {
  const sum = (fields.get(field) ?? 0n) + amount;
  if (sum < INT64_MIN || sum > INT64_MAX) return false;
  fields.set(field, sum);
  return true;
}
