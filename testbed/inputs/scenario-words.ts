/**
Words of a command line that name scenarios. Apart from what reads scenarios: a wrong use is told before anything of that is loaded.
*/

import {readdirSync, statSync} from 'node:fs';
import path from 'node:path';
import {TestbedError} from '../errors.js';

const extensions = new Set(['.yaml', '.yml', '.json']);

/** Whether a word on the command line names scenarios: a file by its extension, or a folder. */
export function namesScenario(word: string): boolean {
	return extensions.has(path.extname(word)) || word.endsWith('/') || isFolder(word);
}

function isFolder(word: string): boolean {
	try {
		return statSync(word).isDirectory();
	} catch {
		return false; // Reading it will report why it cannot be read.
	}
}

/**
The scenario files that words name: a folder stands for all scenarios in it, sorted by name. Missing files are kept: they are reported together with the errors of the others when they are read.

@throws {TestbedError} INPUT for a folder without any.
*/
export function scenarioFiles(words: readonly string[]): readonly string[] {
	return words.flatMap(word => {
		if (!isFolder(word)) {
			return [word];
		}

		const files = readdirSync(word).filter(name => extensions.has(path.extname(name))).toSorted().map(name => path.join(word, name));
		if (files.length === 0) {
			throw new TestbedError('INPUT', {message: `The folder ${word} contains no scenarios.`, hint: 'A scenario is a file that ends in .yaml, .yml or .json.'});
		}

		return files;
	});
}
