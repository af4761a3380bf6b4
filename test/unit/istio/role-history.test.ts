import test from 'ava';
import {roleHistory} from '../../../src/istio/role-history.js';
import {roleOf, roles, type Role} from '../../../src/istio/roles.js';
import {rulesOf} from '../../../src/netfilter/lookup.js';
import {parseSave} from '../../../src/netfilter/save.js';
import {readRealRuns} from '../../helpers/istio-real.js';

const names = Object.keys(roles) as readonly Role[];

/** A release as a number that grows with it; a patch release that is not named is the newest of its line. */
function rank(release: string): number {
	const [major = '0', minor = '0', patch = '99'] = release.replace('≥ ', '').split('.');
	return (Number(major) * 10_000) + (Number(minor) * 100) + Number(patch);
}

test('every role has a release and where that is known from', t => {
	t.deepEqual(Object.keys(roleHistory).toSorted(), [...names].toSorted());
	for (const name of names) {
		t.regex(roleHistory[name].since, /^(?:[≤≥] )?1\.\d+(?:\.\d+)?$/u, name);
		t.regex(roleHistory[name].source, /istio/u, name);
	}
});

test('no release that was run writes a rule of a role that it should not have yet', t => {
	const early = new Set<string>();
	let seen = 0;
	for (const {release, rc, v4, v6} of [...readRealRuns('defaults'), ...readRealRuns('random')]) {
		for (const [text, family] of [[v4, 'ipv4'], [v6, 'ipv6']] as const) {
			for (const {rule, table, chain} of rc === 0 && text.includes('COMMIT') ? rulesOf(parseSave(text, family)) : []) {
				const role = roleOf(rule, table, chain);
				seen += role === undefined ? 0 : 1;
				if (role !== undefined && !roleHistory[role].since.startsWith('≤') && rank(release) < rank(roleHistory[role].since)) {
					early.add(`${role} in ${release}`);
				}
			}
		}
	}

	t.true(seen > 1000);
	t.deepEqual([...early], []);
});
