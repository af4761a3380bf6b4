import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {parseArgs} from 'node:util';
import {notesOf, ReleaseError, versionOfTag} from './package/release.mjs';

const root = path.resolve(import.meta.dirname, '..');
const help = `Usage: npm run -s release-notes -- --tag TAG [--output FILE]

Prints what CHANGELOG.md says of a version. The tag must be that of the version in package.json: v1.2.3.

Exit status: 0 there are notes, 1 the tag is another one or there are no notes, 2 usage.`;

function main() {
	const {values: {tag, output, help: wantsHelp}} = parseArgs({options: {tag: {type: 'string'}, output: {type: 'string'}, help: {type: 'boolean'}}});
	if (wantsHelp || tag === undefined) {
		console.log(help);
		return wantsHelp ? 0 : 2;
	}

	try {
		const {version} = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
		const notes = notesOf(fs.readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8'), versionOfTag(tag, version));
		if (output === undefined) {
			process.stdout.write(notes);
		} else {
			fs.writeFileSync(output, notes);
		}

		return 0;
	} catch (error) {
		if (error instanceof ReleaseError) {
			console.error(error.message);
			return 1;
		}

		throw error;
	}
}

process.exitCode = main();
