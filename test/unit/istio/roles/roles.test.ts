import test from 'ava';
import fc from 'fast-check';
import {parseReleaseInput} from '../../../../src/istio/options/arguments.js';
import {articleRules, publishedTypes} from '../../../../src/istio/published.js';
import {
	describeRole, roleOf, roles, type Role,
} from '../../../../src/istio/roles/roles.js';
import {shadowOf} from '../../../../src/istio/roles/shadow.js';
import {sidecarRuleSet} from '../../../../src/istio/iptables/sidecar.js';
import {findChain, rulesOf} from '../../../../src/netfilter/lookup.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import type {Chain} from '../../../../src/netfilter/types.js';
import {anyRun} from '../../../helpers/istio-options.js';
import {readIptablesRuns} from '../../../helpers/istio-real.js';

function chainOf(input: string, chain: string, table = 'nat'): Chain {
	const {release, options} = parseReleaseInput(input);
	const found = findChain(sidecarRuleSet(release, options, ['ipv4']), {family: 'ip', table, chain});
	if (found === undefined) {
		throw new Error(`no chain ${chain}`);
	}

	return found;
}

function rolesIn(chain: Chain, table = 'nat'): ReadonlyArray<Role | undefined> {
	return chain.rules.map(rule => roleOf(rule, table, chain));
}

const defaultRoles: readonly Role[] = [
	'passthrough-source', 'hairpin-by-uid', 'loopback-not-proxy-uid', 'proxy-uid-bypass', 'hairpin-by-gid', 'loopback-not-proxy-gid', 'proxy-gid-bypass', 'localhost-bypass', 'outbound-capture',
];

test('every rule of the real program has a role', t => {
	for (const run of readIptablesRuns()) {
		for (const [text, family] of [[run.v4, 'ipv4'], [run.v6, 'ipv6']] as const) {
			for (const {table, chain, rule} of text === '' ? [] : rulesOf(parseSave(text, family))) {
				t.truthy(roleOf(rule, table, chain), `${run.release} ${table} ${chain.name} ${rule.text}`);
			}
		}
	}
});

test('every rule of every generated set has a role, and every role occurs', t => {
	const met = new Set<Role>();
	fc.assert(fc.property(anyRun, ({release, options}) => {
		for (const {table, chain, rule} of rulesOf(sidecarRuleSet(release, options, ['ipv4', 'ipv6']))) {
			const role = roleOf(rule, table, chain);
			t.truthy(role, `${release.name} ${table} ${chain.name} ${rule.text}`);
			if (role !== undefined) {
				met.add(role);
			}
		}
	}), {numRuns: 1500, seed: 1});
	// Those of ambient mode: ambient.test.ts; of releases that are not generated: real-inputs.test.ts.
	t.deepEqual([...met].toSorted(), (Object.keys(roles) as Role[]).filter(role => !role.startsWith('ambient-') && role !== 'hairpin-any-owner').toSorted());
});

