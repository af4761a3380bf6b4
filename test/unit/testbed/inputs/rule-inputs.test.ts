import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {dir as temporaryFolder} from 'tmp-promise';
import {TestbedError} from '../../../../testbed/errors.js';
import {loadCasesInput} from '../../../../testbed/cli/commands/test-cases.js';
import {loadRules} from '../../../../testbed/library/rules.js';
import {loadRuleInput, loadRuleInputs} from '../../../../testbed/inputs/rules.js';
import {fullSource, likelySource} from '../../../../testbed/inputs/source.js';
import {readScenario} from '../../../../testbed/inputs/scenarios.js';
import {credentialsOf} from '../../../../testbed/inputs/credentials.js';
import {newest, unknown} from '../../../helpers/releases.js';

const families = ['ipv4'] as const;
const dump = '*nat\n:PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\nCOMMIT\n';
const newer = (version: string): string => `${version} is newer than the known releases: these are the rules of ${newest}.`;

/** A folder with one file, `1.31`, that holds a dump, and one folder, `1.30`. */
async function folderWithFile(): Promise<AsyncDisposable & {readonly path: string}> {
	const {path: folder, cleanup} = await temporaryFolder({unsafeCleanup: true});
	await writeFile(path.join(folder, newest), dump);
	await mkdir(path.join(folder, '1.30'));
	return {path: folder, [Symbol.asyncDispose]: cleanup};
}

for (const [source, release, notes] of [
	[`release:${newest}`, newest, []],
	['release:latest', newest, []],
	[`release:v${newest}`, newest, []],
	[newest, newest, []],
	['v1.29.3', '1.29.3', []],
	[`release:${unknown}`, newest, [newer(unknown)]],
	['release:2.0 -x 10.0.0.0/8', newest, [newer('2.0')]],
	['PROXY_UID=7 release:1.34.1', newest, [newer('1.34.1')]],
	[unknown, newest, [newer(unknown)]],
	[`ambient:${unknown}`, newest, [newer(unknown)]],
] as const) {
	test(`${source} has the rules of ${release}`, t => {
		const input = loadRuleInput({source, families});
		t.deepEqual([input.release, input.notes], [release, notes]);
		const options = /(?: .*)?$/u.exec(source)?.[0] ?? '';
		const [front] = /^(?:\w+=\S* )?/u.exec(source) ?? [''];
		const kind = source.startsWith('ambient:') ? 'ambient' : 'release';
		const known = loadRuleInput({source: `${front}${kind}:${release}${front === '' ? options : ''}`, families});
		t.deepEqual(input.ruleSet, known.ruleSet);
	});
}

test('what the node has in ambient mode can be looked at for a release to come', t => {
	const {inputs: [input]} = loadRuleInputs({source: `ambient-host:${unknown}`, families, isForPrint: true});
	t.deepEqual([input?.release, input?.notes], [newest, [newer(unknown)]]);
});

test('release:all goes up to the newest one known, without a note', t => {
	const {inputs} = loadRuleInputs({source: 'release:all', families, backends: ['iptables-nft']});
	t.deepEqual([inputs.length, inputs.at(-1)?.release, inputs.flatMap(({notes}) => notes)], [27, newest, []]);
});

for (const [source, message] of [
	['release:', /^release:: no version was given; write one as 1\.31 or 1\.31\.0, or latest for the newest one known$/],
	['release: -x 10.0.0.0/8', /^release: -x 10\.0\.0\.0\/8: no version was given; write one as/],
	['ambient:', /^ambient:: no version was given/],
	['release:1.4', /release 1\.4 is older than 1\.5, the oldest one known; the nearest is 1\.5$/],
	['1.0', /^release:1\.0: release 1\.0 is older than 1\.5/],
	['ambient:1.29', /release 1\.29 is older than 1\.30, the oldest one whose ambient rules are known; the nearest is 1\.30$/],
	['release:1.30.x', /"1\.30\.x" is not a version \(did you mean 1\.30\?\)/],
] as const) {
	test(`refused: ${source}`, t => {
		t.throws(() => loadRuleInput({source, families}), {instanceOf: TestbedError, code: 'INPUT', message});
	});
}

