/** Source ports that come back: in a sandbox that many runs share, a new connection can have both ends of one that a proxy opened long ago. */

import test from 'ava';
import {createActorSandbox, runOn} from '../../testbed/run/run.js';
import {optionsOf, outcomesOf} from './_run.js';

test('a connection with the ends of one that the proxy opened in an earlier run is no loop', async t => {
	const options = optionsOf({types: ['2']});
	await using sandbox = await createActorSandbox(options);
	await sandbox.configured();
	// Seven of one parity, of which the kernel takes the next each time: they come back after a few runs instead of thousands, and change between the two that open connections.
	sandbox.sandbox.pod.setSysctl('net/ipv4/ip_local_port_range', '40000 40013');
	for (let run = 1; run <= 100; run++) {
		const {report} = await runOn(sandbox, options); // eslint-disable-line no-await-in-loop -- One after the other is what is tried.
		t.deepEqual(outcomesOf(report), {'2 ipv4': 'pass'}, `run ${run}`);
	}
});
