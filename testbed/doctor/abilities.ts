/**
What each command needs, and so which of them would not work on a machine.
*/

import {backends, type Backend} from '../../src/netfilter/types.js';
import type {Finding, Use} from './check.js';

/** Commands, or kinds of rules, by what a user types, with the uses that they are made of. */
const abilities: ReadonlyArray<{readonly what: string; readonly uses: readonly Use[]}> = [
	{what: 'run, scenarios, probe', uses: ['everything', 'actors', 'every set']},
	{what: 'probe --batch, diff, baseline, mutate, coverage', uses: ['everything', 'every set', 'prober']},
	{what: 'rules with --redirect-dns', uses: ['everything', 'every set', 'DNS capture']},
	{what: 'rules with -m TPROXY, --drop-invalid', uses: ['everything', 'every set', 'TPROXY']},
	{what: 'ambient mode', uses: ['everything', 'every set', 'TPROXY', 'DNS capture', 'ambient mode']},
	{what: 'packet: invalid', uses: ['everything', 'invalid packets']},
	{what: 'other rules, from a dump', uses: ['dumps']},
];

/** Whether something works, on one back end, or whatever the back end (null). `because` are the checks that failed, `mend` what brings what they lack, each once. */
export type Ability = {readonly what: string; readonly backend: Backend | null; readonly ok: boolean; readonly because: readonly string[]; readonly fix: readonly string[]};

/** What works on the machine of these findings. What fails on every back end for the same reason is said once. */
export function abilitiesOf(findings: readonly Finding[]): readonly Ability[] {
	return abilities.flatMap(({what, uses}) => {
		const failed = findings.filter(({ok, use}) => !ok && uses.includes(use));
		const shared = failed.filter(({backend}) => backend === undefined);
		if (failed.length === 0 || shared.length > 0) {
			return [abilityOf(what, null, shared)];
		}

		return backends.map(backend => abilityOf(what, backend, failed.filter(finding => finding.backend === backend)));
	});
}

function abilityOf(what: string, backend: Backend | null, failed: readonly Finding[]): Ability {
	return {
		what, backend, ok: failed.length === 0, because: failed.map(finding => finding.what), fix: [...new Set(failed.map(({fix}) => fix))],
	};
}
