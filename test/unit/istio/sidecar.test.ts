import test from 'ava';
import fc from 'fast-check';
import {parseReleaseInput, readSidecarArguments} from '../../../src/istio/options/arguments.js';
import {sidecarOptionsFromConfig} from '../../../src/istio/options/config-options.js';
import {generate} from '../../../src/istio/generate.js';
import {InputError} from '../../../src/parsing/input-error.js';
import {injectedArgumentsOf} from '../../../src/istio/options/options.js';
import {
	compareVersions, findRelease, newestRelease, releaseLines, type DnsStyle,
} from '../../../src/istio/releases.js';
import {familiesWritten, sidecarRouting} from '../../../src/istio/routing.js';
import {sidecarNftRuleSet} from '../../../src/istio/nftables/sidecar.js';
import {sidecarRuleSet} from '../../../src/istio/iptables/sidecar.js';
import {parseSave, printSave} from '../../../src/netfilter/iptables/save.js';
import type {AddressFamily} from '../../../src/netfilter/types.js';
import {compareRun, printRun} from '../../../src/istio/conformance/real-run.js';
import {
	chainsOf, normalChainsOf, readEpochs, readIptablesGoldens, readIptablesRuns, readRealRuns, realRunFiles, titleOf,
} from '../../helpers/istio-real.js';
import {anyRun} from '../../helpers/istio-options.js';

for (const file of realRunFiles) {
	for (const [index, run] of readRealRuns(file).entries()) {
		test(`equals the real istio-iptables, ${file} ${index + 1}: ${titleOf(run)}`, t => {
			t.is(compareRun(run).kind, run.rc === 0 ? 'equal' : 'refused');
		});
	}
}

test('there are runs of each measured release, 366 of iptables that succeeded, and all 38 of 1.31 are compared', t => {
	const runs = readIptablesRuns();
	t.is(runs.filter(({rc}) => rc === 0).length, 366);
	t.deepEqual([...new Set(runs.map(({release}) => release))].toSorted(compareVersions), releaseLines.filter(({basis}) => basis === 'measured').map(({newestPatch}) => newestPatch));
	t.is(readRealRuns().filter(({release}) => release === '1.31.0').length, 38);
	for (const {release} of runs) {
		t.is(findRelease(release).basis, 'measured');
		t.is(findRelease(release).newestPatch, release);
	}
});

for (const {file, fields, ruleSet} of readIptablesGoldens()) {
	test(`equals Istio's golden ${file}`, t => {
		const {options, families} = sidecarOptionsFromConfig(fields);
		// Two of them are dry runs: the golden is what would be written.
		t.deepEqual(normalChainsOf(sidecarRuleSet(newestRelease, {...options, writesNothing: false}, families)), normalChainsOf(ruleSet));
	});
}

/** How DNS capture is asked for in the releases that write it so. */
const askingForDns = {
	none: {},
	'to-proxy': {DNS_CAPTURE: '1'},
	translated: {DNS_AGENT: '1'},
	'translated-with-tcp': {ISTIO_META_DNS_CAPTURE: 'true'},
	'in-output': {ISTIO_META_DNS_CAPTURE: 'true'},
	'in-istio-output': {ISTIO_META_DNS_CAPTURE: 'true'},
	'in-own-chain': {ISTIO_META_DNS_CAPTURE: 'true'},
} as const satisfies Record<DnsStyle, Readonly<Record<string, string>>>;

for (const {release: version, kind, family, ruleSet} of readEpochs()) {
	test(`equals the derived rules of ${version}, ${kind}, ${family}`, t => {
		const release = findRelease(version);
		const environment = kind === 'default' ? {} : askingForDns[release.features.dns];
		const argv = [...injectedArgumentsOf(release), ...(kind === 'dnsAll' ? ['--capture-all-dns'] : [])];
		const {options, warnings} = readSidecarArguments({argv, environment, release});
		t.deepEqual(warnings, []);
		t.deepEqual(normalChainsOf(sidecarRuleSet(release, options, [family])), normalChainsOf(ruleSet));
	});
}

