/**
What each command needs from the machine, and so which commands would not work on it.
*/

import {backends, type Backend} from '../../src/netfilter/types.js';
import type {Finding, Use} from './check.js';

/** Commands and kinds of rules, named as a user types them, with the uses that they depend on. */
const abilities: ReadonlyArray<{readonly what: string; readonly uses: readonly Use[]}> = [
	{what: 'run, scenarios, probe', uses: ['everything', 'users', 'actors', 'every set']},
	{what: 'probe --batch, diff, baseline, mutate, coverage', uses: ['everything', 'users', 'every set', 'prober']},
	{what: 'rules with --redirect-dns', uses: ['everything', 'users', 'every set', 'DNS capture']},
	{what: 'rules with -m TPROXY, --drop-invalid', uses: ['everything', 'users', 'every set', 'TPROXY']},
	{what: 'ambient mode', uses: ['everything', 'users', 'every set', 'TPROXY', 'DNS capture', 'ambient mode']},
	{what: 'packet: invalid', uses: ['everything', 'users', 'invalid packets']},
	{what: 'other rules, from a dump', uses: ['dumps']},
];

/** Whether something works on one back end, or regardless of the back end (null). `because` lists the checks that failed, `fix` the commands that fix them, each once. */
export type Ability = {readonly what: string; readonly backend: Backend | null; readonly ok: boolean; readonly because: readonly string[]; readonly fix: readonly string[]};

/** What works on the machine with these findings. What fails on every back end for the same reason is listed once. */
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
