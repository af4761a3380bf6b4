/** Goldens: `UPDATE_GOLDENS=1 npx ava dist/test/unit/report/rules/rules.test.js` writes them again. */

import test from 'ava';
import {parseReleaseInput} from '../../../../src/istio/options/arguments.js';
import {sidecarRuleSet} from '../../../../src/istio/iptables/sidecar.js';
import {sidecarRouting} from '../../../../src/istio/routing.js';
import {diffRuleSets} from '../../../../src/judge/rule-diff/rule-diff.js';
import {explainerOf} from '../../../../src/judge/explain/explain-rule.js';
import {parseNft} from '../../../../src/netfilter/nftables/ruleset.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import type {AddressFamily, RuleSet, TableObject} from '../../../../src/netfilter/types.js';
import {printRulesDiff} from '../../../../src/report/rules/diff-text.js';
import {describeChange} from '../../../../src/report/rules/describe-diff.js';
import {printExplanation} from '../../../../src/report/rules/explain.js';
import {rulesDiffToJson, rulesToJson} from '../../../../src/report/rules/json.js';
import {printRouting, printRules} from '../../../../src/report/rules/text.js';
import type {ShownRules} from '../../../../src/report/rules/types.js';
import {intentOf, unsupportedOptions} from '../../../../src/istio/intent.js';
import {defaultTopology} from '../../../../src/mesh/topology.js';
import {compareWithGolden} from '../../../helpers/goldens.js';
import {
	deleteRule, insertRule, moveRule, plainIdentity, replaceRule, type Mutation,
} from '../../../helpers/reports.js';
import {ofIstio} from '../../../helpers/mesh.js';
import {istio} from '../../../../src/istio/mesh.js';

const terminal = {color: false, width: 80};
const sha256 = '0123456789abcdef'.repeat(4);

function shown(source: string, families: readonly AddressFamily[] = ['ipv4'], mutate: Mutation = ruleSet => ruleSet): ShownRules {
	const {release, options} = parseReleaseInput(source);
	return {
		source, release: release.asked, backend: 'iptables-nft', identity: plainIdentity, families, ruleSet: ofIstio(mutate(sidecarRuleSet(release, options, families))), routing: sidecarRouting(options, families), warnings: [], notes: [], sha256,
	};
}

function ofDump(text: string, objects?: readonly TableObject[]): ShownRules {
	const {tables} = parseSave(text, 'ipv4');
	const ruleSet: RuleSet = {tables: tables.map(table => ({...table, ...(objects === undefined ? {} : {objects})}))};
	return {
		source: 'a.rules', release: null, backend: 'iptables-nft', identity: plainIdentity, families: ['ipv4'], ruleSet: ofIstio(ruleSet), routing: {loopbackAddresses: [], markRules: [], localRoutes: []}, warnings: ['a warning'], notes: [], sha256,
	};
}

function explanationOf(rules: ShownRules): Omit<Parameters<typeof printExplanation>[0], 'rules'> {
	const {options, release} = parseReleaseInput(rules.release === null ? 'release:1.30' : rules.source);
	const unsupported = unsupportedOptions({options});
	return {
		explain: explainerOf({mesh: istio, intent: unsupported.length === 0 ? intentOf({options, release}) : null, topology: defaultTopology, families: rules.families}),
		trafficTypes: istio.traffic.types,
		unknownTypes: unsupported.length === 0 ? null : `the types have no expectation for ${unsupported.join(', ')}`,
	};
}

/** The default rules for outgoing traffic as Istio's native back end writes them, and a table of somebody else. */
const nativeText = `table inet istio-proxy-nat {
	chain output {
		type nat hook output priority -100; policy accept;
		counter jump istio-output
	}

	chain istio-redirect {
		meta l4proto tcp counter redirect to :15001
	}

	chain istio-in-redirect {
		meta l4proto tcp counter redirect to :15006
	}

	chain istio-output {
		oifname "lo" ip saddr 127.0.0.6 counter return
		oifname "lo" ip6 saddr ::6 counter return
		oifname "lo" ip daddr != 127.0.0.1 tcp dport != 15008 meta skuid 1337 counter jump istio-in-redirect
		oifname "lo" ip6 daddr != ::1 tcp dport != 15008 meta skuid 1337 counter jump istio-in-redirect
		oifname "lo" meta skuid != 1337 counter return
		meta skuid 1337 counter return
		ip daddr 127.0.0.1 counter return
		counter jump istio-redirect
	}
}
table inet other {
	set ports {
		type inet_service
		elements = { 22, 80 }
	}

	chain watch {
		type filter hook output priority filter; policy drop;
		tcp dport @ports counter accept
	}
}
`;