function rulesOf(input: string, place: string, family: AddressFamily = 'ipv4'): readonly string[] {
	const {release, options} = parseReleaseInput(input);
	return chainsOf(sidecarRuleSet(release, options, [family]))[place] ?? [];
}

test('a generated set is a dump as iptables-save prints it', t => {
	for (const run of readRealRuns('defaults').filter(({rc, v4}) => rc === 0 && !v4.includes('*filter'))) {
		t.is(printRun(run).v4, run.v4, titleOf(run));
	}
});

test('a generated set of any release and any options reads as itself', t => {
	fc.assert(fc.property(anyRun, ({release, options}) => {
		const set = sidecarRuleSet(release, options, ['ipv4', 'ipv6']);
		for (const family of ['ipv4', 'ipv6'] as const) {
			const printed = printSave(set, family);
			t.deepEqual(parseSave(printed, family).tables, set.tables.filter(table => table.family === (family === 'ipv4' ? 'ip' : 'ip6')));
			t.is(printSave(parseSave(printed, family), family), printed);
		}
	}), {numRuns: 200});
});

test('each UID has its three rules before the next one, even if it is named twice', t => {
	t.deepEqual(rulesOf('release:1.30 -u 64535,1337 -g 5', 'ip nat ISTIO_OUTPUT').slice(1, 7).map(text => / --uid-owner (\d+)/.exec(text)?.[1]), ['64535', '64535', '64535', '1337', '1337', '1337']);
	t.is(rulesOf('release:1.30 -u 1337,1337', 'ip nat ISTIO_OUTPUT').length, 15);
});

test('host bits of a range are removed, and a range of all addresses is left out', t => {
	const rules = rulesOf('release:1.30 ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.1/8 -x 10.1.2.3/8,0.0.0.0/0 -i 2001:DB8::1/32', 'ip nat ISTIO_OUTPUT');
	t.deepEqual(rules.slice(-3), ['-d 127.0.0.0/8 -j RETURN', '-d 10.0.0.0/8 -j RETURN', '-j RETURN']);
	t.is(rulesOf('release:1.30 -i 2001:DB8::1/32', 'ip6 nat ISTIO_OUTPUT', 'ipv6').at(-1), '-d 2001:db8::/32 -j ISTIO_REDIRECT');
});

test('for a range of all ports only the module remains, as iptables prints it', t => {
	t.is(rulesOf('release:1.30 -d 0:65535', 'ip nat ISTIO_INBOUND')[1], '-p tcp -m tcp -j RETURN');
	t.is(rulesOf('release:1.30 -d 80:', 'ip nat ISTIO_INBOUND')[1], '-p tcp -m tcp --dport 80:65535 -j RETURN');
});

test('DNS capture without a server is off since 1.25; before, its exceptions remain', t => {
	const of = (input: string) => {
		const {release, options} = parseReleaseInput(input);
		return chainsOf(sidecarRuleSet(release, {...options, dnsServersV4: [], dnsServersV6: []}, ['ipv4']))['ip nat ISTIO_OUTPUT']?.[2];
	};

	t.is(of('release:1.25 --redirect-dns'), '-o lo -m owner ! --uid-owner 1337 -j RETURN');
	t.is(of('release:1.24 --redirect-dns'), '-o lo -p tcp -m tcp ! --dport 53 -m owner ! --uid-owner 1337 -j RETURN');
});

// What the separate IPv6 code did until 1.11: read in its source, only its simple cases are among the real runs.
for (const [input, place, expected] of [
	['release:1.11 -k vm0', 'ip6 nat PREROUTING', ['-i vm0 -j RETURN', '-i vm0 -j RETURN', '-p tcp -j ISTIO_INBOUND']],
	['release:1.7 -k vm0', 'ip6 nat PREROUTING', ['-i vm0 -j RETURN', '-p tcp -j ISTIO_INBOUND']],
	['release:1.11 -k vm0 -i fd00::/8', 'ip6 nat PREROUTING', ['-d fd00::/8 -i vm0 -j ISTIO_REDIRECT', '-i vm0 -j RETURN', '-p tcp -j ISTIO_INBOUND']],
	['release:1.12 -k vm0', 'ip6 nat PREROUTING', ['-i vm0 -j ISTIO_REDIRECT', '-i vm0 -j RETURN', '-p tcp -j ISTIO_INBOUND']],
] as const) {
	test(`virtual interfaces in IPv6: ${input}`, t => {
		t.deepEqual(rulesOf(input, place, 'ipv6'), expected);
	});
}

