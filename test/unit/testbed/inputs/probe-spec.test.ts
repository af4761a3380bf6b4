/** Probes as users write them: destinations, sources, and every field by the table, however it is entered. */

import test from 'ava';
import fastCheck from 'fast-check';
import type {AddressFamily} from '../../../../src/netfilter/types.js';
import {
	fieldList, idMax, optionOf, printFieldValue, senders, valueOfWord, type FieldName,
} from '../../../../src/scenario/probe-spec.js';
import {ProbeFault, readProbe, type Wording} from '../../../../src/scenario/read-probe.js';
import {probeCommandLine} from '../../../../testbed/cli/definitions/probe.js';
import {readProbeLine} from '../../../../testbed/inputs/probe-line.js';

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

/** The fields that a probe has no values for. */
const absent = {
	id: undefined, uid: undefined, gid: undefined, source: undefined, sourcePort: undefined, mark: undefined, bindDevice: undefined,
};

for (const [text, wanted, address, port, family] of destinations) {
	test(`to ${text}${wanted === undefined ? '' : ` of ${wanted}`}`, t => {
		t.deepEqual(readProbe({to: text, family: wanted}), {
			...absent, from: 'app', asked: text, to: {address, port}, family, protocol: 'tcp',
		});
	});
}

/** Invalid destinations, and the messages for them. */
const refused: ReadonlyArray<readonly [text: string, wanted: AddressFamily | undefined, message: RegExp]> = [
	...['', ':', 'pod', 'pod:', ':80', 'pod:0', 'pod:65536', 'pod:80 ', 'pod:-1', '::1:80', '[::1]', '[::1]80'].map(text => [text, undefined, /ADDRESS:PORT, \[ADDRESS\]:PORT or PLACE:PORT|is neither an address/u] as const),
	...['nowhere:80', '10.0.0.256:80', '[10.0.0.1]:80', '[pod]:80', '[]:80', '10.0.0.0/8:80', 'toString:80'].map(text => [text, undefined, /is neither an address nor a place/u] as const),
	['10.0.0.1:80', 'ipv6', /is an address of ipv4, but "family" asks for ipv6/u],
	['[::1]:80', 'ipv4', /is an address of ipv6, but "family" asks for ipv4/u],
	['0.0.0.0:80', undefined, /no connection can go to the unspecified address/u],
	['[::]:80', undefined, /the unspecified address/u],
	['224.0.0.1:80', undefined, /a multicast address/u],
	['[ff02::1]:80', undefined, /a multicast address/u],
	['255.255.255.255:80', undefined, /the broadcast address/u],
	['[::ffff:1.2.3.4]:80', undefined, /an IPv4 address written as an IPv6 one/u],
	['[fe80::1]:80', undefined, /a link-local address needs its interface/u],
	['[2001:db8::1%eth0]:80', undefined, /only a link-local address can name its interface/u],
	['[fe80::1%]:80', undefined, /is neither an address nor a place/u],
];

for (const [text, wanted, message] of refused) {
	test(`to "${text}"${wanted === undefined ? '' : ` of ${wanted}`} is refused`, t => {
		t.throws(() => readProbe({to: text, family: wanted}), {instanceOf: ProbeFault, message});
	});
}

test('a link-local destination names the interface that the socket is bound to, or the probe does', t => {
	const to = {address: 'fe80::1', port: 80};
	t.like(readProbe({to: '[fe80::1%eth0]:80'}), {to, bindDevice: 'eth0', asked: '[fe80::1%eth0]:80'});
	t.like(readProbe({to: '[fe80::1]:80', bindDevice: 'eth0'}), {to, bindDevice: 'eth0'});
	t.throws(() => readProbe({to: '[fe80::1%eth0]:80', bindDevice: 'lo'}), {instanceOf: ProbeFault, message: /its interface is eth0, but "bindDevice" is "lo"/u});
	t.throws(() => readProbe({to: '[fe80::1%net1]:80'}), {instanceOf: ProbeFault, message: /its interface must be one of lo, eth0/u});
});