function native(text: string): ShownRules {
	return {
		...shown('release:1.30', ['ipv4', 'ipv6']), source: 'native.nft', release: null, backend: 'nftables', ruleSet: ofIstio(parseNft(text)),
	};
}

const foreign = ofDump('*filter\n:FORWARD DROP\n:EMPTY -\n-A INPUT\n-A INPUT -p tcp -m limit --limit 3/min -m comment --comment "a b" -j LOG --log-prefix "seen: "\nCOMMIT\n');

const golden: Readonly<Record<string, () => string>> = {
	'print-default.txt': () => printRules(shown('release:1.30')),
	'print-both-tproxy.txt': () => printRules(shown('release:1.30 -m TPROXY', ['ipv4', 'ipv6'])),
	'explain-default.txt': () => explainText(shown('release:1.30')),
	'explain-two-uids.txt': () => explainText(shown('release:1.30 -u 64535,1337')),
	'explain-both-families.txt': () => explainText(shown('release:1.30 -i 10.244.1.0/24', ['ipv4', 'ipv6'])),
	'explain-tproxy.txt': () => explainText(shown('release:1.30 -m TPROXY')),
	'explain-dns.txt': () => explainText(shown('release:1.30 --redirect-dns')),
	'explain-foreign.txt': () => explainText(foreign),
	'diff-equal.txt': () => diffText(shown('release:1.30'), shown('release:1.30 -m REDIRECT')),
	'diff-options.txt': () => diffText(shown('release:1.30'), shown('release:1.30 -u 2000 -d 15090,9999 -x 10.0.0.0/8')),
	'diff-every-kind.txt': () => diffText(shown('release:1.30'), shown('release:1.30', ['ipv4'], everyKind)),
	'diff-chains.txt': () => diffText(
		ofDump('*nat\n:OLD -\n:GONE -\n-A OUTPUT -j OLD\n-A OLD -p tcp -j RETURN\n-A GONE -p udp -j ACCEPT\nCOMMIT\n', [{kind: 'set', name: 'a', text: '\tset a {\n\t\ttype inet_service\n\t}'}]),
		ofDump('*nat\n:OUTPUT DROP\n:NEW -\n:EMPTY -\n-A OUTPUT -j NEW\n-A NEW -p tcp -j RETURN\n-A NEW -p udp -j RETURN\nCOMMIT\n*raw\n-A OUTPUT\nCOMMIT\n', [{kind: 'set', name: 'b', text: '\tset b {\n\t\ttype mark\n\t}'}]),
	),
	'print-native.txt': () => printRules(native(nativeText)),
	'explain-native.txt': () => explainText(native(nativeText)),
	'diff-native.txt': () => diffText(native(nativeText), native(nativeText.replace('priority -100', 'priority -90').replace('22, 80', '22').replace(/\t\tmeta skuid 1337 .*\n/u, ''))),
	'diff-iptables-native.txt': () => diffText(shown('release:1.30', ['ipv4', 'ipv6']), native(nativeText)),
	'native.json': () => json(rulesToJson(native(nativeText))),
	'default.json': () => json(rulesToJson(shown('release:1.30'))),
	'explain-default.json': () => json(rulesToJson(shown('release:1.30 -u 64535,1337'), explanationOf(shown('release:1.30 -u 64535,1337')))),
	'explain-tproxy.json': () => json(rulesToJson(shown('release:1.30 -m TPROXY'), explanationOf(shown('release:1.30 -m TPROXY')))),
	'foreign.json': () => json(rulesToJson(foreign)),
	'diff.json': () => json(diffJson(shown('release:1.30'), shown('release:1.30', ['ipv4'], everyKind))),
};

function everyKind(ruleSet: RuleSet): RuleSet {
	const moved = moveRule('ISTIO_OUTPUT', {from: 4, to: 2})(ruleSet);
	const removed = deleteRule('ISTIO_OUTPUT', 6)(moved);
	const changed = replaceRule('ISTIO_REDIRECT', 1, '-p tcp -j REDIRECT --to-ports 15999')(removed);
	return insertRule('OUTPUT', 1, '-p tcp -m tcp --dport 22 -j ACCEPT')(changed);
}

