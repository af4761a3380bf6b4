/**
One difference between rules as a sentence.
*/

import type {RuleChange, ValueDifference} from '../../judge/rule-diff/rule-diff.js';

/** What happened to a rule: `proxy-uid-bypass moved from #4 to #2.` */
export function describeChange(change: RuleChange): string {
	const name = change.role ?? 'a foreign rule';
	switch (change.kind) {
		case 'moved': {
			return sentence(`${name} moved from #${change.from.number} to #${change.to.number}`);
		}

		case 'added': {
			return sentence(`${name} is new at #${change.to.number}`);
		}

		case 'removed': {
			return sentence(`${name} is gone; it was #${change.from.number}`);
		}

		case 'changed': {
			const place = change.from.number === change.to.number ? `at #${change.to.number}` : `at #${change.from.number}, now #${change.to.number},`;
			return sentence(`${name} ${place} changed: ${change.values.map(value => describeValue(value)).join('; ')}`);
		}
	}
}

/** A value that differs: `uid 1337 → 2000`. */
export function describeValue({name, from, to}: ValueDifference): string {
	// A rule without the match accepts any value; a chain without a policy, or a rule without opaque text, has none.
	const missing = withoutIsNone.has(name) ? 'none' : 'any';
	return `${name} ${from ?? missing} → ${to ?? missing}`;
}

const withoutIsNone: ReadonlySet<string> = new Set(['policy', 'type', 'hook', 'priority', 'socket-exists', 'opaque', 'target']);

/** A role is a name and stays in lower case. */
function sentence(text: string): string {
	return `${text.startsWith('a foreign') ? `A${text.slice(1)}` : text}.`;
}
