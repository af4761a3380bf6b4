/**
Arbitrary option sets of arbitrary releases, for tests of what holds for all of them.
*/

import fc from 'fast-check';
import {readSidecarArguments, type ReleaseInput} from '../../src/istio/options/arguments.js';
import {injectedArgumentsOf} from '../../src/istio/options/options.js';
import {findRelease, livesIn, releaseLines, type Release} from '../../src/istio/releases.js';
import {flags} from '../../src/istio/options/flags.js';

const values: Readonly<Record<string, readonly string[]>> = {
	'--envoy-port': ['15001', '1'],
	'--inbound-capture-port': ['15006', '15016'],
	'--inbound-tunnel-port': ['15008', '25008'],
	'--proxy-uid': ['1337', '0', '1337,64535', '', ','],
	'--proxy-gid': ['1337', '1337,2000', ''],
	'--istio-inbound-interception-mode': ['REDIRECT', 'TPROXY', 'other'],
	'--istio-inbound-tproxy-mark': ['1337', '1'],
	'--istio-inbound-tproxy-route-table': ['133', '200'],
	'--istio-inbound-ports': ['*', '', '80', '80,443,9000:9010', '0:65535'],
	'--istio-local-exclude-ports': ['', '22', '15090,15021,15020', '9000:9010,0:65535'],
	'--istio-exclude-interfaces': ['', 'eth1,eth2', '+'],
	'--istio-service-cidr': ['*', '', '10.0.0.0/8', '127.0.0.0/8,fd00::/8', '10.0.0.0/8,2001:db8::/32', '0.0.0.0/0,::/0', '::1/128'],
	'--istio-service-exclude-cidr': ['', '1.1.0.0/16,fd00::/8', '127.0.0.0/8,0.0.0.0/0'],
	'--istio-outbound-ports': ['', '443', '80,8443', '0:65535'],
	'--istio-local-outbound-ports-exclude': ['', '25', '53', '0:65535'],
	'--kube-virt-interfaces': ['', 'vm0', 'vm0,vm1', '+'],
	ISTIO_OUTBOUND_OWNER_GROUPS: ['*', '', '101,202'],
	ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE: ['', '999', '888,mail'],
	ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR: ['127.0.0.1/32', '127.0.0.0/8'],
	DNS_CAPTURE: ['1'],
	DNS_AGENT: ['1'],
	ISTIO_META_DNS_CAPTURE: ['true'],
	ISTIO_META_DNS_CONNTRACK_ZONE: ['true'],
};

const toggles = ['--redirect-dns', '--capture-all-dns', '--drop-invalid', '--dual-stack'];

function chosen(names: readonly string[]): fc.Arbitrary<Readonly<Record<string, string>>> {
	return fc.record(Object.fromEntries(names.map(name => [name, fc.constantFrom(...values[name] ?? [''])])), {requiredKeys: []}) as fc.Arbitrary<Readonly<Record<string, string>>>;
}

function knows(release: Release, long: string): boolean {
	return flags.some(flag => flag.long === long && livesIn(release, flag.life));
}

/** The words of a release's program, and its environment. */
export type ArbitraryWords = {readonly line: string; readonly words: ReadonlyArray<readonly string[]>; readonly environment: Readonly<Record<string, string>>};

/** Flags with their values and environment variables, each only where the release knows it. */
export const anyWords: fc.Arbitrary<ArbitraryWords> = fc.record({
	line: fc.constantFrom(...releaseLines.map(({name}) => name)),
	flagged: chosen(Object.keys(values).filter(name => name.startsWith('--'))),
	environment: chosen(Object.keys(values).filter(name => !name.startsWith('--'))),
	on: fc.subarray(toggles),
}).map(({line, flagged, environment, on}) => ({
	line, environment, words: [...Object.entries(flagged).filter(([name]) => knows(findRelease(line), name)), ...on.filter(name => knows(findRelease(line), name)).map(name => [name])],
}));

/** A release with options, as its program reads them. */
export const anyRun: fc.Arbitrary<ReleaseInput> = anyWords.map(({line, words, environment}) => {
	const release = findRelease(line);
	const read = readSidecarArguments({argv: [...injectedArgumentsOf(release), ...words.flat()], environment, release});
	return {release, ...read, options: {...read.options, dnsServersV4: ['10.96.0.10', '8.8.8.8'], dnsServersV6: ['fd00:96::a']}};
});

/** The same words for another release, as far as it knows them. */
export function inRelease({words, environment}: ArbitraryWords, line: string): ArbitraryWords {
	return {line, environment, words: words.filter(([name]) => knows(findRelease(line), name!))};
}

/** Words as a rule input. */
export function printSource({line, words, environment}: ArbitraryWords): string {
	const quote = (word: string): string => `'${word}'`;
	return [...Object.entries(environment).map(([name, value]) => `${name}=${quote(value)}`), `release:${line}`, ...words.flatMap(([name, ...rest]) => [name!, ...rest.map(word => quote(word))])].join(' ');
}
