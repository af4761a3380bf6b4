'use strict';

const {createHash} = require('node:crypto');
const {spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const process = require('node:process');
const {SetupProblem} = require('./problem.cjs');
const {giveToOwner} = require('./owner.cjs');
const {entriesOf, folderOf, trees} = require('./trees.cjs');

const stampName = 'node_modules/.testbed-stamp';

/** The file that npm writes when it is done, which lists the installed packages. */
const installedName = 'node_modules/.package-lock.json';

function readIfThere(file) {
	try {
		return fs.readFileSync(file, 'utf8');
	} catch (error) {
		if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
			return undefined;
		}

		throw error;
	}
}

const hash = text => text === undefined ? 'none' : createHash('sha256').update(text).digest('hex');

/** Identifies what the packages are for: another lockfile, another major version of Node, or another kind of machine that shares the folder (a VM and its host) needs different ones. */
function needOf(folder, context) {
	return `${hash(fs.readFileSync(path.join(folder, 'package-lock.json')))} node-${context.nodeMajor} ${context.platform}-${context.arch}`;
}

/** The whole stamp: what it is for, which tree, and what npm wrote. Calling npm by hand changes the latter, and the tree is then checked again. */
function stampOf(tree, folder, context) {
	return `${needOf(folder, context)} ${tree} ${hash(readIfThere(path.join(folder, installedName)))}\n`;
}

/** Whether the packages of a tree are installed, alone or as part of a larger one. */
function packagesStand(tree, context) {
	const folder = folderOf(tree, context.root);
	const stamp = readIfThere(path.join(folder, stampName));
	return stamp !== undefined && [tree, trees[tree].within].some(name => name !== undefined && stamp === stampOf(name, folder, context));
}

/** Whether npm must have installed this package here, if it is optional: the binaries for other machines are optional too. */
function belongsHere({os, cpu, libc}, {platform, arch}) {
	return libc === undefined && (os === undefined || os.includes(platform)) && (cpu === undefined || cpu.includes(arch));
}

/** Whether an entry of the lockfile is installed correctly. */
function isInstalled(wanted, present, context) {
	if (present === undefined) {
		return wanted.optional === true && !belongsHere(wanted, context);
	}

	return present.integrity === wanted.integrity && present.link === wanted.link;
}

/**
Whether a manual `npm ci` or `npm install` has already installed exactly what the lockfile names for this tree.

A stamp for another lockfile, Node or machine means that it was not installed for this one.
*/
function installedByNpm(tree, context) {
	const folder = folderOf(tree, context.root);
	const installed = readIfThere(path.join(folder, installedName));
	const stamp = readIfThere(path.join(folder, stampName));
	if (installed === undefined || (stamp !== undefined && !stamp.startsWith(`${needOf(folder, context)} `))) {
		return false;
	}

	const {packages: present} = JSON.parse(installed);
	const {packages: wanted} = JSON.parse(fs.readFileSync(path.join(folder, 'package-lock.json'), 'utf8'));
	return Object.keys(present).every(entry => Object.hasOwn(wanted, entry))
		&& entriesOf(tree, wanted).every(entry => isInstalled(wanted[entry], present[entry], context));
}

/** The npm that started us, so that none is needed in PATH; yarn and pnpm set the same variable but have no `ci`. */
function npmCommand(env) {
	const script = env.npm_execpath;
	return script !== undefined && path.basename(script) === 'npm-cli.js' ? [process.execPath, script] : ['npm'];
}

/** Whether the packages of a tree must be downloaded because they are not installed yet. */
function mustInstall(tree, context) {
	return !packagesStand(tree, context) && !installedByNpm(tree, context);
}

/** Installs the packages of a tree, unless that is already done, and writes the stamp. */
function installPackages(tree, context) {
	const folder = folderOf(tree, context.root);
	const {given: own, within} = trees[tree];
	let standing = [within, tree].find(name => name !== undefined && installedByNpm(name, context));
	if (standing === undefined) {
		const [program, ...first] = npmCommand(context.env);
		// No install scripts: none of the packages needs one, and this runs as root. The user's production setting must not omit what the build needs.
		const given = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--include=dev', ...own];
		// Packages in npm's cache need no request to the registry.
		const {status, signal, error} = spawnSync(program, [...first, ...given, '--prefer-offline'], {cwd: folder, env: context.env, stdio: ['ignore', 2, 2]});
		if (status !== 0) {
			giveToOwner([path.join(trees[tree].folder, 'node_modules')], context);
			throw new SetupProblem(`npm ${given.join(' ')} in ${folder} ended with ${error ? error.message : (signal ?? `exit status ${status}`)}; its output is above.`, {
				state: 'node_modules may be incomplete; nothing was run.', hint: `cd ${folder} && npm ci --ignore-scripts`,
			});
		}

		standing = tree;
	}

	fs.writeFileSync(path.join(folder, stampName), stampOf(standing, folder, context));
	giveToOwner([path.join(trees[tree].folder, 'node_modules')], context);
}

module.exports = {installPackages, mustInstall, packagesStand};
