/** The parts of the campaign. Each tries something many times and tells how often, and what went wrong, one sentence each. */

import {fullTables} from './conntrack.mjs';
import {tryInputs} from './inputs.mjs';
import {interfered} from './faults.mjs';
import {killedAnywhere} from './kills.mjs';
import {atOnce, oneAfterAnother} from './runs.mjs';

/** @type {ReadonlyArray<import('./runs.mjs').Part & {byNameOnly?: boolean}>} `full` and `small`: how often each does it. `byNameOnly`: it needs something that not every machine has */
export const parts = [
	{name: 'runs', about: 'the six types, one run after another: the same result each time, and nothing left', full: 1000, small: 4, run: oneAfterAnother},
	{name: 'kills', about: 'SIGKILL at a random moment of several commands: nothing left', full: 200, small: 8, run: killedAnywhere},
	{name: 'together', about: '8 and then 16 runs at once, so many times: the same results, or inconclusive', full: 5, small: 1, run: atOnce},
	{name: 'faults', about: 'each of several interferences, so many times: the right result or a status that says why there is none', full: 20, small: 1, run: interfered},
	{name: 'inputs', about: 'spoiled rule files, scenarios, manifests, lessons, recordings, baselines and netlink datagrams: an answer or a clean error', full: 100_000, small: 2000, run: tryInputs},
	{name: 'conntrack', about: 'a full table of connections, in a guest with a kernel of Debian: the right result or a status that says why there is none. Only if it is named; first run `bin/testbed kernels newest`, which makes the images', full: 10, small: 2, byNameOnly: true, run: fullTables},
];
