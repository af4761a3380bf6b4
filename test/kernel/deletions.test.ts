/** The default rules with one rule removed at a time: what fails, what another rule covers, and what is not needed. */

import test from 'ava';
import {printLegEnd} from '../../src/netfilter/path.js';
import type {Role} from '../../src/mesh/roles.js';
import type {TypeId} from '../../src/mesh/traffic.js';
import {
	mutantStatusesOf, nameOf, whole, type MutantStatuses,
} from './_mutant-statuses.js';
import {
	bothBackends, defaultDump, inputOf, lengthOf, lineOf, run, without,
} from './_run.js';

const dump = defaultDump();

type Deletion = {
	readonly chain: string;
	readonly number: number;
	readonly role: Role;
	readonly mutantStatuses: MutantStatuses;
	/** The rule that keeps the stops instead, if any, and the types that need it. */
	readonly note: {readonly coveredBy: string | null; readonly types: readonly TypeId[]};
};

const nobodyNeedsIt = {coveredBy: null, types: []} as const;

/** One rule of the default set less. */
const deletions: readonly Deletion[] = [
	{
		chain: 'ISTIO_OUTPUT', number: 1, role: 'passthrough-source',
		mutantStatuses: {
			1: {
				as: 'loop', stops: 'proxy:15006 again and again', by: 'ISTIO_OUTPUT#1', wanted: 'passthrough-source', because: ['missing'],
			},
			4: {
				as: 'loop', stops: 'proxy:15006 again and again', by: 'ISTIO_OUTPUT#1', wanted: 'passthrough-source', because: ['missing'],
			},
		},
		note: {coveredBy: null, types: ['1', '4']},
	},
	{
		chain: 'ISTIO_OUTPUT', number: 2, role: 'hairpin-by-uid',
		mutantStatuses: {
			4: {
				as: 'stop', stops: 'proxy:15001 → app:8080', by: 'ISTIO_OUTPUT#3', wanted: 'hairpin-by-uid', because: ['missing'],
			},
		},
		note: {coveredBy: null, types: ['4']},
	},
	{
		chain: 'ISTIO_OUTPUT', number: 3, role: 'loopback-not-proxy-uid', mutantStatuses: {}, note: nobodyNeedsIt,
	},
	{
		chain: 'ISTIO_OUTPUT', number: 4, role: 'proxy-uid-bypass',
		mutantStatuses: {
			2: {
				as: 'rule', stops: 'proxy:15001 → remote:8080', by: 'ISTIO_OUTPUT#6', wanted: 'proxy-uid-bypass', because: ['missing', 'same-stops'],
			},
			3: {
				as: 'rule', stops: 'proxy:15090 → proxy:15000', by: 'ISTIO_OUTPUT#6', wanted: 'proxy-uid-bypass', because: ['missing', 'same-stops'],
			},
			5: {
				as: 'rule', stops: 'proxy:15090 → proxy:15000', by: 'ISTIO_OUTPUT#6', wanted: 'proxy-uid-bypass', because: ['missing', 'same-stops'],
			},
			6: {
				as: 'rule', stops: 'istiod:15012', by: 'ISTIO_OUTPUT#6', wanted: 'proxy-uid-bypass', because: ['missing', 'same-stops'],
			},
		},
		// #7 of the default set, which is #6 now.
		note: {coveredBy: 'ISTIO_OUTPUT#6', types: ['2', '3', '5', '6']},
	},
	{
		chain: 'ISTIO_OUTPUT', number: 5, role: 'hairpin-by-gid', mutantStatuses: {}, note: nobodyNeedsIt,
	},
	{
		chain: 'ISTIO_OUTPUT', number: 6, role: 'loopback-not-proxy-gid', mutantStatuses: {}, note: nobodyNeedsIt,
	},
	{
		chain: 'ISTIO_OUTPUT', number: 7, role: 'proxy-gid-bypass', mutantStatuses: {}, note: nobodyNeedsIt,
	},
	{
		chain: 'ISTIO_OUTPUT', number: 8, role: 'localhost-bypass', mutantStatuses: {}, note: nobodyNeedsIt,
	},
	{
		chain: 'ISTIO_OUTPUT', number: 9, role: 'outbound-capture',
		mutantStatuses: {
			2: {
				as: 'stop', stops: 'remote:8080', by: null, wanted: 'outbound-capture', because: ['missing'],
			},
			4: {
				as: 'stop', stops: 'vip:8080', by: null, wanted: 'outbound-capture', because: ['missing'],
			},
		},
		note: {coveredBy: null, types: ['2', '4']},
	},
	{
		chain: 'ISTIO_INBOUND', number: lengthOf('ISTIO_INBOUND'), role: 'inbound-capture',
		mutantStatuses: {
			1: {
				as: 'stop', stops: 'app:8080', by: null, wanted: 'inbound-capture', because: ['missing'],
			},
		},
		note: {coveredBy: null, types: ['1']},
	},
];

