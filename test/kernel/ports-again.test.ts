/** Source ports that come back, or that two sockets have at once: the kernel gives one port to several sockets if these have different destinations. With thousands of ports that is rare, so here the sandbox has a few. */

import test from 'ava';
import {backends} from '../../src/netfilter/types.js';
import type {Report} from '../../src/report/run/types.js';
import type {ActorSandbox} from '../../testbed/run/actor-sandbox.js';
import {createActorSandbox, runOn} from '../../testbed/run/run.js';
import {optionsOf, outcomesOf} from './_run.js';

/** Of one parity are half of them, of which the kernel takes one that is free each time. */
function limitPorts({sandbox}: ActorSandbox, range: string): void {
	for (const netns of sandbox.namespaces()) {
		netns.setSysctl('net/ipv4/ip_local_port_range', range);
	}
}

test('a connection with the ends of one that the proxy opened in an earlier run is no loop', async t => {
	const options = optionsOf({types: ['2']});
	await using sandbox = await createActorSandbox(options);
	await sandbox.configured();
	// They come back after a few runs instead of thousands, and change between the two that open connections.
	limitPorts(sandbox, '40000 40013');
	for (let run = 1; run <= 100; run++) {
		const {report} = await runOn(sandbox, options); // eslint-disable-line no-await-in-loop -- One after the other is what is tried.
		t.deepEqual(outcomesOf(report), {'2 ipv4': 'pass'}, `run ${run}`);
	}
});

/** How many pairs of sockets of the pod had one source port and one destination port, but different users. */
function clashesIn({types}: Report): number {
	const sockets = types.flatMap(({family, legs}) => legs.flatMap(({socket, from, to}) => socket === undefined ? [] : [{place: `${family} ${from.port} ${to.port}`, uid: socket.uid}]));
	return sockets.flatMap((one, index) => sockets.slice(index + 1).filter(other => other.place === one.place && other.uid !== one.uid)).length;
}

for (const backend of backends) {
	test(`two sockets with one port and different users are told apart, ${backend}`, async t => {
		const options = optionsOf({backend, families: ['ipv4', 'ipv6']});
		await using sandbox = await createActorSandbox(options);
		await sandbox.configured();
		limitPorts(sandbox, '40000 40031');
		let clashes = 0;
		for (let run = 1; clashes < 5 && run <= 1000; run++) {
			const {report} = await runOn(sandbox, options); // eslint-disable-line no-await-in-loop -- One after the other, until it has happened.
			t.deepEqual(Object.entries(outcomesOf(report)).filter(([, outcome]) => outcome !== 'pass'), [], `run ${run}`);
			clashes += clashesIn(report);
		}

		t.true(clashes >= 5, `${clashes} clashes`);
	});
}
