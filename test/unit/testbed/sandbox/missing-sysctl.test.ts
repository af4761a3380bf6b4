/** A sysctl that is not there: kernels before 6.1 do not show all of them in a user namespace. */

import test from 'ava';
import {missingSysctl} from '../../../../testbed/sandbox/sysctls.js';

const wanted = {name: 'net/ipv4/neigh/lo/mcast_solicit', why: 'Why.'} as const;

test('in a user namespace: another kernel, or root', t => {
	const error = missingSysctl(wanted, {isInitial: false, state: 'Nothing was sent.'});
	t.is(error.code, 'MACHINE');
	t.is(error.message, 'This kernel has no sysctl net/ipv4/neigh/lo/mcast_solicit in a user namespace, which the testbed sets in each of its namespaces. Why.');
	t.is(error.hint, 'Use a newer kernel (6.1 shows it), or run it as root.');
});

test('for root it is the kernel', t => {
	const error = missingSysctl(wanted, {isInitial: true, state: 'Nothing was sent.'});
	t.regex(error.message, /^This kernel has no sysctl net\/ipv4\/neigh\/lo\/mcast_solicit, which/u);
	t.is(error.hint, undefined);
});
