import test from 'ava';
import {parseAmbientInput} from '../../../../src/istio/ambient/options.js';
import {intentOfAmbient} from '../../../../src/istio/intent.js';
import {transparencyOf} from '../../../../src/mesh/intent.js';
import {sixTypes} from '../../../../src/istio/traffic/six-types.js';
import {defaultTopology} from '../../../../src/mesh/topology.js';
import type {TypeId} from '../../../../src/mesh/traffic.js';
import {defaultActors} from '../../../helpers/observed.js';

const captured = 'app: outbound-jump ambient-outbound-redirect > proxy:15001';
const fromRemote = 'remote: ambient-inbound-jump ambient-inbound-redirect > proxy:15006';
const toApp = 'proxy: outbound-jump ambient-loopback-bypass ambient-mark-inbound-jump ambient-connection-mark > app:8080';

const cases: ReadonlyArray<readonly [id: TypeId, options: string, legs: readonly string[]]> = [
	['1', '', [fromRemote, toApp]],
	['1', '--ingress', ['remote: > app:8080']],
	['1', '--reroute-virtual-interfaces eth0', ['remote: ambient-inbound-jump ambient-virtual-interface-capture > proxy:15001', toApp]],
	['1', '--reroute-virtual-interfaces vm0', [fromRemote, toApp]],
	['1', '--host-probe-snat-ip 10.244.1.20', [fromRemote, toApp]],
	['2', '', [captured, 'proxy: outbound-jump > remote:8080']],
	['2', '--host-probe-snat-ip 10.244.1.20', ['app: outbound-jump ambient-probe-outbound > remote:8080']],
	['3', '', ['prometheus: ambient-inbound-jump ambient-inbound-redirect > proxy:15006', toApp.replace('app:8080', 'proxy:15090')]],
	['4', '', [captured, toApp]],
	['4b', '', ['app: outbound-jump ambient-loopback-bypass > app:8080']],
	['5', '', ['proxy: outbound-jump > proxy:15090']],
	['6', '', ['agent: outbound-jump ambient-outbound-redirect > proxy:15001', 'proxy: outbound-jump > istiod:15012']],
];

for (const [id, options, legs] of cases) {
	test(`ambient, type ${id} ${options === '' ? 'by default' : options}`, t => {
		const {options: parsed} = parseAmbientInput(`ambient:1.30 ${options}`);
		const [traffic] = sixTypes({
			intent: intentOfAmbient(parsed), actors: defaultActors, topology: defaultTopology, family: 'ipv4', ids: [id],
		});
		t.deepEqual(traffic?.expected.legs.map(({actor, roles, stop}) => [`${actor}:`, ...roles ?? [], '>', stop].join(' ')), legs);
	});
}

test('transparent: everything of ztunnel, inbound connections of Envoy under TPROXY, nothing else', t => {
	const ambient = intentOfAmbient(parseAmbientInput('ambient:1.30').options);
	const {ambient: _, ...sidecar} = ambient;
	t.deepEqual(transparencyOf(ambient), {mark: 0x5_39, marksOutbound: true});
	t.deepEqual(transparencyOf({...sidecar, inboundInterceptionMode: 'TPROXY', inboundTproxyMark: 5}), {mark: 5, marksOutbound: false});
	t.is(transparencyOf(sidecar), undefined);
});
