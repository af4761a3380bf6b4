/** What the model of the proxy does on the proxy's own ports is what the expectations say, which are written without it; and each row of the table is said a third time here. */

import test from 'ava';
import {istio} from '../../../src/istio/mesh.js';
import {intentOf} from '../../../src/istio/intent.js';
import {sidecarRuleSet} from '../../../src/istio/iptables/sidecar.js';
import {parseReleaseInput} from '../../../src/istio/options/arguments.js';
import {addressFamilies, defaultTopology, type PlaceName} from '../../../src/mesh/topology.js';
import type {ActorName} from '../../../src/mesh/traffic.js';
import {closingOf, stopsOfPath} from '../../../src/netfilter/path.js';
import {defaultActors, observe} from '../../helpers/observed.js';

const rows: ReadonlyArray<readonly [actor: ActorName, place: PlaceName, port: number, stops: string]> = [
	['app', 'pod', 15_001, 'proxy:15001 closed'],
	['app', 'pod', 15_006, 'proxy:15006 closed'],
	['app', 'localhost', 15_001, 'proxy:15001 closed'],
	['app', 'localhost', 15_006, 'proxy:15006 closed'],
	['remote', 'pod', 15_006, 'proxy:15006 closed'],
	['remote', 'pod', 15_001, 'proxy:15006 proxy:15001 closed'],
	['proxy', 'pod', 15_006, 'proxy:15006 closed'],
	['proxy', 'pod', 15_001, 'proxy:15006 proxy:15001 closed'],
	['app', 'remote', 15_001, 'proxy:15001 closed'],
	['app', 'remote', 15_006, 'proxy:15001 closed'],
	['app', 'remote', 15_090, 'proxy:15001 proxy:15000'],
	['app', 'remote', 15_021, 'proxy:15001 agent:15020'],
	['remote', 'pod', 15_090, 'proxy:15090 proxy:15000'],
	['remote', 'pod', 15_021, 'proxy:15021 agent:15020'],
	['app', 'localhost', 15_000, 'proxy:15000'],
	['remote', 'pod', 8080, 'proxy:15006 app:8080'],
];

const {release, options} = parseReleaseInput('release:1.30');
const intent = intentOf({options, release});
const ruleSet = sidecarRuleSet(release, options, addressFamilies);

for (const [actor, place, port, wanted] of rows) {
	for (const family of addressFamilies) {
		test(`${actor} → ${place}:${port}, ${family}`, t => {
			const destination = {address: defaultTopology.places[place][family], port};
			const expected = istio.traffic.expected({
				intent, actors: defaultActors, topology: defaultTopology, family,
			}, {actor, destination});
			t.is([...expected.legs.map(({stop}) => stop), ...(expected.closed === true ? ['closed'] : [])].join(' '), wanted);
			const {path, loop} = observe({ruleSet, intent}, {
				id: '1', article: null, name: 'x', expected, probe: {
					actor, family, protocol: 'tcp', destination,
				},
			});
			t.false(loop);
			t.is([...stopsOfPath(path), ...(closingOf(path.legs.at(-1)!) === undefined ? [] : ['closed'])].join(' '), wanted);
		});
	}
}

test('the admin port is open on localhost only: a connection to the pod\'s address is refused', t => {
	const destination = {address: defaultTopology.places.pod.ipv4, port: 15_000};
	const {path} = observe({ruleSet, intent}, {
		id: '1', article: null, name: 'x', expected: {legs: []}, probe: {
			actor: 'remote', family: 'ipv4', protocol: 'tcp', destination,
		},
	});
	t.deepEqual([stopsOfPath(path), path.legs.at(-1)!.end.kind], [['proxy:15006'], 'refused']);
});