for (const [text, likely] of [
	['relase:1.30', 'release:1.30'],
	['Release:1.30 -x 10.0.0.0/8', 'release:1.30 -x 10.0.0.0/8'],
	['PROXY_UID=7 relase:1.30', 'PROXY_UID=7 release:1.30'],
	['release=1.30', 'release:1.30'],
	['release 1.30', 'release:1.30'],
	['ambinet:1.30', 'ambient:1.30'],
	['ambient-hots:1.30', 'ambient-host:1.30'],
	['pods:pod.yaml', 'pod:pod.yaml'],
	['1.30 --redirect-dns', 'release:1.30 --redirect-dns'],
	['1.30-distroless', 'release:1.30-distroless'],
	['1.30.x', 'release:1.30.x'],
	['rules.txt', undefined],
	['relase:', undefined],
	['iptables:dump', undefined],
	[String.raw`d:\rules`, undefined],
] as const) {
	test(`what is meant: ${JSON.stringify(text)}`, t => {
		t.is(likelySource(text), likely);
		const {hint} = t.throws(() => loadRuleInput({source: text, families}), {instanceOf: TestbedError, code: 'INPUT', message: /cannot be read/});
		t.is(/^Did you mean (?<likely>.*)\? Rules can be/u.exec(hint ?? '')?.groups?.['likely'], likely);
	});
}

test('an empty input is an unset variable, and means nothing', t => {
	t.is(likelySource(''), undefined);
	t.throws(() => loadRuleInput({source: '', families}), {instanceOf: TestbedError, code: 'USAGE', message: '--rules is empty (an unset variable?).'});
});

test('a version alone is a release, unless a file has that name', async t => {
	await using folder = await folderWithFile();
	t.deepEqual(fullSource('1.29', folder.path), {source: 'release:1.29', notes: []});
	t.deepEqual(fullSource('1.30', folder.path), {source: 'release:1.30', notes: []}); // A folder is no rules.
	t.deepEqual(fullSource(newest, folder.path), {source: newest, notes: [`${newest} was read as the file of that name; for the release, write release:${newest}.`]});
	t.deepEqual(fullSource(`${newest}-pod`, folder.path), {source: `${newest}-pod`, notes: []});
	t.deepEqual(fullSource('latest', folder.path), {source: 'latest', notes: []});
});

test('a manifest and its release, for the library', async t => {
	await using folder = await folderWithFile();
	const file = path.join(folder.path, 'pod.yaml');
	await writeFile(file, 'apiVersion: v1\nkind: Pod\nmetadata: {name: app, labels: {sidecar.istio.io/inject: "true"}}\nspec: {containers: [{name: app}]}\n');
	const found = [{}, {release: '1.29'}, {release: `v${unknown}`}].map(choices => loadRules(`pod:${file}`, choices)).map(({release, notes}) => [release, notes]);
	t.deepEqual(found, [
		[newest, [`No image names a release: these are the rules of ${newest}, the newest one known. A tag that is a version, or --release VERSION, chooses another.`]],
		['1.29', []],
		[newest, [newer(unknown)]],
	]);
	t.throws(() => loadRules('release:1.30', {release: '1.29'}), {instanceOf: TestbedError, message: /--release works only with pod:FILE/});
});

test('both families, where a version alone names the rules', t => {
	t.deepEqual(loadRules('1.30').families, ['ipv4', 'ipv6']);
	const input = loadCasesInput('1.30', {family: ['ipv4']});
	t.deepEqual([input.source, input.ruleSet.tables.map(({family}) => family)], ['release:1.30', ['ip', 'ip6']]);
});

