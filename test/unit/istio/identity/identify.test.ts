/** What rules of Istio are: the releases by their marks, the form, and whether they are whole. */

import test from 'ava';
import fc from 'fast-check';
import {identifyIstio} from '../../../../src/istio/identity/identify.js';
import {generate} from '../../../../src/istio/generate.js';
import {generateAmbient} from '../../../../src/istio/ambient/generate.js';
import {defaultAmbientOptions} from '../../../../src/istio/ambient/options.js';
import {parseReleaseInput} from '../../../../src/istio/options/arguments.js';
import {istio} from '../../../../src/istio/mesh.js';
import {compareVersions, findRelease, releaseLines} from '../../../../src/istio/releases.js';
import type {MeshIdentity} from '../../../../src/mesh/identity.js';
import {importRules} from '../../../../src/netfilter/import/import-rules.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import type {RuleSet} from '../../../../src/netfilter/types.js';
import {readFixture} from '../../../helpers/fixtures.js';
import {anyRun} from '../../../helpers/istio-options.js';
import {readIptablesRuns} from '../../../helpers/istio-real.js';

/** Whether a patch release is in a range of lines and patches. */
function holds({releases}: MeshIdentity, patch: string): boolean {
	if (releases === null) {
		return true;
	}

	const {from, to} = releases;
	return (from === null || compareVersions(patch, from) >= 0)
		&& (to === null || compareVersions(patch, to) <= 0 || patch.startsWith(`${to}.`));
}

test('in every real run, the reported releases include the one that wrote the rules', t => {
	let told = 0;
	for (const {release, rc, v4, v6} of readIptablesRuns()) {
		const texts = [[v4, 'ipv4'], [v6, 'ipv6']] as const;
		const ruleSet: RuleSet = {tables: rc === 0 ? texts.flatMap(([text, family]) => text.includes('COMMIT') ? parseSave(text, family).tables : []) : []};
		if (!istio.recognizes(ruleSet)) {
			continue;
		}

		const identity = identifyIstio(ruleSet);
		t.true(holds(identity, findRelease(release).patch), `${release}: ${JSON.stringify(identity)}`);
		t.deepEqual(identity.missing, [], `${release}: ${v4}`);
		told += identity.releases === null ? 0 : 1;
	}

	t.true(told > 300);
});

test('the same for any options of any release, by any back end', t => {
	fc.assert(fc.property(anyRun, fc.constantFrom('iptables-nft', 'nftables'), ({release, options}, backend) => {
		if (backend === 'nftables' && !release.features.nativeNftables) {
			return;
		}

		const ruleSet = generate({
			release, options, families: ['ipv4', 'ipv6'], backend,
		});
		if (!istio.recognizes(ruleSet)) {
			return;
		}

		const identity = identifyIstio(ruleSet);
		t.true(holds(identity, release.patch), `${release.patch}: ${JSON.stringify({identity, options})}`);
		t.false(identity.releases === null && identity.marks.length > 0, `${release.patch}: ${JSON.stringify({identity, options})}`);
		t.deepEqual(identity.missing, [], `${release.patch}: ${JSON.stringify(options)}`);
	}), {numRuns: 600, seed: 12});
});

for (const [input, from, to] of [
	['release:1.5', null, '1.6'],
	['release:1.6', '1.6', '1.6'],
	['release:1.7', '1.7', '1.12'],
	['release:1.12', '1.7', '1.12'],
	['release:1.13', '1.13', '1.17'],
	['release:1.18', '1.18', '1.24'],
	['release:1.25', '1.25', null],
	['release:1.31', '1.25', null],
	['release:1.6 DNS_CAPTURE=1', '1.6', '1.6'],
	['release:1.8 ISTIO_META_DNS_CAPTURE=true', '1.8', '1.8'],
	['release:1.19 ISTIO_META_DNS_CAPTURE=true', '1.18', '1.19'],
	['release:1.20 --redirect-dns', '1.20', '1.22'],
	['release:1.23 --redirect-dns', '1.23', '1.24'],
	['release:1.24 --drop-invalid', '1.24', '1.24'],
	['release:1.22 -m TPROXY', '1.18', '1.24'],
	['release:1.22 -i 10.0.0.0/8', '1.18', '1.22'],
	['release:1.23 -i 10.0.0.0/8', '1.23', '1.24'],
	['release:1.27 --native-nftables', '1.27', '1.27'],
	['release:1.28 --native-nftables', '1.28', null],
] as const) {
	test(`the rules of ${input} are those of ${from ?? 'any'} to ${to ?? 'the newest'}`, t => {
		const {release, options, native} = parseReleaseInput(input.replace(/^(?<line>\S+) (?<variable>[A-Z_]+=\S+)$/u, '$<variable> $<line>'));
		const ruleSet = generate({
			release, options, families: ['ipv4'], backend: native ? 'nftables' : 'iptables-nft',
		});
		t.deepEqual(identifyIstio(ruleSet).releases, {from, to});
	});
}

