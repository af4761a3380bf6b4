/**
Commands in the files of GitHub Actions and GitLab CI: each is one that this project has, with options that it has.
*/

import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {parse} from 'yaml';

/** What a command can name. */
export type Known = {
	readonly root: string;
	readonly scripts: readonly string[];
	/** The options of each command of `testbed` (`baseline check` is one), by what its help says. */
	readonly options: Readonly<Record<string, readonly string[]>>;
};

/** Where a workflow that checks out two repositories has the testbed. */
const checkout = /^testbed\//u;

/** What is known of a checkout. */
export function knownIn(root: string, options: Known['options']): Known {
	const {scripts} = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {scripts: Record<string, string>};
	return {root, scripts: Object.keys(scripts), options};
}

/** The parsed file. */
export function readYaml(file: string): unknown {
	return parse(readFileSync(file, 'utf8'), {strict: true, uniqueKeys: true});
}

/** Every line of every `run`, `script` and `before_script` in a document. */
export function commandsOf(node: unknown): readonly string[] {
	if (typeof node !== 'object' || node === null) {
		return [];
	}

	return Object.entries(node).flatMap(([key, value]: [string, unknown]) => ['run', 'script', 'before_script'].includes(key)
		? [value].flat().flatMap(text => String(text).split('\n')).map(line => line.trim()).filter(line => line !== '')
		: commandsOf(value));
}

/** What of a line does not exist here, a sentence each. */
export function complaintsAboutCommand(line: string, {root, scripts, options}: Known): readonly string[] {
	const [program = '', ...given] = line.replace(/^sudo (?:--preserve-env=\w+(?:,\w+)* )?/u, '').split(/\s+/u);
	if (program === 'sh' || program === 'bash') {
		return existsSync(path.join(root, (given[0] ?? '').replace(checkout, ''))) && given.length === 1 ? [] : [`${line}: there is no script ${given.join(' ')}`];
	}

	if (program === 'gh') {
		return line.startsWith('gh release create ') ? [] : [`${line}: of gh, only release create is used`];
	}

	if (program === 'apt-get') {
		return given[0] === 'install' && given[1] === '--yes' ? [] : [`${line}: apt-get would ask somebody`];
	}

	if (program.replace(checkout, '') === 'bin/testbed') {
		return complaintsAboutArguments(line, given, options);
	}

	if (program !== 'npm') {
		return [`${line}: ${program} is not a program of the documents`];
	}

	return complaintsAboutNpm(line, given, {scripts, options});
}

function complaintsAboutNpm(line: string, given: readonly string[], {scripts, options}: Pick<Known, 'scripts' | 'options'>): readonly string[] {
	if (given[0] === 'publish' || (given[0] === 'pkg' && given[1] === 'set')) {
		return [];
	}

	const [script = '', ...passed] = given[0] === 'test' ? given : given.slice(1).filter(word => word !== '-s');
	if (!scripts.includes(script)) {
		return [`${line}: npm run ${script} does not exist`];
	}

	return script === 'testbed' ? complaintsAboutArguments(line, passed.filter(word => word !== '--'), options) : [];
}

function complaintsAboutArguments(line: string, given: readonly string[], options: Known['options']): readonly string[] {
	const [first = 'run', ...others] = given;
	const hasSubcommands = Object.keys(options).some(name => name.startsWith(`${first} `));
	const named = hasSubcommands ? `${first} ${others[0] ?? ''}`.trim() : first;
	const command = first.startsWith('-') ? 'run' : named;
	const words = first.startsWith('-') ? [first, ...others] : others;
	const known = options[command];
	if (known === undefined) {
		return [`${line}: testbed ${command} does not exist`];
	}

	return words.filter(word => word.startsWith('-') && !known.includes(word.replace(/=.*$/u, ''))).map(word => `${line}: testbed ${command} has no ${word}`);
}

/** What a user replaces by the testbed's repository and one of its commits. */
const ownAction = 'OWNER/sidecar-netfilter-testbed@COMMIT';

/** The actions in a workflow's text that are not pinned to a commit, with the version in a comment, a sentence each. */
export function complaintsAboutPins(text: string): readonly string[] {
	return [...text.matchAll(/^\s*-? ?uses: (?<action>.*)$/gmu)].map(({groups}) => groups!['action']!)
		.filter(action => action !== ownAction && !/^[\w-]+\/[\w./-]+@[\da-f]{40} # v\d+\.\d+\.\d+$/u.test(action))
		.map(action => `${action} is not pinned to a commit with its version behind it: owner/name@COMMIT # v1.2.3`);
}
