import test from 'ava';
import {parseReleaseInput} from '../../../src/istio/options/arguments.js';
import {sidecarRuleSet} from '../../../src/istio/iptables/sidecar.js';
import type {SidecarOptions} from '../../../src/istio/options/options.js';
import type {RuleSet} from '../../../src/netfilter/types.js';
import {intentOf, intentOfRuleSet, unsupportedOptions} from '../../../src/istio/intent.js';

function setOf(input: string): RuleSet {
	const {release, options} = parseReleaseInput(input);
	return sidecarRuleSet(release, options, ['ipv4', 'ipv6']);
}

const byDefault = intentOf(parseReleaseInput('release:latest'));

test('the intent of a default dump is that of the default options', t => {
	t.deepEqual(intentOfRuleSet(setOf('release:latest')), byDefault);
});

test('UIDs and GIDs are read from a dump, ports are not', t => {
	t.deepEqual(intentOfRuleSet(setOf('release:latest -u 5,6 -g 7 -p 1 -z 2 -b 80 -x 10.0.0.0/8')), {...byDefault, proxyUids: [5, 6], proxyGids: [7]});
});

test('excluded owner groups are not the proxy\'s', t => {
	t.deepEqual(intentOfRuleSet(setOf('release:latest ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=5')), byDefault);
});

test('a dump without owners is judged by the default owners', t => {
	t.deepEqual(intentOfRuleSet({tables: []}), byDefault);
});

for (const [input, expected] of [
	['', []],
	['-m TPROXY --redirect-dns -c eth0,lo ISTIO_OUTBOUND_OWNER_GROUPS=5 ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.1/8 -i 127.0.0.0/8', []],
	['-k eth0', []],
	['-k vm0 -m TPROXY', []],
	['-k eth0 -m TPROXY', ['--kube-virt-interfaces with an interface of the pod under TPROXY']],
	['-k l+ -m TPROXY', ['--kube-virt-interfaces with an interface of the pod under TPROXY']],
] as ReadonlyArray<readonly [string, readonly string[]]>) {
	test(`not modelled: ${input === '' ? 'nothing by default' : input}`, t => {
		t.deepEqual(unsupportedOptions({options: optionsOf(input)}), expected);
	});
}

test('under TPROXY a dump shows the mode of capture and the mark', t => {
	t.deepEqual(intentOfRuleSet(setOf('release:latest -m TPROXY -t 5')), {...byDefault, inboundInterceptionMode: 'TPROXY', inboundTproxyMark: 5});
});

test('an included loopback range is noted', t => {
	t.true(intentOf(parseReleaseInput('release:latest -i 10.0.0.0/8,::1/128')).loopbackIncluded);
	t.false(intentOf(parseReleaseInput('release:latest -i 10.0.0.0/8')).loopbackIncluded);
});

function optionsOf(input: string): SidecarOptions {
	const words = input.split(' ');
	const assignments = words.filter(word => /^[A-Z_\d]+=/.test(word));
	return parseReleaseInput([...assignments, 'release:latest', ...words.filter(word => !assignments.includes(word))].join(' ')).options;
}

for (const [version, families, expected] of [
	['1.8', ['ipv4'], ['TPROXY of releases before 1.9, which give inbound connections to the outbound listener']],
	['1.10', ['ipv4'], []],
	['1.11', ['ipv4', 'ipv6'], ['TPROXY in IPv6 of releases before 1.12, which redirect there anyway']],
	['1.12', ['ipv4', 'ipv6'], []],
] as const) {
	test(`TPROXY of ${version} in ${families.join(' and ')}`, t => {
		const {release: {features}, options} = parseReleaseInput(`release:${version} -m TPROXY`);
		t.deepEqual(unsupportedOptions({options, features, families}), expected);
		t.deepEqual(unsupportedOptions({options: {...options, inboundInterceptionMode: 'REDIRECT'}, features, families}), []);
	});
}
