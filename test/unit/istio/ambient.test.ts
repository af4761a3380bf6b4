import test from 'ava';
import {
	ambientFamilies, ambientReleases, defaultAmbientOptions, findAmbientRelease, parseAmbientArguments, parseAmbientInput,
} from '../../../src/istio/ambient/options.js';
import {ambientRouting} from '../../../src/istio/ambient/routing.js';
import {newestRelease} from '../../../src/istio/releases.js';
import {InputError} from '../../../src/parsing/input-error.js';
import {ambientHostRuleSet, ambientHostSets, ambientRuleSet} from '../../../src/istio/iptables/ambient.js';
import {roleOf, roles, type Role} from '../../../src/istio/roles/roles.js';
import {rulesOf} from '../../../src/netfilter/lookup.js';
import {parseSave, printSave} from '../../../src/netfilter/iptables/save.js';
import {ambientOptionsFromConfig} from '../../../src/istio/conformance/golden.js';
import {readAmbientGoldens, savesOf} from '../../helpers/istio-ambient.js';
import {newest, newestPatch, unknown} from '../../helpers/releases.js';

for (const golden of readAmbientGoldens('iptables')) {
	test(`equals the golden as the kernel prints it: ${golden.file}`, t => {
		const options = ambientOptionsFromConfig(golden);
		const families = ambientFamilies(options);
		const ruleSet = golden.scope === 'pod' ? ambientRuleSet(options, families) : ambientHostRuleSet(options, families);
		const saves = savesOf(golden);
		t.deepEqual(saves.map(([, family]) => family), [...families]);
		for (const [text, family] of saves) {
			t.is(printSave(ruleSet, family), text);
		}
	});
}

test('every rule of every golden has a role, and every role of ambient mode occurs', t => {
	const met = new Set<Role>();
	for (const golden of readAmbientGoldens('iptables')) {
		for (const [text, family] of savesOf(golden)) {
			for (const {table, chain, rule} of rulesOf(parseSave(text, family))) {
				const role = roleOf(rule, table, chain);
				t.truthy(role, `${golden.file} ${table} ${chain.name} ${rule.text}`);
				if (role !== undefined) {
					met.add(role);
				}
			}
		}
	}

	met.delete('outbound-jump');
	t.deepEqual([...met].toSorted(), (Object.keys(roles) as Role[]).filter(role => role.startsWith('ambient-') && !role.startsWith('ambient-tproxy-')).toSorted());
});

test('a rule that is only similar has no role', t => {
	const texts = ['-d 10.0.0.1/32 -p udp -j ACCEPT', '! -d 127.0.0.1/32 -p tcp -m mark --mark 0x539/0xfff -j REDIRECT --to-ports 15001', '-o lo -j ACCEPT'];
	const set = parseSave(`*nat\n-N ISTIO_OUTPUT\n${texts.map(text => `-A ISTIO_OUTPUT ${text}\n`).join('')}COMMIT`, 'ipv4');
	t.deepEqual([...rulesOf(set)].map(({table, chain, rule}) => roleOf(rule, table, chain)), [undefined, undefined, undefined]);
});

test('a generated set reads as itself', t => {
	const options = parseAmbientArguments(['--reroute-virtual-interfaces', 'vm0,vm1']);
	for (const family of ['ipv4', 'ipv6'] as const) {
		const set = ambientRuleSet(options, [family, family]);
		t.deepEqual(parseSave(printSave(set, family), family), set);
	}
});

test('the node\'s sets are data', t => {
	t.deepEqual(ambientHostSets(['ipv4', 'ipv6']), [
		{
			name: 'istio-inpod-probes-v4', type: 'hash:ip', family: 'inet', comment: true,
		},
		{
			name: 'istio-inpod-probes-v6', type: 'hash:ip', family: 'inet6', comment: true,
		},
	]);
});

test('marked packets are delivered locally', t => {
	t.deepEqual(ambientRouting(['ipv4', 'ipv6']), {
		loopbackAddresses: [],
		markRules: (['ipv4', 'ipv6'] as const).map(family => ({
			family, mark: 0x1_11, mask: 0xF_FF, table: 100, priority: 32_764,
		})),
		localRoutes: [{family: 'ipv4', destination: '0.0.0.0/0', table: 100}, {family: 'ipv6', destination: '::/0', table: 100}],
	});
});

test('options are written as flags over the agent\'s defaults', t => {
	t.deepEqual(parseAmbientInput('ambient:latest'), {release: newest, note: undefined, options: defaultAmbientOptions});
	t.deepEqual(parseAmbientInput('ambient:1.30.3 --redirect-dns=false --ingress --reroute-virtual-interfaces "vm0, vm1" --ipv6 --host-probe-snat-ip 10.0.0.1 --host-probe-snat-ipv6=2001:db8::1 --kubelet-uid 1000'), {
		release: '1.30.3',
		note: undefined,
		options: {
			redirectDns: false, ingress: true, rerouteVirtualInterfaces: ['vm0', 'vm1'], ipv6: true, hostProbeSnatIp: '10.0.0.1', hostProbeSnatIpv6: '2001:db8::1', kubeletUid: 1000,
		},
	});
	t.deepEqual(parseAmbientArguments(['--ingress', '--ingress=false']), defaultAmbientOptions);
	t.deepEqual(ambientFamilies({ipv6: false}), ['ipv4']);
});

test('ambient mode of a future release', t => {
	t.deepEqual(parseAmbientInput(`ambient:${unknown} --ingress`), {
		release: newest, note: `${unknown} is newer than the known releases: these are the rules of ${newest}.`, options: {...defaultAmbientOptions, ingress: true},
	});
	t.deepEqual(findAmbientRelease(`v${newestPatch}`), {release: newestPatch, note: undefined});
	// A new row of releases wants somebody to look at its ambient rules.
	t.is(ambientReleases.at(-1), newestRelease.name);
});

for (const [text, message] of [
	['release:1.30', /^release: "release:1\.30" does not begin with ambient:VERSION/],
	['ambient:1.24', /^release 1\.24 is older than 1\.30, the oldest one whose ambient rules are known; the nearest is 1\.30$/],
	['ambient:', /^no version was given; write one as/],
	['ambient:1.30 --dns', /^--dns: ambient mode has no such flag; it has --redirect-dns, /],
	['ambient:1.30 --toString', /^--toString: ambient mode has no such flag/],
	['ambient:1.30 ingress', /^ingress: this is not a flag/],
	['ambient:1.30 --ingress false', /^false: this is not a flag/],
	['ambient:1.30 --ingress=yes', /^--ingress: "yes" is neither true nor false/],
	['ambient:1.30 --host-probe-snat-ip', /^--host-probe-snat-ip: a value is missing after it/],
	['ambient:1.30 --host-probe-snat-ip ::1', /^--host-probe-snat-ip: "::1" is not an IPv4 address/],
	['ambient:1.30 --host-probe-snat-ipv6 10.0.0.1', /^--host-probe-snat-ipv6: "10\.0\.0\.1" is not an IPv6 address/],
	['ambient:1.30 --reroute-virtual-interfaces a/b', /^--reroute-virtual-interfaces: bad interface name "a\/b"/],
	['ambient:1.30 --kubelet-uid root', /^--kubelet-uid: "root" is not a UID/],
] as const) {
	test(`refused: ${text}`, t => {
		t.throws(() => parseAmbientInput(text), {instanceOf: InputError, message});
	});
}
