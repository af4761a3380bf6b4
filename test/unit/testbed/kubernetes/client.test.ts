/** The client library is optional: whoever lacks it is told which package, and the command that installs it where it is found. */

import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {clientVariable, installCommand, loadClient} from '../../../../testbed/kubernetes/client.js';
import {parsePodName, printPodName} from '../../../../testbed/kubernetes/cluster-pod.js';
import {TestbedError} from '../../../../testbed/errors.js';

test('without the package', async t => {
	const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-client-'));
	t.teardown(() => {
		rmSync(folder, {recursive: true});
	});
	const error = await t.throwsAsync(loadClient({[clientVariable]: folder}), {instanceOf: TestbedError});
	t.is(error.code, 'MACHINE');
	t.is(error.message, `kubectl: inputs need the npm package @kubernetes/client-node, which is not installed in ${folder}.`);
	t.regex(error.hint ?? '', /npm .*scripts\/kubernetes|scripts\/kubernetes && npm ci --ignore-scripts/u);
	t.regex(error.hint ?? '', /TESTBED_KUBERNETES_CLIENT=FOLDER/u);
});

test('with one that this Node cannot load', async t => {
	const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-client-'));
	t.teardown(() => {
		rmSync(folder, {recursive: true});
	});
	mkdirSync(path.join(folder, 'node_modules/@kubernetes/client-node'), {recursive: true});
	writeFileSync(path.join(folder, 'node_modules/@kubernetes/client-node/package.json'), '{"main": "index.js", "type": "module"}');
	writeFileSync(path.join(folder, 'node_modules/@kubernetes/client-node/index.js'), 'import \'no-such-package\';\n');
	const error = await t.throwsAsync(loadClient({[clientVariable]: folder}), {instanceOf: TestbedError});
	t.is(error.code, 'MACHINE');
	t.regex(error.message, /cannot be loaded by Node v\d+.*no-such-package/u);
});

test('where to install it', t => {
	t.is(installCommand('/usr/lib/node_modules/sidecar-netfilter-testbed'), 'npm install --global --prefix /usr @kubernetes/client-node@1');
	t.is(installCommand('/home/me/shop/node_modules/sidecar-netfilter-testbed'), '(cd /home/me/shop && npm install @kubernetes/client-node@1)');
	t.is(installCommand('/nowhere/testbed'), 'npm install --prefix /nowhere/testbed @kubernetes/client-node@1');
	t.regex(installCommand(), /scripts\/kubernetes && npm ci --ignore-scripts\)$/u);
});

test('names of pods', t => {
	for (const name of ['default/web', 'shop/cart-6d9f7c5b44-x2x9k', 'shop/a.b.c', 'a/b/istio-proxy']) {
		t.is(printPodName(parsePodName(name)), name);
	}

	t.deepEqual(parsePodName('a/b/c'), {namespace: 'a', pod: 'b', container: 'c'});
	for (const name of ['', 'web', 'a/', '/b', 'a/b/', 'a/b/c/d', 'A/b', 'a/b?x=1', 'a/../b', 'a/b c', `a/${'b'.repeat(500)}`]) {
		const error = t.throws(() => parsePodName(name), {instanceOf: TestbedError});
		t.is(error.code, 'USAGE');
	}
});
