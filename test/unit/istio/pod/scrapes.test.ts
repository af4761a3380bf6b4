/** The ports for scrapes by mutual TLS that a manifest sets, and the ways by which scrapes come to them. */

import test from 'ava';
import {intentOf} from '../../../../src/istio/intent.js';
import {istio} from '../../../../src/istio/mesh.js';
import {parseReleaseInput} from '../../../../src/istio/options/arguments.js';
import {scrapesIn} from '../../../../src/istio/pod/scrapes.js';
import {sidecarRuleSet} from '../../../../src/istio/iptables/sidecar.js';
import {actorsFor, trafficCases} from '../../../../src/mesh/traffic-types.js';
import {addressFamilies, defaultTopology} from '../../../../src/mesh/topology.js';
import {stopsOfPath} from '../../../../src/netfilter/path.js';
import {defaultActors, observe} from '../../../helpers/observed.js';
import {annotated, inputOf, sidecarOf} from './_pods.js';

const [secure, merged] = [{port: 15_091, name: 'secure-metrics', asks: 'metrics'}, {port: 15_092, name: 'secure-merged', asks: 'agent'}] as const;
const injected = {labels: {'sidecar.istio.io/inject': 'true'}};

function containerWith(env: readonly object[], image = 'istio/proxyv2:1.31.0'): string {
	return annotated({}, {...injected, spec: {containers: [{name: 'app'}, {name: 'istio-proxy', image, env}]}});
}

test('the environment of istio-proxy sets the ports', t => {
	const {scrapes} = sidecarOf(inputOf(containerWith([{name: 'ENVOY_SECURE_METRICS_PORT', value: '15091'}, {name: 'ENVOY_SECURE_MERGED_METRICS_PORT', value: '15092'}])));
	t.deepEqual(scrapes, [secure, merged]);
});

test('proxyMetadata sets them as well, unless the container says otherwise', t => {
	const config = {'proxy.istio.io/config': 'proxyMetadata: {ENVOY_SECURE_METRICS_PORT: "15091", ENVOY_SECURE_MERGED_METRICS_PORT: "15092"}'};
	t.deepEqual(sidecarOf(inputOf(annotated(config), {release: '1.31'})).scrapes, [secure, merged]);
	const overlay = {spec: {containers: [{name: 'istio-proxy', image: 'auto', env: [{name: 'ENVOY_SECURE_METRICS_PORT', value: '0'}]}]}};
	t.deepEqual(sidecarOf(inputOf(annotated(config, overlay), {release: '1.31'})).scrapes, [merged]);
});

for (const [title, value, release, warning] of [
	['no number', 'many', '1.31', /ENVOY_SECURE_METRICS_PORT is "many", which is not a port/],
	['beyond the ports', '70001', '1.31', /is "70001", which is not a port/],
	['a release that does not know it', '15091', '1.30', /read since 1\.31\.0; release 1\.30 ignores it/],
] as const) {
	test(`no port, with a warning: ${title}`, t => {
		const {scrapes, warnings} = sidecarOf(inputOf(annotated({'proxy.istio.io/config': `proxyMetadata: {ENVOY_SECURE_METRICS_PORT: "${value}"}`}), {release}));
		t.deepEqual(scrapes, []);
		t.true(warnings.some(text => warning.test(text)), warnings.join('\n'));
	});
}

test('a value from elsewhere is not known', t => {
	const {scrapes, warnings} = sidecarOf(inputOf(containerWith([{name: 'ENVOY_SECURE_METRICS_PORT', valueFrom: {}}])));
	t.deepEqual(scrapes, []);
	t.true(warnings.some(text => text.includes('env[0]: the value of ENVOY_SECURE_METRICS_PORT comes from elsewhere')));
});

for (const [title, options, isCaptured, legs] of [
	['captured, so the listener hears from the inbound one', '', true, ['proxy:15006 proxy:15091 proxy:15090 proxy:15000', 'proxy:15006 proxy:15092 agent:15020']],
	['excluded, so it is reached directly', '-d 15090,15021,15020,15091,15092', false, ['proxy:15091 proxy:15090 proxy:15000', 'proxy:15092 agent:15020']],
	['not among the included ports', '-b 8080', false, ['proxy:15091 proxy:15090 proxy:15000', 'proxy:15092 agent:15020']],
] as const) {
	test(`the path of a scrape: ${title}`, t => {
		const {release, options: parsed} = parseReleaseInput(`release:1.31 ${options}`);
		const usual = intentOf({options: parsed, release});
		const {scrapes, warnings} = scrapesIn(usual, defaultTopology, [secure, merged]);
		t.deepEqual(scrapes, [secure, merged]);
		t.is(warnings.length, isCaptured ? 2 : 0);
		t.true(warnings.every(text => text.includes('traffic.sidecar.istio.io/excludeInboundPorts must name')));
		const intent = {...usual, scrapes};
		t.deepEqual(actorsFor(istio.traffic, intent, ['3']), ['proxy', 'app', 'prometheus', 'agent']);
		for (const family of addressFamilies) {
			const cases = trafficCases(istio.traffic, {
				intent, actors: defaultActors, topology: defaultTopology, family, ids: ['3', '2'],
			});
			t.deepEqual(cases.map(({id}) => id), ['3', '3/15091', '3/15092', '2']);
			t.deepEqual(cases.slice(1, 3).map(({expected}) => expected.legs.map(({stop}) => stop).join(' ')), legs);
			// What the model of the proxy does is said without the expectation.
			t.deepEqual(cases.slice(1, 3).map(each => stopsOfPath(observe({ruleSet: sidecarRuleSet(release, parsed, addressFamilies), intent}, each).path).join(' ')), legs);
		}
	});
}

test('a port that another listener uses is named and not tested', t => {
	const {scrapes, warnings} = scrapesIn(intentOf(parseReleaseInput('release:1.31')), defaultTopology, [{...secure, port: 15_020}, {...merged, port: 15_093}, {...secure, port: 15_093}]);
	t.deepEqual(scrapes, [{...merged, port: 15_093}]);
	t.regex(warnings[0]!, /^ENVOY_SECURE_METRICS_PORT is 15020, where another listener/);
	t.regex(warnings[2]!, /^ENVOY_SECURE_METRICS_PORT is 15093, where another listener/);
});
