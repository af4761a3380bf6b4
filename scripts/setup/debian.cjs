'use strict';

const {spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {SetupProblem} = require('./problem.cjs');

/** Where Debian keeps the netfilter programs; a user's PATH often leaves these out. */
const systemFolders = ['/usr/sbin', '/sbin'];

/** The commands to install the netfilter programs on distributions without apt, by `ID` and `ID_LIKE` of os-release. */
const commandsElsewhere = {
	fedora: 'sudo dnf install -y iptables-nft iptables-legacy nftables iproute',
	rhel: 'sudo dnf install -y iptables-nft iptables-legacy nftables iproute     # iptables-legacy comes from EPEL',
	alpine: 'apk add iptables iptables-legacy nftables iproute2',
	arch: 'sudo pacman -S --needed iptables nftables iproute2',
	suse: 'sudo zypper install -y iptables nftables iproute2',
	gentoo: 'sudo emerge --noreplace net-firewall/iptables net-firewall/nftables sys-apps/iproute2',
	nixos: 'nix-shell -p iptables iptables-legacy nftables iproute2',
};

function isProgram(file) {
	try {
		fs.accessSync(file, fs.constants.X_OK);
		return true;
	} catch (error) {
		if (['ENOENT', 'EACCES', 'ENOTDIR', 'ELOOP'].includes(error.code)) {
			return false;
		}

		throw error;
	}
}

function findProgram(name, context) {
	// `npm run` prepends node_modules/.bin, where one of ava's packages has an unrelated program `nft`.
	const given = (context.env.PATH ?? '').split(path.delimiter).filter(folder => folder !== '' && !folder.split(path.sep).includes('node_modules'));
	const folders = [...given, ...context.systemFolders];
	return folders.map(folder => path.join(folder, name)).find(file => isProgram(file));
}

/**
The missing programs, as `{name, package}`. Checks for the files without starting a process.

@param {Record<string, string[]>} wanted The programs of each Debian package.
*/
function missingPrograms(wanted, context) {
	return Object.entries(wanted).flatMap(([packageName, programs]) =>
		programs.filter(name => findProgram(name, context) === undefined).map(name => ({name, package: packageName})));
}

function parseOsRelease(text) {
	const value = key => new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
	return {name: value('PRETTY_NAME') || value('ID') || 'an unknown distribution', ids: [value('ID'), ...value('ID_LIKE').split(' ')].filter(Boolean)};
}

function readOsRelease(file) {
	try {
		return parseOsRelease(fs.readFileSync(file, 'utf8'));
	} catch (error) {
		if (error.code === 'ENOENT') {
			return parseOsRelease('');
		}

		throw error;
	}
}

const packagesOf = missing => [...new Set(missing.map(program => program.package))];
const namesOf = missing => missing.map(({name}) => name).join(', ');

function aptCommand(packages) {
	return ['install', '-y', '--no-install-recommends', ...packages];
}

function problemElsewhere(missing, context) {
	const {name, ids} = readOsRelease(context.osRelease);
	const id = ids.flatMap(id => id.startsWith('opensuse') ? ['suse'] : [id]).find(id => Object.hasOwn(commandsElsewhere, id));
	return new SetupProblem(`These programs are missing: ${namesOf(missing)}. They cannot be installed automatically, because ${name} has no apt-get.`, {
		state: 'Nothing was installed, built or run.',
		hint: id === undefined ? `Install the packages that contain these programs. On Debian, that is: apt-get ${aptCommand(packagesOf(missing)).join(' ')}` : commandsElsewhere[id],
	});
}

function hasPackageLists(context) {
	return fs.existsSync(context.aptLists) && fs.readdirSync(context.aptLists).some(name => /_Packages(?:\.\w+)?$/.test(name));
}

function runApt(apt, given, context) {
	// If another process holds the package manager's lock, wait for it. Its output goes to stderr.
	const {status, error} = spawnSync(apt, ['-q', '-o', 'DPkg::Lock::Timeout=300', ...given], {
		stdio: ['ignore', 2, 2], env: {...context.env, DEBIAN_FRONTEND: 'noninteractive'},
	});
	if (error) {
		throw error;
	}

	return status === 0;
}

/**
Installs the Debian packages of missing programs. Afterwards all of `wanted` must be there.

@param {{name: string, package: string}[]} missing
@param {Record<string, string[]>} wanted The programs of each Debian package.
*/
function install(missing, wanted, context) {
	const apt = findProgram('apt-get', context);
	if (apt === undefined) {
		throw problemElsewhere(missing, context);
	}

	const packages = packagesOf(missing);
	if (context.uid !== 0) {
		throw new SetupProblem(`These programs are missing: ${namesOf(missing)}. Only root can install them, and this is UID ${context.uid}.`, {
			state: 'Nothing was installed, built or run.', hint: `sudo apt-get update && sudo apt-get ${aptCommand(packages).join(' ')}`,
		});
	}

	context.say(`Missing: ${namesOf(missing)}. apt-get ${aptCommand(packages).join(' ')}`);
	// A fresh container has no package lists; old lists name versions that the mirror has dropped. An update fixes both.
	const installed = (hasPackageLists(context) && runApt(apt, aptCommand(packages), context))
		|| (runApt(apt, ['update'], context) && runApt(apt, aptCommand(packages), context));
	const still = missingPrograms(wanted, context);
	if (!installed || still.length > 0) {
		const lacking = still.length > 0 ? `still missing: ${namesOf(still)}` : 'although all programs are there';
		throw new SetupProblem(`apt-get ${aptCommand(packages).join(' ')} failed (${lacking}). Its output is above.`, {
			state: 'Nothing was built or run.', hint: `sudo apt-get update && sudo apt-get ${aptCommand(packages).join(' ')}`,
		});
	}
}

module.exports = {install, missingPrograms, parseOsRelease, systemFolders};
