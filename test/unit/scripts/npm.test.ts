import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {
	isolated, load, root, writeTree, type Context,
} from './_setup.js';

const {startedByNpm} = load('npm');
const script = 'node scripts/run.cjs testbed';

/** What npm gives to a script of this checkout that it starts, and the processes above: npm with the user's environment, and its shell. */
function underNpm(context: Context, {env = {}, user = {}, rc = ''}: {env?: Record<string, string>; user?: Record<string, string>; rc?: string} = {}): Context {
	writeTree(context.root, {'package.json': '{}', 'home/.npmrc': rc});
	const exported = {
		npm_lifecycle_event: 'testbed', npm_lifecycle_script: script, npm_package_json: path.join(context.root, 'package.json'), INIT_CWD: '/home/u',
		npm_config_userconfig: path.join(context.root, 'home/.npmrc'), ...user, ...env,
	};
	return {
		...context, cwd: context.root, parentPid: 30, env: exported,
		processes: {
			readEnviron: pid => ({30: exported, 20: user})[pid],
			readParent: pid => ({30: 20, 20: 1})[pid] ?? 0,
		},
	};
}

const started = (context: Context, name = 'testbed') => {
	const npm = startedByNpm(name, context);
	if (npm === undefined) {
		return undefined;
	}

	const {userconfig, ...config} = npm.config;
	return {...npm, config};
};

test('npm run testbed, from another folder', async t => {
	await using context = await isolated();
	t.deepEqual(started(underNpm(context)), {
		script: 'testbed', own: [], folder: '/home/u', config: {}, isExact: true,
	});
});

test('a script with arguments of its own', async t => {
	await using context = await isolated();
	const {script: name, own} = started(underNpm(context, {env: {npm_lifecycle_event: 'doctor', npm_lifecycle_script: `${script} doctor`}}))!;
	t.deepEqual([name, own], ['doctor', ['doctor']]);
});

for (const {title, env, user = {}, rc = '', config} of [
	{title: 'an option on npm\'s command line', env: {npm_config_rules: 'release:1.20'}, config: {rules: 'release:1.20'}},
	{title: 'a setting of the environment', env: {npm_config_rules: 'a'}, user: {npm_config_rules: 'a'}, config: {}},
	{title: 'a setting of the environment in capitals', env: {npm_config_loglevel: 'verbose'}, user: {NPM_CONFIG_LOGLEVEL: 'verbose'}, config: {}},
	{title: 'an option that overrides a setting of the environment', env: {npm_config_rules: 'b'}, user: {npm_config_rules: 'a'}, config: {rules: 'b'}},
	{title: 'a setting of a file', env: {npm_config_loglevel: 'verbose'}, rc: '; mine\nloglevel = verbose\n', config: {}},
	{title: 'a setting of a file, quoted', env: {npm_config_loglevel: 'verbose'}, rc: 'loglevel="verbose"\n', config: {}},
	{title: 'false in a file is exported as nothing', env: {npm_config_update_notifier: ''}, rc: 'update-notifier=false', config: {}},
	{title: 'a file\'s name alone is true', env: {npm_config_keep: 'true'}, rc: 'keep\n', config: {}},
	{title: 'a setting of a file that takes it from the environment', env: {npm_config_token: 'abc'}, rc: 'token=${SECRET}\n', config: {}}, // eslint-disable-line no-template-curly-in-string -- As npm writes it.
	{title: 'an option that overrides a setting of a file', env: {npm_config_loglevel: 'verbose'}, rc: 'loglevel=warn\n', config: {loglevel: 'verbose'}},
	{title: 'a comment of a file is no setting', env: {npm_config_keep: 'true'}, rc: '#keep=true\n;keep=true\n', config: {keep: 'true'}},
] as ReadonlyArray<{title: string; env: Record<string, string>; user?: Record<string, string>; rc?: string; config: Record<string, string>}>) {
	test(`what npm exports: ${title}`, async t => {
		await using context = await isolated();
		t.deepEqual(started(underNpm(context, {env, user, rc}))?.config, config);
	});
}

