/** Which program is the proxy of a run, by its options. */

import test from 'ava';
import {otherProxies, programVariableOf} from '../../../../testbed/actors/proxy.js';
import {chooseProxy} from '../../../../testbed/cli/commands/run.js';
import {askedOptions} from '../../../../testbed/cli/commands/shard-flags.js';
import {knownToCommandLine} from '../../../../testbed/cli/main.js';
import {variablesOf} from '../../../../testbed/cli/report/machine.js';
import {TestbedError} from '../../../../testbed/errors.js';

test('each proxy has an option that names its program', t => {
	const options = new Set(knownToCommandLine().options.map(({long}) => long));
	t.deepEqual(otherProxies.filter(name => !options.has(`--${name}`)), []);
});

test('a bug report says where a variable looks for the program of each proxy', t => {
	const variables = Object.fromEntries(otherProxies.map(name => [programVariableOf(name), `/opt/${name}`]));
	t.deepEqual(variablesOf(variables), variables);
});

test('where the program is does not belong to the question of a shard', t => {
	t.deepEqual(askedOptions({proxy: 'envoy', envoy: '/opt/envoy', types: ['1']}), {'--proxy': 'envoy', '--types': ['1']});
});

test('the stub is the proxy if no other is asked for', async t => {
	t.is(await chooseProxy({proxy: 'stub'}), undefined);
});

test('goes red: a program without its proxy, a kept sandbox with another proxy, and a program that is not there', async t => {
	await t.throwsAsync(chooseProxy({proxy: 'stub', envoy: '/opt/envoy'}), {instanceOf: TestbedError, code: 'USAGE', message: '--envoy names the program for --proxy envoy, and the proxy is the stub here.'});
	await t.throwsAsync(chooseProxy({proxy: 'envoy', keep: true}), {instanceOf: TestbedError, code: 'USAGE', message: '--keep keeps the listeners of the stub, and cannot keep those of envoy.'});
	await t.throwsAsync(chooseProxy({proxy: 'envoy', envoy: '/nowhere/envoy'}), {instanceOf: TestbedError, code: 'MISSING_PROGRAM', message: /which --envoy names/u});
});
