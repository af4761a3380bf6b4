'use strict';

const path = require('node:path');

/**
The trees of npm packages, each as small as what it is for. A newcomer's first command installs `testbed` only.

- `folder`: where its package-lock.json and node_modules are, relative to the root.
- `given`: what `npm ci` is told beyond what all are told.
- `within`: the tree of the same folder that holds all of this one and more. `npm ci` by hand in the root brings that one.
- `purpose`: for people who wait for it.
- `seconds`: about how long it takes on two cores with a quick network, for the same people.
*/
const trees = {
	testbed: {folder: '.', given: ['--workspaces=false'], within: 'tests', purpose: 'what a run needs', seconds: 4},
	tests: {folder: '.', given: [], purpose: 'a run, the compiler and the tests', seconds: 12},
	lint: {folder: 'scripts/lint', given: [], purpose: 'the linters', seconds: 30},
	examples: {folder: 'examples', given: [], purpose: 'the example for vitest', seconds: 12},
};

/** The place of a package in a lockfile, as Node would find it for the one that asks: in its own node_modules, or in one further up. */
function findEntry(name, asking, packages) {
	let folder = asking;
	for (;;) {
		const entry = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
		if (Object.hasOwn(packages, entry)) {
			return entry;
		}

		if (folder === '') {
			return undefined;
		}

		const above = folder.lastIndexOf('/node_modules/');
		folder = above === -1 ? '' : folder.slice(0, above);
	}
}

/** The entries of a lockfile that its root asks for, itself or through others, without those of its workspaces. */
function entriesOfRoot(packages) {
	const reached = new Set(['']);
	for (const entry of reached) { // What is added meanwhile is visited too.
		const {dependencies, devDependencies, optionalDependencies, peerDependencies} = packages[entry];
		const asked = {...dependencies, ...optionalDependencies, ...peerDependencies, ...(entry === '' ? devDependencies : {})};
		for (const name of Object.keys(asked)) {
			const found = findEntry(name, entry, packages);
			if (found !== undefined) {
				reached.add(found);
			}
		}
	}

	reached.delete('');
	return [...reached];
}

/** The entries of a lockfile that a tree must have, for those of them that belong to this kind of machine. */
function entriesOf(tree, packages) {
	return trees[tree].within === undefined ? Object.keys(packages).filter(entry => entry.split('/').includes('node_modules')) : entriesOfRoot(packages);
}

module.exports = {entriesOf, folderOf: (tree, root) => path.join(root, trees[tree].folder), trees};
