/** Who sends a probe, by the options of its command line. */

import test from 'ava';
import {intentOf} from '../../../../../src/istio/intent.js';
import {newestRelease} from '../../../../../src/istio/releases.js';
import {defaultOptions} from '../../../../../src/istio/options/options.js';
import {credentialsOfProbe, type ProbeFlags} from '../../../../../testbed/cli/commands/probe.js';

test('the sender is who was asked for, and everybody else as in a run', t => {
	const flags: ProbeFlags = {
		from: 'app', to: 'pod:80', proto: 'tcp', format: 'text', timeout: 1, traceBuffer: 1,
	};
	const of = (changes: Partial<ProbeFlags>) => credentialsOfProbe({...flags, ...changes}, intentOf({options: defaultOptions, release: newestRelease}));
	t.like(of({}), {app: {uid: 1000, gid: 1000}, proxy: {uid: 1337, gid: 1337}, agent: {uid: 1337, gid: 1337}});
	t.like(of({uid: 5}), {app: {uid: 5, gid: 5}, proxy: {uid: 1337, gid: 1337}});
	t.like(of({gid: 5}), {app: {uid: 1000, gid: 5}});
	t.like(of({from: 'agent', uid: 0, gid: 7, proxyUid: 2000}), {app: {uid: 1000, gid: 1000}, agent: {uid: 0, gid: 7}, proxy: {uid: 2000, gid: 2000}});
	t.like(of({from: 'proxy', uid: 3}), {proxy: {uid: 3, gid: 3}, agent: {uid: 1337, gid: 1337}});
	t.like(of({from: 'remote', uid: 3}), {remote: {uid: 3, gid: 3}});
});