for (const [input, expected] of [
	['release:1.11 -i 10.0.0.0/8', ['-d ::1/128 -j RETURN']],
	['release:1.11 -i 10.0.0.0/8,fd00::/8 -q 443 -x fd01::/16', ['-d ::1/128 -j RETURN', '-d fd01::/16 -j RETURN', '-p tcp -m tcp --dport 443 -j ISTIO_REDIRECT', '-d fd00::/8 -j ISTIO_REDIRECT', '-j RETURN']],
	['release:1.10.1 -q 443', ['-d ::1/128 -j RETURN', '-j ISTIO_REDIRECT']],
	['release:1.10.2 -q 443', ['-d ::1/128 -j RETURN', '-p tcp -m tcp --dport 443 -j ISTIO_REDIRECT', '-j ISTIO_REDIRECT']],
] as const) {
	test(`the end of ISTIO_OUTPUT in IPv6: ${input}`, t => {
		t.deepEqual(rulesOf(input, 'ip6 nat ISTIO_OUTPUT', 'ipv6').slice(7), expected);
	});
}

test('until 1.11, IPv6 keeps the rules for lo even if a loopback range is included', t => {
	t.is(rulesOf('release:1.11 -i ::1/128', 'ip6 nat ISTIO_OUTPUT', 'ipv6')[2], '-o lo -m owner ! --uid-owner 1337 -j RETURN');
	t.is(rulesOf('release:1.11 -i ::1/128', 'ip nat ISTIO_OUTPUT')[2], '-m owner --uid-owner 1337 -j RETURN');
});

for (const [input, place, expected] of [
	['release:1.5 -b 80', 'ip nat ISTIO_IN_REDIRECT', ['-p tcp -j REDIRECT --to-ports 15001']],
	['release:1.6 -b 80', 'ip nat ISTIO_IN_REDIRECT', ['-p tcp -j REDIRECT --to-ports 15006']],
	['release:1.5 -m TPROXY -b 80', 'ip mangle ISTIO_INBOUND', ['-p tcp -m tcp --dport 80 -m socket -j ISTIO_DIVERT', '-p tcp -m tcp --dport 80 -m socket -j ISTIO_DIVERT', '-p tcp -m tcp --dport 80 -j ISTIO_TPROXY']],
	['release:1.8 -m TPROXY', 'ip mangle OUTPUT', ['-s 127.0.0.1/32 ! -d 127.0.0.1/32 -p tcp -j MARK --set-xmark 0x539/0xffffffff']],
	['release:1.10 ISTIO_META_DNS_CONNTRACK_ZONE=true --redirect-dns', 'ip raw PREROUTING', ['-d 10.96.0.10/32 -p udp -m udp --sport 53 -j CT --zone 1']],
	['release:1.10.2 ISTIO_META_DNS_CONNTRACK_ZONE=true --redirect-dns', 'ip raw PREROUTING', []],
	['release:1.7 ISTIO_META_DNS_CAPTURE=false', 'ip nat POSTROUTING', ['-p udp -m udp --dport 15013 -j SNAT --to-source 127.0.0.1']],
	['release:1.7 ISTIO_META_DNS_CAPTURE=1 DNS_AGENT=1', 'ip nat POSTROUTING', ['-p udp -m udp --dport 15053 -j SNAT --to-source 127.0.0.1']],
	['release:1.24 ISTIO_OUTBOUND_OWNER_GROUPS=5,6 --redirect-dns', 'ip nat OUTPUT', ['-p tcp -j ISTIO_OUTPUT', '-p udp -j ISTIO_OUTPUT']],
	['release:1.24 --drop-invalid', 'ip mangle PREROUTING', ['-m conntrack --ctstate INVALID -j ISTIO_DROP']],
	['release:1.23 --drop-invalid', 'ip mangle PREROUTING', ['-m conntrack --ctstate INVALID -j DROP']],
] as const) {
	test(`old rules: ${input}, ${place}`, t => {
		t.deepEqual(rulesOf(input, place), expected);
	});
}

