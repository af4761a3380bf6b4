import test from 'ava';
import {parseReleaseInput} from '../../../src/istio/arguments.js';
import {InputError} from '../../../src/istio/input-error.js';
import {findRelease, newestRelease} from '../../../src/istio/releases.js';
import {familiesWritten, sidecarRouting} from '../../../src/istio/routing.js';
import {sidecarRuleSet} from '../../../src/istio/iptables/sidecar.js';
import {parseSave, printSave} from '../../../src/netfilter/save.js';
import type {AddressFamily} from '../../../src/netfilter/types.js';
import {
	chainsOf, inputOf, readRealRuns, titleOf,
} from '../../helpers/istio-real.js';

for (const file of ['defaults', 'random'] as const) {
	for (const [index, run] of readRealRuns(file).entries()) {
		test(`equals the real istio-iptables, ${file} ${index + 1}: ${titleOf(run)}`, t => {
			t.is(run.rc, 0);
			const {options, families} = inputOf(run);
			const tables = ([[run.v4, 'ipv4'], [run.v6, 'ipv6']] as const).flatMap(([text, family]) => text === '' ? [] : parseSave(text, family).tables);
			const generated = sidecarRuleSet(findRelease(run.release), options, families);
			t.deepEqual(chainsOf(generated), chainsOf({tables}));

			const {markRules, localRoutes} = sidecarRouting(options, families);
			const marked = markRules.filter(({family}) => family === 'ipv4').map(({mark, table}) => `32765:\tfrom all fwmark 0x${mark.toString(16)} lookup ${table}`);
			t.deepEqual(marked, [...run.rules4]);
			t.is(markRules.length - marked.length, run.rules6.length);
			t.is(localRoutes.some(({family}) => family === 'ipv4'), run.routes4 !== '');
		});
	}
}

function rulesOf(input: string, place: string, family: AddressFamily = 'ipv4'): readonly string[] {
	const {release, options} = parseReleaseInput(input);
	return chainsOf(sidecarRuleSet(release, options, [family]))[place] ?? [];
}

test('a generated set is a dump as iptables-save prints it', t => {
	for (const {v4} of readRealRuns('defaults').filter(({family, argv}) => family === 'ipv4' && argv.includes('REDIRECT') && !argv.includes('--redirect-dns'))) {
		const {release, options} = parseReleaseInput('release:');
		t.is(printSave(sidecarRuleSet(release, options, ['ipv4']), 'ipv4'), `${v4}\n`);
	}
});

test('a generated set reads as itself', t => {
	const {release, options} = parseReleaseInput('release:1.30 -m TPROXY --redirect-dns --capture-all-dns --drop-invalid -c eth1 -k vm0 -o 25 -q 443');
	for (const family of ['ipv4', 'ipv6'] as const) {
		const set = sidecarRuleSet(release, options, [family]);
		t.deepEqual(parseSave(printSave(set, family), family), set);
	}
});

test('each UID has its three rules before the next', t => {
	t.deepEqual(rulesOf('release:1.30 -u 64535,1337 -g 5', 'ip nat ISTIO_OUTPUT').slice(1, 7).map(text => / --uid-owner (\d+)/.exec(text)?.[1]), ['64535', '64535', '64535', '1337', '1337', '1337']);
});

test('host bits of a CIDR are cut off, and a range of all addresses has no text', t => {
	const rules = rulesOf('release:1.30 ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.1/8 -x 10.1.2.3/8,0.0.0.0/0 -i 2001:DB8::1/32', 'ip nat ISTIO_OUTPUT');
	t.deepEqual(rules.slice(-3), ['-d 127.0.0.0/8 -j RETURN', '-d 10.0.0.0/8 -j RETURN', '-j RETURN']);
	t.is(rulesOf('release:1.30 -i 2001:DB8::1/32', 'ip6 nat ISTIO_OUTPUT', 'ipv6').at(-1), '-d 2001:db8::/32 -j ISTIO_REDIRECT');
});

test('DNS capture without a server is switched off', t => {
	const {release, options} = parseReleaseInput('release:1.30 --redirect-dns');
	const without = sidecarRuleSet(release, {...options, dnsServersV4: [], dnsServersV6: []}, ['ipv4']);
	t.deepEqual(without, sidecarRuleSet(release, {...options, redirectDns: false}, ['ipv4']));
});

test('older rules are switched by features, not by numbers', t => {
	const {release, options} = parseReleaseInput('release:1.30 -o 25 --drop-invalid');
	const older = {
		...release, features: {
			...release.features, outputJumpAllProtocols: false, udpOutboundExclude: false, invalidDropChain: false, hairpinExceptsTunnelPort: false, dnsChain: false,
		},
	};
	const chains = chainsOf(sidecarRuleSet(older, options, ['ipv4']));
	t.deepEqual(chains['ip nat OUTPUT'], ['-p tcp -j ISTIO_OUTPUT']);
	t.deepEqual(chains['ip mangle PREROUTING'], ['-m conntrack --ctstate INVALID -j DROP']);
	t.is(chains['ip nat ISTIO_OUTPUT']?.[0], '-p tcp -m tcp --dport 25 -j RETURN');
	t.is(chains['ip nat ISTIO_OUTPUT']?.[2], '! -d 127.0.0.1/32 -o lo -m owner --uid-owner 1337 -j ISTIO_IN_REDIRECT');
	t.throws(() => sidecarRuleSet(older, {...options, redirectDns: true}, ['ipv4']), {instanceOf: InputError, message: /--redirect-dns.*not implemented/});
});

test('IPv6 rules are written when the first address is IPv6, or with dual stack any', t => {
	t.deepEqual(familiesWritten(['10.0.0.1', '2001:db8::1'], {dualStack: false}), ['ipv4']);
	t.deepEqual(familiesWritten(['10.0.0.1', '2001:db8::1'], {dualStack: true}), ['ipv4', 'ipv6']);
	t.deepEqual(familiesWritten(['2001:db8::1'], {dualStack: false}), ['ipv4', 'ipv6']);
});

test('IPv6 needs ::6 on lo', t => {
	const {options} = parseReleaseInput('release:');
	t.deepEqual(sidecarRouting(options, ['ipv4', 'ipv6']).loopbackAddresses, [{family: 'ipv6', address: '::6/128'}]);
	t.deepEqual(sidecarRouting(options, ['ipv4']), {loopbackAddresses: [], markRules: [], localRoutes: []});
});

test('releases are found by line and by patch', t => {
	t.is(findRelease('').name, newestRelease.name);
	t.is(findRelease('1.30.9').name, '1.30');
	t.is(findRelease('1.30.9').asked, '1.30.9');
	t.throws(() => findRelease('1.31'), {instanceOf: InputError, message: /^release: unknown release "1.31"; known are .*1\.30/});
	t.throws(() => findRelease('1.30.x'), {instanceOf: InputError});
});
