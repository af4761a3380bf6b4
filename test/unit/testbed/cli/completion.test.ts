/** Completion, tried in the shells themselves: what is typed, with tabs, and the words that the shell then calls the program with. */

import {writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {stripVTControlCharacters} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {Option} from 'commander';
import {dir} from 'tmp-promise';
import {programOf} from '../../../../testbed/cli/main.js';
import {completedCommands, valueOf} from '../../../../testbed/cli/completion/model.js';
import {shells, type Shell} from '../../../../testbed/cli/completion/shells.js';
import {runCommandLine} from '../../../helpers/command-line.js';
import {isLeftOut} from '../../../helpers/left-out.js';

/** What is typed, with `→` for the tab key, and the words that come of it. */
const typed: ReadonlyArray<readonly [keys: string, words: readonly string[]]> = [
	['cov→', ['coverage']],
	['coverage --backe→iptables-l→', ['coverage', '--backend', 'iptables-legacy']],
	['base→ch→READ→release:1.2→', ['baseline', 'check', 'README.md', 'release:1.2']],
	['run --rules release:la→', ['run', '--rules', 'release:latest']],
	['run -r ambient:lat→', ['run', '-r', 'ambient:latest']],
	['run --rules release:1.31 --fam→ipv6→', ['run', '--rules', 'release:1.31', '--family', 'ipv6']],
	['run --rules pod:READ→', ['run', '--rules', 'pod:README.md']],
	['run -o jun→', ['run', '-o', 'junit=']],
	['run -o junit=READ→', ['run', '-o', 'junit=README.md']],
	['scenarios/ambi→', ['scenarios/ambient.yaml']],
	['run READ→', ['run', 'READ']],
	['--backend iptables-nft,nft→', ['--backend', 'iptables-nft,nftables']],
	['run --backend=iptables-nft,nft→', ['run', '--backend=iptables-nft,nftables']],
	['probe --fr→prom→', ['probe', '--from', 'prometheus']],
	['probe --json outc→', ['probe', '--json', 'outcome']],
	['probe --json path,outc→', ['probe', '--json', 'path,outcome']],
	['lesson hair→', ['lesson', 'hairpin']],
	['rules --form→js→', ['rules', '--format', 'json']],
	['completion f→', ['completion', 'fish']],
	['help cov→', ['help', 'coverage']],
	['nothing-that-exists→', ['nothing-that-exists']],
];

/** How a shell is started without the user's settings, and what it reads first. The program only prints its words. */
const starts: Readonly<Record<Shell, {readonly command: string; readonly first: (script: string) => string}>> = {
	bash: {
		command: 'bash --norc --noprofile -i', first: script => `bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; . ${script}; testbed() { printf '<%s>' "$@"; echo; }`,
	},
	zsh: {
		command: 'zsh -f -i', first: script => `setopt NO_BEEP; autoload -U compinit; compinit -u -D; . ${script}; testbed() { printf '<%s>' "$@"; echo; }`,
	},
	fish: {
		command: 'fish -N -i', first: script => `. ${script}; function testbed; printf '<%s>' $argv; echo; end`,
	},
};

/** Types lines into a shell at a terminal of its own, and returns the words of each call. A value may stand behind an equals sign or a blank. */
async function typeInto(t: ExecutionContext, shell: Shell, lines: readonly string[]): Promise<readonly string[][]> {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	const {stdout: script} = await runCommandLine(['completion', shell]);
	const file = path.join(folder, 'script');
	writeFileSync(file, script);
	const {command, first} = starts[shell];
	const settings = path.join(folder, 'settings');
	writeFileSync(settings, `${first(file)}\n`);
	const input = [`. ${settings}`, ...lines.map(line => `testbed ${line.replaceAll('→', '\t')}`), 'exit', ''].join('\n');
	const {stdout} = await execa('script', ['-qec', command, '/dev/null'], {
		input, reject: false, timeout: 120_000, extendEnv: false, env: {PATH: process.env['PATH'] ?? '', HOME: folder, TERM: 'xterm', LC_ALL: 'C.UTF-8', COLUMNS: '200'},
	});
	await cleanup();
	t.log(`${shell}: ${lines.length} lines`);
	const plain = stripVTControlCharacters(stdout);
	return [...plain.matchAll(/(?<=^|[\r\n])(?<words>(?:<[^<>\r\n]*>)+)\r*\n/gu)].map(({groups}) => [...groups!['words']!.matchAll(/<(?<word>[^>]*)>/gu)].map(match => match.groups!['word']!));
}

/** `--from=x` and `--from x` are the same. */
function joined(words: readonly string[]): string {
	return words.join(' ').replaceAll(/(?<=^| )(?<option>--[a-z-]+)=/gu, '$<option> ');
}

for (const shell of shells) {
	test(`${shell} completes commands, options and values`, async t => {
		if (shell !== 'bash' && isLeftOut(t, {program: shell})) {
			return;
		}

		const called = await typeInto(t, shell, typed.map(([keys]) => keys));
		t.deepEqual(called.map(words => joined(words)), typed.map(([, words]) => joined(words)));
	});

	test(`goes red: ${shell} without the script completes none of this`, async t => {
		if (shell !== 'bash' && isLeftOut(t, {program: shell})) {
			return;
		}

		// A home of its own: shells write their history there.
		const {path: home, cleanup} = await dir({unsafeCleanup: true});
		t.teardown(cleanup);
		const {stdout} = await execa('script', ['-qec', starts[shell].command, '/dev/null'], {
			input: `${starts[shell].first('/dev/null')}\ntestbed cov\t\nexit\n`, reject: false, timeout: 120_000, extendEnv: false, env: {PATH: process.env['PATH'] ?? '', HOME: home, TERM: 'xterm'},
		});
		t.regex(stdout, /<cov>/u);
	});
}

/** Values for which a shell has nothing to offer: numbers, addresses, expressions, versions. */
const free = ['--agent-gid', '--agent-uid', '--app-gid', '--app-uid', '--context', '--debug-image', '--dns-servers', '--filter', '--gid', '--idle', '--jobs', '--keep-for', '--limit', '--listen', '--mark', '--port', '--print', '--proxy-gid', '--proxy-uid', '--sample', '--shard', '--source', '--time-limit', '--timeout', '--to', '--trace-buffer', '--uid'];

test('every option that takes a value has something to offer, or is known to have nothing', async t => {
	const commands = await completedCommands(programOf());
	const without = commands.flatMap(({options}) => options).filter(({value}) => value?.kind === 'text').map(({long}) => long);
	t.deepEqual([...new Set(without)].toSorted(), free);
	const value = await valueOf(new Option('--new <thing>'));
	t.is(value?.kind, 'text');
});

test('all commands are in the scripts, also those below others', async t => {
	for (const shell of shells) {
		const {exitCode, stdout} = await runCommandLine(['completion', shell]); // eslint-disable-line no-await-in-loop -- Three of them.
		t.is(exitCode, 0);
		for (const name of ['run', 'baseline', 'create', 'check', 'completion', 'clean', 'help']) {
			t.true(new RegExp(`\\b${name}\\b`, 'u').test(stdout), `${shell}: ${name}`);
		}
	}
});

for (const [given, message] of [
	[['completion'], /^testbed: completion needs an argument: bash, zsh or fish\.\n/u],
	[['completion', 'fsh'], /^testbed: completion fsh: it must be bash, zsh or fish\. Did you mean zsh or fish\?\n$/u],
	[['completion', 'bash', 'zsh'], /^testbed: completion takes one argument; "zsh" is too many\.\n/u],
] as const) {
	test(`refused: ${given.join(' ')}`, async t => {
		const {exitCode, stdout, stderr} = await runCommandLine(given);
		t.deepEqual([exitCode, stdout], [2, '']);
		t.regex(stderr, message);
	});
}