test('UDP queries have owner group rules of their own, 1.14 to 1.24', t => {
	t.true(rulesOf('release:1.22 ISTIO_OUTBOUND_OWNER_GROUPS=5,6 --redirect-dns', 'ip nat OUTPUT').includes('-p udp -m udp --dport 53 -m owner ! --gid-owner 5 -m owner ! --gid-owner 6 -j RETURN'));
});

for (const word of ['-n', '--dry-run', '--skip-rule-apply', '--cleanup-only']) {
	test(`with ${word} no rules are written`, t => {
		const {release, options, warnings} = parseReleaseInput(`release:1.30 -m TPROXY ${word}`);
		t.deepEqual(sidecarRuleSet(release, options, ['ipv4', 'ipv6']), {tables: []});
		t.deepEqual(sidecarRouting(options, ['ipv4', 'ipv6'], release), {loopbackAddresses: [], markRules: [], localRoutes: []});
		t.is(warnings.length, 1);
	});
}

test('IPv6 rules are written when the first address is IPv6, or with dual stack any', t => {
	t.deepEqual(familiesWritten(['10.0.0.1', '2001:db8::1'], {dualStack: false}), ['ipv4']);
	t.deepEqual(familiesWritten(['10.0.0.1', '2001:db8::1'], {dualStack: true}), ['ipv4', 'ipv6']);
	t.deepEqual(familiesWritten(['2001:db8::1'], {dualStack: false}), ['ipv4', 'ipv6']);
});

test('IPv6 needs ::6 on lo; TPROXY routes both families since 1.12', t => {
	const {options} = parseReleaseInput('release:latest');
	t.deepEqual(sidecarRouting(options, ['ipv4', 'ipv6']).loopbackAddresses, [{family: 'ipv6', address: '::6/128'}]);
	t.deepEqual(sidecarRouting(options, ['ipv4']), {loopbackAddresses: [], markRules: [], localRoutes: []});
	const tproxy = {...options, inboundInterceptionMode: 'TPROXY'} as const;
	t.deepEqual(sidecarRouting(tproxy, ['ipv4', 'ipv6'], findRelease('1.12')).markRules.map(({family}) => family), ['ipv4', 'ipv6']);
	t.deepEqual(sidecarRouting(tproxy, ['ipv4', 'ipv6'], findRelease('1.11')).localRoutes.map(({family}) => family), ['ipv4']);
});

test('one function writes the rules for every back end', t => {
	const {release, options} = parseReleaseInput('release:1.30');
	const families = ['ipv4'] as const;
	t.deepEqual(generate({
		release, options, families, backend: 'iptables-legacy',
	}), sidecarRuleSet(release, options, families));
	t.deepEqual(generate({
		release, options: {...options, writesNothing: true}, families, backend: 'nftables',
	}), {tables: []});
	t.deepEqual(generate({
		release, options, families, backend: 'nftables',
	}), sidecarNftRuleSet(release, options, families));
	t.throws(() => generate({
		release: findRelease('1.26'), options, families, backend: 'nftables',
	}), {instanceOf: InputError, message: /^--native-nftables: istio-iptables 1\.26\.8 writes no native nftables rules/});
});

for (const [fields, message] of [
	[{nope: 1}, /^nope: the configuration has no such field$/],
	[{proxyPort: 15_001}, /^proxyPort: the value 15001 has the wrong type$/],
	[{dnsServersV4: '10.0.0.1'}, /^dnsServersV4: .*wrong type/],
	[{dualStack: 'true'}, /^dualStack: .*wrong type/],
	[{inboundTProxyMark: '0x1'}, /^inboundTProxyMark: "0x1" is not a decimal number/],
] as const) {
	test(`a configuration is refused: ${JSON.stringify(fields)}`, t => {
		t.throws(() => sidecarOptionsFromConfig(fields), {instanceOf: InputError, message});
	});
}
