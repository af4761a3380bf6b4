'use strict';

const {createHash} = require('node:crypto');
const {spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const process = require('node:process');
const {SetupProblem} = require('./problem.cjs');
const {giveToOwner} = require('./owner.cjs');

const stampName = 'node_modules/.testbed-stamp';

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

/** What must stand in the stamp: another lockfile, another major of Node, or another kind of machine that shares the folder (a VM and its host) makes it differ. */
function wantedStamp(context) {
	const lockfile = fs.readFileSync(path.join(context.root, 'package-lock.json'));
	return `${createHash('sha256').update(lockfile).digest('hex')} node-${context.nodeMajor} ${context.platform}-${context.arch}\n`;
}

function packagesStand(context) {
	return readIfThere(path.join(context.root, stampName)) === wantedStamp(context);
}

/** Whether npm must have installed this package here, if it is optional: the binaries for other machines are optional too. */
function belongsHere({os, cpu, libc}, {platform, arch}) {
	return libc === undefined && (os === undefined || os.includes(platform)) && (cpu === undefined || cpu.includes(arch));
}

/**
Whether somebody's own `npm ci` or `npm install` has already brought exactly what the lockfile names. npm writes `node_modules/.package-lock.json` when it is done.
Only where no stamp stands: one that differs says why it does not hold here.
*/
function installedByNpm(context) {
	const installed = readIfThere(path.join(context.root, 'node_modules/.package-lock.json'));
	if (installed === undefined || readIfThere(path.join(context.root, stampName)) !== undefined) {
		return false;
	}

	const {packages: present} = JSON.parse(installed);
	const {packages: wanted} = JSON.parse(fs.readFileSync(path.join(context.root, 'package-lock.json'), 'utf8'));
	const names = Object.keys(wanted).filter(name => name !== '');
	return Object.keys(present).every(name => Object.hasOwn(wanted, name))
		&& names.every(name => present[name] === undefined ? wanted[name].optional === true && !belongsHere(wanted[name], context) : present[name].integrity === wanted[name].integrity);
}

/** The npm that started us, so that no second one is needed in PATH; yarn and pnpm set the same variable and cannot `ci`. */
function npmCommand(env) {
	const script = env.npm_execpath;
	return script !== undefined && path.basename(script) === 'npm-cli.js' ? [process.execPath, script] : ['npm'];
}

function installPackages(context) {
	const stamp = wantedStamp(context);
	if (!installedByNpm(context)) {
		context.say('Installing the npm packages that package-lock.json names (new checkout, or the lockfile or Node changed).');
		const [program, ...first] = npmCommand(context.env);
		// No install scripts: none of the packages needs one, and this runs as root. The folder's own production setting must not leave out the compiler.
		const given = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--include=dev'];
		const {status, signal, error} = spawnSync(program, [...first, ...given], {cwd: context.root, env: context.env, stdio: ['ignore', 2, 2]});
		if (status !== 0) {
			giveToOwner(['node_modules'], context);
			throw new SetupProblem(`npm ${given.join(' ')} in ${context.root} ended with ${error ? error.message : (signal ?? `exit status ${status}`)}; what it said stands above.`, {
				state: 'node_modules may be incomplete; nothing was run.', hint: `cd ${context.root} && npm ci --ignore-scripts`,
			});
		}
	}

	fs.writeFileSync(path.join(context.root, stampName), stamp);
	giveToOwner(['node_modules'], context);
}

module.exports = {installPackages, packagesStand};
