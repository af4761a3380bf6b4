/** What is known of each back end, and what follows from it. */

import test from 'ava';
import {
	backendsOf, backendTools, defaultBackend, defaultBackendOf, factsOf, iptablesProgram, languageOf, streamsOf,
} from '../../../src/netfilter/backends.js';
import {isPerFamily, parseText, printTexts, textFamilies} from '../../../src/netfilter/rule-texts.js';
import {backends, type RuleSet} from '../../../src/netfilter/types.js';
import {parseNft} from '../../../src/netfilter/nftables/ruleset.js';
import {parseSave} from '../../../src/netfilter/iptables/save.js';
import {parseLoadedRules, LoadedRulesError} from '../../../src/trace/loaded-rules.js';
import {load} from '../scripts/_setup.js';

test('each language has its back ends, and the first of them is its default', t => {
	t.deepEqual(backendsOf('iptables'), ['iptables-nft', 'iptables-legacy']);
	t.deepEqual(backendsOf('nft'), ['nftables']);
	t.is(defaultBackend, 'iptables-nft');
	t.is(defaultBackendOf('iptables'), defaultBackend);
	t.is(defaultBackendOf('nft'), 'nftables');
	t.deepEqual(backends.map(backend => languageOf(backend)), ['iptables', 'iptables', 'nft']);
});

test('only iptables-legacy has a trace stream of its own, besides the trace table\'s', t => {
	t.deepEqual(backends.map(backend => streamsOf(backend)), [['nft'], ['nft', 'nflog'], ['nft']]);
});

test('the launcher checks for every tool, with the package that an error names', t => {
	const {netfilterPrograms} = load('acts');
	for (const {program, debianPackage} of backendTools) {
		t.true(netfilterPrograms[debianPackage]?.includes(program), `${debianPackage}: ${program}`);
	}

	t.is(new Set(backendTools.map(({program}) => program)).size, backendTools.length);
	t.true(factsOf('iptables-legacy').tools.every(({modules}) => modules.includes('ip_tables') && modules.includes('ip6_tables')));
	t.is(iptablesProgram('legacy', 'ipv6', 'save'), 'ip6tables-legacy-save');
});

const saved = {ipv4: '*nat\n-A OUTPUT -j RETURN\nCOMMIT\n', ipv6: '*nat\n-A OUTPUT -p udp -j RETURN\nCOMMIT\n'} as const;

test('rules of iptables are a text for each family, native ones are one text for all', t => {
	const both: RuleSet = {tables: [...parseSave(saved.ipv4, 'ipv4').tables, ...parseSave(saved.ipv6, 'ipv6').tables]};
	const texts = printTexts('iptables', both, ['ipv4', 'ipv6']);
	t.deepEqual(texts.map(({family}) => family), textFamilies('iptables', ['ipv4', 'ipv6']));
	t.deepEqual({tables: texts.flatMap(text => parseText(text).tables)}, both);
	t.is(printTexts('iptables', both, ['ipv6']).length, 1);

	const native = parseNft('table inet one {\n\tchain a {\n\t\tcounter accept\n\t}\n}\n');
	const [text, ...others] = printTexts('nft', native, ['ipv4', 'ipv6']);
	t.deepEqual(others, []);
	t.is(text!.family, null);
	t.deepEqual(parseText(text!), native);
	t.deepEqual([isPerFamily('iptables'), isPerFamily('nft')], [true, false]);
});

test('counters are read where the back end has them', t => {
	const texts = {
		listing: JSON.stringify({
			nftables: [{
				rule: {
					family: 'ip', table: 'nat', chain: 'OUTPUT', handle: 7, expr: [{counter: {packets: 3, bytes: 180}}],
				},
			}, {
				rule: {
					family: 'inet', table: 'own', chain: 'output', handle: 2, expr: [],
				},
			}],
		}),
		saved: [{family: 'ipv6', text: '*nat\n[5:300] -A OUTPUT -j RETURN\nCOMMIT\n'}],
	} as const;
	const read = (backend: typeof backends[number]) => parseLoadedRules(texts, {backend, exceptTables: ['own']}).map(({family, handle, packets}) => ({family, handle, packets}));
	t.deepEqual(read('iptables-nft'), [{family: 'ip', handle: 7, packets: 3}]);
	t.deepEqual(read('nftables'), read('iptables-nft'));
	t.deepEqual(read('iptables-legacy'), [{family: 'ip6', handle: undefined, packets: 5}]);
	t.throws(() => parseLoadedRules({listing: '{}', saved: []}, {backend: 'nftables', exceptTables: []}), {instanceOf: LoadedRulesError});
});
