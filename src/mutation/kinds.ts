/**
The kinds of faults in a mutant of a rule set.
*/

/** Every kind: a rule is missing, or two are swapped; a condition is negated, or has a nearby value; or the target is different. */
export const mutationKinds = ['delete', 'swap', 'negate', 'owner', 'port', 'address', 'widen', 'narrow', 'mark', 'target'] as const;

/** One of them. */
export type MutationKind = typeof mutationKinds[number];