function explainText(rules: ShownRules): string {
	return printExplanation({rules, ...explanationOf(rules)}, terminal);
}

function diffText(from: ShownRules, to: ShownRules): string {
	return printRulesDiff({from, to, diff: diffRuleSets({from: from.ruleSet, to: to.ruleSet}, from.families)}, terminal);
}

function diffJson(from: ShownRules, to: ShownRules): unknown {
	return rulesDiffToJson({from, to, diff: diffRuleSets({from: from.ruleSet, to: to.ruleSet}, from.families)});
}

function json(value: unknown): string {
	return `${JSON.stringify(value, undefined, 2)}\n`;
}

for (const [name, print] of Object.entries(golden)) {
	test(`golden: ${name}`, t => {
		const text = print();
		compareWithGolden(t, `rules/${name}`, text);
		if (name.startsWith('explain') || name.startsWith('diff')) {
			t.deepEqual(name.endsWith('.txt') ? text.split('\n').filter(line => line.length > 80) : [], []);
		}
	});
}

test('rules that are printed for a program are read back as the same rules', t => {
	const rules = shown('release:1.30 -m TPROXY --redirect-dns --capture-all-dns', ['ipv6']);
	t.deepEqual(parseSave(printRules(rules), 'ipv6'), {tables: rules.ruleSet.tables});
});

test('native rules are printed so that nft reads them back', t => {
	const rules = native(nativeText);
	t.true(printRules(rules).endsWith(nativeText));
	t.deepEqual(parseNft(printRules(rules)), {tables: rules.ruleSet.tables});
});

test('routing: each command has its family', t => {
	const routing: ShownRules['routing'] = {
		loopbackAddresses: [{family: 'ipv6', address: '::6/128'}],
		markRules: [{family: 'ipv4', mark: 1337, table: 133}, {
			family: 'ipv6', mark: 0x1_11, mask: 0xF_FF, table: 100, priority: 32_764,
		}],
		localRoutes: [{family: 'ipv4', destination: '0.0.0.0/0', table: 133}],
	};
	t.deepEqual(printRouting(routing, 'ipv4'), ['ip rule add fwmark 0x539 lookup 133', 'ip route add local 0.0.0.0/0 dev lo table 133']);
	t.deepEqual(printRouting(routing, 'ipv6'), ['ip -6 addr add ::6/128 dev lo', 'ip -6 rule add fwmark 0x111/0xfff pref 32764 lookup 100']);
});

test('sentences', t => {
	const [rule] = foreign.ruleSet.tables[0]!.chains[0]!.rules;
	t.is(describeChange({kind: 'added', role: null, to: rule!}), 'A foreign rule is new at #1.');
	t.is(describeChange({kind: 'removed', role: 'proxy-uid-bypass', from: rule!}), 'proxy-uid-bypass is gone; it was #1.');
	t.is(describeChange({
		kind: 'moved', role: 'proxy-uid-bypass', from: {...rule!, number: 4}, to: rule!,
	}), 'proxy-uid-bypass moved from #4 to #1.');
	t.is(describeChange({
		kind: 'changed', role: null, from: {...rule!, number: 4}, to: rule!, values: [{name: 'uid', from: '1', to: null}, {name: 'gid', from: null, to: '2'}],
	}), 'A foreign rule at #4, now #1, changed: uid 1 → any; gid any → 2.');
});

test('color only if it is wanted', t => {
	const rules = shown('release:1.30');
	const diff = diffRuleSets({from: rules.ruleSet, to: ofIstio(deleteRule('OUTPUT', 1)(rules.ruleSet))}, ['ipv4']);
	for (const print of [
		(color: boolean) => printExplanation({rules, ...explanationOf(rules)}, {...terminal, color}),
		(color: boolean) => printRulesDiff({from: rules, to: rules, diff}, {...terminal, color}),
	]) {
		t.false(print(false).includes('\u001B'));
		t.true(print(true).includes('\u001B'));
		t.is(print(true).replaceAll(/\u001B\[\d+m/gu, ''), print(false)); // eslint-disable-line no-control-regex -- That is what color is.
	}
});
