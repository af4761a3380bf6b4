/** The topology with a pod's own addresses: taken where no other host needs them. */

import test from 'ava';
import {defaultTopology, podInterfaceOf, withPodAddresses} from '../../../src/mesh/topology.js';

test('own addresses replace those of the pod, family by family', t => {
	t.deepEqual(withPodAddresses(defaultTopology, {ipv4: '10.7.7.7'})?.places, {...defaultTopology.places, pod: {ipv4: '10.7.7.7', ipv6: defaultTopology.places.pod.ipv6}});
	t.deepEqual(withPodAddresses(defaultTopology, {})?.places, defaultTopology.places);
	t.deepEqual(withPodAddresses(defaultTopology, {ipv4: '10.244.1.10', ipv6: 'fd07::7'})?.places.pod, {ipv4: '10.244.1.10', ipv6: 'fd07::7'});
});

for (const own of [{ipv4: '10.244.1.20'}, {ipv4: '10.96.7.7'}, {ipv4: '10.96.0.10'}, {ipv4: '127.0.0.5'}, {ipv6: '2001:db8:96::7'}, {ipv6: '::6'}, {ipv4: 'nonsense'}, {ipv4: '10.7.7.7', ipv6: '2001:db8:1::20'}]) {
	test(`an address that another host has, or that is none: ${JSON.stringify(own)}`, t => {
		t.is(withPodAddresses(defaultTopology, own), undefined);
	});
}

test('the pod\'s interface has the usual name unless another is known', t => {
	t.is(podInterfaceOf(defaultTopology), 'eth0');
	t.is(podInterfaceOf({...defaultTopology, podInterface: 'net1'}), 'net1');
});
