import type { ReferenceReading } from './reference-reading.ts';
import type { Rule } from './reference-rule.ts';
import { RULES_OF_NAMES } from './reference-rules-of-names.ts';
import { RULES_OF_VALUES } from './reference-rules-of-values.ts';

/** All rules. A line that none of them applies to means the same to both. */
export const RULES: readonly Rule[] = [...RULES_OF_VALUES, ...RULES_OF_NAMES];

/** Returns the first rule that applies to a line. */
export function ruleFor(line: ReferenceReading): Rule | undefined {
  return RULES.find((rule) => rule.applies(line));
}
