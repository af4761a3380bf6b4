/**
Checks the explanation of a path on the kernel: by our model, each rule in the trace matches, and each rule that was checked but is not in the trace does not.
*/

import test from 'ava';
import fastCheck from 'fast-check';
import {explainLeg} from '../../src/judge/explain/explain-leg.js';
import type {RuleReference} from '../../src/judge/outcome.js';
import {findRule} from '../../src/netfilter/lookup.js';
import {backends, type Match, type RuleSet} from '../../src/netfilter/types.js';
import {defaultActors} from '../helpers/observed.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {ofIstio} from '../helpers/mesh.js';
import {
	anyCredentials, asked, complaintsOf, sendRandom, randomFirewall,
} from './_probes.js';
import {inputOf} from './_run.js';

/** A set with one rule that asks for other things than the kernel's. */
function misread(ruleSet: RuleSet, {family, table, chain, number}: RuleReference, change: (matches: readonly Match[]) => readonly Match[]): RuleSet {
	return {
		tables: ruleSet.tables.map(installed => installed.family !== family || installed.name !== table
			? installed
			: {
				...installed,
				chains: installed.chains.map(member => member.name === chain
					? {
						...member, rules: member.rules.map(rule => rule.number === number ? {...rule, matches: change(rule.matches)} : rule),
					}
					: member),
			}),
	};
}

function negateFirst(matches: readonly Match[]): readonly Match[] {
	const at = matches.findIndex(match => 'negated' in match);
	return matches.map((match, index) => index === at && 'negated' in match ? {...match, negated: !match.negated} : match);
}

/** Options whose rules have the most kinds of conditions. */
const sidecars = [
	'release:1.30', 'release:1.30 --redirect-dns', 'release:1.30 -u 64535,1337 -g 1337,2000', 'release:1.30 -i 10.96.0.0/12,127.0.0.0/8 -x 10.96.1.20/32 -o 22,443 -q 8080',
	'ISTIO_OUTBOUND_OWNER_GROUPS=101,202 release:1.30', 'release:1.30 -b 8080,443,80 -c eth1', 'release:1.30 -k vm0,eth1',
];

for (const backend of backends) {
	for (const family of ['ipv4', 'ipv6'] as const) {
		test.serial(`random probes through sidecars: the model and the kernel agree on every rule, ${backend} ${family}`, async t => {
			const inputs = sidecars.map(source => loadRuleInput({
				source, source6: undefined, families: [family], backend,
			}));
			const [app, agent] = fastCheck.sample(anyCredentials, {numRuns: 2, seed: family === 'ipv4' ? 11 : 12});
			const answers = await sendRandom({
				inputs, count: 12, seed: 7, family, app: app!, agent: agent!,
			});
			t.deepEqual(answers.flatMap(answer => complaintsOf(answer)), []);
			const counts = asked(answers);
			t.true(counts.rules > 500 && counts.hits > 150, JSON.stringify(counts));
			t.is(counts.doubtful, 0, 'all conditions of these rules are understood');
			t.log(counts);
		});
	}

	for (const source of ['release:1.30 -m TPROXY', 'ambient:1.30 --redirect-dns']) {
		test.serial(`random probes through a transparent proxy, whose sockets and rules mark: ${source}, ${backend}`, async t => {
			const input = loadRuleInput({
				source, source6: undefined, families: ['ipv4'], backend,
			});
			const [app, agent] = fastCheck.sample(anyCredentials, {numRuns: 2, seed: 13});
			const answers = await sendRandom({
				inputs: [input, input], count: 20, seed: 8, app: app!, agent: agent!, proxy: {uid: 0, gid: 1337},
			});
			t.deepEqual(answers.flatMap(answer => complaintsOf(answer)), []);
			t.log(asked(answers));
		});
	}

	test.serial(`goes red: any rule that a probe matched or passed, misread by the model, ${backend}`, async t => {
		const input = loadRuleInput({
			source: 'release:1.30', source6: undefined, families: ['ipv4'], backend,
		});
		const answers = await sendRandom({
			inputs: [input], count: 20, seed: 3, app: {uid: 1000, gid: 1337}, agent: {uid: 1337, gid: 1000},
		});
		let counterparts = 0;
		for (const leg of answers.flatMap(({legs}) => legs)) {
			const sound = explainLeg(leg, ofIstio(input.ruleSet), {mark: 0});
			t.deepEqual(sound.contradictions, []);
			for (const {rule, isHit, answer, target} of sound.chains.flatMap(({rules}) => rules)) {
				const isAsking = answer.kind === 'fails' || (isHit && negateFirst(findRule(input.ruleSet, rule)!.matches).some(match => 'negated' in match));
				if (!isAsking) {
					continue;
				}

				// A rule that matched is read as asking for the opposite, one that did not as asking for nothing.
				const counterpart = explainLeg(leg, ofIstio(misread(input.ruleSet, rule, isHit ? negateFirst : () => [])), {mark: 0});
				t.true(counterpart.contradictions.some(found => found.kind === (isHit ? 'hit-fails' : 'match-without-hit') && found.rule.rule.chain === rule.chain && found.rule.rule.number === rule.number), `${rule.chain}#${rule.number} ${target.kind}`);
				counterparts++;
			}
		}

		t.true(counterparts > 100, `${counterparts} twins`);
		t.log(`${counterparts} twins`);
	});

	test.serial(`random rules with every kind of condition: the model and the kernel agree, ${backend}`, async t => {
		for (const seed of [1, 2, 3, 4]) {
			const input = {...await inputOf(randomFirewall(backend, seed)), backend}; // eslint-disable-line no-await-in-loop -- One after the other.
			const [app, agent] = fastCheck.sample(anyCredentials, {numRuns: 2, seed});
			const answers = await sendRandom({ // eslint-disable-line no-await-in-loop -- As above.
				inputs: [input], count: 25, seed, app: app!, agent: agent!, proxy: defaultActors.proxy,
			});
			t.deepEqual(answers.flatMap(answer => complaintsOf(answer)), []);
			t.log(asked(answers));
		}
	});
}
