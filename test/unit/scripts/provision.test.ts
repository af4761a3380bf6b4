import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {isLeftOut} from '../../helpers/left-out.js';
import {isolated, root, writeProgram} from './_setup.js';

const script = path.join(root, 'scripts/provision.sh');

/** A machine of which the script sees only this: the tools of every Debian, and what a test adds. */
async function machine({uid = 0, node = '', candidate = '', apt = true, netfilter = true} = {}) {
	const context = await isolated();
	for (const tool of ['sort', 'head', 'sed', 'mkdir', 'cat', 'chmod']) {
		const found = ['/usr/bin', '/bin'].map(folder => path.join(folder, tool)).find(file => fs.existsSync(file));
		fs.symlinkSync(found!, path.join(context.bin, tool));
	}

	writeProgram(context.bin, 'id', `echo ${uid}`);
	if (node !== '') {
		writeProgram(context.bin, 'node', `echo v${node}`);
		writeProgram(context.bin, 'npm', 'echo 10.0.0');
	}

	if (apt) {
		writeProgram(context.bin, 'apt-cache', `echo '  Candidate: ${candidate}'`);
		writeProgram(context.bin, 'apt-get', `
			echo "$*" >> '${context.bin}/calls'
			case "$*" in *nodejs*)
				printf '#!/bin/sh\\necho v20.19.2\\n' > '${context.bin}/node'
				printf '#!/bin/sh\\necho 9.2.0\\n' > '${context.bin}/npm'
				chmod +x '${context.bin}/node' '${context.bin}/npm' ;;
			esac`);
	}

	if (netfilter) {
		for (const name of ['iptables-nft-restore', 'iptables-legacy-restore', 'nft', 'ip']) {
			writeProgram(context.bin, name);
		}
	}

	const log = path.join(context.bin, 'calls');
	return {
		run: async (...given: string[]) => execa('/bin/sh', [script, ...given], {reject: false, stdin: 'ignore', env: {PATH: context.bin}, extendEnv: false}),
		calls: () => fs.existsSync(log) ? fs.readFileSync(log, 'utf8').trim().split('\n').map(line => line.replace(/^-q (?:-o \S+ )?/, '')) : [],
		[Symbol.asyncDispose]: context[Symbol.asyncDispose],
	};
}

test('is POSIX sh', async t => {
	await t.notThrowsAsync(execa('sh', ['-n', script]));
});

test('shellcheck has nothing to say about any shell script of the project', async t => {
	if (isLeftOut(t, {program: 'shellcheck'})) {
		return;
	}

	const scripts = ['scripts', 'testbed', 'findings'].flatMap(folder => fs.readdirSync(path.join(root, folder), {recursive: true, encoding: 'utf8'})
		.filter(name => name.endsWith('.sh') && !name.includes('node_modules')).map(name => path.join(root, folder, name)));
	t.true(scripts.length > 10, scripts.join(', '));
	t.true(scripts.includes(script));
	await t.notThrowsAsync(execa('shellcheck', [path.join(root, 'scripts/doctor'), path.join(root, '.ci/run'), ...scripts]));
});

test('where all stands, nothing is installed and root is not needed', async t => {
	await using debian = await machine({uid: 1000, node: '22.5.0'});
	const {exitCode, stderr} = await debian.run();
	t.is(exitCode, 0, stderr);
	t.deepEqual(debian.calls(), []);
});

test('Debian 13: Node comes from the distribution', async t => {
	await using debian = await machine({candidate: '20.19.2+dfsg-1'});
	const {exitCode, stderr} = await debian.run();
	t.is(exitCode, 0, stderr);
	t.deepEqual(debian.calls(), ['update', 'install -y --no-install-recommends nodejs npm']);
});

test('Debian 12: a Node that is too old is replaced, and not by the distribution\'s', async t => {
	await using debian = await machine({node: '18.20.4', candidate: '18.20.4+dfsg-1~deb12u1'});
	const {exitCode, stderr} = await debian.run('--node-only');
	t.not(exitCode, 0); // There is no curl on this machine, so that no test writes to /etc/apt.
	t.true(stderr.includes('Node is 18.20.4; the testbed needs 20.19.0. Installing it from NodeSource.'), stderr);
});

for (const version of ['20.18.9', '18.20.4', '9.99.99']) {
	test(`Node ${version} is too old`, async t => {
		await using debian = await machine({node: version, candidate: '20.19.2+dfsg-1'});
		const {exitCode} = await debian.run('--node-only');
		t.is(exitCode, 0);
		t.is(debian.calls().length, 2);
	});
}

test('without root: exit status 4 and the command', async t => {
	await using debian = await machine({uid: 1000});
	const {exitCode, stderr} = await debian.run();
	t.is(exitCode, 4);
	t.true(stderr.includes('Do: sudo sh scripts/provision.sh'), stderr);
});

test('without apt-get: exit status 4 and what to install', async t => {
	await using fedora = await machine({apt: false});
	const {exitCode, stderr} = await fedora.run();
	t.is(exitCode, 4);
	t.true(stderr.includes('iproute2 with your distribution\'s package manager'), stderr);
});

test('an unknown option is a usage error', async t => {
	await using debian = await machine({node: '22.5.0'});
	const {exitCode} = await debian.run('--frobnicate');
	t.is(exitCode, 2);
});
