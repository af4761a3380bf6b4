/**
The kinds of faults in a mutant of a rule set. The help of `mutate` lists them with these texts.
*/

/** What each kind does to the rules, as a clause. */
export const mutationFaults = {
	delete: 'a rule is missing',
	swap: 'a rule is behind the next one',
	negate: 'a condition is negated',
	owner: 'a user or group is a different one',
	port: 'a port is a different one',
	address: 'an address is a different one',
	widen: 'a range is wider',
	narrow: 'a range is narrower',
	mark: 'a mark is a different one',
	target: 'a target is a different one',
} as const satisfies Readonly<Record<string, string>>;

/** One of them. */
export type MutationKind = keyof typeof mutationFaults;

/** Every kind. */
export const mutationKinds = Object.keys(mutationFaults) as readonly MutationKind[];
