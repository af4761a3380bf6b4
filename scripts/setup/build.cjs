'use strict';

const {spawnSync} = require('node:child_process');
const {createHash} = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const process = require('node:process');
const {bundle, bundlesStand} = require('./bundle.cjs');
const {hashUnlessUnchanged} = require('./file-times.cjs');
const {SetupProblem} = require('./problem.cjs');
const {giveToOwner} = require('./owner.cjs');

/**
The build targets, and their source folders.

- `testbed`: the bundles of the programs, directly from the sources, in about a second. Types are not checked.
- `test`: the same, plus all modules with their types in dist, compiled with tsc, for the tests and for importers of the package.
*/
const foldersOf = {testbed: ['src', 'testbed'], test: ['src', 'testbed', 'test']};

/** The page of `testbed serve`, which is bundled with every target. */
const pageFolder = 'page';

/** All files below a folder, relative to the root; none if the folder does not exist. */
function filesBelow(root, folder) {
	try {
		return fs.readdirSync(`${root}/${folder}`, {withFileTypes: true}).flatMap(entry => {
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

/** The source of a compiled file, or undefined for a file that the compiler did not write. */
function sourceOf(output) {
	const match = /^dist\/(.*?)(?:\.d\.ts|\.js)(?:\.map)?$/.exec(output);
	return match === null ? undefined : `${match[1]}.ts`;
}

/** Everything that a build depends on, relative to the root: the sources and the settings. A new compiler or bundler changes the lockfile. */
function filesOf(target, root) {
	const settings = ['tsconfig.base.json', 'tsconfig.json', 'package-lock.json', ...foldersOf[target].map(folder => `${folder}/tsconfig.json`)];
	const sources = [...foldersOf[target], pageFolder].flatMap(folder => filesBelow(root, folder)).filter(name => /\.(?:tsx?|css)$/.test(name));
	return [...settings, ...sources.toSorted()];
}

/** One hash of the names and contents of files. Contents rather than times, so that a copied checkout stays built, and an edit within the same second counts. */
function fingerprint(names, root) {
	const hash = createHash('sha256');
	for (const name of names) {
		const text = fs.readFileSync(path.join(root, name));
		hash.update(`${name} ${text.length}\n`).update(text);
	}

	return `${hash.digest('hex')}\n`;
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

/** Whether `dist` was built from the current sources. */
function buildStands(target, context) {
	const {root} = context;
	const stamp = readStamp(target, root);
	if (stamp === undefined || !bundlesStand({root})) {
		return false;
	}

	const names = filesOf(target, root);
	const current = hashUnlessUnchanged(names, {note: `dist/.files-${target}`, context, hash: () => fingerprint(names, root)});
	if (stamp !== current) {
		return false;
	}

	if (target === 'testbed') {
		return true;
	}

	const {stale, lacking} = compare(target, root);
	return stale.length === 0 && lacking.length === 0;
}

function compile(target, {root, env}, given = []) {
	const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
	const {status, signal, error} = spawnSync(process.execPath, [compiler, '-b', target, ...given], {cwd: root, env, stdio: ['ignore', 2, 2]});
	if (status !== 0) {
		throw new SetupProblem(`tsc -b ${target} ended with ${error ? error.message : (signal ?? `exit status ${status}`)}; its output is above.`, {
			state: 'Nothing was run: dist does not match the sources.', hint: 'Fix the type errors above, then run: npm run build',
		});
	}
}

function compileAll(target, context) {
	const {root} = context;
	// Otherwise a compiled test whose source is gone would still run.
	for (const file of compare(target, root).stale) {
		fs.rmSync(path.join(root, file));
	}

	compile(target, context);
	// The compiler trusts its .tsbuildinfo, and would not restore deleted parts of dist.
	if (compare(target, root).lacking.length > 0) {
		compile(target, context, ['--force']);
	}
}

/** Builds a target. `test` includes `testbed`, so it writes both stamps. */
function build(target, context) {
	const {root} = context;
	const targets = target === 'test' ? ['testbed', 'test'] : [target];
	// Computed before the sources are read: if a file is saved meanwhile, the stamp is outdated and the next start builds again.
	const stamps = targets.map(name => [stampOf(name), fingerprint(filesOf(name, root), root)]);
	try {
		if (target === 'test') {
			compileAll(target, context);
		}

		bundle(context);
		for (const [file, stamp] of stamps) {
			fs.writeFileSync(path.join(root, file), stamp);
		}
	} finally {
		giveToOwner(['dist'], context);
	}
}

module.exports = {build, buildStands};