test('old rules have roles of their own', t => {
	t.deepEqual(rolesIn(chainOf('release:1.12 -d 80', 'ISTIO_INBOUND')), ['inbound-tunnel-port', 'inbound-ssh', 'inbound-port-exclude', 'inbound-capture']);
	t.deepEqual(rolesIn(chainOf('release:1.6 -d 80,22', 'ISTIO_INBOUND')), ['inbound-ssh', 'inbound-port-exclude', 'inbound-port-exclude', 'inbound-capture']);
	t.deepEqual(rolesIn(chainOf('release:1.30 -d 80,22', 'ISTIO_INBOUND')), ['inbound-tunnel-port', 'inbound-port-exclude', 'inbound-port-exclude', 'inbound-capture']);
	t.deepEqual(rolesIn(chainOf('release:1.22 -x 0.0.0.0/0 -i 10.0.0.0/8', 'ISTIO_OUTPUT')).slice(7), ['localhost-bypass', 'range-exclude', 'range-include', 'range-rest']);
	t.deepEqual(rolesIn(chainOf('release:1.6 DNS_CAPTURE=1', 'OUTPUT')), ['outbound-jump', 'dns-query-bypass', 'dns-redirect-udp']);
	t.deepEqual(rolesIn(chainOf('release:1.7 DNS_AGENT=1', 'OUTPUT')), ['outbound-jump', 'dns-query-bypass', 'dns-query-bypass', 'dns-translate']);
	t.deepEqual(rolesIn(chainOf('release:1.8 ISTIO_META_DNS_CAPTURE=1', 'ISTIO_REDIRECT')), ['dns-redirect-tcp', 'outbound-redirect']);
	t.deepEqual(rolesIn(chainOf('release:1.24 --redirect-dns', 'OUTPUT')), ['outbound-jump', 'dns-udp-jump']);
	t.deepEqual(rolesIn(chainOf('release:1.24 ISTIO_OUTBOUND_OWNER_GROUPS= --redirect-dns', 'ISTIO_OUTPUT')).slice(-4), ['dns-query-bypass', 'dns-query-bypass', 'dns-group-include', 'dns-redirect-udp']);
	t.deepEqual(rolesIn(chainOf('release:1.30 -o 53', 'ISTIO_OUTPUT')).slice(0, 2), ['outbound-port-exclude', 'outbound-port-exclude']);
});

test('the nine default rules, with any numbers and values', t => {
	t.deepEqual(rolesIn(chainOf('release:1.30', 'ISTIO_OUTPUT')), defaultRoles);
	t.deepEqual(rolesIn(chainOf('release:1.30 -u 7 -g 8 -p 1 -z 2 -o 25', 'ISTIO_OUTPUT')), ['outbound-port-exclude', 'outbound-port-exclude', ...defaultRoles]);
});

test('the rules of the article have the same roles, with and without their chain', t => {
	const text = ['*nat', '-N ISTIO_OUTPUT', '-N ISTIO_REDIRECT', '-N ISTIO_IN_REDIRECT', ...articleRules.map(rule => `-A ISTIO_OUTPUT ${rule.text}`), 'COMMIT'].join('\n');
	const chain = findChain(parseSave(text, 'ipv4'), {family: 'ip', table: 'nat', chain: 'ISTIO_OUTPUT'});
	t.deepEqual(chain && rolesIn(chain), articleRules.map(({role}) => role));
	t.deepEqual(chain?.rules.map(rule => roleOf(rule, 'nat')), articleRules.map(({role}) => role));
});

test('the tunnel port differs from an excluded port by its place among similar rules', t => {
	t.deepEqual(rolesIn(chainOf('release:1.30 -d 80,90', 'ISTIO_INBOUND')), ['inbound-tunnel-port', 'inbound-port-exclude', 'inbound-port-exclude', 'inbound-capture']);
	t.deepEqual(rolesIn(chainOf('release:1.30 -b 80', 'ISTIO_INBOUND')), ['inbound-tunnel-port', 'inbound-port-include']);
});

test('an excluded group differs from the proxy\'s by the missing hairpin rule', t => {
	t.deepEqual(rolesIn(chainOf('release:1.30 ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=5', 'ISTIO_OUTPUT')).slice(6, 8), ['proxy-gid-bypass', 'group-exclude']);
	t.is(rolesIn(chainOf('release:1.30 ISTIO_OUTBOUND_OWNER_GROUPS=5,6', 'ISTIO_OUTPUT'))[7], 'group-include');
	t.is(rolesIn(chainOf('release:1.30 ISTIO_OUTBOUND_OWNER_GROUPS=', 'ISTIO_OUTPUT'))[7], 'group-include');
});

test('an excluded range differs from the localhost rule by its later place', t => {
	t.deepEqual(rolesIn(chainOf('release:1.30 -x 127.0.0.0/8,10.0.0.0/8,0.0.0.0/0 -i 10.0.0.0/8', 'ISTIO_OUTPUT')).slice(7), ['localhost-bypass', 'range-exclude', 'range-exclude', 'range-exclude', 'range-include']);
});

