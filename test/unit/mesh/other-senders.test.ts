/** Who sends beside the usual actors, what, and what is expected of it. */

import test from 'ava';
import {intentOfAmbient, intentOfRuleSet} from '../../../src/istio/intent.js';
import {istio} from '../../../src/istio/mesh.js';
import {generate} from '../../../src/istio/generate.js';
import {parseReleaseInput} from '../../../src/istio/options/arguments.js';
import {parseAmbientInput} from '../../../src/istio/ambient/options.js';
import {casesOfOther, meantCredentials, otherApps, otherProxies, planOf} from '../../../src/mesh/other-senders.js';
import {defaultTopology} from '../../../src/mesh/topology.js';
import type {ActorCredentials, Intent} from '../../../src/mesh/traffic.js';

function intentFor(options: string): Intent {
	return intentOfRuleSet(generate({...parseReleaseInput(`release:1.30 ${options}`), families: ['ipv4'], backend: 'iptables-nft'}));
}

const own = (uid: number) => ({uid, gid: uid});
const credentials: ActorCredentials = {
	app: own(1000), proxy: own(1337), agent: own(1337), remote: own(0), istiod: own(0), prometheus: own(0),
};
const two = intentFor('-u 1337,1338 -g 1337,1338');

test('every user except the proxy\'s own that the rules exempt, once', t => {
	t.deepEqual(otherProxies(two, credentials), [{name: 'proxy-1338', part: 'proxy', ...own(1338)}]);
	t.deepEqual(otherProxies(two, {proxy: own(1338)}).map(({uid}) => uid), [1337]);
	t.deepEqual(otherProxies(two, {proxy: own(5)}).map(({uid}) => uid), [1337, 1338]);
	t.deepEqual(otherProxies(intentFor(''), {proxy: own(5)}), []);
	// Under TPROXY the proxy is root with the group that the rules know.
	t.deepEqual(otherProxies(intentFor('-m TPROXY -u 1337,1338'), {proxy: {uid: 0, gid: 1337}}).map(({uid}) => uid), [1337, 1338]);
	t.deepEqual(otherProxies(intentFor('-m TPROXY'), {proxy: {uid: 0, gid: 1337}}), []);
	const ambient = intentOfAmbient(parseAmbientInput('ambient:1.30').options);
	t.deepEqual(otherProxies({...ambient, proxyUids: [1, 2]}, {proxy: {uid: 0, gid: 1337}}), []);
});

test('app containers with another user than the first', t => {
	const containers = [{container: 'a', ...own(5)}, {container: 'b', ...own(5)}, {container: 'c', ...own(6)}];
	t.deepEqual(otherApps(containers, {app: own(5)}), [{name: 'app-c', part: 'app', ...own(6)}]);
	t.deepEqual(otherApps([], {app: own(5)}), []);
	t.like(planOf({name: 'app-c', part: 'app', ...own(6)}), {name: 'app-c', namespace: 'pod', listeners: []});
});

test('another proxy sends types 2, 4 and 5 from the proxy\'s side, and is meant to be taken for the proxy', t => {
	const [other] = otherProxies(two, credentials);
	const cases = casesOfOther(istio.traffic, other!, {
		intent: two, credentials, topology: defaultTopology, family: 'ipv4', types: ['1', '2', '3', '4', '4b', '5', '6'],
	});
	t.deepEqual(cases.map(({id, probe: {destination: {address, port}}, expected}) => [id, `${address}:${port}`, expected.legs.map(({actor, stop}) => `${actor} > ${stop}`).join(', ')]), [
		['2/proxy-1338', '10.244.1.20:8080', 'proxy-1338 > remote:8080'],
		['4/proxy-1338', '10.244.1.10:8080', 'proxy-1338 > proxy:15006, proxy > app:8080'],
		['5/proxy-1338', '127.0.0.1:15090', 'proxy-1338 > proxy:15090, proxy > proxy:15000'],
	]);
	t.deepEqual(casesOfOther(istio.traffic, other!, {
		intent: two, credentials, topology: defaultTopology, family: 'ipv4', types: ['1', '3'],
	}), []);
});

test('an app should be captured, whatever its user', t => {
	const cases = casesOfOther(istio.traffic, {name: 'app-b', part: 'app', ...own(1337)}, {
		intent: two, credentials, topology: defaultTopology, family: 'ipv6', types: ['1', '2', '4', '5'],
	});
	t.deepEqual(cases.map(({id, probe: {actor}, expected}) => [id, actor, expected.legs.map(({stop}) => stop).join(' ')]), [
		['2/app-b', 'app-b', 'proxy:15001 remote:8080'],
		['4/app-b', 'app-b', 'proxy:15001 proxy:15006 app:8080'],
	]);
	t.deepEqual(meantCredentials(two, credentials), credentials);
	t.deepEqual(meantCredentials({proxyUids: [1000, 1001], proxyGids: [5]}, {...credentials, app: {uid: 1001, gid: 7}}).app, {uid: 1002, gid: 7});
});
