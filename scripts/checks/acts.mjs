import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);

/** The names in `npm run NAME` of a text, and `npm test`. */
function namedIn(text) {
	return [...text.matchAll(/npm (?:run(?:-script)? (?:-s |--silent )?([a-z][\w:-]*)|(?:-s )?(test)\b)/g)].map(match => match[1] ?? match[2]);
}

function markdownFiles(root) {
	return fs.readdirSync(root, {recursive: true, withFileTypes: true})
		.filter(entry => entry.isFile() && entry.name.endsWith('.md'))
		.map(entry => path.relative(root, path.join(entry.parentPath, entry.name)))
		.filter(name => !/(?:^|\/)(?:node_modules|dist|\.git)\//.test(name));
}

/**
Checks that `npm run` lists every script and that documents only name existing ones; returns what is missing, one line each: every act of the launcher and every program in scripts/ must be in package.json, and every command that a document names must exist.
*/
export function complaintsAboutActs(root) {
	const {scripts} = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
	const {acts} = require(path.join(root, 'scripts/setup/acts.cjs'));
	const commands = Object.values(scripts);
	const unlisted = Object.keys(acts).filter(act => !commands.includes(`node scripts/run.cjs ${act}`));
	// These are started in other ways: by each act, `bin`, people, and .ci/run, which starts `npm run ci`.
	const reached = new Set(['run.cjs', 'testbed.cjs', 'doctor', 'ci.mjs', ...Object.values(acts).map(act => path.basename(act.program ?? ''))]);
	const programs = fs.readdirSync(path.join(root, 'scripts'), {withFileTypes: true})
		.filter(entry => entry.isFile() && !reached.has(entry.name) && commands.every(command => !command.includes(`scripts/${entry.name}`)));
	return [
		...unlisted.map(act => `The launcher has an act "${act}", but no script in package.json starts it.`),
		...programs.map(({name}) => `No script in package.json starts scripts/${name}, so \`npm run\` does not list it.`),
		...markdownFiles(root).flatMap(file => namedIn(fs.readFileSync(path.join(root, file), 'utf8'))
			.filter(name => !Object.hasOwn(scripts, name))
			.map(name => `${file} names \`npm run ${name}\`, which is not in package.json.`)),
	];
}
