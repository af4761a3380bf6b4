import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {isolated, load, writeProgram, type Problem} from './_setup.js';

const {install, missingPrograms} = load('debian');
const {netfilterPrograms} = load('acts');
const nft = {nftables: ['nft']};

test('names every missing program with its package', async t => {
	await using context = await isolated();
	writeProgram(context.bin, 'nft');
	writeProgram(context.bin, 'iptables-nft-restore');
	const missing = missingPrograms(netfilterPrograms, context);
	t.deepEqual(missing.filter(({name}) => ['nft', 'ip', 'iptables-nft-restore', 'iptables-legacy-restore'].includes(name)), [
		{name: 'iptables-legacy-restore', package: 'iptables'},
		{name: 'ip', package: 'iproute2'},
	]);
});

test('finds programs beside the PATH, where Debian keeps them', async t => {
	await using context = await isolated();
	t.is(missingPrograms(nft, {...context, env: {PATH: '/nowhere'}, systemFolders: [context.bin]}).length, 1);
	writeProgram(context.bin, 'nft');
	t.deepEqual(missingPrograms(nft, {...context, env: {PATH: '/nowhere'}, systemFolders: [context.bin]}), []);
});

test('a file that cannot be executed is no program', async t => {
	await using context = await isolated();
	fs.writeFileSync(path.join(context.bin, 'nft'), '', {mode: 0o644});
	t.is(missingPrograms(nft, context).length, 1);
});

const distributions = [
	{title: 'Fedora', release: 'NAME=Fedora\nID=fedora\nPRETTY_NAME="Fedora Linux 42"\n', hint: 'sudo dnf install'},
	{title: 'Rocky, by what it is like', release: 'ID="rocky"\nID_LIKE="rhel centos fedora"\n', hint: 'sudo dnf install'},
	{title: 'Alpine', release: 'ID=alpine\n', hint: 'apk add'},
	{title: 'Arch', release: 'ID=arch\n', hint: 'sudo pacman'},
	{title: 'openSUSE Tumbleweed', release: 'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', hint: 'sudo zypper'},
	{title: 'one that nobody knows', release: 'ID=hannah-montana\n', hint: 'Install the packages that contain these programs'},
	{title: 'none at all', release: undefined, hint: 'Install the packages that contain these programs'},
];

for (const {title, release, hint} of distributions) {
	test(`other distribution: ${title}`, async t => {
		await using context = await isolated();
		if (release !== undefined) {
			fs.writeFileSync(context.osRelease, release);
		}

		const problem = t.throws<Problem>(() => {
			install(missingPrograms(nft, context), nft, context);
		});
		t.is(problem.exitCode, 4);
		t.true(problem.message.includes('nft'));
		t.true(problem.hint.startsWith(hint), problem.hint);
	});
}

/** An apt-get that writes down how it was called; `install` does its work only after `broken` calls. */
function fakeApt(bin: string, {brokenInstalls = 0} = {}): () => string[] {
	const log = path.join(bin, 'calls');
	writeProgram(bin, 'apt-get', `
		echo "$*" >> '${log}'
		case "$*" in
		*' install '*)
			[ "$(/bin/grep -c install '${log}')" -gt ${brokenInstalls} ] || exit 100
			printf '#!/bin/sh\\n' > '${bin}/nft' && /bin/chmod +x '${bin}/nft' ;;
		esac`);
	return () => fs.readFileSync(log, 'utf8').trim().split('\n').map(line => line.replace(/^.*Timeout=\d+ /, ''));
}

const aptInstall = 'install -y --no-install-recommends nftables';

test('installs what is missing, and says what and why', async t => {
	await using context = await isolated();
	const calls = fakeApt(context.bin);
	fs.mkdirSync(context.aptLists);
	fs.writeFileSync(path.join(context.aptLists, 'deb.debian.org_debian_dists_trixie_main_binary-amd64_Packages.lz4'), '');
	install(missingPrograms(nft, context), nft, context);
	t.deepEqual(calls(), [aptInstall]);
	t.deepEqual(context.said, [`Missing: nft. apt-get ${aptInstall}`]);
});

test('a container without package lists gets them first', async t => {
	await using context = await isolated();
	const calls = fakeApt(context.bin);
	install(missingPrograms(nft, context), nft, context);
	t.deepEqual(calls(), ['update', aptInstall]);
});

test('old package lists are renewed after a failure', async t => {
	await using context = await isolated();
	const calls = fakeApt(context.bin, {brokenInstalls: 1});
	fs.mkdirSync(context.aptLists);
	fs.writeFileSync(path.join(context.aptLists, 'mirror_Packages'), '');
	install(missingPrograms(nft, context), nft, context);
	t.deepEqual(calls(), [aptInstall, 'update', aptInstall]);
});

test('if apt-get fails, one command is named that fixes it', async t => {
	await using context = await isolated();
	fakeApt(context.bin, {brokenInstalls: 9});
	const problem = t.throws<Problem>(() => {
		install(missingPrograms(nft, context), nft, context);
	});
	t.is(problem.exitCode, 4);
	t.is(problem.hint, `sudo apt-get update && sudo apt-get ${aptInstall}`);
});

test('a program in npm\'s folders does not count as Debian\'s program of the same name', async t => {
	await using context = await isolated();
	const npmFolder = path.join(context.root, 'node_modules/.bin');
	fs.mkdirSync(npmFolder, {recursive: true});
	writeProgram(npmFolder, 'nft');
	context.env['PATH'] = [npmFolder, context.bin].join(path.delimiter);
	t.deepEqual(missingPrograms(nft, context), [{name: 'nft', package: 'nftables'}]);
	writeProgram(context.bin, 'nft');
	t.deepEqual(missingPrograms(nft, context), []);
});
