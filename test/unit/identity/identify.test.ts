/** Rules are named by their mesh, else by the programs whose chains they hold. */

import test from 'ava';
import {identify} from '../../../src/identity/identify.js';
import {istio} from '../../../src/istio/mesh.js';
import type {Mesh} from '../../../src/mesh/mesh.js';
import {importRules} from '../../../src/netfilter/import/import-rules.js';
import type {RuleSet} from '../../../src/netfilter/types.js';
import {readFixture} from '../../helpers/fixtures.js';

function nat(...lines: readonly string[]): RuleSet {
	return importRules(['*nat', ':PREROUTING ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ...lines, 'COMMIT', ''].join('\n')).ruleSet;
}

function textOf(ruleSet: RuleSet, {release = null, beside}: {readonly release?: string | null; readonly beside?: readonly string[]} = {}): string {
	return identify({
		ruleSet, release, beside, mesh: istio.recognizes(ruleSet) ? istio : undefined,
	}).text;
}

const sidecar = importRules(readFixture('cases', '64-telepresence-uid0.save').split('\n').slice(1).join('\n')).ruleSet;

for (const [what, ruleSet, kind, text] of [
	['no rule at all (45)', importRules(readFixture('cases', '45-empty-nat.save')).ruleSet, 'nothing', /^No rules at all: nothing is captured, every connection goes where it was sent\.$/u],
	['no rule, and a policy that drops', importRules('*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n').ruleSet, 'nothing', /unless a policy drops it \(filter INPUT\)\.$/u],
	['a node (30)', importRules(readFixture('cases', '30-kubeproxy-node.save')).ruleSet, 'node', /^Rules of a node, not of a pod \(kube-proxy or kubelet: KUBE-…, Docker: DOCKER\): no mesh captures anything here\.$/u],
	['a node with Calico', nat(':cali-OUTPUT - [0:0]', '-A OUTPUT -j cali-OUTPUT'), 'node', /Calico: cali-…/u],
	['Open Service Mesh', nat(':PROXY_INBOUND - [0:0]', ':PROXY_OUTPUT - [0:0]', ':PROXY_REDIRECT - [0:0]', '-A OUTPUT -p tcp -j PROXY_OUTPUT', '-A PROXY_REDIRECT -p tcp -j REDIRECT --to-ports 15001'), 'osm', /^Open Service Mesh \(OSM\) sidecar \(PROXY_INBOUND, PROXY_OUTPUT, PROXY_REDIRECT\)\.$/u],
	['App Mesh', nat(':APPMESH_INGRESS - [0:0]', ':APPMESH_EGRESS - [0:0]', '-A OUTPUT -p tcp -j APPMESH_EGRESS', '-A APPMESH_EGRESS -p tcp -j REDIRECT --to-ports 15001'), 'app-mesh', /^AWS App Mesh sidecar \(APPMESH_INGRESS, APPMESH_EGRESS\)\.$/u],
	['the name server of a container, which is no node\'s', nat(':DOCKER_OUTPUT - [0:0]', '-A OUTPUT -d 127.0.0.11/32 -j DOCKER_OUTPUT', '-A DOCKER_OUTPUT -p tcp -j ACCEPT'), 'unknown', /^Not the rules of a known mesh\.$/u],
	['some other rules', nat('-A OUTPUT -p tcp -j ACCEPT'), 'unknown', /^Not the rules of a known mesh/u],
	['a sidecar on a machine with Docker (33)', importRules(readFixture('cases', '33-vm-docker.save')).ruleSet, 'istio-sidecar', /^Istio sidecar, .*; also contains rules of Docker: DOCKER\.$/u],
] as const) {
	test(`named: ${what}`, t => {
		const identity = identify({ruleSet, release: null, mesh: istio.recognizes(ruleSet) ? istio : undefined});
		t.is(identity.kind, kind);
		t.regex(identity.text, text);
	});
}

test('the evidence for the releases follows them', t => {
	t.is(textOf(sidecar), 'Istio sidecar, release 1.25 or newer (OUTPUT hands over every protocol).');
	t.is(textOf(importRules(readFixture('cases', '15-chain-exists-1.4.log')).ruleSet), 'Istio sidecar, releases 1.3 to 1.4 (a hairpin rule for every owner).');
});

test('if two back ends have rules, both are named', t => {
	t.regex(textOf(sidecar, {beside: ['iptables-legacy', 'ip6tables-legacy']}), /; two back ends have rules: those of iptables-legacy and ip6tables-legacy are not shown here but take effect as well\.$/u);
	const {beside} = importRules('# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j ACCEPT\nCOMMIT\n');
	t.deepEqual(beside, ['iptables-legacy']);
	t.deepEqual(importRules('*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n').beside, []);
});

test('a failed init is partly installed', t => {
	t.regex(textOf(nat(':ISTIO_REDIRECT - [0:0]', '-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001')), /^Istio sidecar; partly installed: OUTPUT does not jump to ISTIO_OUTPUT\.$/u);
});

test('rules of a release have its name, and nothing is assumed', t => {
	const identity = identify({ruleSet: {tables: []}, release: '1.30', mesh: istio});
	t.like(identity, {text: 'Istio sidecar, release 1.30.', releases: {from: '1.30', to: '1.30'}, missing: [], assumed: []});
});

test('a mesh that does not identify its rules is told by its name', t => {
	const {identify: _, ...rest} = istio;
	const other: Mesh = {...rest, name: 'other'};
	t.like(identify({ruleSet: sidecar, release: null, mesh: other}), {kind: 'other', text: 'Other.', releases: null});
});