for (const {chain, number, role, mutantStatuses, note} of deletions) {
	for (const backend of bothBackends) {
		test.serial(`without ${chain}#${number} (${role}), ${backend}: ${Object.keys(mutantStatuses).length === 0 ? 'nothing moves' : `types ${Object.keys(mutantStatuses).join(' and ')} fail`}`, async t => {
			const report = await run({backend, rules: await inputOf(without(dump, lineOf(dump, chain, number)))});
			t.deepEqual(mutantStatusesOf(report), whole(mutantStatuses));

			const missing = report.ruleNotes.filter(entry => entry.kind === 'missing');
			t.deepEqual(missing.map(entry => ({
				rule: nameOf(entry.rule), role: entry.role, coveredBy: entry.coveredBy === null ? null : nameOf(entry.coveredBy), types: entry.types,
			})), [{rule: `${chain}#${number}`, role, ...note}]);
			t.true(missing.every(({reason}) => reason !== ''));
		});
	}
}

test('the table of deletions has every rule of ISTIO_OUTPUT', t => {
	t.deepEqual(deletions.filter(({chain}) => chain === 'ISTIO_OUTPUT').map(({number}) => number), Array.from({length: lengthOf('ISTIO_OUTPUT')}, (_, index) => index + 1));
});

test.serial('the default set: #3 and #5 to #8 are not reached, and the report names what shadows them', async t => {
	const report = await run();
	const notReached = report.ruleNotes.filter(({kind, rule}) => kind === 'not-reached' && rule.chain === 'ISTIO_OUTPUT');
	t.deepEqual(notReached.map(({rule}) => rule.number), [3, 5, 6, 7, 8]);
	for (const {rule, reason} of notReached.filter(({rule: {number}}) => [5, 6, 8].includes(number))) {
		t.regex(reason, /rule 3 .*rule 4/, nameOf(rule));
	}
});

for (const backend of bothBackends) {
	test.serial(`without the rule that lets the proxy reach its own admin port, types 3 and 5 fail, ${backend}`, async t => {
		const rules = await inputOf(dump.replace('-A OUTPUT', '-A OUTPUT -p tcp -m tcp --dport 15000 -j REDIRECT --to-ports 15999\n-A OUTPUT'));
		const report = await run({backend, rules, families: ['ipv4']});
		t.deepEqual(report.types.flatMap(({id, outcome, legs}) => outcome.kind === 'pass' ? [] : [`${id} ${outcome.kind} ${legs.map(({end}) => printLegEnd(end)).join(' ')}`]), ['3 fail proxy:15090 refused', '5 fail proxy:15090 refused']);
		// The published claims end at the listener.
		t.regex(report.types.find(({id}) => id === '3')!.published!.reason!, /first packet/);
	});
}

test.serial('type 4b shows what #3 is for, and without #3 that #5 covers it', async t => {
	const report = await run({rules: await inputOf(without(dump, lineOf(dump, 'ISTIO_OUTPUT', 3))), types: ['4b']});
	t.deepEqual(mutantStatusesOf(report), {
		'4b': {
			as: 'rule', stops: 'app:8080', by: 'ISTIO_OUTPUT#5', wanted: 'loopback-not-proxy-uid', because: ['missing', 'same-stops'],
		},
	});
});

test.serial('IPv6 behaves the same: without #1 types 1 and 4 loop, without #9 traffic bypasses the proxy', async t => {
	const dump6 = defaultDump('ipv6');
	for (const [number, failing] of [[1, ['1', '4']], [9, ['2', '4']]] as const) {
		const report = await run({rules: await inputOf(without(dump6, lineOf(dump6, 'ISTIO_OUTPUT', number)), {family: 'ipv6'}), families: ['ipv6']}); // eslint-disable-line no-await-in-loop -- One run at a time.
		t.deepEqual(report.types.filter(({outcome}) => outcome.kind === 'fail').map(({id}) => id), failing);
		t.is(report.types.some(({loop}) => loop), number === 1);
	}
});
