import test from 'ava';
import {knownToCommandLine} from '../../../../testbed/cli/main.js';
import {TestbedError} from '../../../../testbed/errors.js';
import {
	complaintAboutNpm, exportedAnyway, hintsOfNpm, type NpmStart,
} from '../../../../testbed/cli/taken-by-npm.js';

const known = knownToCommandLine();

/** What npm exports in any case, as of 9.2, 11.19 and 12.2 (measured). */
const always = {
	cache: '/root/.npm', globalconfig: '/usr/etc/npmrc', init_module: '/root/.npm-init.js', local_prefix: '/x', metrics_registry: 'https://registry.npmjs.org/', node_gyp: '/x', noproxy: '', npm_version: '11.19.1',
	prefix: '/usr', user_agent: 'npm/11.19.1', userconfig: '/root/.npmrc', global_prefix: '/usr', allow_scripts: '', global_ignore_file: '/etc/npmignore',
};

const start = (config: Record<string, string>, change: Partial<NpmStart> = {}): NpmStart => ({
	script: 'testbed', own: [], folder: '/home/u', config: {...always, ...config}, isExact: true, ...change,
});

/** As npm 9.2.0, 10.9.4, 11.6.2 and 11.19.1 were seen to export it. */
const taken: ReadonlyArray<{typed: string; argv: readonly string[]; config: Record<string, string>; names: string; meant: string; change?: Partial<NpmStart>}> = [
	{typed: '--rules=release:1.20', argv: [], config: {rules: 'release:1.20'}, names: '--rules', meant: '--rules=release:1.20'},
	{typed: '--rules="release:1.20 -u 5"', argv: [], config: {rules: 'release:1.20 -u 5'}, names: '--rules', meant: '\'--rules=release:1.20 -u 5\''},
	{typed: '--keep', argv: [], config: {keep: 'true'}, names: '--keep', meant: '--keep'},
	{typed: '--no-keep', argv: [], config: {keep: ''}, names: '--keep', meant: '--keep'},
	{typed: '--verbose', argv: [], config: {loglevel: 'verbose'}, names: '--verbose', meant: '--verbose'},
	{typed: '--types=2', argv: [], config: {types: '2'}, names: '--types', meant: '--types=2'},
	{typed: '--types 2', argv: ['2'], config: {types: 'true'}, names: '--types', meant: '--types 2'},
	{typed: '--proxy-uid=5', argv: [], config: {proxy_uid: '5'}, names: '--proxy-uid', meant: '--proxy-uid=5'},
	{typed: '--rules a --keep', argv: ['a'], config: {rules: 'true', keep: 'true'}, names: '--rules, --keep', meant: '--keep --rules a'},
	{typed: '--types 2 --jobs 3', argv: ['2', '3'], config: {types: 'true', jobs: 'true'}, names: '--types, --jobs', meant: '--types … --jobs …'},
	{typed: 'x.yaml --timeout 3', argv: ['x.yaml', '3'], config: {timeout: 'true'}, names: '--timeout', meant: '--timeout …'},
	{typed: 'baseline check --rules6=r b.json', argv: ['baseline', 'check', 'b.json'], config: {rules6: 'r'}, names: '--rules6', meant: 'baseline check --rules6=r b.json'},
	{typed: '--timeout=5 --timeout=6', argv: [], config: {timeout: '5\n\n6'}, names: '--timeout', meant: '--timeout=5 --timeout=6'},
	{typed: 'probe --to remote:8080', argv: ['probe', 'remote:8080'], config: {to: 'true'}, names: '--to', meant: 'probe --to remote:8080'},
	{typed: 'probe --to remote:8080 (11.19)', argv: ['probe'], config: {token_description: 'remote:8080'}, names: '--to', meant: 'probe --to=remote:8080'},
	{typed: 'rules --diff x', argv: ['rules'], config: {diff: 'x'}, names: '--diff', meant: 'rules --diff=x'},
	{typed: 'doctor --keep', argv: ['doctor'], config: {keep: 'true'}, names: '--keep', meant: '--keep', change: {script: 'doctor', own: ['doctor']}},
];

for (const {typed, argv, config, names, meant, change} of taken) {
	test(`npm run testbed ${typed}: npm took ${names}`, t => {
		const npm = start(config, change);
		const [first, second] = complaintAboutNpm(argv, known, npm)!.split('\n');
		t.is(first, `testbed: npm took ${names} for itself, so nothing was run. Put -- before the options:`);
		t.is(second, `→ npm run ${npm.script} -- ${meant}`);
	});
}

for (const {title, config, isExact} of [
	{title: 'nothing but what npm exports anyway', config: {}, isExact: true},
	{title: 'npm\'s own -s', config: {loglevel: 'silent'}, isExact: true},
	{title: 'settings of npm by other names', config: {audit: '', fund: '', yes: '', nodedir: '/usr', omit_lockfile_registry_resolved: 'true', update_notifier: '', ignore_scripts: 'true'}, isExact: false},
	{title: 'a level that may be a setting of the user, whose environment is not known', config: {loglevel: 'verbose'}, isExact: false},
	{title: 'a name that an option of ours begins, in an environment that is not known', config: {token_description: 'mine'}, isExact: false},
]) {
	test(`npm took nothing: ${title}`, t => {
		t.is(complaintAboutNpm(['run', 'x.yaml'], known, start(config, {isExact})), undefined);
	});
}

test('every long option of every command is noticed, and none has a name that npm exports anyway', t => {
	t.true(known.options.length > 40);
	for (const {long} of known.options) {
		const key = long.slice(2).replaceAll('-', '_');
		t.false(exportedAnyway.has(key), long);
		t.regex(complaintAboutNpm([], known, start({[key]: 'true'})) ?? '', new RegExp(`^testbed: npm took ${long} for itself`, 'u'));
	}
});

const missing = (path: string) => new TestbedError('INPUT', {message: 'no such file', cause: Object.assign(new Error('ENOENT'), {code: 'ENOENT', path})});
const folderLine = 'File names are relative to the folder where npm was started: /home/u';
const optionLine = 'If it belongs to an option, npm took that option for itself. Put -- before the options: npm run testbed -- …';

for (const {title, error, argv, hints} of [
	{title: 'a file', error: missing('sub/mine.yaml'), argv: ['run', 'sub/mine.yaml'], hints: [folderLine]},
	{title: 'a file by its whole name', error: missing('/x/mine.yaml'), argv: ['run', '/x/mine.yaml'], hints: []},
	{title: 'a word that is no file, of --format json', error: missing('json'), argv: ['rules', 'json'], hints: [folderLine, optionLine]},
	{title: 'a word that is not a scenario', error: new TestbedError('USAGE', {message: '"json" is not a scenario'}), argv: ['json'], hints: [optionLine]},
	{title: 'options that did arrive', error: new TestbedError('USAGE', {message: 'no'}), argv: ['--types', '9'], hints: []},
	{title: 'an error of another kind', error: new Error('no'), argv: ['json'], hints: []},
]) {
	test(`what is added to an error about ${title}`, t => {
		t.deepEqual(hintsOfNpm(error, argv, start({})), hints);
	});
}