test('a scenario: a release to come, and a version alone, unless a file stands beside it', async t => {
	await using folder = await folderWithFile();
	const rulesOf = (source: string) => {
		const text = `version: 1\nname: n\nabout: a\nrules: ${source}\nprobes:\n  - {name: p, from: app, to: "remote:8080", expect: {stops: ["proxy:15001", "remote:8080"]}}\n`;
		const {prepared: [scenario]} = readScenario(text, {file: path.join(folder.path, 'a.yaml'), backends: ['iptables-nft'], credentialsOf: (intent, known) => credentialsOf({appUid: 1000}, intent, known)});
		return [scenario?.rules.source, scenario?.rules.release, scenario?.rules.notes];
	};

	t.deepEqual(rulesOf(`release:${unknown}`), [`release:${unknown}`, newest, [newer(unknown)]]);
	t.deepEqual(rulesOf('"1.29"'), ['1.29', '1.29', []]);
	t.deepEqual(rulesOf(`v${unknown}`), [`v${unknown}`, newest, [newer(unknown)]]);
	t.deepEqual(rulesOf(`"${newest}"`), [newest, null, [`${newest} was read as the file of that name; for the release, write release:${newest}.`]]);
	t.throws(() => rulesOf('release:1.4'), {instanceOf: TestbedError, message: /a\.yaml: line 4, column 1, rules: release:1\.4: release 1\.4 is older than 1\.5/});
});

test('52: a set that the real istio-init cannot install is refused, and shown with a warning', t => {
	const request = {source: 'pod:test/fixtures/cases/52-kong-tproxy-58135.yaml', families: ['ipv4'], backends: ['nftables']} as const;
	t.throws(() => loadRuleInputs({...request, release: '1.27.3'}), {message: /istio-iptables 1\.27\.3 fails with these options: with TPROXY and no inbound port/u});
	t.regex(loadRuleInputs({...request, release: '1.27.3', isForShow: true}).inputs[0]!.warnings.join(' '), /issue 58135/u);
	for (const release of ['1.27.4', '1.28.1']) {
		t.notRegex(loadRuleInputs({...request, release}).inputs[0]!.warnings.join(' '), /58135/u);
	}

	t.throws(() => loadRuleInputs({...request, release: '1.28.0'}), {message: /1\.28\.0 fails/u});
	t.notThrows(() => loadRuleInputs({...request, release: '1.27.3', backends: ['iptables-nft']}));
});

for (const [what, pod, proxy, app, apps] of [
	['nothing', '', '', '', undefined],
	['the pod, for its own containers', 'runAsUser: 5, runAsGroup: 6', '', '', ['a 5:6']],
	['a container before its pod', 'runAsUser: 5, runAsGroup: 6', '', 'runAsUser: 7', ['a 7:6']],
	['a user whose group is not given', '', '', 'runAsUser: 7', ['a 7:7']],
	['the proxy, which the pod says nothing of', 'runAsUser: 5', 'runAsUser: 9', '', ['a 5:5']],
] as const) {
	test(`the users of a manifest: ${what}`, async t => {
		const folder = await temporaryFolder({unsafeCleanup: true});
		t.teardown(async () => folder.cleanup());
		const file = path.join(folder.path, 'pod.yaml');
		const context = (text: string): string => text === '' ? '' : `, securityContext: {${text}}`;
		await writeFile(file, `{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {sidecar.istio.io/inject: "true"}}, spec: {containers: [{name: istio-proxy, image: auto${context(proxy)}}, {name: a, image: b${context(app)}}]${context(pod)}}}`);
		const input = loadRuleInput({source: `pod:${file}`, families: ['ipv4']});
		t.deepEqual(input.apps?.map(({container, uid, gid}) => `${container} ${uid}:${gid}`), apps === undefined ? [] : [...apps]);
		t.deepEqual(input.proxy, proxy === '' ? undefined : {uid: 9, gid: 9});
	});
}
