'use strict';

const {spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const process = require('node:process');
const {bundle, bundlesStand} = require('./bundle.cjs');
const {SetupProblem} = require('./problem.cjs');
const {giveToOwner} = require('./owner.cjs');

/** The folders that each TypeScript project compiles, with those it refers to. */
const foldersOf = {testbed: ['src', 'testbed'], test: ['src', 'testbed', 'test']};

/** All files below a folder, relative to the root. A folder that is not there has none. */
function filesBelow(root, folder) {
	try {
		return fs.readdirSync(path.join(root, folder), {withFileTypes: true}).flatMap(entry => {
			const name = `${folder}/${entry.name}`;
			return entry.isDirectory() ? filesBelow(root, name) : [name];
		});
	} catch (error) {
		if (error.code === 'ENOENT') {
			return [];
		}

		throw error;
	}
}

const isSource = name => name.endsWith('.ts') && !name.endsWith('.d.ts');
const outputOf = source => `dist/${source.slice(0, -'.ts'.length)}.js`;

/** The source of a compiled file, or undefined for a file that the compiler does not write. */
function sourceOf(output) {
	const match = /^dist\/(.*?)(?:\.d\.ts|\.js)(?:\.map)?$/.exec(output);
	return match === null ? undefined : `${match[1]}.ts`;
}

/**
Everything that a build depends on, as one text: names, sizes and times of the sources and settings. Equality is asked, not age: so a file that was deleted, or replaced by an older one, counts too.
A new compiler is a new lockfile.
*/
function fingerprint(target, root) {
	const settings = ['tsconfig.base.json', 'tsconfig.json', 'package-lock.json', ...foldersOf[target].map(folder => `${folder}/tsconfig.json`)];
	const sources = foldersOf[target].flatMap(folder => filesBelow(root, folder)).filter(name => name.endsWith('.ts'));
	return [...settings, ...sources].map(name => {
		const {size, mtimeMs} = fs.statSync(path.join(root, name));
		return `${name} ${size} ${mtimeMs}\n`;
	}).join('');
}

function compare(target, root) {
	const folders = foldersOf[target];
	const sources = new Set(folders.flatMap(folder => filesBelow(root, folder)).filter(name => isSource(name)));
	const outputs = folders.flatMap(folder => filesBelow(root, `dist/${folder}`));
	const present = new Set(outputs);
	return {
		stale: outputs.filter(output => sourceOf(output) !== undefined && !sources.has(sourceOf(output))),
		lacking: [...sources].map(source => outputOf(source)).filter(output => !present.has(output)),
	};
}

const stampOf = target => `dist/.stamp-${target}`;

function readStamp(target, root) {
	try {
		return fs.readFileSync(path.join(root, stampOf(target)), 'utf8');
	} catch (error) {
		if (error.code === 'ENOENT') {
			return undefined;
		}

		throw error;
	}
}

/** Whether what is in `dist` was compiled from the sources as they are. */
function buildStands(target, {root}) {
	if (readStamp(target, root) !== fingerprint(target, root)) {
		return false;
	}

	const {stale, lacking} = compare(target, root);
	return stale.length === 0 && lacking.length === 0 && bundlesStand({root});
}

function compile(target, {root, env}, given = []) {
	const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
	const {status, signal, error} = spawnSync(process.execPath, [compiler, '-b', target, ...given], {cwd: root, env, stdio: ['ignore', 2, 2]});
	if (status !== 0) {
		throw new SetupProblem(`tsc -b ${target} ended with ${error ? error.message : (signal ?? `exit status ${status}`)}; what it said stands above.`, {
			state: 'Nothing was run: what is in dist is not what the sources say.', hint: 'Mend the type errors above, then: npm run build',
		});
	}
}

function build(target, context) {
	const {root} = context;
	context.say(`Compiling ${foldersOf[target].join(', ')} to dist (new checkout, or a source changed).`);
	// Taken before the compiler reads the files: a file saved meanwhile leaves the stamp behind, and is compiled next time.
	const stamp = fingerprint(target, root);
	try {
		// A compiled test whose source is gone would still be run.
		for (const file of compare(target, root).stale) {
			fs.rmSync(path.join(root, file));
		}

		compile(target, context);
		// The compiler trusts its .tsbuildinfo, and writes nothing when somebody has deleted a part of dist.
		if (compare(target, root).lacking.length > 0) {
			compile(target, context, ['--force']);
		}

		bundle(context);
		fs.writeFileSync(path.join(root, stampOf(target)), stamp);
	} finally {
		giveToOwner(['dist'], context);
	}
}

module.exports = {build, buildStands};