test('the default rules of every line differ from those of some other, and contradicting marks mean no release', t => {
	const ranges = releaseLines.map(({name}) => JSON.stringify(identifyIstio(generate({...parseReleaseInput(`release:${name}`), families: ['ipv4'], backend: 'iptables-nft'})).releases));
	t.is(new Set(ranges).size, 6);
	const mixed = importRules(['*nat', ':OUTPUT ACCEPT [0:0]', ':ISTIO_OUTPUT - [0:0]', ':ISTIO_REDIRECT - [0:0]', ':ISTIO_IN_REDIRECT - [0:0]', '-A OUTPUT -j ISTIO_OUTPUT',
		'-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -m owner --uid-owner 1337 -j ISTIO_IN_REDIRECT', '-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001', '-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006', 'COMMIT', ''].join('\n'));
	t.like(identifyIstio(mixed.ruleSet), {releases: null, marks: ['OUTPUT hands over every protocol', 'hairpin rules for every port']});
});

for (const [file, expected] of [
	['15-chain-exists-1.4.log', {kind: 'istio-sidecar', releases: {from: '1.3', to: '1.4'}, missing: [], assumed: []}],
	['43-setx-1.1.log', {kind: 'istio-sidecar', releases: {from: null, to: '1.2'}, missing: []}],
	['18-two-uids-1.9.log', {kind: 'istio-sidecar', releases: {from: '1.7', to: '1.12'}, missing: []}],
	['34b-dns-1.12.4.log', {kind: 'istio-sidecar', releases: {from: '1.10.3', to: '1.12'}}],
	['64-telepresence-uid0.save', {kind: 'istio-sidecar', releases: {from: '1.25', to: null}}],
	['07-native-nft-sail-1.27.nft', {kind: 'istio-sidecar', title: 'Istio sidecar by native nftables'}],
	['31-mirrord-ambient.save', {kind: 'istio-ambient', title: 'Istio ambient pod', missing: ['no rule captures inbound traffic, so inbound plaintext bypasses ztunnel'], assumed: []}],
	['38-ambient-1.21-doc.txt', {kind: 'istio-ambient', title: 'Istio ambient pod, inbound by TPROXY', releases: {from: '1.21', to: '1.23'}, missing: [], assumed: []}],
] as const) {
	test(`case ${file}`, t => {
		const text = readFixture('cases', file).split('\n').filter(line => !/^(?:\$ |Defaulting |.*\$ nft )/u.test(line)).join('\n');
		t.like(identifyIstio(importRules(text).ruleSet), expected);
	});
}

test('ambient mode: a pod, its ingress mode, and the node', t => {
	const ofPod = (ingress: boolean) => identifyIstio(generateAmbient({options: {...defaultAmbientOptions, ingress}, families: ['ipv4'], backend: 'iptables-nft'}));
	t.like(ofPod(false), {kind: 'istio-ambient', title: 'Istio ambient pod', missing: [], assumed: []});
	t.like(ofPod(true), {kind: 'istio-ambient', missing: []});
	t.regex(ofPod(true).assumed.join(' '), /^Ingress mode: .* bypasses ztunnel\./u);
	t.is(identifyIstio(generateAmbient({
		options: defaultAmbientOptions, families: ['ipv4'], backend: 'iptables-nft', scope: 'host',
	})).kind, 'istio-ambient-host');
	t.like(identifyIstio(generateAmbient({options: defaultAmbientOptions, families: ['ipv4'], backend: 'nftables'})), {title: 'Istio ambient pod by native nftables', missing: []});
});

/** A default sidecar without the rules whose text fits. */
function without(pattern: RegExp): MeshIdentity {
	const {tables} = generate({...parseReleaseInput('release:1.30'), families: ['ipv4'], backend: 'iptables-nft'});
	return identifyIstio({tables: tables.map(table => ({...table, chains: table.chains.map(chain => ({...chain, rules: chain.rules.filter(({text}) => !pattern.test(`${chain.name} ${text}`)).map((rule, index) => ({...rule, number: index + 1}))}))}))});
}

for (const [what, pattern, missing] of [
	['the jump from OUTPUT', /^OUTPUT /u, ['no rule leads to ISTIO_OUTPUT', 'OUTPUT does not jump to ISTIO_OUTPUT']],
	['the redirection', /^ISTIO_REDIRECT /u, ['ISTIO_REDIRECT is empty', 'no rule redirects outbound TCP']],
	['the inbound redirection', /^ISTIO_IN_REDIRECT /u, ['ISTIO_IN_REDIRECT is empty']],
	['all of ISTIO_OUTPUT', /^ISTIO_OUTPUT /u, ['ISTIO_OUTPUT is empty']],
] as const) {
	test(`partly installed: ${what} is missing`, t => {
		t.deepEqual(without(pattern).missing, missing);
	});
}

test('assumed: the user and the ports that no rule names', t => {
	t.regex(without(/owner/u).assumed.join(' '), /UID 1337, the default/u);
	t.deepEqual(without(/nothing/u).assumed, []);
	const other = importRules(readFixture('cases', '64-telepresence-uid0.save').split('\n').slice(1).join('\n').replace('15001', '15555').replace('15006', '16666')).ruleSet;
	t.deepEqual(identifyIstio(other).assumed, [
		'The proxy takes outbound traffic on port 15001, the default; the rules redirect to 15555.',
		'The proxy takes inbound traffic on port 15006, the default; the rules redirect to 16666.',
	]);
});
