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
Whether `npm run` lists every act, as lines of what is missing: every act of the launcher and every program in scripts/ stands in package.json, and every command that a document names exists.
*/
export function complaintsAboutActs(root) {
	const {scripts} = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
	const {acts} = require(path.join(root, 'scripts/setup/acts.cjs'));
	const commands = Object.values(scripts);
	const unlisted = Object.keys(acts).filter(act => !commands.includes(`node scripts/run.cjs ${act}`));
	// These are reached by other ways: each act, `bin`, people, and .ci/run, which `npm run ci` starts.
	const reached = new Set(['run.cjs', 'testbed.cjs', 'doctor', 'ci.mjs', ...Object.values(acts).map(act => path.basename(act.program ?? ''))]);
	const programs = fs.readdirSync(path.join(root, 'scripts'), {withFileTypes: true})
		.filter(entry => entry.isFile() && !reached.has(entry.name) && commands.every(command => !command.includes(`scripts/${entry.name}`)));
	return [
		...unlisted.map(act => `The launcher has an act "${act}" that no script of package.json starts.`),
		...programs.map(({name}) => `scripts/${name} is started by no script of package.json, so \`npm run\` does not show it.`),
		...markdownFiles(root).flatMap(file => namedIn(fs.readFileSync(path.join(root, file), 'utf8'))
			.filter(name => !Object.hasOwn(scripts, name))
			.map(name => `${file} names \`npm run ${name}\`, which package.json does not have.`)),
	];
}
