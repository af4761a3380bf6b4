'use strict';

const path = require('node:path');

/**
The trees of npm packages, each as small as its purpose allows. A newcomer's first command only installs `testbed`.

- `folder`: where its package-lock.json and node_modules are, relative to the root.
- `given`: additional arguments for `npm ci`.
- `within`: the larger tree of the same folder that includes this one. A manual `npm ci` in the root installs that one.
- `purpose`: shown while it is installed.
- `seconds`: about how long it takes on two cores with a fast network, also shown.
*/
const trees = {
	testbed: {folder: '.', given: ['--workspaces=false'], within: 'tests', purpose: 'what a run needs', seconds: 4},
	tests: {folder: '.', given: [], purpose: 'a run, the compiler and the tests', seconds: 12},
	lint: {folder: 'scripts/lint', given: [], purpose: 'the linters', seconds: 30},
	kubernetes: {folder: 'scripts/kubernetes', given: [], purpose: 'the client for Kubernetes, in the tests of kubectl: inputs', seconds: 10},
	examples: {folder: 'examples', given: [], purpose: 'the tests of the examples', seconds: 12},
};

/** The location of a package in a lockfile, as Node would resolve it for the importing package: in its own node_modules, or further up. */
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

/** The entries of a lockfile that its root depends on, directly or indirectly, without those of its workspaces. */
function entriesOfRoot(packages) {
	const reached = new Set(['']);
	for (const entry of reached) { // Entries added during the loop are visited too.
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

/** The entries of a lockfile that a tree must have on this kind of machine. */
function entriesOf(tree, packages) {
	return trees[tree].within === undefined ? Object.keys(packages).filter(entry => entry.split('/').includes('node_modules')) : entriesOfRoot(packages);
}

module.exports = {entriesOf, folderOf: (tree, root) => path.join(root, trees[tree].folder), trees};