test('the source is an address of the destination\'s family', t => {
	t.is(readProbe({to: 'pod:80', source: '127.0.0.6'}).source, '127.0.0.6');
	t.is(readProbe({to: '[::1]:80', source: '0::6'}).source, '::6');
	for (const source of ['::6', '10.0.0.0/8', 'pod', '']) {
		t.throws(() => readProbe({to: 'pod:80', source}), {instanceOf: ProbeFault, message: /"source" is .*: it must be an address/u});
	}
});

test('messages name what the user wrote: an option, or a key', t => {
	const wording: Wording = {name: optionOf, given: (key, value) => `${optionOf(key)} ${String(value)}`};
	t.throws(() => readProbe({to: '10.0.0.1:80', family: 'ipv6'}, wording), {message: '--to 10.0.0.1:80: this is an address of ipv4, but --family asks for ipv6.'});
	t.throws(() => readProbe({to: 'pod:80', bindDevice: 'a b'}, wording), {message: /^--bind-device a b: it must be one of lo, eth0/u});
	t.throws(() => readProbe({to: 'pod:80', bindDevice: 'a b'}), {message: /^"bindDevice" is "a b": it must be one of lo, eth0/u});
});

/** Values of which each field takes every one. */
const valuesOf: Readonly<Record<FieldName, fastCheck.Arbitrary<unknown>>> = {
	id: fastCheck.constant(undefined),
	from: fastCheck.constantFrom(...senders),
	to: fastCheck.constantFrom('pod:80', '10.96.0.1:443', 'vip:8080'),
	family: fastCheck.constant('ipv4'),
	protocol: fastCheck.constantFrom('tcp', 'udp'),
	uid: fastCheck.nat({max: idMax}),
	gid: fastCheck.nat({max: idMax}),
	source: fastCheck.constantFrom('127.0.0.6', '10.244.1.10'),
	sourcePort: fastCheck.constant(undefined),
	mark: fastCheck.nat({max: 0xFF_FF_FF_FF}),
	bindDevice: fastCheck.constantFrom('eth0', 'lo'),
};

const anyInput = fastCheck.record(Object.fromEntries(fieldList.map(({name, key}) => [key, valuesOf[name]])), {requiredKeys: ['to']});

test('a command line, a line of JSON and an object say the same: what is printed for one is read by the other', t => {
	fastCheck.assert(fastCheck.property(anyInput, input => {
		const given = Object.entries(input).filter(([, value]) => value !== undefined);
		const words = given.map(([key, value]) => [key, printFieldValue(fieldList.find(field => field.key === key)!, value)] as const);
		const fromWords = Object.fromEntries(words.map(([key, word]) => [key, valueOfWord(fieldList.find(field => field.key === key)!, word)]));
		const spec = readProbe(Object.fromEntries(given));
		t.deepEqual(readProbe(fromWords), spec);
		t.deepEqual(readProbeLine(JSON.stringify(input), 'line 1'), spec);
	}), {seed: 1, numRuns: 200});
});

for (const {key, name, values} of fieldList) {
	const bad = {anything: undefined, choice: 'nobody', number: -1, text: ''}[values.kind];
	if (bad !== undefined) {
		test(`${key}: a value that makes no sense is refused by its name`, t => {
			t.throws(() => readProbe({to: 'pod:80', [key]: bad}), {instanceOf: ProbeFault, message: new RegExp(`^"${key}" is .*: it must be `, 'u')});
			t.throws(() => readProbe({to: 'pod:80', [key]: 5n}), {instanceOf: ProbeFault, message: new RegExp(`^"${key}" is 5n: `, 'u')});
		});
	}

	test(`${key}: ${name} is in the help if the command line knows it`, t => {
		const option = probeCommandLine(() => undefined).options.find(({long}) => long === optionOf(key));
		t.is(option === undefined, fieldList.find(field => field.key === key)!.option === undefined);
	});
}
