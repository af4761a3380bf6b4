import test from 'ava';
import {readDestination, readSource} from '../../../../testbed/inputs/probe-target.js';
import {credentialsOfProbe, type ProbeFlags} from '../../../../testbed/cli/commands/probe.js';
import {intentOf} from '../../../../src/istio/intent.js';
import {defaultOptions} from '../../../../src/istio/options/options.js';
import type {AddressFamily} from '../../../../src/netfilter/types.js';

const destinations: ReadonlyArray<readonly [text: string, wanted: AddressFamily | undefined, address: string, port: number, family: AddressFamily]> = [
	['10.96.0.1:443', undefined, '10.96.0.1', 443, 'ipv4'],
	['10.96.0.1:443', 'ipv4', '10.96.0.1', 443, 'ipv4'],
	['[2001:DB8:0::1]:65535', undefined, '2001:db8::1', 65_535, 'ipv6'],
	['pod:9090', undefined, '10.244.1.10', 9090, 'ipv4'],
	['pod:9090', 'ipv6', '2001:db8:1::10', 9090, 'ipv6'],
	['remote-vip:1', undefined, '10.96.1.20', 1, 'ipv4'],
	['localhost:15000', 'ipv6', '::1', 15_000, 'ipv6'],
	['resolver:53', undefined, '10.96.0.10', 53, 'ipv4'],
];

for (const [text, wanted, address, port, family] of destinations) {
	test(`--to ${text}${wanted === undefined ? '' : ` --family ${wanted}`}`, t => {
		t.deepEqual(readDestination(text, wanted), {asked: text, to: {address, port}, family});
	});
}

/** Destinations that are none, and what is said of them. */
const refused: ReadonlyArray<readonly [text: string, wanted: AddressFamily | undefined, message: RegExp]> = [
	...['', ':', 'pod', 'pod:', ':80', 'pod:0', 'pod:65536', 'pod:80 ', 'pod:-1', '::1:80', '[::1]', '[::1]80'].map(text => [text, undefined, /ADDRESS:PORT, \[ADDRESS\]:PORT or PLACE:PORT is due|is neither an address/u] as const),
	...['nowhere:80', '10.0.0.256:80', '[10.0.0.1]:80', '[pod]:80', '[]:80', '10.0.0.0/8:80', 'toString:80'].map(text => [text, undefined, /is neither an address nor a place/u] as const),
	['10.0.0.1:80', 'ipv6', /is an address of ipv4, and --family asks for ipv6/u],
	['[::1]:80', 'ipv4', /is an address of ipv6, and --family asks for ipv4/u],
	['0.0.0.0:80', undefined, /no connection goes to the unspecified address/u],
	['[::]:80', undefined, /the unspecified address/u],
	['224.0.0.1:80', undefined, /a multicast address/u],
	['[ff02::1]:80', undefined, /a multicast address/u],
	['255.255.255.255:80', undefined, /the broadcast address/u],
	['[::ffff:1.2.3.4]:80', undefined, /an IPv4 address written as an IPv6 one/u],
	['[fe80::1]:80', undefined, /a link-local address without its interface/u],
];

for (const [text, wanted, message] of refused) {
	test(`--to "${text}"${wanted === undefined ? '' : ` --family ${wanted}`} is refused`, t => {
		t.throws(() => readDestination(text, wanted), {code: 'USAGE', message});
	});
}

test('--source: an address of the destination\'s family', t => {
	t.is(readSource('127.0.0.6', 'ipv4'), '127.0.0.6');
	t.is(readSource('0::6', 'ipv6'), '::6');
	for (const text of ['::6', '10.0.0.0/8', 'pod', '']) {
		t.throws(() => readSource(text, 'ipv4'), {code: 'USAGE', message: /an address of ipv4 is due/u});
	}
});

test('the sender is who was asked for, and everybody else as in a run', t => {
	const flags: ProbeFlags = {
		from: 'app', to: 'pod:80', proto: 'tcp', format: 'text', timeout: 1, traceBuffer: 1,
	};
	const of = (changes: Partial<ProbeFlags>) => credentialsOfProbe({...flags, ...changes}, intentOf(defaultOptions));
	t.like(of({}), {app: {uid: 1000, gid: 1000}, proxy: {uid: 1337, gid: 1337}, agent: {uid: 1337, gid: 1337}});
	t.like(of({uid: 5}), {app: {uid: 5, gid: 5}, proxy: {uid: 1337, gid: 1337}});
	t.like(of({gid: 5}), {app: {uid: 1000, gid: 5}});
	t.like(of({from: 'agent', uid: 0, gid: 7, proxyUid: 2000}), {app: {uid: 1000, gid: 1000}, agent: {uid: 0, gid: 7}, proxy: {uid: 2000, gid: 2000}});
	t.like(of({from: 'proxy', uid: 3}), {proxy: {uid: 3, gid: 3}, agent: {uid: 1337, gid: 1337}});
	t.like(of({from: 'remote', uid: 3}), {remote: {uid: 3, gid: 3}});
});
