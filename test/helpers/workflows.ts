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
	/** The options of each command of `testbed`, by what its help says. */
	readonly options: Readonly<Record<string, readonly string[]>>;
};

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
		return existsSync(path.join(root, given[0] ?? '')) && given.length === 1 ? [] : [`${line}: there is no script ${given.join(' ')}`];
	}

	if (program !== 'npm') {
		return [`${line}: ${program} is no program of the README`];
	}

	const [script = '', ...passed] = given[0] === 'test' ? given : given.slice(1).filter(word => word !== '-s');
	if (!scripts.includes(script)) {
		return [`${line}: npm run ${script} does not exist`];
	}

	const [first = 'run', ...others] = passed.filter(word => word !== '--');
	const command = first.startsWith('-') ? 'run' : first;
	const words = first.startsWith('-') ? [first, ...others] : others;
	const known = options[command];
	if (known === undefined) {
		return [`${line}: testbed ${command} does not exist`];
	}

	return words.filter(word => word.startsWith('-') && !known.includes(word.replace(/=.*$/u, ''))).map(word => `${line}: testbed ${command} has no ${word}`);
}