test('an environment of npm that is not told leaves a doubt', async t => {
	await using context = await isolated();
	const {isExact, config} = started({...underNpm(context, {env: {npm_config_keep: 'true'}}), processes: {readEnviron: () => undefined, readParent: () => 0}})!;
	t.deepEqual([isExact, config], [false, {keep: 'true'}]);
});

for (const {title, change} of [
	{title: 'without npm', change: () => ({env: {}})},
	{title: 'a test that npm started', change: (context: Context) => ({env: {...context.env, npm_lifecycle_script: 'node scripts/run.cjs test'}})},
	{title: 'a script of another package', change: (context: Context) => ({env: {...context.env, npm_package_json: '/elsewhere/package.json'}})},
	{title: 'a child that went to another folder', change: () => ({cwd: '/'})},
]) {
	test(`not started by npm: ${title}`, async t => {
		await using context = await isolated();
		const given = underNpm(context);
		t.is(started({...given, ...change(given)}), undefined);
	});
}

/** What npm takes from the command line and from where, with the npm of this machine: the launcher tells what arrived. */
async function withNpm(t: {teardown: (undo: () => Promise<void>) => void}, given: readonly string[], {folder = '.', env = {}}: {folder?: string; env?: Record<string, string>} = {}) {
	const context = await isolated();
	t.teardown(context[Symbol.asyncDispose]);
	writeTree(context.root, {
		'package.json': JSON.stringify({name: 'x', scripts: {testbed: script}}),
		'sub/mine.yaml': '', 'home/.npmrc': '',
		'scripts/run.cjs': `
			const {goWhereTheUserStands, startedByNpm} = require(${JSON.stringify(path.join(root, 'scripts/setup/npm.cjs'))});
			const context = {root: ${JSON.stringify(fs.realpathSync(context.root))}, cwd: process.cwd(), env: process.env, parentPid: process.ppid, say: console.error};
			const npm = startedByNpm('testbed', context);
			goWhereTheUserStands(npm, context);
			console.log(JSON.stringify({argv: process.argv.slice(3), cwd: process.cwd(), npm}));`,
	});
	const inherited = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_|^init_cwd$/i.test(key)));
	const {stdout} = await execa('npm', given.map(word => word.replace('ROOT', context.root)), {
		cwd: path.join(context.root, folder), extendEnv: false, stdin: 'ignore',
		env: {...inherited, HOME: path.join(context.root, 'home'), npm_config_update_notifier: 'false', ...env},
	});
	const {argv, cwd, npm} = JSON.parse(stdout) as {argv: string[]; cwd: string; npm: {config: Record<string, string>; isExact: boolean}};
	return {argv, cwd: path.relative(fs.realpathSync(context.root), cwd), config: npm.config, isExact: npm.isExact};
}

test('the npm of this machine: what it took is found, a setting of the user is not taken for it', async t => {
	const {config, isExact} = await withNpm(t, ['run', '-s', 'testbed', '--', '--types', '2'], {env: {npm_config_keep: 'true'}});
	t.false(Object.hasOwn(config, 'keep'), 'it stands in the environment');
	t.is(isExact, process.platform === 'linux');
});

for (const {title, given, folder} of [
	{title: 'in a folder of the checkout', given: ['run', '-s', 'testbed'], folder: 'sub'},
	{title: 'in another folder, with --prefix', given: ['--prefix', 'ROOT', 'run', '-s', 'testbed'], folder: 'home'},
	{title: 'in the checkout', given: ['run', '-s', 'testbed'], folder: ''},
]) {
	test(`the npm of this machine: the program stands where the user does, ${title}`, async t => {
		const {cwd} = await withNpm(t, given, {folder});
		t.is(cwd, folder);
	});
}
