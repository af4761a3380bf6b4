/** Dumps of every known release are judged by their own rules, not by those of the newest release. */

import {readFileSync} from 'node:fs';
import test from 'ava';
import {canGenerate, generate} from '../../../../src/istio/generate.js';
import {releaseLike} from '../../../../src/istio/identity/release-like.js';
import {intentOf, intentOfRuleSet} from '../../../../src/istio/intent.js';
import {istio} from '../../../../src/istio/mesh.js';
import {parseReleaseInput} from '../../../../src/istio/options/arguments.js';
import {referenceOf} from '../../../../src/istio/reference.js';
import {compareVersions, newestRelease, releaseLines} from '../../../../src/istio/releases.js';
import {ruleNotes, type RuleNote} from '../../../../src/judge/rule-notes.js';
import {rulesOfMesh} from '../../../../src/mesh/mesh.js';
import {addressFamilies} from '../../../../src/mesh/topology.js';
import {defaultBackendOf} from '../../../../src/netfilter/backends.js';
import {importRules} from '../../../../src/netfilter/import/import-rules.js';
import {ruleLanguages, type AddressFamily, type Backend, type RuleSet} from '../../../../src/netfilter/types.js';
import {deleteRule} from '../../../helpers/reports.js';

/** What a report says of missing and moved rules. Without evidence, so that nothing is called unreached. */
function notesOf(ruleSet: RuleSet, family: AddressFamily, backend: Backend): readonly RuleNote[] {
	return ruleNotes({
		ruleSet: rulesOfMesh(ruleSet, istio),
		reference: rulesOfMesh(referenceOf(intentOfRuleSet(ruleSet), {families: [family], backend}, ruleSet), istio),
		results: [{
			id: '1', family, outcome: {kind: 'inconclusive', reasons: [{kind: 'not-traced', message: 'Nothing was sent.'}]}, legs: [], expected: {legs: []},
		}],
	});
}

for (const {name} of releaseLines) {
	test(`nothing is missing in rules that Istio ${name} writes, and nothing is elsewhere`, t => {
		// The option exists since 1.9.
		for (const options of ['', '-m TPROXY', ...(compareVersions(name, '1.9') < 0 ? [] : ['--redirect-dns', '-m TPROXY --redirect-dns'])]) {
			const input = parseReleaseInput(`release:${name} ${options}`);
			for (const backend of ruleLanguages.map(language => defaultBackendOf(language)).filter(each => canGenerate(input.release, each))) {
				for (const family of addressFamilies) {
					const dump = generate({...input, families: [family], backend});
					t.deepEqual(notesOf(dump, family, backend), [], `${options} ${backend} ${family}`);
				}
			}
		}
	});

	test(`rules that Istio ${name} writes are meant as that release means them`, t => {
		for (const options of ['', '-m TPROXY']) {
			const input = parseReleaseInput(`release:${name} ${options}`);
			const {tproxyMarksHairpin, ...intent} = intentOfRuleSet(generate({...input, families: ['ipv4'], backend: 'iptables-nft'}));
			// Only TPROXY has the marks, so other rules do not show them.
			t.deepEqual({...intent, tproxyMarksHairpin: options === '' ? intentOf(input).tproxyMarksHairpin : tproxyMarksHairpin}, intentOf(input), options);
		}
	});
}

test('of two releases that the marks allow, the one counts whose rules are all there', t => {
	const [of15, of16] = ['1.5', '1.6'].map(name => generate({...parseReleaseInput(`release:${name}`), families: ['ipv4'], backend: 'iptables-nft'}));
	t.is(releaseLike(of15!).name, '1.5'); // Port 15021 is excluded since 1.6.
	t.is(releaseLike(of16!).name, '1.6');
});

test('rules that show no release are judged by the newest, those that are older than any known one by the oldest', t => {
	t.is(releaseLike({tables: []}), newestRelease);
	t.is(releaseLike(importRules(readFileSync('test/fixtures/cases/15-chain-exists-1.4.log', 'utf8')).ruleSet).name, releaseLines[0]!.name);
});

test('goes red: a rule that the release writes, and that somebody removed, is missing', t => {
	for (const name of ['1.24', newestRelease.name]) {
		const whole = generate({...parseReleaseInput(`release:${name}`), families: ['ipv4'], backend: 'iptables-nft'});
		t.deepEqual(notesOf(deleteRule('ISTIO_INBOUND', 1)(whole), 'ipv4', 'iptables-nft').map(({kind}) => kind), ['missing'], name);
	}
});
