import test from 'ava';
import {parseReleaseInput} from '../../../src/istio/options/arguments.js';
import {InputError} from '../../../src/parsing/input-error.js';
import {refusalOf} from '../../../src/istio/nftables/refusal.js';
import {sidecarNftRuleSet} from '../../../src/istio/nftables/sidecar.js';
import {findRelease, newestRelease as newest} from '../../../src/istio/releases.js';
import {shadowOf} from '../../../src/istio/roles/shadow.js';
import {parseNft, printNft} from '../../../src/netfilter/nftables/ruleset.js';
import type {AddressFamily, RuleSet} from '../../../src/netfilter/types.js';
import {
	goldenInput, goldenText, nativeInputOf, readGoldens, readNativeRuns,
} from '../../helpers/istio-nft.js';
import {chainsOf, titleOf} from '../../helpers/istio-real.js';

for (const [index, run] of readNativeRuns().entries()) {
	test(`equals the real program, run ${index + 1}: ${run.release} ${titleOf(run)}`, t => {
		const {options, families} = nativeInputOf(run);
		const generated = sidecarNftRuleSet(findRelease(run.release), options, families);
		if (run.rc !== 0) {
			t.regex(refusalOf(generated) ?? '', /"[^"]*9000:9010[^"]*": in nft, a range of ports is written/);
			return;
		}

		t.is(refusalOf(generated), undefined);
		// The recording left out blank lines.
		t.is(printNft(generated, {counters: true}).replaceAll('\n\n', '\n'), `${run.nft.replaceAll(/packets \d+ bytes \d+/gu, 'packets 0 bytes 0')}\n`);
	});
}

test('there are runs of both kinds', t => {
	t.is(readNativeRuns().length, 56);
	t.is(readNativeRuns().filter(({rc}) => rc !== 0).length, 2);
	t.is(readGoldens('nftables').length, 23);
});

for (const golden of readGoldens('nftables')) {
	test(`equals the script of Istio's own test: ${golden.file}`, t => {
		const {options, families} = goldenInput(golden);
		const generated = sidecarNftRuleSet(newest, options, families);
		t.deepEqual(generated, parseNft(goldenText(golden.file)));
		t.deepEqual(parseNft(printNft(generated)), generated);
		t.is(refusalOf(generated), undefined);
	});
}

function rulesOf(input: string, place: string, families: readonly AddressFamily[] = ['ipv4']): readonly string[] {
	const {release, options} = parseReleaseInput(input);
	return chainsOf(sidecarNftRuleSet(release, options, families))[`inet istio-proxy-${place}`] ?? [];
}

test('a chain is created only if it has a rule', t => {
	const {release, options} = parseReleaseInput('release:1.30');
	const [nat, ...others] = sidecarNftRuleSet(release, {...options, inboundPortsInclude: []}, ['ipv4']).tables;
	t.deepEqual(nat?.chains.map(({name}) => name), ['output', 'istio-inbound', 'istio-redirect', 'istio-in-redirect', 'istio-output']);
	t.deepEqual(others, []);
});

test('an index beyond the end of the chain means its end', t => {
	t.deepEqual(rulesOf('release:1.30 -m TPROXY -b ""', 'mangle istio-inbound', ['ipv4', 'ipv6']), [
		'meta l4proto tcp meta mark 0x00000539 counter return',
		'iifname "lo" meta l4proto tcp ip6 saddr ::6 counter return',
		'iifname "lo" meta l4proto tcp meta mark != 0x0000053a counter return',
		'iifname "lo" meta l4proto tcp ip saddr 127.0.0.6 counter return',
	]);
});

test('rules for virtual interfaces come first, in reverse order', t => {
	t.deepEqual(rulesOf('release:1.30 -k vm0,vm1 -c eth9 -i 10.0.0.0/8,fd00::/8', 'nat prerouting', ['ipv4', 'ipv6']), [
		'iifname "vm1" ip6 daddr fd00::/8 counter jump istio-redirect',
		'iifname "vm0" ip6 daddr fd00::/8 counter jump istio-redirect',
		'iifname "vm1" ip daddr 10.0.0.0/8 counter jump istio-redirect',
		'iifname "vm0" ip daddr 10.0.0.0/8 counter jump istio-redirect',
		'iifname "vm1" counter return',
		'iifname "vm0" counter return',
		'iifname "eth9" counter return',
		'meta l4proto tcp counter jump istio-inbound',
	]);
});

test('a release without counters writes none', t => {
	const {release, options} = parseReleaseInput('release:1.30 -m TPROXY --redirect-dns --drop-invalid');
	const features = {...release.features, nftCounters: false};
	const plain = sidecarNftRuleSet({...release, features}, options, ['ipv4', 'ipv6']);
	t.is(printNft(plain), printNft(sidecarNftRuleSet(release, options, ['ipv4', 'ipv6'])).replaceAll(/\bcounter /gu, ''));
});

test('a release without the back end says so', t => {
	const {release, options} = parseReleaseInput('release:1.30');
	const features = {...release.features, nativeNftables: false};
	t.throws(() => sidecarNftRuleSet({...release, features}, options, ['ipv4']), {instanceOf: InputError, message: /--native-nftables.*istio-iptables 1\.30\.3 writes no native nftables rules/});
});

for (const [title, input, reason] of [
	['a range of ports', 'release:1.30 -o 9000:9010', /^nft rejects rule 1 of chain istio-output in table inet istio-proxy-nat, "tcp dport 9000:9010 counter return": in nft, a range of ports is written 9000-9010/],
	['a wildcard of iptables', 'release:1.30 -c eth+', /"iifname eth\+ counter return": nft requires quotes for such an interface name/],
	['a name with a colon', 'release:1.30 -c eth0:1', /"iifname eth0:1 counter return": nft requires quotes for such an interface name/],
] as const) {
	test(`refused: ${title}`, t => {
		const {release, options} = parseReleaseInput(input);
		t.regex(refusalOf(sidecarNftRuleSet(release, options, ['ipv4'])) ?? '', reason);
	});
}

test('refused: a jump to a chain that got no rule', t => {
	const {release, options} = parseReleaseInput('release:1.30 --redirect-dns');
	const dns = {...options, dnsServersV4: [], dnsServersV6: ['fd00::10']};
	t.regex(refusalOf(sidecarNftRuleSet(release, dns, ['ipv4'])) ?? '', /"counter jump istio-output-dns": chain istio-output-dns was not created/);
	t.is(refusalOf(sidecarNftRuleSet(release, dns, ['ipv4', 'ipv6'])), undefined);
});

test('shadows are those of the iptables rules', t => {
	const {release, options} = parseReleaseInput('release:1.30');
	const set: RuleSet = sidecarNftRuleSet(release, options, ['ipv4']);
	const chain = set.tables[0]!.chains.find(({name}) => name === 'istio-output')!;
	t.deepEqual(chain.rules.filter(rule => shadowOf(rule, 'istio-proxy-nat', chain) !== undefined).map(({text}) => text), [
		'oifname "lo" ip daddr != 127.0.0.1 tcp dport != 15008 meta skgid 1337 counter jump istio-in-redirect',
		'oifname "lo" meta skgid != 1337 counter return',
		'ip daddr 127.0.0.1 counter return',
	]);
});
