'use strict';

const {spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {SetupProblem} = require('./problem.cjs');

/** Where Debian keeps the netfilter programs; a user's PATH often leaves these out. */
const systemFolders = ['/usr/sbin', '/sbin'];

/** What brings the netfilter programs on distributions that do not speak apt, by `ID` and `ID_LIKE` of os-release. */
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
	// `npm run` puts node_modules/.bin in front, and one of ava's packages has a program `nft` there that is quite another.
	const given = (context.env.PATH ?? '').split(path.delimiter).filter(folder => folder !== '' && !folder.split(path.sep).includes('node_modules'));
	const folders = [...given, ...context.systemFolders];
	return folders.map(folder => path.join(folder, name)).find(file => isProgram(file));
}

/**
The programs that are not there, as `{name, package}`. Found by looking for the files: no process is started.

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
	return new SetupProblem(`These programs are missing: ${namesOf(missing)}. They are not installed for you, because there is no apt-get on ${name}.`, {
		state: 'Nothing was installed, built or run.',
		hint: id === undefined ? `Install what brings these programs; on Debian that is: apt-get ${aptCommand(packagesOf(missing)).join(' ')}` : commandsElsewhere[id],
	});
}

function hasPackageLists(context) {
	return fs.existsSync(context.aptLists) && fs.readdirSync(context.aptLists).some(name => /_Packages(?:\.\w+)?$/.test(name));
}

function runApt(apt, given, context) {
	// A package manager that is busy with something else is waited for; its output goes to stderr.
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
	if (apt === undefined || context.uid !== 0) {
		throw problemElsewhere(missing, context);
	}

	const packages = packagesOf(missing);
	context.say(`Missing: ${namesOf(missing)}. apt-get ${aptCommand(packages).join(' ')}`);
	// A fresh container has no package lists; old lists name versions that the mirror has dropped. Both are mended by an update.
	const installed = (hasPackageLists(context) && runApt(apt, aptCommand(packages), context))
		|| (runApt(apt, ['update'], context) && runApt(apt, aptCommand(packages), context));
	const still = missingPrograms(wanted, context);
	if (!installed || still.length > 0) {
		const lacking = still.length > 0 ? `still missing: ${namesOf(still)}` : 'though all programs are there';
		throw new SetupProblem(`apt-get ${aptCommand(packages).join(' ')} did not do its work (${lacking}); what it said stands above.`, {
			state: 'Nothing was built or run.', hint: `sudo apt-get update && sudo apt-get ${aptCommand(packages).join(' ')}`,
		});
	}
}

module.exports = {install, missingPrograms, parseOsRelease, systemFolders};
