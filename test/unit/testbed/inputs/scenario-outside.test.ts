/** A scenario opens only files in its folder or below, and uses no unknown modules, unless the user allows it. */

import {
	mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';
import {Buffer} from 'node:buffer';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {usualCredentials} from '../../../../testbed/inputs/credentials.js';
import {TestbedError} from '../../../../testbed/errors.js';
import {loadScenario, type LoadedScenarios, type ScenarioPermissions} from '../../../../testbed/inputs/scenarios.js';

const root = mkdtempSync(path.join(tmpdir(), 'testbed-outside-'));
const folder = path.join(root, 'own');
mkdirSync(path.join(folder, 'below'), {recursive: true});
const dump = '*nat\n-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n';
writeFileSync(path.join(root, 'outside.rules'), dump);
writeFileSync(path.join(folder, 'own.rules'), dump);
writeFileSync(path.join(folder, 'below', 'below.rules'), dump);
symlinkSync('../outside.rules', path.join(folder, 'link.rules'));
symlinkSync('..', path.join(folder, 'up'));
symlinkSync('own.rules', path.join(folder, 'inner.rules'));
test.after.always(() => {
	rmSync(root, {recursive: true});
});

function load(rules: string, permissions: ScenarioPermissions = {}, more = ''): LoadedScenarios {
	const file = path.join(folder, `${Buffer.from(rules + more).toString('hex').slice(-60)}.yaml`);
	writeFileSync(file, `version: 1\nname: x\nabout: x\nrules: ${JSON.stringify(rules)}\n${more}probes:\n  - name: p\n    from: app\n    to: remote:8080\n    expect:\n      stops: [remote:8080]\n`);
	return loadScenario(file, {backends: ['iptables-nft'], credentialsOf: (intent, known) => usualCredentials({}, intent, known), ...permissions});
}

for (const rules of ['own.rules', 'file:own.rules', './below/below.rules', 'below/../own.rules', 'inner.rules', path.join(folder, 'own.rules'), 'release:1.30', 'up/own/own.rules']) {
	test(`taken: ${rules.replace(root, 'ROOT')}`, t => {
		t.is(load(rules).prepared.length, 1);
	});
}

for (const rules of ['../outside.rules', 'file:../outside.rules', 'link.rules', 'file:link.rules', 'up/outside.rules', path.join(root, 'outside.rules'), `file:${path.join(root, 'outside.rules')}`, 'below/../../outside.rules']) {
	test(`refused unless allowed: ${rules.replace(root, 'ROOT')}`, t => {
		const error = t.throws(() => load(rules), {instanceOf: TestbedError, code: 'INPUT'});
		t.regex(error.message, /^\S+\.yaml: line 4, column 1, rules: ".*" is outside the folder of the scenario that names it\.$/u);
		t.is(load(rules, {allowOutside: true}).prepared.length, 1);
	});
}

for (const rules of ['/etc/passwd', '/etc/hostname', 'pod:/etc/passwd', '../../../../../../etc/passwd', 'pod:../outside.rules', 'X=1 ambient:/../../../../../../../etc/passwd', '.', '..']) {
	test(`never opened from a scenario, and nothing of it is shown: ${rules}`, t => {
		const error = t.throws(() => load(rules), {instanceOf: TestbedError, code: 'INPUT'});
		t.regex(error.message, /is outside the folder of the scenario/u);
		t.false(error.message.includes('root:x'));
		const allowed = t.throws(() => load(rules, {allowOutside: true}), {instanceOf: TestbedError});
		t.false(allowed.message.includes('root:x'));
	});
}

test('a module that is not known is named, in the rules and in what is put in front', t => {
	writeFileSync(path.join(folder, 'odd.rules'), dump.replace('-p tcp', '-p tcp -m odd'));
	t.throws(() => load('odd.rules'), {code: 'INPUT', message: /line 2: -m odd is not a known match/u});
	t.deepEqual(load('odd.rules', {allowModules: true}).prepared[0]?.rules.allowedModules, ['odd']);
	const insert = 'insert: ["-t nat -I OUTPUT 1 -m odd -j RETURN"]\n';
	t.throws(() => load('own.rules', {}, insert), {code: 'INPUT', message: /insert: OUTPUT#1: -m odd is not a known match/u});
	t.deepEqual(load('own.rules', {allowModules: true}, insert).prepared[0]?.rules.allowedModules, ['odd']);
});

for (const name of [String.raw`"a\e[2Jb"`, String.raw`"a\x07b"`, String.raw`"a\x9b31mb"`, String.raw`"a\u0085b"`]) {
	test(`a control character by an escape of YAML: ${name}`, t => {
		const file = path.join(folder, 'escape.yaml');
		writeFileSync(file, `version: 1\nname: ${name}\nabout: x\nrules: release:1.30\nprobes:\n  - name: p\n    from: app\n    to: remote:8080\n    expect:\n      stops: [remote:8080]\n`);
		t.throws(() => loadScenario(file, {backends: undefined, credentialsOf: (intent, known) => usualCredentials({}, intent, known)}), {
			code: 'INPUT', message: /line 2, column 1, name: the control character U\+00[\dA-F]{2}, which is not allowed in text$/u,
		});
	});
}
