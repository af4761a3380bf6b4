/**
Compares the order in which the kernel consults base chains with the classes: random native sets with several chains of types nat and filter, at any priorities. A prober sends a packet of each class, which must hit exactly the rules that define the class.
*/

import test from 'ava';
import fc from 'fast-check';
import {gapsOfReading} from '../../src/comparison/gaps.js';
import {classify} from '../../src/packet-classes/classify.js';
import {representativesOf} from '../../src/packet-classes/representatives.js';
import {parseNft} from '../../src/netfilter/nftables/ruleset.js';
import {addressFamilies, defaultTopology} from '../../src/mesh/topology.js';
import {programOf, questionOf} from '../../testbed/analysis/probe-classes.js';
import {usualCredentials} from '../../testbed/inputs/credentials.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {ProberSandbox} from '../../testbed/probe/prober-sandbox.js';
import {randomBaseChains} from '../helpers/random-base-chains.js';

const ruleSets = 25;

test(`${ruleSets} random sets of native chains: the classes and the prober agree on every rule`, async t => {
	const usual = loadRuleInput({source: 'release:1.30', families: addressFamilies, backend: 'nftables'});
	const credentials = usualCredentials({}, usual.intent, usual);
	await using sandbox = await ProberSandbox.create({
		backend: 'nftables', families: addressFamilies, timeoutMs: 1000, traceBufferBytes: 64 * 1024 * 1024,
	});
	const orders = new Set<string>();
	let behindAccept = 0;
	for (const text of fc.sample(randomBaseChains, {numRuns: ruleSets, seed: 12})) {
		const input = {...usual, ruleSet: parseNft(text)};
		const ruleSet = await sandbox.install(input, credentials); // eslint-disable-line no-await-in-loop -- One sandbox.
		for (const family of addressFamilies) {
			const classSet = classify([programOf({...input, ruleSet}, family)], {family, topology: defaultTopology});
			const representatives = representativesOf(classSet, defaultTopology).filter(({kind}) => kind === 'inner');
			const probeResults = await sandbox.send(representatives.map(each => questionOf(each)), {follow: false}); // eslint-disable-line no-await-in-loop -- One sandbox.
			t.deepEqual(gapsOfReading({
				classSet, representatives, probeResults, place: 0,
			}), [], text);
			for (const {legs: [leg]} of probeResults) {
				orders.add(leg!.traversals.map(({chain, hits, end}) => `${chain} ${hits.length} ${end.by}`).join(','));
				const nat = leg!.traversals.filter(({table, chain}) => ruleSet.tables.some(each => each.name === table && each.chains.some(({name, base}) => name === chain && base?.type === 'nat')));
				behindAccept += nat.some(({hook, hits}, index) => hits.some(({verdict}) => verdict === 'accept') && nat.slice(index + 1).some(later => later.hook === hook)) ? 1 : 0;
			}
		}
	}

	t.true(orders.size > 100, `${orders.size} orders`);
	t.true(behindAccept > 0, 'some packet came to a nat chain behind one that had accepted it');
});

test('goes red: a model with the wrong order, a nat chain of priority 50 after a filter chain of 0', async t => {
	const text = `table ip one {
	chain filter {
		type filter hook output priority 0; policy accept;
		tcp dport 15001 drop
	}
	chain nat {
		type nat hook output priority 50; policy accept;
		tcp dport 80 redirect to :15001
	}
}
`;
	const usual = loadRuleInput({source: 'release:1.30', families: ['ipv4'], backend: 'nftables'});
	const input = {...usual, ruleSet: parseNft(text)};
	await using sandbox = await ProberSandbox.create({
		backend: 'nftables', families: ['ipv4'], timeoutMs: 1000, traceBufferBytes: 64 * 1024 * 1024,
	});
	await sandbox.install(input, usualCredentials({}, usual.intent, usual));
	// As if its type were filter, which the kernel would consult at 50.
	const wrong = {...input, ruleSet: {tables: input.ruleSet.tables.map(table => ({...table, chains: table.chains.map(chain => chain.name === 'nat' ? {...chain, base: {...chain.base!, type: 'filter' as const}} : chain)}))}};
	const classSet = classify([programOf(wrong, 'ipv4')], {family: 'ipv4', topology: defaultTopology});
	const representatives = representativesOf(classSet, defaultTopology);
	const probeResults = await sandbox.send(representatives.map(each => questionOf(each)), {follow: false});
	t.not(gapsOfReading({
		classSet, representatives, probeResults, place: 0,
	}).length, 0);
});
