/** The configuration that Envoy gets. `test/kernel/envoy.test.ts` gives it to a real one. */

import test from 'ava';
import {bootstrapOf, unsupportedIn} from '../../../../../testbed/actors/envoy/bootstrap.js';
import type {ActorSpec} from '../../../../../testbed/actors/protocol.js';
import {compareWithGolden} from '../../../../helpers/goldens.js';
import {proxySpec} from './_log.js';

type Json = Readonly<Record<string, any>>;

function partsOf(spec: Partial<ActorSpec>): {readonly listeners: ReadonlyMap<string, Json>; readonly clusters: ReadonlyMap<string, Json>} {
	const {static_resources: {listeners, clusters}} = bootstrapOf(proxySpec(spec)) as Json;
	const byName = (all: readonly Json[]): ReadonlyMap<string, Json> => new Map(all.map(each => [each['name'] as string, each]));
	return {listeners: byName(listeners as readonly Json[]), clusters: byName(clusters as readonly Json[])};
}

test('Istio\'s sidecar, complete', t => {
	compareWithGolden(t, 'envoy/bootstrap.json', `${JSON.stringify(bootstrapOf(proxySpec()), undefined, '\t')}\n`);
});

test('under TPROXY: transparent listeners, the client\'s own address with the mark, and nothing bound', t => {
	const {listeners, clusters} = partsOf({transparent: {mark: 1337, marksOutbound: false}});
	t.true(listeners.get('0-ipv4')!['transparent']);
	t.true(listeners.get('1-ipv6')!['transparent']);
	t.is(listeners.get('2-ipv4')!['transparent'], undefined);
	t.deepEqual((listeners.get('1-ipv4')!['listener_filters'] as Json[]).map(({name}) => name as string), ['original-destination', 'original-source']);
	t.is((listeners.get('1-ipv4')!['listener_filters'] as Json[])[1]!['typed_config'].mark, 1337);
	t.is(clusters.get('1-ipv4')!['upstream_bind_config'], undefined);
});

test('the limit for a connection is the one that is asked for', t => {
	for (const cluster of partsOf({timeoutMs: 1500}).clusters.values()) {
		t.is(cluster['connect_timeout'], '1.5s');
	}
});

const [outbound, inbound] = proxySpec().listeners;

test('an inbound listener that carries on to another host, from whatever address the route says', t => {
	const {listeners, clusters} = partsOf({listeners: [{...inbound!, carries: {host: {ipv4: '127.0.0.1', ipv6: '::1'}}}]});
	t.is(clusters.get('0-ipv4')!['upstream_bind_config'], undefined);
	const format = (name: string): unknown => listeners.get(name)!['default_filter_chain'].filters[0].typed_config.on_new_connection[0].format_string.text_format_source.inline_string;
	t.is(format('0-ipv4'), '127.0.0.1:%DOWNSTREAM_LOCAL_PORT%');
	t.is(format('0-ipv6'), '[::1]:%DOWNSTREAM_LOCAL_PORT%');
});

test('a tunnel ends there and is carried on to its endpoint, from the passthrough address', t => {
	const {clusters} = partsOf({
		listeners: [{
			protocol: 'tcp', port: 15_008, duty: 'tunnel', stop: 'proxy:15008', forwardTo: {addresses: {ipv4: '10.244.1.10', ipv6: '2001:db8:1::10'}, port: 8080},
		}],
	});
	t.is(clusters.get('0-ipv6')!['upstream_bind_config'].source_address.address, '::6');
	t.is(clusters.get('0-ipv4')!['type'], 'STATIC');
});

const refused: ReadonlyArray<readonly [title: string, spec: Partial<ActorSpec>, sentence: RegExp]> = [
	['ambient mode', {transparent: {mark: 1337, marksOutbound: true}}, /^Envoy cannot be proxy in ambient mode, where ztunnel/],
	['a listener on UDP', {listeners: [outbound!, {...inbound!, protocol: 'udp', stop: 'proxy:53'}]}, /proxy:53 listens on UDP/],
	['a listener of both directions', {listeners: [{...outbound!, inboundTo: {ipv4: '10.244.1.10', ipv6: '2001:db8:1::10'}}]}, /proxy:15001 accepts both directions, as Istio until 1\.2 configured it/],
	['two listeners that hand over', {listeners: [outbound!, {...outbound!, port: 16_001}]}, /only one listener, an outbound one, can hand/],
	['an inbound listener that hands over', {listeners: [{...inbound!, handsOver: true}]}, /only one listener, an outbound one, can hand/],
];

for (const [title, spec, sentence] of refused) {
	test(`what Envoy cannot do is reported: ${title}`, t => {
		t.regex(unsupportedIn(proxySpec(spec)) ?? '', sentence);
	});
}

test('Istio\'s sidecar asks for nothing that it cannot do', t => {
	t.is(unsupportedIn(proxySpec()), undefined);
	t.is(unsupportedIn(proxySpec({transparent: {mark: 1337, marksOutbound: false}})), undefined);
});
