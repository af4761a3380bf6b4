'use strict';

const fs = require('fs');
const {SetupProblem} = require('./problem.cjs');

/** The oldest Node that the dependencies support: that of Debian 13. */
const oldestNode = [20, 19, 0];

function isOlder(version, floor) {
	const parts = version.split('.').map(Number);
	const index = floor.findIndex((part, place) => parts[place] !== part);
	return index !== -1 && parts[index] < floor[index];
}

function checkNode(version) {
	if (isOlder(version, oldestNode)) {
		throw new SetupProblem('Node ' + version + ' is too old: the testbed needs Node ' + oldestNode.join('.') + ' or newer.', {
			state: 'Nothing was installed or built.',
			hint: 'sudo sh scripts/provision.sh     # on Debian and Ubuntu; elsewhere see https://nodejs.org/en/download',
		});
	}
}

function checkPlatform(platform) {
	if (platform !== 'linux') {
		throw new SetupProblem('The testbed needs the Linux kernel, but this is ' + platform + '.', {
			state: 'Nothing was installed or built.',
			hint: 'vagrant up && vagrant ssh -c "cd /testbed && sudo npm run testbed"     # the same in a VM; `npm run test:unit` works here too',
		});
	}
}

/**
Whether npm was started by root but runs this process as another user: npm 7 and 8 run scripts as the owner of the folder.

@param {(pid: number) => string} readStatus Returns the text of `/proc/PID/status`.
*/
function npmOfRootAbove(pid, readStatus) {
	for (let climbed = 0; climbed < 4 && pid > 1; climbed++) {
		const status = readStatus(pid);
		const name = /^Name:\s*(.*)$/m.exec(status);
		const uid = /^Uid:\s*(\d+)/m.exec(status);
		const parent = /^PPid:\s*(\d+)/m.exec(status);
		if (name && uid && name[1].startsWith('npm') && uid[1] === '0') {
			return true;
		}

		if (!parent) {
			return false;
		}

		pid = Number(parent[1]);
	}

	return false;
}

function readProcStatus(pid) {
	try {
		return fs.readFileSync('/proc/' + pid + '/status', 'utf8');
	} catch { // With hidepid, root's processes are invisible to us; then the general message applies.
		return '';
	}
}

/**
Refuses what this user cannot do. What is not only for root works for ordinary users as well, in a user namespace; but whoever is root and whom npm made an ordinary user is told.

@param {{isForRoot?: boolean, uid: number, parentPid: number, command: string, readStatus?: (pid: number) => string}} options `command` is what the user typed, without `sudo`.
*/
function checkRoot(options) {
	if (options.uid === 0) {
		return;
	}

	const state = 'Nothing was installed, built or run.';
	if (npmOfRootAbove(options.parentPid, options.readStatus || readProcStatus)) {
		throw new SetupProblem('Network namespaces need root. You are root (UID 0), but npm runs this as UID ' + options.uid + ', the owner of the folder, as npm 7 and 8 do.', {
			state, hint: options.direct,
		});
	}

	if (options.isForRoot === false) {
		return;
	}

	throw new SetupProblem('This needs root, but this is UID ' + options.uid + '.', {
		state, hint: 'sudo env "PATH=$PATH" ' + options.command,
	});
}

module.exports = {checkNode, checkPlatform, checkRoot};
