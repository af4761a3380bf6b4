import test from 'ava';
import {parseReleaseInput} from '../../../src/istio/arguments.js';
import {sidecarRuleSet} from '../../../src/istio/iptables/sidecar.js';
import type {RuleSet} from '../../../src/netfilter/types.js';
import {intentOf, intentOfRuleSet, unsupportedOptions} from '../../../src/scenario/six-types.js';

function setOf(input: string): RuleSet {
	const {release, options} = parseReleaseInput(input);
	return sidecarRuleSet(release, options, ['ipv4', 'ipv6']);
}

const byDefault = intentOf(parseReleaseInput('release:').options);

test('the intent of a default dump is that of the default options', t => {
	t.deepEqual(intentOfRuleSet(setOf('release:')), byDefault);
});

test('UIDs and GIDs are read off a dump, ports are not', t => {
	t.deepEqual(intentOfRuleSet(setOf('release: -u 5,6 -g 7 -p 1 -z 2 -b 80 -x 10.0.0.0/8')), {...byDefault, proxyUids: [5, 6], proxyGids: [7]});
});

test('excluded owner groups are not the proxy\'s', t => {
	t.deepEqual(intentOfRuleSet(setOf('release: ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=5')), byDefault);
});

test('a dump without owners is judged by the default ones', t => {
	t.deepEqual(intentOfRuleSet({tables: []}), byDefault);
});

for (const [input, expected] of [
	['', []],
	['-u 5 -b 80 -x 10.0.0.0/8 -c eth1 -k vm0 --drop-invalid --dual-stack --capture-all-dns ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.1/32', []],
	['-m TPROXY', ['--istio-inbound-interception-mode TPROXY']],
	['--redirect-dns', ['--redirect-dns']],
	['ISTIO_OUTBOUND_OWNER_GROUPS=5', ['ISTIO_OUTBOUND_OWNER_GROUPS']],
	['ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=5', ['ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE']],
	['ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.1/8', ['ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR']],
	['-i 10.0.0.0/8,127.0.0.0/8', ['--istio-service-cidr with a loopback range']],
	['-c eth0', ['--istio-exclude-interfaces with an interface of the pod']],
	['-c eth+', ['--istio-exclude-interfaces with an interface of the pod']],
	['-k lo', ['--kube-virt-interfaces with an interface of the pod']],
	['-m TPROXY --redirect-dns', ['--istio-inbound-interception-mode TPROXY', '--redirect-dns']],
] as ReadonlyArray<readonly [string, readonly string[]]>) {
	test(`not modelled yet: ${input === '' ? 'nothing by default' : input}`, t => {
		const assignments = input.split(' ').filter(word => /^[A-Z_\d]+=/.test(word));
		const rest = input.split(' ').filter(word => !assignments.includes(word));
		t.deepEqual(unsupportedOptions(parseReleaseInput([...assignments, 'release:', ...rest].join(' ')).options), expected);
	});
}