test('a rule of another shape has no role', t => {
	const text = '*nat\n-N ISTIO_OUTPUT\n-A ISTIO_OUTPUT -o lo -j RETURN\n-A ISTIO_OUTPUT -m owner --uid-owner 1 -j ACCEPT\n-A ISTIO_OUTPUT -m owner --uid-owner 1 -m addrtype --dst-type LOCAL -j RETURN\n-A OUTPUT -m owner --uid-owner 1 -j RETURN\nCOMMIT';
	for (const {table, chain, rule} of rulesOf(parseSave(text, 'ipv4'))) {
		t.is(roleOf(rule, table, chain), undefined, `not ${rule.text}`);
	}
});

test('a comment changes no role', t => {
	const [placed] = rulesOf(parseSave('*nat\n-N ISTIO_OUTPUT\n-A ISTIO_OUTPUT -m owner --uid-owner 1 -m comment --comment x -j RETURN\nCOMMIT', 'ipv4'));
	t.is(placed && roleOf(placed.rule, 'nat'), 'proxy-uid-bypass');
});

function shadowedNumbers(input: string): readonly number[] {
	const chain = chainOf(input, 'ISTIO_OUTPUT');
	return chain.rules.filter(rule => shadowOf(rule, 'nat', chain) !== undefined).map(({number}) => number);
}

test('rules that no ordinary traffic reaches', t => {
	t.deepEqual(shadowedNumbers('release:1.30'), [5, 6, 8]);
	// With DNS capture, TCP to port 53 and UDP over lo get past rule 3.
	t.deepEqual(shadowedNumbers('release:1.30 --redirect-dns'), []);
	// The second UID's hairpin is shadowed by the first block: inbound policy is skipped.
	t.deepEqual(shadowedNumbers('release:1.30 -u 64535,1337'), [5, 6, 8, 9, 11, 12, 14]);
	// An included loopback range leaves rule 3 out.
	t.deepEqual(shadowedNumbers('release:1.30 -i 127.0.0.0/8'), []);
});

test('a shadow names the rules that cause it', t => {
	const chain = chainOf('release:1.30', 'ISTIO_OUTPUT');
	const shadow = chain.rules[4] && shadowOf(chain.rules[4], 'nat', chain);
	t.deepEqual(shadow?.by.map(({number}) => number), [3, 4]);
	t.is(shadow?.because, 'on lo, rule 3 returns every UID but 1337, and rule 4 returns 1337');
});

test('the facts of the roles agree with the shadows in the default chain', t => {
	const chain = chainOf('release:1.30', 'ISTIO_OUTPUT');
	for (const rule of chain.rules) {
		const role = roleOf(rule, 'nat', chain);
		t.is(role !== undefined && roles[role].shadow !== undefined, shadowOf(rule, 'nat', chain) !== undefined, `${role}`);
	}
});

test('every role is described in sentences', t => {
	for (const role of Object.keys(roles) as Role[]) {
		t.regex(roles[role].purpose, /^[A-Z].*\.$/);
		t.true(describeRole(role).startsWith(`${role}: `));
		t.true(roles[role].patterns.length > 0, role);
	}
});

test('published routes in the notation of the testbed', t => {
	t.deepEqual(publishedTypes[2].notation, ['app', 'OUTPUT', 'ISTIO_OUTPUT#9', 'ISTIO_REDIRECT', 'proxy:15001', 'OUTPUT', 'ISTIO_OUTPUT#4', 'POSTROUTING', 'remote']);
	t.deepEqual(publishedTypes[5].notation, ['proxy', 'OUTPUT', 'ISTIO_OUTPUT#8', 'POSTROUTING', 'proxy']);
	for (const {path} of Object.values(publishedTypes)) {
		for (const step of path) {
			t.true(step.kind !== 'rule' || articleRules.find(({number}) => number === step.number)?.role === step.role);
		}
	}
});
