/** From which addresses a probe can be sent: those of the pod by its actors, any from outside. */

import test from 'ava';
import {defaultTopology} from '../../../src/mesh/topology.js';
import {TestbedError} from '../../../testbed/errors.js';
import {isRoutedFromElsewhere, refuseForeignSource} from '../../../testbed/probe/participants.js';

for (const [from, family, source, addresses] of [
	['app', 'ipv4', '1.2.3.4', '10.244.1.10, 127.0.0.0/8'],
	['proxy', 'ipv4', '10.244.1.11', '10.244.1.10, 127.0.0.0/8'],
	['app', 'ipv6', '2001:db8::1', '2001:db8:1::10, ::1, ::6'],
] as const) {
	test(`refused with what there is: ${from} from ${source}`, t => {
		t.throws(() => {
			refuseForeignSource({from, family, source}, defaultTopology);
		}, {instanceOf: TestbedError, code: 'USAGE', message: `--source ${source}: ${from} has no such address. Its ${family === 'ipv4' ? 'IPv4' : 'IPv6'} addresses are ${addresses}.`});
	});
}

for (const [from, family, source, isElsewhere] of [
	['app', 'ipv4', undefined, false],
	['app', 'ipv4', '10.244.1.10', false],
	['agent', 'ipv4', '127.0.0.6', false],
	['proxy', 'ipv6', '::6', false],
	['remote', 'ipv4', undefined, false],
	['remote', 'ipv4', '10.244.1.22', false],
	['remote', 'ipv4', '8.8.8.8', true],
	['istiod', 'ipv6', '2001:db8:7::7', true],
] as const) {
	test(`taken: ${from} from ${source ?? 'wherever the route says'}`, t => {
		t.notThrows(() => {
			refuseForeignSource({from, family, source}, defaultTopology);
		});
		t.is(isRoutedFromElsewhere({from, family, source}, defaultTopology), isElsewhere);
	});
}
