import type { FeatureGroup } from './protocol-feature.ts';

// Tags in all their spellings, and the other fields.

/** Tags, and what else may stand behind a type. */
export const TAG_FEATURES: FeatureGroup[] = [
  {
    title: 'tags',
    features: [
      {
        what: 'DogStatsD',
        sent: ['checkout:1|c|#zone:eu,canary'],
        becomes: { counters: { 'checkout;canary=;zone=eu': 1 } },
      },
      {
        what: 'Graphite; both together',
        sent: ['cart;zone=eu;canary:1|c', 'cart;zone=eu:1|c|#canary'],
        becomes: { counters: { 'cart;canary=;zone=eu': 2 } },
      },
      {
        what: '`--tags influx`',
        flag: '--tags influx',
        sent: ['cart,zone=eu,canary:1|c'],
        becomes: { counters: { 'cart;canary=;zone=eu': 1 } },
      },
      {
        what: '`--tags librato`',
        flag: '--tags librato',
        sent: ['cart#zone=eu,canary:1|c'],
        becomes: { counters: { 'cart;canary=;zone=eu': 1 } },
      },
      {
        what: '`--tags signalfx`, anywhere in the name, but whole',
        flag: '--tags signalfx',
        sent: ['cart.size[zone=eu,canary]:1|c', 'cart[zone=eu,canary].size:1|c', 'cart[k=v:1|c'],
        becomes: { counters: { 'cart.size;canary=;zone=eu': 2 }, refused: { bad_tags: 1 } },
      },
      {
        what: 'order and repetition mean nothing; both values of a key are kept; none are none',
        sent: ['both:1|c|#b:2,a:1,b:2', 'both:1|c|#a:1,b:2', 'twice:1|c|#k:2,k:1', 'bare:1|c|#'],
        becomes: { counters: { 'both;a=1;b=2': 2, 'twice;k=1;k=2': 1, bare: 1 } },
      },
      {
        what: '`;` in a tag, and `=` in its key, become `_`',
        sent: ['mark:1|c|#a;b=c:d;e=f'],
        becomes: { counters: { 'mark;a_b_c=d_e=f': 1 } },
      },
      {
        what: '`--tag-sets-per-name 2`: further ones are one',
        flag: '--tag-sets-per-name 2',
        sent: ['user:1|c|#id:1', 'user:1|c|#id:2', 'user:1|c|#id:3', 'user:1|c|#id:4'],
        becomes: { counters: { 'user;id=1': 1, 'user;id=2': 1, 'user;other=true': 2 } },
      },
    ],
  },
  {
    title: 'other fields',
    features: [
      {
        what: '`T` is checked, of `c` and `g`, and ignored',
        sent: ['dated:1|c|T1700000000', 'dated:2|g|T0|#k:v'],
        becomes: { counters: { dated: 1 }, gauges: { 'dated;k=v': 2 } },
      },
      {
        what: '`c:` `e:` `card:`, unknown and empty ones are ignored; the order is free',
        sent: ['field:1|c|c:cid|#k:v|e:x|@0.5|card:low|zzz', 'field:1|c||@0.5|#k:v|'],
        becomes: { counters: { 'field;k=v': 4 } },
      },
    ],
  },
];
