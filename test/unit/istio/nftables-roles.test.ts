import test from 'ava';
import {parseReleaseInput} from '../../../src/istio/options/arguments.js';
import {sidecarRuleSet} from '../../../src/istio/iptables/sidecar.js';
import {refusalOf} from '../../../src/istio/nftables/refusal.js';
import {sidecarNftRuleSet} from '../../../src/istio/nftables/sidecar.js';
import {newestRelease} from '../../../src/istio/releases.js';
import {roleOf} from '../../../src/istio/roles/roles.js';
import {iptablesChain, iptablesTable} from '../../../src/istio/roles/backend-names.js';
import {familyOfAddress} from '../../../src/netfilter/address.js';
import {tableFamily} from '../../../src/netfilter/built-in.js';
import {parseNft} from '../../../src/netfilter/nftables/ruleset.js';
import type {AddressFamily, Rule, RuleSet} from '../../../src/netfilter/types.js';
import {
	goldenInput, goldenSave, goldenText, nativeInputOf, readGoldens, readNativeRuns,
} from '../../helpers/istio-nft.js';

type Sequences = Readonly<Record<string, ReadonlyArray<string | undefined>>>;

/** Whether packets of a family can match: a rule with an address is for its family. */
function isFor({matches}: Rule, family: AddressFamily): boolean {
	return matches.every(match => (match.kind !== 'source' && match.kind !== 'destination') || familyOfAddress(match.address) === family);
}

/** The roles of each chain in order, by the iptables names, for packets of one family. */
function sequencesOf({tables}: RuleSet, family: AddressFamily): Sequences {
	return Object.fromEntries(tables
		.filter(table => table.family === 'inet' || table.family === tableFamily(family))
		.flatMap(table => table.chains.map(chain => [
			`${iptablesTable(table.name)} ${iptablesChain(table.name, chain.name)}`,
			chain.rules.filter(rule => table.family !== 'inet' || isFor(rule, family)).map(rule => roleOf(rule, table.name, chain)),
		] as const))
		.filter(([, sequence]) => sequence.length > 0));
}

/** The chains whose sequences differ. */
function differencesOf(one: RuleSet, other: RuleSet, families: readonly AddressFamily[]): readonly string[] {
	return families.flatMap(family => {
		const [first, second] = [sequencesOf(one, family), sequencesOf(other, family)];
		return [...new Set([...Object.keys(first), ...Object.keys(second)])]
			.filter(place => first[place]?.join(' ') !== second[place]?.join(' '))
			.map(place => `${family} ${place}`);
	});
}

/** Where the counterparts really differ. */
const knownDifferences: Readonly<Record<string, readonly string[]>> = {
	'tproxy.golden': [
		// Both families' rules for the passthrough source are inserted at the same index, so that IPv4's ends behind the next one: all of them return.
		'ipv4 mangle ISTIO_INBOUND',
		// Only IPv4 has name servers: iptables writes the jump for that family, nft one for both.
		'ipv6 nat ISTIO_OUTPUT',
		'ipv6 raw PREROUTING',
	],
};

const counterparts = readGoldens('nftables').filter(({file}) => readGoldens('iptables').some(counterpart => counterpart.file === counterpartFile(file)));

function counterpartFile(file: string): string {
	return file.replace('nftables/', 'iptables/');
}

test('nearly every golden has an iptables golden with the same options', t => {
	t.is(counterparts.length, 22);
	for (const {file, options} of counterparts) {
		t.deepEqual(readGoldens('iptables').find(counterpart => counterpart.file === counterpartFile(file))?.options, options);
	}
});

for (const golden of readGoldens('nftables')) {
	test(`every rule has a role: ${golden.file}`, t => {
		for (const {name, chains} of parseNft(goldenText(golden.file)).tables) {
			for (const chain of chains) {
				for (const rule of chain.rules) {
					t.truthy(roleOf(rule, name, chain), `${name} ${rule.chain} ${rule.text}`);
				}
			}
		}
	});
}

for (const golden of counterparts) {
	test(`the roles are those of the iptables golden, chain by chain: ${golden.file}`, t => {
		const native = parseNft(goldenText(golden.file));
		t.deepEqual(differencesOf(goldenSave(counterpartFile(golden.file)), native, goldenInput(golden).families), knownDifferences[golden.file.replace('nftables/', '')] ?? []);
	});
}

test('the same holds for random options', t => {
	for (const run of readNativeRuns()) {
		const {options, families} = nativeInputOf(run);
		const native = sidecarNftRuleSet(newestRelease, options, families);
		const isMixed = families.length > 1;
		const isTproxy = options.inboundInterceptionMode === 'TPROXY';
		const servers = options.captureAllDns ? 2 : Math.min(options.dnsServersV4.length, 1) + Math.min(options.dnsServersV6.length, 1);
		const expected = [
			...(isTproxy && isMixed ? ['ipv4 mangle ISTIO_INBOUND'] : []),
			...(options.redirectDns && isMixed && servers === 1 ? ['ipv6 nat ISTIO_OUTPUT', 'ipv6 raw PREROUTING'] : []),
		];
		if (refusalOf(native) === undefined) {
			t.deepEqual(differencesOf(sidecarRuleSet(newestRelease, options, families), native, families), expected, JSON.stringify(run.argv));
		}
	}
});

test('a range of all addresses has the role that it has in iptables, where it is left out', t => {
	const {release, options} = parseReleaseInput('release:1.30 -i 0.0.0.0/0 -x 0.0.0.0/0,10.0.0.0/8');
	t.deepEqual(differencesOf(sidecarRuleSet(release, options, ['ipv4']), sidecarNftRuleSet(release, options, ['ipv4']), ['ipv4']), []);
});
